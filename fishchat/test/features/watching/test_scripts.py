"""The scripts of watching: presence, typing, who has read a message."""

from __future__ import annotations

from typing import Any

from fishchat.features.messages.rows import RESP_READ
from fishchat.features.watching.rows import READ_MEMBERS
from fishchat.storage.loader import read
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import MS1, MS2, STREAM, Said, on_each_redis

AB = "alice+bob"
FISHING = "#fishing"
#: A time in ms that no test reaches.
LATER = 9_999_999_999_999


class WatchingCase(AccountCase):
    """Alice, bob and carol."""

    def setUp(self) -> None:
        """Create the accounts."""
        super().setUp()
        for account in ("alice", "bob", "carol"):
            self.enrol(account)

    def seen(self, watcher: str, account: str) -> tuple[bool, int]:
        """Return what one account sees of another."""
        is_online, ms = self.call("watching/presences", [watcher, account])
        return bool(is_online), ms

    def only_contacts(self, account: str) -> None:
        """Let only contacts start a conversation with an account."""
        self.assertEqual(self.call("accounts/set_profile", account, "privacy", "contacts"), ["OK"])

    def log_out(self, account: str, device: str = "main") -> None:
        """End the session of a device."""
        connection = self.command("HGET", "session:" + account, device).split()[2]
        self.assertEqual(self.fenced("session/logout", [account, device, connection]), 1)


@on_each_redis
class Presences(WatchingCase):
    """Which accounts are online, and who may know it."""

    def test_online(self) -> None:
        """An account is online while one of its devices is, since the first of these logged in."""
        self.login("bob")
        self.login("bob", "phone")
        self.command("HSET", "seen:bob", "main", 2000, "phone", 3000, "old", 1000)
        self.assertEqual(self.seen("alice", "bob"), (True, 2000))
        self.log_out("bob")
        self.assertEqual(self.seen("alice", "bob"), (True, 3000))
        self.log_out("bob", "phone")
        self.command("HSET", "seen:bob", "main", 4000, "phone", 3500)
        self.assertEqual(self.seen("alice", "bob"), (False, 4000))
        self.assertEqual(self.call("watching/online", ["alice", "bob"]), [0, 0])
        self.login("bob", "phone")
        self.assertEqual(self.call("watching/online", ["alice", "bob", "nobody", "bob"]), [0, 1, 0, 1])

    def test_oneself(self) -> None:
        """An account may watch itself."""
        self.assertEqual(self.seen("alice", "alice"), (False, 0))
        self.login("alice")
        self.command("HSET", "seen:alice", "main", 5)
        self.assertEqual(self.seen("alice", "alice"), (True, 5))

    def test_hidden(self) -> None:
        """Accounts that block, are blocked, hide or do not exist look alike, whether or not the two have talked."""
        for talked in (False, True):
            self.login("bob")
            if talked:
                self.said("alice", "bob", "hello")
            self.assertTrue(self.seen("alice", "bob")[0])
            for one, other in (("bob", "alice"), ("alice", "bob")):
                self.relate(one, other, "b")
                self.assertEqual(self.seen("alice", "bob"), (False, 0), one)
                self.relate(one, other, "b", False)
            self.assertTrue(self.seen("alice", "bob")[0])
        self.login("carol")
        self.only_contacts("carol")
        self.assertEqual(self.seen("alice", "carol"), (False, 0))
        self.relate("carol", "alice", "c")
        self.assertTrue(self.seen("alice", "carol")[0])
        self.assertEqual(self.seen("alice", "nobody"), (False, 0))
        self.erase("bob")
        self.assertEqual(self.seen("alice", "bob"), (False, 0))

    def test_dead_server(self) -> None:
        """The devices of a server that died are published as gone."""
        self.login("bob", fence=MS2)
        self.login("carol")
        self.command("DEL", "lease:ms2")
        reply, published = self.hear_revoked("servers/reap", 500)
        self.assertEqual((reply, published), ([1, 0, ["ms2"]], {"server": "", "went": ["bob/main"]}))
        self.assertEqual(self.call("watching/online", ["bob", "carol"]), [0, 1])

    def test_many(self) -> None:
        """One call answers for many watches, each by its own rights; it writes nothing."""
        self.login("bob")
        self.command("HSET", "seen:bob", "main", 7)
        self.relate("bob", "carol", "b")
        before = self.dump()
        watches = ["alice", "bob", "carol", "bob", "bob", "bob", "alice", "nobody"]
        self.assertEqual(self.call("watching/presences", watches), [1, 7, 0, 0, 1, 7, 0, 0])
        self.assertEqual(self.call("watching/presences", []), [])
        self.assert_unchanged(before)


