"""Who may do what to a message: every kind of operation, by everybody, in every state of the account."""

from __future__ import annotations

from typing import Any

from fishchat.test.support.operations_runner import Op, OperationCase
from fishchat.test.support.script_runner import MS1, on_each_redis

AB, MESSAGE = "alice+bob", "alice+bob:7-1"
KINDS = ("edit", "recall", "react", "unreact", "pin", "unpin")
TEXTS = {"edit": "changed", "react": "+1", "unreact": "+1"}
FUTURE = 9_999_999_999_999
STORED = "stored"

#: Who → what each of ``KINDS`` is answered with, for a message of mia in the topic.
IN_TOPIC: dict[str, tuple[str, ...]] = {
    "mia": (STORED, STORED, STORED, "NOTFOUND", "RIGHTS needs=admin", "RIGHTS needs=admin"),
    "bob": (
        "RIGHTS needs=author",
        "RIGHTS needs=admin",
        STORED,
        "NOTFOUND",
        "RIGHTS needs=admin",
        "RIGHTS needs=admin",
    ),
    "adam": ("RIGHTS needs=author", STORED, STORED, "NOTFOUND", STORED, "NOTFOUND"),
    "olga": ("RIGHTS needs=author", STORED, STORED, "NOTFOUND", STORED, "NOTFOUND"),
    "muted": (
        "RIGHTS needs=author",
        "RIGHTS needs=admin",
        f"MUTED until={FUTURE}",
        "NOTFOUND",
        "RIGHTS needs=admin",
        "RIGHTS needs=admin",
    ),
    "gone": ("NOTMEMBER", "NOTMEMBER", "NOTMEMBER", "NOTFOUND", "NOTMEMBER", "NOTMEMBER"),
    "late": ("NOTFOUND",) * 6,
    "never": ("NOTFOUND",) * 6,
}


class TopicCase(OperationCase):
    """A topic of olga with the admins adam and anna, in which everybody who was there has written a message."""

    #: Who wrote which message.
    authors = ("mia", "bob", "adam", "olga", "muted", "gone")

    def setUp(self) -> None:
        """Enter, write, leave, be muted."""
        super().setUp()
        self.enter()

    def enter(self) -> None:
        """Begin with the topic alone."""
        self.create("olga", "t")
        for name in ("mia", "bob", "adam", "anna", "muted", "gone"):
            self.join(name, "t")
        for name in ("adam", "anna"):
            self.command("HSET", "admins:#t", name, "1")
        for name in self.authors:
            self.said(name, "#t", f"of {name}")
        self.leave("gone", "t")
        self.join("late", "t")
        self.mute("muted")

    def mute(self, account: str, until: int = FUTURE) -> None:
        """Mute a member as an admin does."""
        self.command("HSET", "muted:#t", account, f"{until} adam spam")
        self.command("HSET", "meta:#t", "b", "m")

    def of(self, author: str) -> str:
        """Return the id of the message of an account."""
        return f"#t:7-{1 + self.authors.index(author)}"

    def answer(self, *operation: Any, **more: Any) -> Any:
        """Return what an operation is answered with."""
        result = self.done(*operation, **more)
        return STORED if type(result) is int else result


