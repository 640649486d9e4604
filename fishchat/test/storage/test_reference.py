"""``doc/store.md`` says what is so."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from fishchat.config.schema import Keep, Retention
from fishchat.model.secrets.tokens import fingerprint
from fishchat.services import reference
from fishchat.storage.fence import Fence
from fishchat.storage.header import parse
from fishchat.storage.loader import includes, names, read, read_include
from fishchat.test.support.account_runner import ADDRESS, AccountCase
from fishchat.test.support.operations_runner import LIMITS, Op
from fishchat.test.support.script_runner import EPOCH, MS1, MS2, STREAM, on_each_redis

#: What stands between the angle brackets of a key on the page.
PARTS = {
    "stream": re.escape(STREAM) + "(/[0-9]+)?",
    "shard": "[0-9]+",
    "incarnation": "[0-9a-z-]+",
    "conversation": "[#@]?[a-z0-9._+-]+",
    "address": "[0-9a-f.:/]+",
    "log": "(log|ops):[#@]?[a-z0-9._+-]+",
}


def sources() -> dict[str, str]:
    """The text of every file of Lua, by name."""
    return {**{name: read(name) for name in names()}, **{f"lib/{name}": read_include(name) for name in includes()}}


def page() -> str:
    """The document."""
    return reference.STORE.read_text(encoding="utf-8")


def keys() -> dict[str, str]:
    """Pattern → type, of every row of the tables of keys."""
    found = {}
    for row, kind in re.findall(r"^\| (`[^|]+) \| (string|hash|set|sorted set|stream) \|", page(), re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row):
            found[re.sub(r"<(\w+)>", lambda part: PARTS.get(part[1], "[a-z0-9._-]+"), name)] = kind
    return found


class Page(SynchronousTestCase):
    """The page against the scripts' texts."""

    def test_in_step(self) -> None:
        """The list of scripts is what the scripts say; ``python -m fishchat.services.reference`` puts it right."""
        self.assertEqual(reference.fill(page(), reference.STORE_PARTS), page())

    def test_every_key_is_described(self) -> None:
        """Each beginning of a key or field, and each key without a name in it, is on the page."""
        text = page()
        for name, source in sources().items():
            for prefix in re.findall(r"'([a-z]+:)' \.\.", source):
                self.assertIn(f"`{prefix}<", text.replace("#<", "<"), f"{name}.lua")
            for key in re.findall(r"call\('[A-Z]+', '([a-z:]*[a-z])'[,)]", source):
                self.assertIn(f"| `{key}` |", text, f"{name}.lua")

    def test_no_key_is_stale(self) -> None:
        """Each key on the page is in a script, but for the one that no script makes."""
        text = "".join(sources().values()) + "'decoy'"
        for key in keys():
            beginning = re.match("[a-z]+:?|", key)
            assert beginning is not None
            self.assertTrue(f"'{beginning[0]}" in text, key)

    def test_retention(self) -> None:
        """What is kept when nothing is configured is what the page says."""
        retention = Retention()
        for kind in ("p2p", "topic", "notice"):
            keep: Keep = getattr(retention, kind)
            self.assertIn(f"| `retention.{kind}` | {keep.days:g} | {keep.count:,} |", page())
        self.assertIn(f"`retention.every` seconds ({retention.every:g})", page())

    def test_a_script_that_says_nothing(self) -> None:
        """Every script has to say what it does."""
        self.assertRaises(ValueError, parse, "local x = 1\n")

    def test_summary(self) -> None:
        """The opening comment up to the arguments, over several lines."""
        source = "-- Does a thing, and\n-- another.\n-- args: a, b\n-- reply: 1\nreturn 1\n-- Never this.\n"
        self.assertEqual(parse(source).summary, "Does a thing, and another.")

    def test_no_marks(self) -> None:
        """A page without the marks is not overwritten."""
        self.assertRaises(ValueError, reference.fill, "# Store\n")