@on_each_redis
class Typing(WatchingCase):
    """Whose typing is shown, and where it goes."""

    def setUp(self) -> None:
        """Alice and bob are members of a topic; carol is logged in."""
        super().setUp()
        self.login("alice")
        self.login("bob", fence=MS2)
        self.login("carol")
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.command("DEL", STREAM)

    def typing(self, account: str, conversation: str, peer: str = "", most: int = 100) -> Any:
        """Return whether it is shown."""
        reply, value = self.fenced("watching/typing", STREAM, account, conversation, peer, most)
        self.assertEqual(reply, "OK")
        return value

    def test_topic(self) -> None:
        """Typing in a topic goes to the other servers, under the name of the topic, and is stored nowhere."""
        before = {key for key in self.dump() if key != f"count:{STREAM}"}
        self.assertEqual(self.typing("bob", FISHING), 1)
        line = "RESP_TYPING bob #fishing"
        self.assertEqual(self.routed(), [{"ms2": [FISHING, 0, line, 0]}])
        self.assertEqual({key for key in self.dump() if key != f"count:{STREAM}"} - before, {STREAM})

    def test_two_accounts(self) -> None:
        """Typing to an account goes to the servers of its devices, if there are others than this one."""
        self.assertEqual(self.typing("alice", AB, "bob"), 1)
        self.assertEqual(self.routed(), [{"ms2": [AB, 0, f"RESP_TYPING alice {AB}", 0]}])
        self.command("DEL", STREAM)
        self.assertEqual(self.typing("alice", "alice+carol", "carol"), 1)
        self.assertEqual(self.routed(), [])

    def test_alone(self) -> None:
        """With a single server nothing is left for the router."""
        self.command("HDEL", "servers", "ms2")
        self.assertEqual(self.typing("bob", FISHING), 1)
        self.assertEqual(self.routed(), [])

    def test_nowhere(self) -> None:
        """The typing of an account that may not write is shown to nobody, and nothing is written."""
        restrictions: dict[str, list[list[Any]]] = {
            "muted": [["HSET", "muted:#fishing", "bob", f"{LATER} alice spam"], ["HSET", "meta:#fishing", "b", "m"]],
            "slow": [["HSET", "slow:#fishing", "bob", self.now()], ["HSET", "meta:#fishing", "b", "s60"]],
            "admins only": [["HSET", "meta:#fishing", "b", "a"]],
        }
        for name, commands in restrictions.items():
            for command in commands:
                self.command(*command)
            before = self.dump()
            self.assertEqual(self.typing("bob", FISHING), 0, name)
            self.assert_unchanged(before)
            self.command("HDEL", "meta:#fishing", "b")
        before = self.dump()
        for account in ("carol", "nobody"):
            self.assertEqual(self.typing(account, FISHING), 0, account)
        self.assertEqual(self.typing("bob", "#pond"), 0)
        self.assertEqual(self.typing("bob", FISHING, most=1), 0)
        self.assertEqual(self.typing("alice", "alice+nobody", "nobody"), 0)
        self.assert_unchanged(before)
        self.leave("bob", "fishing")
        self.assertEqual(self.typing("bob", FISHING), 0)
        self.only_contacts("carol")
        self.assertEqual(self.typing("alice", "alice+carol", "carol"), 0)
        for one, other in (("bob", "alice"), ("alice", "bob")):
            self.relate(one, other, "b")
            self.assertEqual(self.typing("alice", AB, "bob"), 0)
            self.relate(one, other, "b", False)
        self.assertEqual(self.typing("alice", AB, "bob"), 1)

    def test_fence(self) -> None:
        """A server that has lost its lease shows nothing."""
        self.command("DEL", "lease:ms1")
        self.assertEqual(self.fenced("watching/typing", STREAM, "alice", AB, "bob", 100), ["LEASE"])
        self.assertEqual(self.routed(), [])

    def test_may_open(self) -> None:
        """Only members may watch a topic."""
        self.assertEqual(self.call("watching/may_open", "bob", "fishing"), ["OK"])
        self.assertEqual(self.call("watching/may_open", "carol", "fishing"), ["NOTFOUND"])
        self.fenced("topics/leave", "bob", "fishing", STREAM, b"bob main -1 n LEFT bob", 0)
        self.assertEqual(self.call("watching/may_open", "bob", "fishing"), ["NOTMEMBER"])
        self.assertEqual(self.call("watching/may_open", "carol", "pond"), ["NOTFOUND"])


