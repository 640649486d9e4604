"""The settings of conversations in the store, and what the list of conversations shows of them."""

from __future__ import annotations

from typing import Any

from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import STREAM, on_each_redis

AB = "alice+bob"
#: A time in ms that no clock reaches.
LATE = "9999999999999"


@on_each_redis
class Settings(AccountCase):
    """Alice, who talks with bob and is in a topic."""

    def setUp(self) -> None:
        """All logged in."""
        super().setUp()
        for account in ("alice", "bob", "carol"):
            self.enrol(account)
            self.login(account)
        self.said("bob", "alice", "hello")
        self.create("alice", "fishing")

    def set(self, setting: str, value: str, conversation: str = AB, account: str = "alice", most: int = 10) -> Any:
        """Set something. Returns ``OK``, or the refusal."""
        body = f"{account} main -1 n SET {conversation} {setting} {value}"
        reply = self.fenced("preferences/set", STREAM, account, conversation, setting, value, most, body)
        return reply[0] if reply[0] == "OK" else reply

    def shown(self, conversation: str = AB) -> str:
        """Return what the list has for the conversation."""
        flat = self.packed("messages/describe_conversations", "alice", [conversation], False, 0)
        return str(flat[9])

    def notices(self) -> list[str]:
        """Return the notices of alice."""
        return [text for _, text in self.log("@alice")]

    def test_each(self) -> None:
        """Each setting is kept beside the others, and ends by the value of the beginning."""
        steps = (
            ("notify", "none", "none 0 - "),
            ("until", LATE, f"none {LATE} - "),
            ("pinned", "yes", f"none {LATE} p "),
            ("archived", "yes", f"none {LATE} pa "),
            ("remark", "my old friend", f"none {LATE} pa my old friend"),
            ("notify", "mentions", f"mentions {LATE} pa my old friend"),
            ("pinned", "no", f"mentions {LATE} a my old friend"),
            ("until", "0", "mentions 0 a my old friend"),
            ("archived", "no", "mentions 0 - my old friend"),
            ("notify", "all", "all 0 - my old friend"),
            ("remark", "", ""),
        )
        for setting, value, shown in steps:
            self.assertEqual(self.set(setting, value), "OK")
            self.assertEqual(self.shown(), shown)
        self.assertEqual(self.command("EXISTS", "prefs:alice"), 0)
        self.assertEqual(self.notices(), [f"SET {AB} {setting} {value}" for setting, value, _ in steps])

    def test_conversations(self) -> None:
        """A topic has settings of its own, and so have notices; those of another account are its own."""
        self.set("pinned", "yes")
        self.set("archived", "yes", "#fishing")
        self.set("notify", "none", "@alice")
        self.assertEqual((self.shown(), self.shown("#fishing")), ("all 0 p ", "all 0 a "))
        self.assertEqual(self.shown("@alice"), "none 0 - ")
        self.assertEqual(self.command("EXISTS", "prefs:bob"), 0)

    def test_quiet(self) -> None:
        """The notice is no unread message, and takes no place in the list of another conversation."""
        self.set("pinned", "yes")
        self.assertEqual(self.conversations("alice")["@alice"], [1, 0, 0])
        self.assertEqual(self.conversations("alice")[AB], [1, 0, 1])
        self.assertEqual(self.command("HGET", "meta:@alice", "time"), None)

    def test_repeated(self) -> None:
        """A setting that is so already leaves no notice."""
        self.set("pinned", "yes")
        before = self.dump()
        for setting, value in (
            ("pinned", "yes"),
            ("archived", "no"),
            ("remark", ""),
            ("notify", "all"),
            ("until", "0"),
        ):
            self.assertEqual(self.set(setting, value), "OK")
        self.assert_unchanged(before)

    def test_ended(self) -> None:
        """What has ended is not shown; the next setting begins without its end."""
        self.set("notify", "none")
        self.set("pinned", "yes")
        self.set("until", "1")
        self.assertEqual(self.shown(), "all 0 p ")
        self.set("notify", "mentions")
        self.assertEqual(self.shown(), "mentions 0 p ")
        self.set("until", "1")
        self.set("pinned", "no")
        self.assertEqual(self.command("EXISTS", "prefs:alice"), 0)

    def test_until_first(self) -> None:
        """The end may be set before the setting."""
        self.set("until", LATE)
        self.set("notify", "none")
        self.assertEqual(self.shown(), f"none {LATE} - ")

    def test_unknown(self) -> None:
        """A conversation that the account does not have is refused like one that does not exist."""
        self.create("bob", "bathing")
        before = self.dump()
        for conversation in ("alice+carol", "bob+carol", "#bathing", "#nothing", "@bob", "@alice", "alice+nobody"):
            self.assertEqual(self.set("pinned", "yes", conversation), ["NOTFOUND"])
        self.assert_unchanged(before)

    def test_former_member(self) -> None:
        """A former member still has the conversation."""
        self.join("bob", "fishing")
        self.leave("bob", "fishing")
        self.assertEqual(self.set("archived", "yes", "#fishing", "bob"), "OK")

    def test_limit(self) -> None:
        """So many conversations have settings; those may be changed, and an end makes room."""
        self.set("pinned", "yes", most=1)
        self.assertEqual(self.set("pinned", "yes", "#fishing", most=1), ["FULL", 1])
        self.assertEqual(self.set("archived", "yes", most=1), "OK")
        self.set("archived", "no", most=1)
        self.set("pinned", "no", most=1)
        self.assertEqual(self.set("pinned", "yes", "#fishing", most=1), "OK")

    def test_deleted(self) -> None:
        """A deleted account leaves none, also by a command that was under way."""
        self.set("pinned", "yes")
        self.erase("alice")
        self.assertEqual(self.command("EXISTS", "prefs:alice"), 0)
        self.assertEqual(self.set("pinned", "yes"), ["NOTFOUND"])
