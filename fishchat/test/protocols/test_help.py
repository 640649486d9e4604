"""The answers to ``HELP``: short enough for a terminal, only what is possible, in two languages."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import CHINESE, WORDS, Refusal
from fishchat.features.registry import FEATURES, MSG_SERVER_COMMANDS, PUSHES, VERBS
from fishchat.protocols.help import LOG_IN, NO_SECRETS, NOW, TOO_LATE, Bar, help_lines
from fishchat.protocols.rows import State, Verb
from fishchat.protocols.table import Table
from fishchat.services.gateway.rows import GATEWAY_COMMANDS


def bars(state: State) -> Bar:
    """Return what forbids a verb in a state, on a server without secrets."""

    def bar(verb: Verb) -> str:
        if verb.secrets:
            return NO_SECRETS
        if state in verb.states:
            return NOW
        return TOO_LATE if State.GREETED in verb.states else LOG_IN

    return bar


def asked(line: str, bar: Bar = lambda _: NOW, table: Table = MSG_SERVER_COMMANDS) -> list[str]:
    """Return the items of the answer."""
    lines = help_lines(table, table.parse(line.encode()), bar).decode().split("\r\n")
    return [item.removeprefix("ITEM ") for item in lines[1:-2]]


def columns(line: str) -> int:
    """Return how wide a terminal shows a line."""
    return sum(1 + (letter > "\u2e80") for letter in line)


class OverviewTests(SynchronousTestCase):
    def test_one_screen(self) -> None:
        """With everything possible it fits a terminal of 24 lines and 80 columns, in both languages."""
        for line in ("HELP", "HELP zh"):
            items = asked(line)
            self.assertLessEqual(len(items), 22)
            self.assertEqual([item for item in items if columns("ITEM " + item) > 96], [])

    def test_every_verb(self) -> None:
        """Every verb is there once, by its short name."""
        for line in ("HELP", "HELP zh"):
            *usages, _ = asked(line)
            words = re.findall(r"[A-Z_]{3,}", " ".join(usages))
            self.assertEqual(sorted(words), sorted(verb.short.decode() for verb in VERBS))

    def test_possible_now(self) -> None:
        """What is not possible is left out: by the state of the connection, and by the mode of the server."""
        before, after = (" ".join(asked("HELP", bars(state))) for state in (State.GREETED, State.ONLINE))
        for verb in ("LOGIN", "HELLO"):
            self.assertIn(verb, before)
            self.assertNotIn(verb, after)
        for verb in ("MSG <account>", "JOIN"):
            self.assertNotIn(verb, before)
            self.assertIn(verb, after)
        for verb in ("SIGNUP", "PASSWORD"):
            self.assertNotIn(verb, before + after)
        self.assertIn("More after the login: Messages, ", before)

    def test_programs(self) -> None:
        """What only programs use has one line, without a usage."""
        (line,) = (item for item in asked("HELP", bars(State.ONLINE)) if item.startswith("For programs: "))
        self.assertIn("ACK", line)
        self.assertNotIn("<", line)


class GroupTests(SynchronousTestCase):
    def test_groups(self) -> None:
        """Without a name, the groups are listed."""
        self.assertEqual(len(asked("HELP about")), len(FEATURES))
        self.assertIn("HELP zh about topics：话题", asked("HELP zh ABOUT"))

    def test_every_group(self) -> None:
        """Each feature has a page with a sentence for each verb and push; its name may be in Chinese."""
        for feature in FEATURES:
            page = asked(f"HELP about {feature.name}")
            rows = next(group for group in MSG_SERVER_COMMANDS.groups if group.name == feature.name.encode())
            self.assertEqual(len(page), len(rows.verbs) + len(rows.pushes))
            self.assertEqual(asked(f"HELP zh about {feature.zh}"), asked(f"HELP zh ABOUT {feature.name.upper()}"))
        self.assertRaises(Refusal, asked, "HELP about dancing")

    def test_marks(self) -> None:
        """What is not possible now says when it is, and what is for programs says so."""
        (ack,) = (line for line in asked("HELP about messages", bars(State.GREETED)) if line.startswith("ACK"))
        self.assertTrue(ack.endswith(" (for programs; only after the login)"), ack)
        (ack,) = (line for line in asked("HELP zh about messages", bars(State.GREETED)) if line.startswith("ACK"))
        self.assertTrue(ack.endswith("（供程序使用；登录之后才能用）"), ack)


class WordTests(SynchronousTestCase):
    def test_verb(self) -> None:
        """A verb has a line that one can type, its other name, and its tags: those of programs marked as such."""
        for word in ("MSG", "msg", "SEND_MESSAGE_P2P"):
            lines = asked(f"HELP {word}")
            self.assertEqual(
                lines[:3],
                [
                    "MSG <account> <text>: sends a message to an account",
                    "example: MSG alice hello",
                    "full name: SEND_MESSAGE_P2P, also in replies",
                ],
            )
            for tag in ("@id", "@cseq", "@esc"):
                self.assertTrue(any(line.startswith(f"For programs: {tag}") for line in lines), tag)
        self.assertIn(
            "@limit=10 before the verb: 1 to 100 messages or conversations; 50 if absent", asked("HELP HISTORY")
        )

    def test_examples(self) -> None:
        """The example of every verb is a line that the server understands."""
        for verb in VERBS:
            (example,) = (line for line in asked(f"HELP {verb.name.decode()}") if line.startswith("example: "))
            self.assertIs(MSG_SERVER_COMMANDS.parse(example.removeprefix("example: ").encode()).verb, verb)

    def test_columns(self) -> None:
        """A list names its columns."""
        self.assertIn(
            "ITEM <device> <online|offline> <last seen in ms> <token expires in ms>", asked("HELP DEVICES")[3]
        )
        self.assertIn(
            "ITEM <设备> <online（在线）|offline（离线）> <最后在线时间（毫秒）>", asked("HELP zh DEVICES")[3]
        )

    def test_pushes_and_errors(self) -> None:
        """What the server sends is explained as well."""
        for push in PUSHES:
            self.assertIn(push.example.decode(), asked(f"HELP {push.name.decode()}")[1])
        for word in WORDS:
            self.assertTrue(asked(f"HELP {word}")[-1].endswith(WORDS[word]), word)
            self.assertTrue(asked(f"HELP zh {word}")[-1].endswith(CHINESE[word]), word)
        self.assertEqual(CHINESE.keys(), WORDS.keys())

    def test_no_reference(self) -> None:
        """No link or mark of the pages is shown, and verbs have their short names."""
        for line in ("HELP", "HELP zh"):
            for row in (*VERBS, *PUSHES):
                shown = " ".join(asked(f"{line} {row.name.decode()}"))
                self.assertNotRegex(shown, r"`|\]\(")
        self.assertIn("when PRIVACY allows only contacts to", asked("HELP CONTACT")[0])

    def test_unknown(self) -> None:
        """A mistyped word is answered with the nearest verb."""
        error = self.assertRaises(Refusal, asked, "HELP MSGG")
        self.assertIn("did you mean MSG?", error.text)
        self.assertRaises(Refusal, asked, "HELP MSG bob")

    def test_gateway(self) -> None:
        """The gateway explains its own verbs."""
        self.assertIn("SERVER：", " ".join(asked("HELP zh", table=GATEWAY_COMMANDS)))
        self.assertRaises(Refusal, asked, "HELP MSG", table=GATEWAY_COMMANDS)
