"""Messages that roles store: ``servers/hold``, ``servers/release`` and ``logs/append``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fishchat.storage.fence import Fence
from fishchat.test.support.script_runner import EPOCH, LONG, MS1, MS2, STREAM, Said, ScriptCase, on_each_redis

#: A role that has no clients.
FILES = Fence(b"file-1", b"ffff", EPOCH)


class RoleCase(ScriptCase):
    """A role beside the two msg_servers."""

    def hold(self, fence: Fence = FILES, lease: int = LONG, take: bool | str = True) -> Any:
        """What the store answers to a role that takes its lease, or keeps it."""
        return self.call("servers/hold", fence.server, fence.token, lease, take)

    def append(self, conversation: str, account: str, text: str, form: str = "-", fence: Fence = FILES) -> Any:
        """The message of a role, or the refusal."""
        return self.fenced("logs/append", STREAM, conversation, account, form, text, fence=fence)


@on_each_redis
class Holding(RoleCase):
    """A lease without clients."""

    def test_taken_and_kept(self) -> None:
        """The first one takes a free name and keeps it; another one waits until it is released."""
        other = replace(FILES, incarnation=b"eeee")
        self.assertEqual(self.hold(take=False), "LOST")
        self.assertEqual([self.hold(), self.hold(take=False)], ["NEW", "KEPT"])
        self.assertEqual([self.hold(other), self.hold(other, take=False)], ["TAKEN", "TAKEN"])
        self.call("servers/release", FILES.server, other.incarnation)
        self.assertEqual(self.hold(other), "TAKEN")
        self.call("servers/release", FILES.server, FILES.incarnation)
        self.assertEqual(self.hold(other), "NEW")
        self.assertEqual(
            [self.hold(take=True), self.hold(take="ffff.0"), self.hold(take="eeee.0")], ["TAKEN", "TAKEN", "NEW"]
        )

    def test_another_connection(self) -> None:
        """What an earlier connection of the same role left in Redis' buffers is refused."""
        self.login("alice")
        self.login("bob")
        self.hold()
        self.hold(replace(FILES, writer=1))
        self.assertEqual(self.append("alice+bob", "alice", "late"), ["LEASE"])

    def test_is_no_msg_server(self) -> None:
        """Nothing is routed to a role that only holds a lease."""
        self.hold()
        self.create("alice", "fishing")
        self.said("alice", "#fishing", "x")
        self.assertEqual([set(told) for told in self.routed()], [{"ms2"}])


