"""The list of conversations: pages, previews, unread messages after erasures, and the beginning of a text."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from fishchat.features.messages.conversations import beginning
from fishchat.test.support import strategies
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import PROPERTY, Said, on_each_redis

AB = "alice+bob"


class ListCase(AccountCase):
    """A test with three accounts."""

    def setUp(self) -> None:
        """All have an account and are logged in; bob has a display name."""
        super().setUp()
        for account in ("alice", "bob", "carol"):
            self.enrol(account, name="Bob the Builder" if account == "bob" else "")
            self.login(account)

    def times(self, account: str = "alice") -> dict[str, int]:
        """Return conversation → time."""
        names = sorted(self.command("HKEYS", "talks:" + account))
        return dict(zip(names, self.call("messages/conversation_times", account, names), strict=True))

    def described(self, *names: str, account: str = "alice", preview: bool = True) -> list[list[Any]]:
        """Return what the script says of some conversations."""
        flat = self.packed("messages/describe_conversations", account, list(names), preview, 201)
        return [flat[start : start + 11] for start in range(0, len(flat), 11)]

    def previewed(self, name: str, account: str = "alice") -> list[Any]:
        """Return position, sender, kind and beginning of the last message, and the name of the other account."""
        [found] = self.described(name, account=account)
        return found[4:9]

    def trim(self, conversation: str, count: int) -> None:
        """Let retention keep so many messages."""
        self.call("logs/trim", conversation, 0, 0, count, 1000)


@on_each_redis
class Previews(ListCase):
    """The last message of a conversation, as an account may see it."""

    def test_last_message(self) -> None:
        """The last message with its sender and form, and the display name of the other account."""
        self.said("bob", "alice", "first")
        self.said("alice", "bob", "x" * 300)
        self.assertEqual(self.previewed(AB), ["7-2", "alice", "-", "x" * 201, "Bob the Builder"])
        self.assertEqual(self.previewed(AB, "bob"), ["7-2", "alice", "-", "x" * 201, ""])
        self.assertEqual(self.described(AB, preview=False), [[AB, 2, 2, 0, "", "", "", "", "", "", 0]])
        self.assertEqual(self.described("alice+carol", "#nothing"), [])

    def test_notices(self) -> None:
        """A notice is never the preview: not an invitation, and not the end of a topic."""
        self.create("alice", "fishing", "invitation")
        self.said("alice", "#fishing", "who is in?")
        self.invite("alice", "fishing", "bob")
        self.join("bob", "fishing")
        self.said("alice", "#fishing", "welcome")
        self.dismiss("alice", "fishing")
        self.assertEqual(self.previewed("#fishing")[:4], ["7-2", "alice", "-", "welcome"])
        self.assertEqual(self.previewed("#fishing", "bob")[:4], ["7-2", "alice", "-", "welcome"])
        self.assertEqual(self.previewed("@bob", "bob"), ["", "", "", "", ""])

    def test_former_member(self) -> None:
        """A former member is shown the last message before leaving, and not when the later ones were stored."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", "#fishing", "seen")
        self.leave("bob", "fishing")
        self.command("HSET", "meta:#fishing", "time", "1")
        self.said("alice", "#fishing", "not seen")
        later = int(self.command("HGET", "meta:#fishing", "time"))
        seen = int(self.command("XRANGE", "log:#fishing", "-", "+")[0][1][1])
        self.assertEqual(self.times("bob")["#fishing"], seen)
        self.assertEqual(self.times()["#fishing"], later)
        self.assertEqual(self.previewed("#fishing", "bob")[:4], ["7-1", "alice", "-", "seen"])

    def test_new_member(self) -> None:
        """A new member is shown nothing from before."""
        self.create("alice", "fishing")
        self.said("alice", "#fishing", "before")
        self.join("bob", "fishing")
        self.assertEqual(self.previewed("#fishing", "bob"), ["", "", "", "", ""])

    def test_away_and_back(self) -> None:
        """After leaving and joining again, the last message of the earlier time is shown."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", "#fishing", "seen")
        self.leave("bob", "fishing")
        self.said("alice", "#fishing", "not seen")
        self.join("bob", "fishing")
        self.assertEqual(self.previewed("#fishing", "bob")[:4], ["7-1", "alice", "-", "seen"])

    def test_deleted_account(self) -> None:
        """Nothing of a deleted account is shown; an earlier message of the other one is."""
        self.said("alice", "bob", "hello")
        self.said("bob", "alice", "hi")
        self.said("bob", "carol", "hi")
        self.erase("bob")
        self.assertEqual(self.previewed(AB), ["7-1", "alice", "-", "hello", ""])
        self.assertEqual(self.previewed("bob+carol", "carol"), ["", "", "", "", ""])
        self.assertGreater(self.times("carol")["bob+carol"], 0)

    def test_retention(self) -> None:
        """A conversation without its messages keeps its place in the list."""
        self.said("bob", "alice", "hi")
        before = self.times()
        self.command("DEL", "log:" + AB)
        self.assertEqual(self.times(), before)
        self.assertEqual(self.described(AB), [[AB, 1, 0, 0, "", "", "", "", "Bob the Builder", "", 0]])

    def test_earlier_stores(self) -> None:
        """In a store without this time, it is that of the last entry, or 0."""
        self.said("bob", "alice", "hi")
        self.said("carol", "alice", "hi")
        for name in (AB, "alice+carol"):
            self.command("HDEL", "meta:" + name, "time")
        self.command("DEL", "log:alice+carol")
        [(_, fields)] = self.command("XRANGE", "log:" + AB, "-", "+")
        self.assertEqual(self.times(), {AB: int(fields[1]), "alice+carol": 0})

    def test_other_kinds(self) -> None:
        """An entry of a later version that is no message is passed over, for 32 entries at most."""
        self.said("bob", "alice", "hi")
        for number in range(2, 33):
            self.command("XADD", "log:" + AB, f"7-{number}", "t", "1", "m", "bob main -1 react;to=7-1 x")
        self.assertEqual(self.previewed(AB)[:4], ["7-1", "bob", "-", "hi"])
        self.command("XADD", "log:" + AB, "7-33", "t", "1", "m", "bob main -1 react;to=7-1 x")
        self.assertEqual(self.previewed(AB)[:4], ["", "", "", ""])


@on_each_redis
class Unread(ListCase):
    """Messages that no longer exist are not unread."""

    def test_retention(self) -> None:
        """Retention took four of six: two are unread."""
        for number in range(6):
            self.said("bob", "alice", f"{number}")
        self.trim(AB, 2)
        self.assertEqual(self.conversations("alice"), {AB: [6, 0, 2]})

    def test_deleted_sender(self) -> None:
        """All were of a deleted account: none is unread, whether the reader had written something or not."""
        for number in range(3):
            self.said("bob", "alice", f"{number}")
            self.said("bob", "carol", f"{number}")
        self.said("alice", "bob", "hello?")
        self.said("bob", "alice", "last")
        self.erase("bob")
        self.assertEqual(self.conversations("alice"), {AB: [5, 4, 0]})
        self.assertEqual(self.conversations("carol"), {"bob+carol": [3, 0, 0]})

    def test_deleted_member(self) -> None:
        """In a topic the last existing message ends the count, so that reading it leaves nothing unread."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.join("carol", "fishing")
        self.send(*[Said(who, "#fishing", "x") for who in ("carol", "carol", "bob", "bob")])
        self.erase("bob")
        self.assertEqual(self.conversations("alice")["#fishing"], [4, 0, 2])
        self.fenced("messages/read", "/sysctrl/send", "alice", "#fishing", "7-2")
        self.assertEqual(self.conversations("alice")["#fishing"], [4, 2, 0])