@on_each_redis
class InTopics(TopicCase):
    """Roles, mutes and memberships."""

    def test_everybody(self) -> None:
        """Each of the table, with a fresh topic for each; what is refused changes nothing."""
        for account, answers in IN_TOPIC.items():
            for kind, answer in zip(KINDS, answers, strict=True):
                self.empty()
                self.enter()
                self.place(account, "main", MS1)
                before = self.dump()
                self.assertEqual(
                    self.answer(account, kind, self.of("mia"), TEXTS.get(kind, "")), answer, (account, kind)
                )
                if answer != STORED:
                    self.assert_unchanged(before)

    def test_own(self) -> None:
        """A muted or a former member takes back what is its own, and does nothing else with it."""
        for account, edit in (("muted", f"MUTED until={FUTURE}"), ("gone", "NOTMEMBER")):
            self.assertEqual(self.answer(account, "edit", self.of(account), "x"), edit)
            self.assertEqual(self.answer(account, "recall", self.of(account)), STORED)
        self.assertEqual(self.answer("muted", "react", self.of("mia"), "+1"), f"MUTED until={FUTURE}")

    def test_reactions_taken_back(self) -> None:
        """Also after a mute and after leaving, an account takes back a reaction that it has given."""
        for account in ("bob", "anna"):
            self.assertEqual(self.answer(account, "react", self.of("mia"), "+1"), STORED)
        self.mute("bob")
        self.leave("anna", "t")
        for account in ("bob", "anna"):
            self.assertEqual(self.answer(account, "unreact", self.of("mia"), "+1"), STORED)
        self.assertEqual(self.page("mia", "#t")[0], "1 - of mia")

    def test_mute_that_is_over(self) -> None:
        """A mute ends by itself."""
        self.mute("muted", 1000)
        self.assertEqual(self.answer("muted", "edit", self.of("muted"), "x"), STORED)

    def test_recall_by_rank(self) -> None:
        """Nobody recalls a message of an account of the same role or of a higher one; the owner recalls all."""
        answers = {
            ("adam", "bob"): STORED,
            ("adam", "adam"): STORED,
            ("anna", "adam"): "RIGHTS needs=owner",
            ("adam", "olga"): "RIGHTS needs=owner",
            ("adam", "gone"): STORED,
            ("olga", "adam"): STORED,
            ("bob", "olga"): "RIGHTS needs=admin",
        }
        for (account, author), answer in answers.items():
            self.empty()
            self.enter()
            self.assertEqual(self.answer(account, "recall", self.of(author)), answer, (account, author))

    def test_what_former_members_see(self) -> None:
        """Somebody who left sees no later text: neither an edit nor the reason of a recall, also in replay."""
        self.done("mia", "edit", self.of("mia"), "while bob is here")
        self.leave("bob", "t")
        end = f"7-{self.command('HGET', 'meta:#t', 'n')}"
        self.done("mia", "edit", self.of("mia"), "after it")
        self.done("adam", "recall", self.of("adam"), "a secret reason")
        self.assertEqual(self.page("bob", "#t")[0], "1 -;edited=#t:7-7 while bob is here")
        self.assertEqual(self.page("bob", "#t")[2], "3 -;recalled=adam recalled")
        self.assertEqual(self.call("operations/message", "bob", "#t", "7-3")[2].split(" ", 4)[4], "recalled")
        self.assertEqual(self.page("mia", "#t")[2], "3 -;recalled=adam recalled: a secret reason")
        _, _, flat = self.call("logs/page", "#t", "7-5", end, 100, False)
        self.assertEqual([body.split(" ", 3)[3] for body in flat[2::3]], ["- of gone", "edit;of=7-1 while bob is here"])

    def test_scrubbed_first_text(self) -> None:
        """Nobody is shown an empty text after a scrub: neither in the versions nor who left before the edit."""
        self.leave("bob", "t")
        self.done("mia", "edit", self.of("mia"), "new")
        self.command("DEL", "log:#t")
        self.command("XADD", "log:#t", "7-1", "t", 1, "m", "mia main -1 - ")
        self.assertEqual(self.page("bob", "#t"), ["1 - edited later"])
        self.assertEqual(self.page("adam", "#t"), ["1 -;edited=#t:7-7 new"])
        reply = self.call("operations/versions", "adam", "#t", "7-1", "members")
        self.assertEqual([body.split(" ", 4)[4] for body in reply[1][2::3]], ["new"])

    def test_recall_of_ones_own_at_any_time(self) -> None:
        """For admins and the owner it is never too late, also for their own messages."""
        for account, answer in (("mia", "TOOLATE limit=0s"), ("adam", STORED), ("olga", STORED)):
            result = self.done(account, "recall", self.of(account), limits=(0, 0, True))
            self.assertEqual(STORED if isinstance(result, int) else result, answer, account)

    def test_only_admins_write(self) -> None:
        """In a topic where only admins write, members neither edit nor react, and recall all the same."""
        self.command("HSET", "meta:#t", "b", "a")
        for kind, text in (("edit", "x"), ("react", "+1")):
            self.assertEqual(self.answer("mia", kind, self.of("mia"), text), "RIGHTS needs=admin")
        self.assertEqual(self.answer("adam", "edit", self.of("adam"), "x"), STORED)
        self.assertEqual(self.answer("mia", "recall", self.of("mia")), STORED)

    def test_slow_mode(self) -> None:
        """Messages and edits count together in slow mode; a reaction does not."""
        self.command("HDEL", "muted:#t", "muted")
        self.command("HSET", "meta:#t", "b", "s600")
        self.assertEqual(self.answer("bob", "edit", self.of("bob"), "x"), STORED)
        self.assertRegex(self.answer("bob", "edit", self.of("bob"), "y"), r"^SLOW until=\d{13}$")
        self.assertRegex(self.said("bob", "#t", "z"), r"^SLOW until=\d{13}$")
        self.assertEqual(self.answer("bob", "react", self.of("mia"), "+1"), STORED)
        self.assertEqual([self.answer("adam", "edit", self.of("adam"), text) for text in "xy"], [STORED, STORED])

    def test_settings(self) -> None:
        """A topic may keep reactions to admins, or to nobody."""
        self.command("HSET", "topic:#t", "react", "admins")
        self.assertEqual(self.answer("bob", "react", self.of("mia"), "+1"), "RIGHTS needs=admin")
        self.assertEqual(self.answer("adam", "react", self.of("mia"), "+1"), STORED)
        self.command("HSET", "topic:#t", "react", "off")
        self.assertEqual(self.answer("olga", "react", self.of("mia"), "ok"), "RIGHTS needs=nobody")

    def test_mention_of_all(self) -> None:
        """An edit that mentions everybody needs the right to do so; the text is not stored without it."""
        wide = {"attributes": "mention=all"}
        self.assertEqual(self.answer("mia", "edit", self.of("mia"), "x", **wide), "RIGHTS needs=admin")
        self.assertEqual(self.page("mia", "#t")[0], "1 - of mia")
        self.assertEqual(self.answer("adam", "edit", self.of("adam"), "x", **wide), STORED)
        self.assertEqual(self.command("HGET", "meta:#t", "A"), "7")

    def test_notices(self) -> None:
        """What the server said can be changed by nobody, not even by the owner who caused it."""
        self.login("never")
        self.assertEqual(self.invite("olga", "t", "never")[0], "OK")
        for kind in KINDS:
            word = "RIGHTS needs=nobody"
            self.assertEqual(self.answer("never", kind, "@never:7-1", TEXTS.get(kind, "")), word, kind)

    def test_dismissed(self) -> None:
        """After the end of a topic its messages can still be recalled by their authors, and nothing else."""
        self.dismiss("olga", "t")
        for kind in ("edit", "react", "unreact", "pin", "unpin"):
            self.assertEqual(self.answer("mia", kind, self.of("mia"), TEXTS.get(kind, "")), "NOTFOUND", kind)
        self.assertEqual(self.answer("mia", "recall", self.of("mia")), STORED)


