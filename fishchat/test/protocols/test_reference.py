"""``doc/protocol.md`` says what the code does: its printed parts, its examples, its grammar, its limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from abnf import ParseError, Rule
from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase

from fishchat.config.schema import Limits
from fishchat.errors import WORDS, Refusal
from fishchat.features.accounts.rows import NAMES
from fishchat.features.contacts import calls
from fishchat.features.contacts.calls import ASKED, RELATED
from fishchat.features.contacts.rows import ASK_LENGTH
from fishchat.features.messages.calls import PREVIEWED
from fishchat.features.operations.rows import REACTION_BYTES
from fishchat.features.preferences.calls import KEPT
from fishchat.features.registry import CAPABILITIES, FEATURES, MSG_SERVER_COMMANDS, PUSHES, VERBS
from fishchat.features.reports.rows import DAILY, REASON_LENGTH
from fishchat.features.watching import rows as watching
from fishchat.model.conversation import gap_line
from fishchat.model.device import WINDOW
from fishchat.model.display_names import DISPLAY_LENGTH
from fishchat.model.message import ESCAPED, NOTICE, PLAIN, push_line
from fishchat.model.names import DIGITS, NAME_LENGTH
from fishchat.model.secrets.passwords import LONGEST
from fishchat.protocols import exchange, flow, help, lines, peer, reference, replies
from fishchat.protocols.fields import MAX_CSEQ, MENTIONED, Tag
from fishchat.protocols.rows import Verb
from fishchat.services.gateway.connection import GREETING
from fishchat.services.gateway.rows import GATEWAY_COMMANDS
from fishchat.services.msg_server.sessions.hashing import WAITING
from fishchat.services.net.keepalive import GONE_AFTER, PING_AFTER
from fishchat.services.reference import PAGE, PARTS, feature_page, feature_parts, fill
from fishchat.storage.loader import read, read_include
from fishchat.test.protocols.test_table import BAD, GOOD
from fishchat.test.support.rfc5802 import ScramClient


def _numbers(lua: str) -> dict[str, int]:
    """Return the constants of a file of Lua."""
    found: dict[str, int] = {}
    for names, values in re.findall(r"^local ([A-Z_, ]+) = ([\d, ]+)$", lua, re.MULTILINE):
        found |= dict(zip(names.split(", "), map(int, values.split(", ")), strict=True))
    return found


#: The limits of the page by the beginning of their rows.
OPERATIONS = _numbers(read_include("limits"))
LIMITS = {
    "bytes of a line to the server": lines.MAX_LINE,
    "bytes of a text, as sent": lines.MAX_TEXT,
    "bytes of a line from the server": lines.MAX_OUT,
    "bytes of a telnet subnegotiation": 256,
    "characters of a name": NAME_LENGTH,
    "digits of an epoch": DIGITS,
    "bytes of an `@id`": 64,
    "`@cseq`": MAX_CSEQ,
    "`@limit` of a page of conversations": 100,
    "bytes of a text in a preview": PREVIEWED,
    "entries searched": int(re.findall(r"SEARCHED = (\d+)", read("messages/describe_conversations"))[0]),
    "accounts of a `REQ_NAMES`": NAMES,
    "`@limit` of a page of history": 100,
    "commands of a connection that wait": flow.WAITING,
    "lines of a connection in one turn": flow.LINES,
    "seconds without reading above": exchange.REST,
    "bytes of texts in a page": int(re.findall(r"BYTES = (\d+)", read("messages/history"))[0]),
    "unacknowledged pushes": WINDOW,
    "seconds in which a client reads nothing": peer.STUCK,
    "seconds of silence until a ping": PING_AFTER,
    "seconds of silence until the end": GONE_AFTER,
    "seconds until a login": Limits().login_seconds,
    "seconds of a TLS handshake": peer.HANDSHAKE,
    "characters of a password": LONGEST,
    "bytes of an `@invite`": 64,
    "characters of a display name": DISPLAY_LENGTH,
    "accounts that an account has blocked": RELATED,
    "bytes of the text of a request": ASK_LENGTH,
    "names that an account asks": ASKED,
    "requests that wait": calls.WAITING,
    "conversations for which an account has settings": KEPT,
    "messages that an account reports": DAILY,
    "bytes of the reason": REASON_LENGTH,
    "names in an `@mention`": MENTIONED,
    "bytes of a reaction": REACTION_BYTES,
    "edits of a message": OPERATIONS["EDITS"],
    "different reactions": OPERATIONS["KINDS_OF_REACTIONS"],
    "reactions of an account": OPERATIONS["OWN_REACTIONS"],
    "pinned messages": OPERATIONS["PINS"],
    "members of a topic in which reactions": OPERATIONS["LARGE"],
    "accounts that a connection watches": watching.WATCHED,
    "conversations that a connection watches": watching.OPENED,
    "seconds in which typing counts once": watching.TYPING_SECONDS,
    "members of a topic in which typing": watching.TYPING_MEMBERS,
    "members of a topic whose watchers": watching.READ_MEMBERS,
    "members of a topic for `REQ_READERS`": watching.READERS_MEMBERS,
    "names of a `REQ_READERS`": watching.READERS,
    "password hashes that wait": WAITING,
}
#: What the grammar refuses. The others are no matter of form: a tag that the verb does not know, a forbidden verb, …
FORM = {"FIELDS", "BADNAME", "UNKNOWN_VERB", "SERVER_VERB", "BADUTF8", "NUL", "CONTROL"}


class _Grammar(Rule):
    """The rules of the page."""


class PageCase(SynchronousTestCase):
    """Reads the page, which is in a checkout and not in an installed package."""

    if not PAGE.exists():
        skip = "no doc/protocol.md here"

    def setUp(self) -> None:
        self.page = PAGE.read_text(encoding="utf-8")

    def examples(self) -> Iterator[tuple[str, str]]:
        """Every line of the examples, and which side says it."""
        for block in re.findall(r"```text\n(.*?)```", self.page, re.DOTALL):
            yield from re.findall(r"^([SC])  (.*)$", block, re.MULTILINE)


class PartTests(PageCase):
    def test_printed(self) -> None:
        """The page is what ``python -m fishchat.services.reference`` makes of it."""
        self.assertEqual(fill(self.page), self.page)

    def test_marks(self) -> None:
        """A page without a part's marks is not taken, and a part has its place once."""
        self.assertRaises(ValueError, fill, "# nothing")
        for name in PARTS:
            self.assertEqual(self.page.count(f"<!-- generated: {name} -->"), 1)