@on_each_redis
class Readers(WatchingCase):
    """Who has read up to a message."""

    def setUp(self) -> None:
        """Alice has said five things in a topic, which bob joined after the second one."""
        super().setUp()
        for account in ("alice", "bob", "carol"):
            self.login(account)
        self.create("alice", "fishing")
        self.join("carol", "fishing")
        for text in "12":
            self.send(Said("alice", FISHING, text))
        self.join("bob", "fishing")
        for text in "345":
            self.send(Said("alice", FISHING, text))

    def read(self, account: str, at: str, conversation: str = FISHING) -> None:
        """Let an account read up to a position."""
        self.assertEqual(self.fenced("messages/read", STREAM, account, conversation, at, "")[0], "OK")

    def readers(self, account: str, at: str, conversation: str = FISHING, most: int = 500) -> Any:
        """Return the number of members and the readers, or the refusal."""
        reply = self.call("watching/readers", account, conversation, at, most)
        if reply[0] != "OK":
            return reply
        again = self.call("watching/saw", conversation, at, reply[3])
        return reply[1], " ".join(sorted(reply[2] + again))

    def test_counted(self) -> None:
        """A member counts from the message on up to which it has read; the author has read what it wrote."""
        self.assertEqual(self.readers("carol", "7-4"), (3, "alice"))
        self.read("carol", "7-4")
        self.assertEqual(self.readers("bob", "7-4"), (3, "alice carol"))
        self.assertEqual(self.readers("bob", "7-5"), (3, "alice"))
        self.read("bob", "7-5")
        self.assertEqual(self.readers("alice", "7-4"), (3, "alice bob carol"))

    def test_joined_later(self) -> None:
        """A member that could not see the message has not read it, however far it has read."""
        self.read("bob", "7-5")
        self.assertEqual(self.readers("alice", "7-2"), (3, "alice"))
        self.leave("bob", "fishing")
        self.assertEqual(self.readers("alice", "7-4"), (2, "alice"))
        self.send(Said("alice", FISHING, "6"))
        self.join("bob", "fishing")
        self.assertEqual(self.readers("alice", "7-4"), (3, "alice bob"))

    def test_out_of_sight(self) -> None:
        """A message that one cannot see, or that never was, is not found."""
        self.enrol("dave")
        for account, at in (("bob", "7-2"), ("dave", "7-4"), ("alice", "7-6"), ("alice", "6-4"), ("nobody", "7-1")):
            self.assertEqual(self.readers(account, at), ["NOTFOUND"], (account, at))
        self.assertEqual(self.readers("alice", "7-1", "#pond"), ["NOTFOUND"])
        self.leave("bob", "fishing")
        self.assertEqual(self.readers("bob", "7-4"), ["NOTMEMBER"])

    def test_large(self) -> None:
        """A topic with more members does not say it."""
        self.assertEqual(self.readers("alice", "7-1", most=3)[0], 3)
        self.assertEqual(self.readers("alice", "7-1", most=2), ["FULL", 2])

    def test_two_accounts(self) -> None:
        """In a conversation of two, the other one counts unless one has blocked the other."""
        self.said("alice", "bob", "hello")
        self.assertEqual(self.readers("alice", "7-1", AB), (2, "alice"))
        self.read("bob", "7-1", AB)
        self.assertEqual(self.readers("alice", "7-1", AB), (2, "alice bob"))
        self.relate("bob", "alice", "b")
        self.assertEqual(self.readers("alice", "7-1", AB), (1, "alice"))
        self.assertEqual(self.readers("bob", "7-1", AB), (1, "bob"))
        self.assertEqual(self.readers("carol", "7-1", AB), ["NOTFOUND"])
        self.said("alice", "alice", "a note")
        self.assertEqual(self.readers("alice", "7-1", "alice+alice"), (1, "alice"))

    def test_one_number(self) -> None:
        """The script of read marks and the sentences about it name the same number of members."""
        self.assertIn(f"local SMALL = {READ_MEMBERS}\n", read("messages/read"))
        self.assertIn(f"at most {READ_MEMBERS} members", RESP_READ.help)

    def test_marks(self) -> None:
        """Those who watch a topic of at most 50 members are notified of a member's read mark, on every server."""
        for number in range(47):
            self.command("HSET", "members:#fishing", f"p{number}", "7-0")
        self.command("DEL", STREAM)
        reply = self.fenced("messages/read", STREAM, "carol", FISHING, "7-3", "")
        self.assertEqual(reply, ["OK", "carol #fishing", "7-3"])
        self.assertEqual(self.routed(), [{"ms2": ["carol #fishing", 0, "RESP_READ carol #fishing:7-3", 0]}])
        self.command("HSET", "members:#fishing", "one-more", "7-0")
        self.assertEqual(self.fenced("messages/read", STREAM, "carol", FISHING, "7-4", "")[1], "carol")
        self.command("HDEL", "members:#fishing", "one-more")
        self.leave("carol", "fishing")
        self.assertEqual(self.fenced("messages/read", STREAM, "carol", FISHING, "7-5", "", fence=MS1)[1], "carol")