@on_each_redis
class InPairs(OperationCase):
    """Conversations of two."""

    def setUp(self) -> None:
        """Alice has written to bob."""
        super().setUp()
        for account in ("alice", "bob", "carol"):
            self.login(account)
        self.said("alice", "bob", "hello")

    def test_both(self) -> None:
        """The author edits and recalls; both react and pin; nobody else sees that there is a message."""
        answers = {
            "alice": (STORED, STORED, STORED, "NOTFOUND", STORED, "NOTFOUND"),
            "bob": ("RIGHTS needs=author", "RIGHTS needs=author", STORED, "NOTFOUND", STORED, "NOTFOUND"),
            "carol": ("NOTFOUND",) * 6,
        }
        for account, row in answers.items():
            for kind, answer in zip(KINDS, row, strict=True):
                self.empty()
                self.setUp()
                result = self.done(account, kind, MESSAGE, TEXTS.get(kind, ""))
                self.assertEqual(STORED if result == 2 else result, answer, (account, kind))

    def test_blocked(self) -> None:
        """The blocked one finds nothing, the other one is told; both take back what is theirs."""
        self.said("bob", "alice", "hi")
        for account in ("alice", "bob"):
            self.assertIsInstance(self.done(account, "react", MESSAGE, "+1"), int)
        self.call("contacts/set", "alice", "bob", "b", 1, 1000)
        for account, of, word in (("alice", MESSAGE, "BLOCKED"), ("bob", "alice+bob:7-2", "NOTFOUND")):
            for kind in ("edit", "react", "pin", "unpin"):
                self.assertEqual(self.done(account, kind, of, TEXTS.get(kind, "")), word, (account, kind))
            self.assertIsInstance(self.done(account, "unreact", MESSAGE, "+1"), int)
        for account, of in (("alice", MESSAGE), ("bob", "alice+bob:7-2")):
            self.assertIsInstance(self.done(account, "recall", of), int)

    def test_unknown_ids(self) -> None:
        """Of others, never used, of another epoch, of an operation: all are answered alike, and nothing is written."""
        self.said("carol", "carol", "mine")
        self.assertEqual(self.done("alice", "edit", MESSAGE, "x"), 2)
        before = self.dump()
        for of in ("carol+carol:7-1", "alice+bob:7-3", "alice+bob:6-1", "alice+bob:8-1", "alice+bob:7-2", "#none:7-1"):
            for kind in KINDS:
                self.assertEqual(self.done("alice", kind, of, TEXTS.get(kind, "")), "NOTFOUND", (of, kind))
        self.assert_unchanged(before)

    def test_not_here(self) -> None:
        """A device that is logged in elsewhere tries again there; all do until every server knows operations."""
        operation = Op("alice", "edit", MESSAGE, "x", device="elsewhere")
        flat = operation.flat
        self.assertEqual(self.fenced("logs/operate", "/sysctrl/send", False, (-1, -1, True), flat)[1], ["TRYAGAIN"])
        self.command("HSET", "features", "ms2", "messages topics")
        for kind in KINDS:
            self.assertEqual(self.done("alice", kind, MESSAGE, TEXTS.get(kind, "")), "TRYAGAIN", kind)