class TagTests(SynchronousTestCase):
    def test_meanings(self) -> None:
        """Tags of one name and several meanings have a row for each meaning, one below the other."""
        first, other = (Tag(b"after", text, bytes, b"x") for text in ("an id", "a name"))
        limit = Tag(b"limit", "a number", bytes, b"1")
        verbs = [
            Verb(b"A", "", tags=(first, limit)),
            Verb(b"B", "", tags=(other,)),
            Verb(b"C", "", tags=(first,)),
        ]
        rows = reference.tags(verbs).splitlines()
        expected = ["| `@after` | an id | `A`, `C` |", "| `@after` | a name | `B` |", "| `@limit` | a number | `A` |"]
        self.assertEqual(rows[3:], expected)
        self.assertTrue(rows[2].startswith("| `@id` |") and rows[2].endswith("| all |"), rows[2])

    def test_every_tag(self) -> None:
        """Every tag of every verb is in the table with its own meaning, beside this verb."""
        rows = [row.strip("| ").split(" | ") for row in reference.tags(VERBS).splitlines()[2:]]
        for verb in VERBS:
            for tag in verb.tags:
                (where,) = (row[2] for row in rows if row[:2] == [f"`@{tag.name.decode()}`", tag.help])
                self.assertTrue(where == "all" or f"`{verb.name.decode()}`" in where.split(", "), (verb.name, tag.name))


