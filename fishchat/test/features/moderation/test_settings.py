"""The settings of a topic: ``set``, ``describe``, and the values that are accepted."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from fishchat.features.moderation.reference import changing
from fishchat.features.moderation.rows import SET_TOPIC
from fishchat.features.moderation.settings import LONGEST, SETTINGS
from fishchat.test.support.govern_runner import ROLES, TOPIC, GovernCase
from fishchat.test.support.script_runner import on_each_redis

#: Setting → a value that differs from the usual one.
OTHER = {
    "name": "Fishing & Boats",
    "about": "where they bite",
    "announcement": "we meet on Sunday",
    "kind": "approval",
    "write": "admins",
    "slow": "30",
    "history": "all",
    "listed": "yes",
    "invite": "admins",
    "all": "all",
    "react": "off",
}


class Values(SynchronousTestCase):
    """What ``SET_TOPIC`` accepts."""

    def test_complete(self) -> None:
        """Python and Lua know the same settings, in the same order, and the usual values are accepted."""
        self.assertEqual([name.decode() for name in SETTINGS], list(changing()))
        self.assertEqual(OTHER.keys(), changing().keys())
        for name, (usual, _) in changing().items():
            self.assertEqual(SETTINGS[name.encode()].check(usual.encode() or b"-"), usual.encode())

    def test_help(self) -> None:
        """The sentences of the verb name each setting, and its values."""
        words = {
            word for name, (usual, _) in changing().items() for word in (name, usual, OTHER[name]) if word.isalpha()
        }
        for sentence in (SET_TOPIC.help, SET_TOPIC.zh):
            self.assertEqual(words - set(re.findall("[a-z]+", sentence)), set())

    def test_good(self) -> None:
        """Texts in any script, without blanks around them; numbers in their usual form."""
        for setting, value, stored in (
            ("name", " 钓鱼 🎣 ", "钓鱼 🎣"),
            ("name", "x" * 64, "x" * 64),
            ("about", "ш" * (LONGEST // 2), "ш" * (LONGEST // 2)),
            ("announcement", "-", ""),
            ("slow", "0030", "30"),
            ("slow", "21600", "21600"),
        ):
            self.assertEqual(SETTINGS[setting.encode()].check(value.encode()), stored.encode(), (setting, value))

    def test_bad(self) -> None:
        """Everything else is refused with a sentence."""
        texts = ["", " ", "a\u202eb", "a\nb", "a\u2028b", "a\x07b", "\u200b", "\U000e0041"]
        bad = {name: ["", "no such value", "ALL", "-"] for name in OTHER}
        bad |= {"name": [*texts, "x" * 65], "about": [*texts, "x" * 1025], "announcement": [*texts, "ш" * 513]}
        bad["slow"] = ["", "-1", "21601", "1.5", "one", "000001"]
        for name, values in bad.items():
            for value in values:
                self.assertRaises(ValueError, SETTINGS[name.encode()].check, value.encode())
        self.assertRaises(ValueError, SETTINGS[b"name"].check, b"\xff")


@on_each_redis
class Setting(GovernCase):
    """``set`` and ``describe``."""

    def test_each(self) -> None:
        """Every setting takes effect, is told once in a quiet notice, and is told nothing about when it stays."""
        for name, value in OTHER.items():
            before = len(self.texts())
            self.assertEqual(self.set("alice", name, value)[0], "OK")
            self.assertEqual(self.texts()[before:], [f"SET {name} {value}"])
            self.assertEqual(self.set("alice", name, value), ["OK"])
            self.assertEqual(len(self.texts()), before + 1)
        found = self.describe("carol")
        self.assertEqual({name: found[name] for name in OTHER}, OTHER)
        for name, (usual, _) in changing().items():
            self.assertEqual(self.set("alice", name, usual)[0], "OK")
            self.assertEqual(self.texts()[-1], f"SET {name} {usual or '-'}")
        usual_values = {name: usual for name, (usual, _) in changing().items() if usual}
        found = self.describe("carol")
        self.assertEqual({name: found.get(name) for name in usual_values}, usual_values)
        self.assertEqual({"name", "about", "announcement"} & found.keys(), set())

    def test_rights(self) -> None:
        """Who may change what is what the table says; nothing is written when it is refused."""
        for name, value in OTHER.items():
            for account, role in ROLES.items():
                needed = "admin" if changing()[name][1] == "describe" else "owner"
                allowed = role == "owner" or role == needed
                before = self.dump()
                reply = self.set(account, name, value)
                if allowed:
                    self.assertEqual(reply[0], "OK", (name, account))
                    self.set("alice", name, changing()[name][0])
                else:
                    word = ["RIGHTS", f"needs={needed}"] if role else ["NOTMEMBER"]
                    self.assertEqual(reply, word, (name, account))
                    self.assert_unchanged(before)
        self.assertEqual(self.govern("set", "alice", "slow", "5", topic="nothing"), ["NOTFOUND"])

    def test_unread(self) -> None:
        """Only an announcement counts as unread; the others leave the badge and the list as they were."""
        self.said("alice", TOPIC, "hello")
        self.assertEqual(self.conversations("carol")[TOPIC][2], 1)
        time = self.command("HGET", "meta:" + TOPIC, "time")
        for name, value in OTHER.items():
            if name != "announcement":
                self.set("alice", name, value)
        self.role("alice", "carol", "admin")
        self.ban("alice", "eve")
        self.assertEqual(self.conversations("carol")[TOPIC][2], 1)
        self.assertEqual(self.command("HGET", "meta:" + TOPIC, "time"), time)
        self.set("alice", "announcement", "news")
        self.assertEqual(self.conversations("carol")[TOPIC][2], 2)
        self.assertEqual(self.conversations("alice")[TOPIC][2], 0)
        self.set("*", "announcement", "news of the operator")
        self.assertEqual(self.conversations("alice")[TOPIC][2], 1)
        self.assertEqual(self.command("HGET", "meta:" + TOPIC, "r:*"), None)
        self.set("alice", "announcement", "")
        self.assertEqual(self.conversations("carol")[TOPIC][2], 3)

    def test_directory(self) -> None:
        """A listed topic is in the directory, until it is not listed or ends."""
        self.set("bob", "listed", "yes")
        self.assertEqual(self.command("ZRANGE", "directory", 0, -1), ["fishing"])
        self.set("bob", "listed", "no")
        self.assertEqual(self.command("EXISTS", "directory"), 0)
        self.set("bob", "listed", "yes")
        self.dismiss("alice", "fishing")
        self.assertEqual(self.command("EXISTS", "directory"), 0)

    def test_writing(self) -> None:
        """Only admins write, and everybody again: mutes are not forgotten on the way."""
        self.mute("bob", "carol")
        self.set("bob", "write", "admins")
        self.join("dave", "fishing")
        self.assertEqual(self.said("dave", TOPIC, "x"), "RIGHTS needs=admin")
        self.assertIsInstance(self.said("bob", TOPIC, "x"), int)
        self.set("bob", "write", "all")
        self.assertIsInstance(self.said("dave", TOPIC, "x"), int)
        self.assertIn("MUTED until=", self.said("carol", TOPIC, "x"))

    def test_slow(self) -> None:
        """A member waits, also after it has left and come again; admins do not; without slow mode nothing is left."""
        self.set("bob", "slow", "600")
        self.assertIsInstance(self.said("carol", TOPIC, "x"), int)
        self.assertRegex(self.said("carol", TOPIC, "y"), r"\ASLOW until=\d{13}\Z")
        self.leave("carol", "fishing")
        self.join("carol", "fishing")
        self.assertIn("SLOW", self.said("carol", TOPIC, "y"))
        for account in ("bob", "alice"):
            self.assertEqual([type(self.said(account, TOPIC, text)) for text in "xy"], [int, int])
        self.set("bob", "slow", "0")
        self.assertEqual(self.command("EXISTS", "slow:" + TOPIC), 0)
        self.assertIsInstance(self.said("carol", TOPIC, "y"), int)

    def test_describe(self) -> None:
        """A member sees everything, its own role too; another account what helps it to decide whether to join."""
        self.set("alice", "about", "fish")
        found = self.describe("bob")
        wanted = {"owner": "alice", "members": "3", "admins": "1", "role": "admin", "about": "fish", "kind": "open"}
        self.assertEqual({name: found[name] for name in wanted}, wanted)
        self.assert_about(int(found["created"]), self.now())
        public = {"about": "fish", "kind": "open", "owner": "alice", "members": "3"}
        self.assertEqual(self.describe("dave"), public)
        self.assertEqual(self.describe("alice", "nothing"), ["NOTFOUND"])

    def test_describe_closed(self) -> None:
        """A topic that an account can neither find nor join says nothing to it, but to a guest and to the operator."""
        for kind in ("invitation", "approval"):
            self.set("alice", "kind", kind)
            self.assertEqual(self.describe("dave"), ["NOTMEMBER"])
        self.assertEqual(self.describe("*")["history"], "joined")
        self.set("alice", "listed", "yes")
        self.assertEqual(self.describe("dave")["kind"], "approval")
        self.set("alice", "listed", "no")
        self.invite("alice", "fishing", "dave")
        self.assertEqual(self.describe("dave")["owner"], "alice")

    def test_muted_admin(self) -> None:
        """An announcement is a way to speak, too."""
        self.mute("alice", "bob")
        before = self.dump()
        for name in ("name", "about", "announcement"):
            self.assertEqual(self.set("bob", name, "x")[0], "MUTED")
        self.assert_unchanged(before)

    def test_upgrade(self) -> None:
        """While a server runs that does not know these settings, nothing is changed."""
        self.register_old()
        before = self.dump()
        for reply in (
            self.set("alice", "write", "admins"),
            self.role("alice", "carol", "admin"),
            self.transfer("alice", "carol"),
            self.kick("alice", "carol"),
            self.ban("alice", "carol"),
            self.unban("alice", "carol"),
            self.mute("alice", "carol"),
            self.unmute("alice", "carol"),
        ):
            self.assertEqual(reply, ["TRYAGAIN"])
        self.assert_unchanged(before)