@on_each_redis
class Appending(RoleCase):
    """What a role stores reaches everybody."""

    def setUp(self) -> None:
        super().setUp()
        self.hold()
        self.login("alice", "phone", MS1)
        self.login("bob", "main", MS2)

    def test_between_two(self) -> None:
        """Both sides' servers are told, also of the account that asked, whose device is not named."""
        ok, conversation, epoch, number, body, version, time = self.append(
            "alice+bob", "alice", "a picture", "-;file=f1"
        )
        self.assertEqual((ok, conversation, epoch, number, version), ("OK", "alice+bob", EPOCH, 1, 0))
        self.assertEqual(body, "alice * -1 -;file=f1 a picture")
        self.assertGreater(time, 10**12)
        [told] = self.routed()
        self.assertEqual(told, {name: ["alice+bob", 1, body, 0] for name in ("ms1", "ms2")})
        for account in ("alice", "bob"):
            self.assertEqual(self.history(account, "alice+bob"), ["a picture"])
        self.assertEqual(self.conversations("bob")["alice+bob"], [1, 0, 1])

    def test_topic(self) -> None:
        """All servers are told under the membership version; the numbers go on."""
        self.create("alice", "fishing")
        self.said("alice", "#fishing", "x")
        self.command("DEL", STREAM)
        self.assertEqual(self.append("#fishing", "alice", "y")[3:6], [2, "alice * -1 - y", 1])
        self.assertEqual(self.routed(), [{name: ["#fishing", 2, "alice * -1 - y", 1] for name in ("ms1", "ms2")}])

    def test_notice(self) -> None:
        """A notice needs no membership, but a conversation that is there."""
        self.create("alice", "fishing")
        self.assertEqual(self.append("#fishing", "bob", "ENDED", "n")[0], "OK")
        self.assertEqual(self.append("@bob", "alice", "ASKED", "n")[:4], ["OK", "@bob", EPOCH, 1])
        self.assertEqual(self.history("bob", "@bob"), ["ASKED"])
        self.assertEqual(self.append("#none", "alice", "x", "n"), ["NOTFOUND"])
        self.assertEqual(self.append("@nobody", "alice", "x", "n"), ["NOTFOUND"])

    def test_rights(self) -> None:
        """A role may do for an account what the account may do itself, and no more."""
        self.create("alice", "fishing")
        self.assertEqual(self.append("#fishing", "bob", "x"), ["NOTMEMBER"])
        self.assertEqual(self.append("#none", "bob", "x"), ["NOTFOUND"])
        self.assertEqual(self.append("alice+nobody", "alice", "x"), ["NOTFOUND"])
        self.call("contacts/set", "bob", "alice", "b", True, 10)
        self.assertEqual(self.append("alice+bob", "alice", "x"), ["NOTFOUND"])
        self.assertEqual(self.append("alice+bob", "bob", "x"), ["BLOCKED"])
        self.assertEqual(self.log("alice+bob"), [])

    def test_account_of_the_pair(self) -> None:
        """Only the two accounts of a conversation write there, and get notices in their name."""
        self.login("mallory")
        for form in ("-", "n"):
            for account in ("mallory", "nobody", ""):
                self.assertEqual(self.append("alice+bob", account, "x", form), ["NOTFOUND"])
        self.assertEqual(self.log("alice+bob"), [])
        self.assertEqual(self.append("alice+alice", "alice", "x")[0], "OK")

    def test_notice_of_the_pair(self) -> None:
        """A notice is stored despite a block; both accounts must exist."""
        self.call("contacts/set", "bob", "alice", "b", True, 10)
        self.assertEqual(self.append("alice+bob", "alice", "ASKED", "n")[:4], ["OK", "alice+bob", EPOCH, 1])
        self.assertEqual(self.append("alice+bob", "bob", "ENDED", "n")[0], "OK")
        self.assertEqual(self.history("bob", "alice+bob"), ["ASKED", "ENDED"])
        self.assertEqual(self.append("alice+nobody", "alice", "x", "n"), ["NOTFOUND"])
        self.assertEqual(self.append("alice+nobody", "nobody", "x", "n"), ["NOTFOUND"])

    def test_malformed_conversation(self) -> None:
        """A name that belongs to no conversation is refused."""
        names = ("", "alice", "+", "alice+", "+alice", "bob+alice", "alice+bob+carol", "alice++bob", "#", "@")
        for name in names:
            for form in ("-", "n"):
                self.assertEqual(self.append(name, "alice", "x", form), ["NOTFOUND"])

    def test_fence(self) -> None:
        """Without its lease, or under an earlier epoch, a role stores nothing."""
        self.assertEqual(self.append("alice+bob", "alice", "x", fence=replace(FILES, incarnation=b"e")), ["LEASE"])
        self.grow_epoch()
        self.assertEqual(self.append("alice+bob", "alice", "x"), ["EPOCH", "8"])
        self.assertEqual(self.log("alice+bob"), [])

    def test_beside_clients(self) -> None:
        """Numbers of clients and of roles are one sequence, and a repetition of a client's message is still known."""
        first = Said("alice", "bob", "one", 1, "phone")
        self.send(first)
        self.append("alice+bob", "bob", "two")
        self.assertEqual(self.send(first, Said("alice", "bob", "three", 2, "phone")), ["DUP 7-1", 3])