@on_each_redis
class Names(ListCase):
    """Display names are shown to accounts that may see the status."""

    def shown(self, asker: str, account: str) -> str:
        """Return the name that the asker is shown."""
        [name] = self.packed("profiles/names", asker, [account])
        return str(name)

    def test_like_status(self) -> None:
        """An account that may not see the status sees no name either, whether the two have talked or not."""
        self.assertEqual(self.shown("alice", "bob"), "Bob the Builder")
        self.assertEqual(
            self.packed("profiles/names", "alice", ["carol", "bob", "nobody"]), ["", "Bob the Builder", ""]
        )
        for _ in range(2):
            self.call("accounts/set_profile", "bob", "privacy", "contacts")
            hidden = self.status("alice", "bob") == "NOTFOUND"
            self.assertEqual(self.shown("alice", "bob"), "" if hidden else "Bob the Builder")
            self.relate("bob", "alice", "c")
            self.assertEqual(self.shown("alice", "bob"), "Bob the Builder")
            self.relate("bob", "alice", "b")
            self.assertEqual((self.shown("alice", "bob"), self.status("alice", "bob")), ("", "NOTFOUND"))
            for kind in "bc":
                self.relate("bob", "alice", kind, False)
            self.said("bob", "alice", "hi")
        self.assertEqual(self.shown("bob", "bob"), "Bob the Builder")

    def test_own_block(self) -> None:
        """A block hides nothing from the account that made it, unless the other one has blocked it as well."""
        self.said("bob", "alice", "hi")
        self.block("alice", "bob")
        self.assertEqual(self.shown("alice", "bob"), "Bob the Builder")
        self.block("bob", "alice")
        self.assertEqual(self.shown("alice", "bob"), "")

    def test_deleted(self) -> None:
        """A deleted account has no name."""
        self.said("bob", "alice", "hi")
        self.erase("bob")
        self.assertEqual(self.shown("alice", "bob"), "")


class Beginnings(SynchronousTestCase):
    """The beginning of a text."""

    def test_samples(self) -> None:
        """No letter and no escape is cut in two; a text that fits is left as it is."""
        for text, escaped, shown in (
            ("hello", False, "hello"),
            ("hello!", False, "hello"),
            ("1234鱼", False, "1234"),
            ("12鱼5", False, "12鱼"),
            (r"1234\n", True, "1234"),
            (r"1234\n", False, "1234\\"),
            (r"123\\n", True, r"123\\"),
            (r"12\\\n", True, r"12\\"),
            (r"123\n5", True, r"123\n"),
        ):
            self.assertEqual(beginning(text.encode(), escaped, 5).decode(), shown)

    @PROPERTY
    @given(strategies.written_texts)
    def test_any_text(self, text: bytes) -> None:
        """It is a text of at most 200 bytes, and the beginning of the whole one."""
        shown = beginning(text * 50, False)
        self.assertTrue((text * 50).startswith(shown))
        self.assertTrue(196 < len(shown) <= 200 or shown == text * 50)
        shown.decode()