class ReplyTests(SynchronousTestCase):
    def test_comma(self) -> None:
        """A comma without a blank after it belongs to the line; other commas separate it from words."""
        verb = Verb(b"A", "does it", reply="OK A caps=x,y, then RESP_A <id>, END A")
        self.assertIn("Reply: `OK A caps=x,y`, then `RESP_A <id>`, `END A`.", reference.commands([verb]))


class CapabilityTests(PageCase):
    def test_named(self) -> None:
        """HELLO names every capability that a server grants, and the page says what each of them does."""
        (hello,) = (verb for verb in VERBS if verb.name == b"HELLO")
        granted = "caps=" + ",".join(sorted(name.decode() for name in CAPABILITIES))
        self.assertEqual(hello.text_name, granted)
        self.assertTrue(hello.reply.endswith(" " + granted), hello.reply)
        for name in CAPABILITIES:
            self.assertIn(f"{name.decode()} ", hello.help)
            self.assertRegex(self.page, rf"(the capability|for) `{name.decode()}`")


class FeaturePageTests(PageCase):
    def test_printed(self) -> None:
        """Every feature has a page with its heading, its paragraph and its own verbs and pushes, as they are now."""
        for feature in FEATURES:
            path = feature_page(feature)
            page = path.read_text(encoding="utf-8")
            self.assertTrue(page.startswith(f"# {feature.title}\n\n"), path)
            self.assertEqual(fill(page, feature_parts(feature)), page, f"{path}: python -m fishchat.services.reference")

    def test_links(self) -> None:
        """What these pages link to on the protocol's page is there."""
        headings = re.findall(r"^#+ (.*)$", self.page, re.MULTILINE)
        anchors = {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}
        for feature in FEATURES:
            page = feature_page(feature).read_text(encoding="utf-8")
            linked = set(re.findall(r"\.\./protocol\.md#([a-z-]+)", page))
            self.assertEqual(linked - anchors, set(), feature.name)


class ExampleTests(PageCase):
    def test_commands(self) -> None:
        """What the client says in an example is a command, of one port or the other; typos are answered as typos."""
        said = list(self.examples())
        for (side, line), (_, answer) in zip(said, [*said[1:], ("", "")], strict=True):
            if side == "C" and "UNKNOWN_VERB" not in answer:
                table = GATEWAY_COMMANDS if "MSG_SERVER" in line else MSG_SERVER_COMMANDS
                table.parse(line.encode())
        self.assertGreater(len(said), 50)

    def test_errors(self) -> None:
        """Refusals in examples are those of the table, word and sentence."""
        for side, line in self.examples():
            if side == "S" and (found := re.fullmatch(r"ERR \S+ ([A-Z_]+) (?:[a-z]+=\S+ )*(.*)", line)):
                sentence = found[2].replace("did you mean SEND_MESSAGE_P2P? ", "")
                self.assertEqual(sentence, WORDS[found[1]])

    def test_pushes(self) -> None:
        """Every push that the server sends in an example is one of the table, and has its fields."""
        pushes = {push.name.decode(): push for push in PUSHES}
        seen = set()
        for side, line in self.examples():
            name, _, rest = line.removeprefix("@esc ").partition(" ")
            if side == "S" and name.startswith("RESP_"):
                pushes[name].read(rest.encode())
                seen.add(name)
        self.assertGreater(len(seen), 2)