@on_each_redis
class Keys(AccountCase):
    """The page against a store in which everything was done once."""

    def test_every_key_is_one_of_these(self) -> None:
        """Every key in the store is described, under its type, and every described key is used."""
        self.everything()
        known = keys()
        unused = set(known) - {"/sysctrl/send/[0-9]+"}
        for key in self.command("KEYS", "*"):
            [pattern] = [each for each in known if re.fullmatch(each, key)]
            self.assertEqual(self.command("TYPE", key), known[pattern].replace("sorted set", "zset"), key)
            unused.discard(pattern)
        self.assertEqual(unused, set())

    def everything(self) -> None:
        """A little of each."""
        self.talk()
        self.admit()
        self.scrub()
        self.run_topic()

    def run_topic(self) -> None:
        """A topic with an admin, a muted member and a banned account."""
        fence = Fence(MS1.server, MS1.incarnation, int(self.command("GET", "epoch")))
        # The second server has registered again since.
        self.command("HSET", "features", "ms2", "links moderation operations topics")
        for name in ("frank", "grace"):
            self.login(name, fence=fence)
            self.join(name, "fishing", fence=fence)
        by = (STREAM, "alice", "main", "fishing")
        for script, *values in (
            ("set_role", "frank", "admin", 10),
            ("mute", "grace", 60, "", 10),
            ("ban", "heidi", 60, "", 10),
            ("set", "slow", "60"),
            ("set", "listed", "yes"),
        ):
            self.assertEqual(self.fenced(f"moderation/{script}", *by, *values, fence=fence)[0], "OK")
        self.login("ivan", fence=fence)
        self.join("ivan", "fishing", fence=fence)
        self.said("ivan", "#fishing", "x", fence=fence)

    def admit(self) -> None:
        """Accounts that prove who they are."""
        self.enrol("carol")
        self.enrol("erin")
        self.call("accounts/erase", "erin", "1")
        self.attempt("carol", ADDRESS)
        self.attempt("nobody", "2001:db8::/64")
        self.begin_sign_up("dora")
        self.call("accounts/begin_change", "carol", 5, 60_000)
        self.call("audit/append", [["kind", "login", "account", "carol"]], 1000, 86_400_000)
        self.grant("carol", "bot")
        self.call("accounts/create_code", "code", "carol", 60_000)
        self.relate("carol", "alice", "b")
        self.disable("alice")
        self.call("accounts/create_invitation", fingerprint(b"code"), 1, 60_000, "")
        self.decoy_key()

    def scrub(self) -> None:
        """One conversation is scrubbed, another one has to wait, and the copy of a third one was interrupted."""
        self.call("scrub/hold", "token", 60_000)
        self.call("scrub/begin", "token", 60_000, "carol+erin")
        self.call("scrub/finish", "token", 60_000, "carol+erin")
        for seq in range(1, 30):
            self.command("XADD", "log:carol+dora", f"1-{seq}", "t", 1, "m", "carol main -1 - x")
        self.command("XADD", "ops:carol+dora", "1-30", "t", 1, "m", "carol main -1 recall x")
        self.call("scrub/begin", "token", 60_000, "carol+dora")
        self.call("scrub/copy", "token", 60_000, "log", "carol+dora", "", 1, 100_000, True)
        self.call("scrub/mark", ["@carol"])

    def talk(self) -> None:
        """Servers, devices, messages, topics."""
        self.command("DEL", "epoch")
        self.call("servers/epoch", "run", EPOCH, 1, 2)
        fence = Fence(MS1.server, MS1.incarnation, int(self.command("GET", "epoch")))
        other = Fence(MS2.server, MS2.incarnation, fence.epoch)
        self.login("alice", fence=fence)
        self.login("bob", fence=fence)
        self.login("bob", "phone", fence=other)
        self.said("alice", "bob", "x", 1, fence=fence)
        self.ack("bob", "alice+bob", f"{fence.epoch}-1", fence=fence)
        self.fenced("topics/create", "alice", "fishing", "open", 10, ["listed", "yes"], fence=fence)
        self.fenced("topics/invite", "alice", "fishing", "bob", 10, STREAM, b"alice main -1 n x", fence=fence)
        self.fenced("topics/create", "alice", "sailing", "approval", 10, [], fence=fence)
        joining = ("bob", "main", "sailing", "let me in", 10, 10, 0, 10)
        self.fenced("topics/join", STREAM, *joining, fence=fence)
        self.fenced("links/create_link", "alice", "sailing", "ab12", 60_000, "", False, 10, fence=fence)
        asked = ("hello", 10, 10, 10, b"alice main -1 n x", b"alice main -1 n x")
        self.enrol("frank")
        self.fenced("contacts/ask", STREAM, "alice", "frank", *asked, fence=fence)
        self.call("contacts/set", "alice", "bob", "c", True, 10, "Bob from work")
        body = b"alice main -1 n x"
        self.fenced("preferences/set", STREAM, "alice", "alice+bob", "notify", "none", 10, body, fence=fence)
        self.call("reports/report", "bob", "alice+bob", f"{fence.epoch}-1", "spam", 20)
        self.change(fence)
        self.call("routes/take", STREAM, "token", 60_000, 0)
        self.call("routes/store", STREAM, "token", 60_000, 1, "1-1", ["ms2", 1], 1)
        self.call("routes/take", STREAM, "another", 60_000, 0)
        self.fenced("topics/create", "alice", "bathing", "approval", 10, [], fence=fence)
        self.fenced("topics/dismiss", "alice", "bathing", STREAM, b"alice main -1 n x", fence=fence)
        self.register(Fence(MS2.server, b"cccc", fence.epoch))
        self.call("migrations/begin", 2)

    def change(self, fence: Fence) -> None:
        """Operations on messages, and mentions."""
        every = "links moderation operations topics"
        self.command("HSET", "features", "ms1", every, "ms2", every)
        self.login("frank", fence=fence)
        self.join("frank", "fishing", fence=fence)
        self.said("alice", "#fishing", "a secret", fence=fence)
        self.said("alice", "#fishing", "hello @frank", fence=fence)
        for kind, number, text in (("react", 2, "+1"), ("pin", 2, ""), ("recall", 1, "")):
            operation = Op("alice", kind, f"#fishing:{fence.epoch}-{number}", text)
            reply = self.fenced("logs/operate", STREAM, False, LIMITS, operation.flat, fence=fence)
            self.assertEqual([type(result) for result in reply[1]], [int], reply)