class GrammarTests(PageCase):
    loaded = False

    def setUp(self) -> None:
        super().setUp()
        if not GrammarTests.loaded:
            blocks = re.findall(r"```abnf\n(.*?)```", self.page, re.DOTALL)
            _Grammar.load_grammar("".join(blocks).replace("\n", "\r\n"))
            GrammarTests.loaded = True

    def allowed(self, rule: str, line: bytes) -> bool:
        """Whether ``line`` is a ``rule``. A grammar of bytes: each is one character for the library."""
        try:
            _Grammar(rule).parse_all(line.decode("latin-1"))
        except ParseError:
            return False
        return True

    def test_good(self) -> None:
        """What the parser understands is in the grammar (but for control characters, which are not looked at)."""
        for line, _ in GOOD:
            if not re.search(b"[\0-\x08\x0a-\x1f\x7f\xff]|\xc2[\x80-\x9f]", line):
                for ending in (b"\n", b"\r\n"):
                    self.assertTrue(self.allowed("line-in", line + ending), line)

    def test_bad(self) -> None:
        """What the parser refuses for its form is not in the grammar of the msg_server's verbs."""
        for line, word in BAD:
            if word in FORM and line != b"REQ_MSG_SERVER" and line[:2] != b"@d" and b"\x01" not in line:
                self.assertFalse(self.allowed("line-in", line + b"\n"), line)

    def test_said(self) -> None:
        """What the server says is in the grammar."""
        said = [line.encode() + b"\r\n" for side, line in self.examples() if side == "S"]
        said += [
            GREETING,
            gap_line(b"#fishing", 1, 2),
            b"RESP_MOVE - within=1\r\n",
            b"RESP_MOVE [::1]:19000 within=1\r\n",
        ]
        said += [push.example + b"\r\n" for push in PUSHES]
        for conversation in (b"alice+bob", b"#fishing", b"@alice"):
            for flag in (PLAIN, ESCAPED, NOTICE):
                text = "hi  you 鱼 🐟".encode()
                said.append(push_line(conversation, conversation + b":471893-3", b"alice", flag, text))
        for word in WORDS:
            for verb in (None, *VERBS[:2]):
                said.append(replies.error_line(Refusal(word, expected=17, retry=1), verb, {b"id": b"a b"}))
        help_ = MSG_SERVER_COMMANDS.parse(b"@id=7 HELP")
        said += help.help_lines(MSG_SERVER_COMMANDS, help_).splitlines(keepends=True)
        for line in said:
            self.assertTrue(self.allowed("line-out", line), line)

    def test_not_said(self) -> None:
        """And the grammar does not take everything."""
        for line in (
            b"RESP_MESSAGE_P2P Bob x:1-1 hi\r\n",
            b"ERR x\r\n",
            b"PING\r\n",
            b"OK SEND_PING\n",
            b"RESP_GAP a 1\r\n",
        ):
            self.assertFalse(self.allowed("line-out", line), line)


class ProofTests(PageCase):
    def test_scram(self) -> None:
        """The SCRAM login on the page can be computed from its inputs."""
        said = [line.partition("SEND_AUTH ")[2].split(" ") for _, line in self.examples() if "SEND_AUTH " in line]
        (_, first), (challenge,), (_, final), (signature, _) = said
        client = ScramClient("carol", "correct horse battery", nonce=first.rpartition("r=")[2])
        self.assertEqual(client.first, first)
        self.assertEqual(client.final(challenge), final)
        self.assertTrue(client.accepts(signature))


class LimitTests(PageCase):
    def rows(self) -> dict[str, list[str]]:
        """The table of limits: number and test by what is limited."""
        section = self.page.partition("## Limits")[2].partition("\n## ")[0]
        found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line[:1] == "|"]
        return {what: rest for what, *rest in found[2:]}

    def test_numbers(self) -> None:
        """Each number is the code's."""
        rows = self.rows()
        self.assertEqual(len(rows), len(LIMITS))
        for begin, limit in LIMITS.items():
            (row,) = (row for what, row in rows.items() if what.startswith(begin))
            self.assertEqual(int(row[0]), limit, begin)

    def test_tests(self) -> None:
        """Each has the test that the page names."""
        for _, word, test in self.rows().values():
            found: Any = namedAny("fishchat.test." + test.strip("`"))
            self.assertTrue(callable(found))
            if word.strip("`").isupper():
                self.assertIn(word.strip("`"), {*WORDS, "RESP_PING"})
