"""Accounts that are deleted with what they said: ``erase``, ``erase_talk``, ``erase_end``."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fishchat.test.features.session.test_sessions import Listener
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import MS2, PROPERTY, STREAM, Said, on_each_redis

AB, AA = "alice+bob", "alice+alice"


class EraseCase(AccountCase):
    """Alice on two devices, bob and carol; they have talked."""

    def setUp(self) -> None:
        """All logged in."""
        super().setUp()
        self.begin()

    def begin(self) -> None:
        """The accounts, and what they said."""
        for account in ("alice", "bob", "carol"):
            self.enrol(account)
            self.by_secret(account)
        self.by_secret("alice", "phone", fence=MS2)
        for number in range(1, 4):
            self.said("alice", "bob", f"a{number}", number)
            self.said("bob", "alice", f"b{number}", number)
        self.said("alice", "alice", "note")
        self.ack("alice", AB, "7-2")

    def topic(self, *members: str, owner: str = "alice", topic: str = "fishing") -> None:
        """A topic in which everybody said something, in this order."""
        self.create(owner, topic)
        self.said(owner, "#" + topic, owner)
        for member in members:
            self.join(member, topic)
            self.said(member, "#" + topic, member)

    def roster(self, account: str, topic: str = "fishing") -> Any:
        """The members, or the refusal."""
        found = self.runner.script("topics/members", account, topic, [account])
        return sorted(self.command("HKEYS", "members:#" + topic)) if found[0] == b"OK" else found[0].decode()


@on_each_redis
class Account(EraseCase):
    """The first step: nobody is alice any more."""

    def test_first_step(self) -> None:
        """Sessions, devices, tokens, relations, cursors are gone and counted; what is left to do is named."""
        self.grant("alice", "bot")
        self.block("alice", "carol")
        self.attempt("alice")
        reply, told = self.hear_revoked("accounts/erase", "alice", "")
        self.assertEqual([*reply[:4], sorted(reply[4])], ["OK", 2, 2, 3, [AA, AB]])
        self.assertEqual({*told["revoked"].values()}, {"deleted ms1 aaaa 1", "deleted ms2 bbbb 4"})
        left = {key for key in self.names() if key.partition(":")[2].startswith("alice")}
        self.assertEqual(
            left, {"account:alice", "talks:alice", *(f"{kind}:{of}" for kind in ("log", "meta") for of in (AA, AB))}
        )
        self.assertEqual(self.command("HKEYS", "account:alice"), ["deleted"])

    def test_no_way_back(self) -> None:
        """Neither her token nor her password nor an attempt that was under way lets her in."""
        _, _, _, version = self.attempt("alice")
        self.call("accounts/erase", "alice", "")
        before = self.dump()
        self.assertEqual(self.by_secret("alice", version=version), ["AUTH"])
        self.assertEqual(self.by_token("alice"), ["AUTH"])
        self.assertEqual(self.login("alice"), ["AUTH"])
        self.assertEqual(self.grant("alice", "main"), ["NOTFOUND"])
        self.assert_unchanged(before)

    def test_what_was_under_way(self) -> None:
        """What her servers had not yet handed over when they heard of it brings nothing back."""
        self.topic("bob", owner="carol")
        self.erase("alice")
        before = self.dump()
        flat = Said("alice", "bob", "late", 4).flat
        self.assertEqual(self.fenced("logs/send", STREAM, ["alice", "bob"], flat, [])[:3], ["OK", ["TRYAGAIN"], []])
        self.assertEqual(self.ack("alice", AB, "7-6"), 0)
        self.assertEqual(self.create("alice", "sailing"), ["NOTFOUND"])
        self.assertEqual(self.join("alice", "fishing"), ["NOTFOUND"])
        self.assertEqual(self.fenced("messages/read", STREAM, "alice", AB, "7-6", ""), ["NOTFOUND"])
        self.assertEqual(self.fenced("session/logout", ["alice", "main", 1]), 0)
        self.assert_unchanged(before)

    def test_nobody_writes_on(self) -> None:
        """Nobody is told that a message was stored for her, however long the rest takes or whether it ever comes."""
        self.call("accounts/erase", "alice", "")
        self.assertEqual(self.said("bob", "alice", "x", 4), "NOTFOUND")
        self.assertEqual(self.said("carol", "alice", "x"), "NOTFOUND")
        self.assertEqual(self.status("bob", "alice"), "NOTFOUND")

    def test_nobody(self) -> None:
        """There is nothing to delete where nobody was."""
        before = self.dump()
        self.assertEqual(self.call("accounts/erase", "nobody", ""), ["NOTFOUND"])
        self.assert_unchanged(before)

    def test_disabled(self) -> None:
        """A disabled account is deleted like any other."""
        self.disable("alice")
        self.assertEqual(self.call("accounts/erase", "alice", "")[0], "OK")
        self.assertEqual(self.by_secret("alice"), ["AUTH"])


@on_each_redis
class Talks(EraseCase):
    """What she said to others."""

    def test_between_two(self) -> None:
        """What she wrote is gone, what she was written stays; numbers go on as they were, for nobody."""
        self.call("accounts/erase", "alice", "")
        self.assertEqual(self.erase_talk("alice", AB), [3, 0, 0, 0])
        self.assertEqual([text for _, text in self.log(AB)], ["b1", "b2", "b3"])
        fields = self.command("HGETALL", "meta:" + AB)
        kept = dict(zip(fields[::2], fields[1::2], strict=True))
        self.assertGreater(int(kept.pop("time")), 0)
        self.assertEqual(kept, {"n": "6", "e": "7", "bob/main": "3", "r:bob": "6", "b": "alice", "k": "3"})
        self.assertEqual(self.command("ZRANGE", "quiet:" + AB, 0, -1), ["1", "3", "5"])

    def test_peers_keep_theirs(self) -> None:
        """The other one reads on what it wrote, and is told that there is nobody to write to."""
        self.erase("alice")
        self.assertEqual(self.history("bob", AB), ["b1", "b2", "b3"])
        self.assertEqual(self.said("bob", "alice", "x", 4), "NOTFOUND")
        self.assertEqual(self.said("bob", "alice", "b3", 3), "DUP 7-6")
        self.assertEqual(self.status("bob", "alice"), "NOTFOUND")
        self.assertEqual(self.said("carol", "alice", "x"), "NOTFOUND")
        self.assertEqual(self.fenced("messages/read", STREAM, "bob", AB, "7-6", ""), ["OK", "", "7-6"])

    def test_a_peer_who_had_blocked(self) -> None:
        """It goes on blocking, and is named once, however often the step is done."""
        self.block("bob", "alice")
        for _ in range(2):
            self.call("accounts/erase", "alice", "")
            self.assertEqual(self.command("HGET", "meta:" + AB, "b"), "bob alice")
        self.assertEqual(self.said("bob", "alice", "x"), "BLOCKED")

    def test_a_peer_whom_she_had_blocked(self) -> None:
        """Nothing opens."""
        self.block("alice", "bob")
        self.erase("alice")
        self.assertEqual(self.said("bob", "alice", "x"), "NOTFOUND")

    def test_alone(self) -> None:
        """What nobody else could read is gone with its counters."""
        self.create("bob", "fishing")
        self.invite("bob", "fishing", "alice")
        self.assertIn("log:@alice", self.names())
        self.erase("alice")
        left = {key for key in self.names() if key.partition(":")[2].startswith(("alice", "@alice"))}
        self.assertEqual(left, {"account:alice", "log:" + AB, "meta:" + AB, "quiet:" + AB})

    def test_nothing_left_of_a_log(self) -> None:
        """A conversation in which only she wrote keeps its numbers."""
        self.said("alice", "carol", "x")
        self.erase("alice")
        self.assertEqual(self.command("XLEN", "log:alice+carol"), 0)
        self.assertEqual(self.command("HGET", "meta:alice+carol", "n"), "1")
        self.assertEqual(self.history("carol", "alice+carol"), [])

    def test_names_that_begin_alike(self) -> None:
        """Not a word of anybody whose name begins with hers, or is a pattern for it."""
        for account in ("alice.b", "alic", "alice-x"):
            self.enrol(account)
            self.login(account)
        self.topic("alice.b", "alic", "alice-x")
        self.erase("alice")
        self.assertEqual([text for _, text in self.log("#fishing")], ["alice.b", "alic", "alice-x"])
        fields = self.command("HKEYS", "meta:#fishing")
        self.assertEqual(sorted(field for field in fields if ":" in field), ["r:alic", "r:alice-x", "r:alice.b"])

    @PROPERTY
    @given(st.lists(st.sampled_from(["alice", "bob"]), max_size=25), st.integers(1, 9))
    def test_step_by_step(self, senders: list[str], count: int) -> None:
        """However small the steps: all of hers, none of the other's, each once."""
        self.empty()
        for account in ("alice", "bob"):
            self.enrol(account)
        for number, sender in enumerate(senders):
            self.said(sender, "bob" if sender == "alice" else "alice", str(number))
        self.assertEqual(self.erase_talk("alice", AB, count)[0], senders.count("alice"))
        theirs = [str(number) for number, sender in enumerate(senders) if sender == "bob"]
        self.assertEqual([text for _, text in self.log(AB)], theirs)


@on_each_redis
class Topics(EraseCase):
    """Her part in topics."""

    def test_member(self) -> None:
        """She is no member any more, what she said is gone, and the servers are told to look again."""
        self.topic("alice", owner="bob")
        version = self.command("HGET", "meta:#fishing", "v")
        self.call("accounts/erase", "alice", "")
        with Listener(self.server.path, "/sysctrl/topic-sync") as listener:
            self.assertEqual(self.erase_talk("alice", "#fishing"), [1, 1, 0, 0])
            told = json.loads(listener.next())
        self.assertEqual(told, {"topics": ["fishing"], "accounts": {"fishing": ["alice"]}})
        self.assertEqual(self.roster("bob"), ["bob"])
        self.assertEqual(self.command("HGET", "meta:#fishing", "v"), str(int(version) + 1))
        self.assertEqual([text for _, text in self.log("#fishing")], ["bob"])

    def test_owner(self) -> None:
        """Her topic is the eldest member's; by the number, not by the name."""
        self.topic("carol", "bob")
        self.assertEqual(self.erase_talk("alice", "#fishing"), [1, 1, 1, 0])
        self.assertEqual(self.command("HGET", "topic:#fishing", "owner"), "carol")
        self.assertEqual(self.dismiss("carol", "fishing")[0], "OK")

    def test_owner_among_equals(self) -> None:
        """Of two who came at the same word it is the first by name."""
        self.create("alice", "fishing")
        for member in ("carol", "bob"):
            self.join(member, "fishing")
        self.erase("alice")
        self.assertEqual(self.command("HGET", "topic:#fishing", "owner"), "bob")

    def test_owner_alone(self) -> None:
        """A topic without members ends; its name is free."""
        self.topic()
        self.assertEqual(self.erase_talk("alice", "#fishing"), [1, 1, 0, 1])
        self.assertEqual(self.command("EXISTS", "topic:#fishing", "members:#fishing", "invited:#fishing"), 0)
        self.assertEqual(self.create("bob", "fishing")[0], "OK")

    def test_left_before(self) -> None:
        """What she said in a topic that she has left is gone as well; the membership of the others stays as it is."""
        self.topic("alice", owner="bob")
        self.leave("alice", "fishing")
        version = self.command("HGET", "meta:#fishing", "v")
        self.assertEqual(self.erase_talk("alice", "#fishing"), [1, 0, 0, 0])
        self.assertEqual(self.command("HGET", "meta:#fishing", "v"), version)


@on_each_redis
class Again(EraseCase):
    """A deletion that was interrupted goes on when it is asked for again."""

    def test_repeated(self) -> None:
        """A second deletion finds nothing to do."""
        self.topic("bob")
        self.erase("alice")
        before = self.dump()
        self.assertEqual(self.call("accounts/erase", "alice", ""), ["OK", 0, 0, 0, []])
        self.call("accounts/finish_erase", "alice")
        self.assertEqual({key for key, value in self.dump().items() if value != before[key]} - {"account:alice"}, set())

    def test_interrupted_anywhere(self) -> None:
        """After whichever of its calls it ended, the next deletion leaves what an uninterrupted one leaves."""
        wanted: dict[str, Any] | None = None
        calls = 1
        while calls:
            self.empty()
            self.begin()
            self.topic("bob", "carol")
            self.topic("alice", owner="bob", topic="sailing")
            done = self.interrupted(calls)
            self.erase("alice")
            left = {
                key: value for key, value in self.contents().items() if not key.startswith(("seen:", STREAM, "count:"))
            }
            # The time of the last message is that of this try.
            for key in left:
                if key.startswith("meta:"):
                    left[key].pop("time", None)
            if wanted is not None:
                self.assertEqual(left, wanted)
            wanted = left
            calls = calls + 1 if done else 0

    def interrupted(self, calls: int) -> bool:
        """The beginning of a deletion; whether it was the whole of it is said by False."""
        left = calls - 1
        for conversation in self.call("accounts/erase", "alice", "")[4]:
            after = ""
            while True:
                if not left:
                    return True
                left -= 1
                after = self.call("accounts/erase_conversation", "alice", conversation, after, 2)[0]
                if not after:
                    break
        return False

    def contents(self) -> dict[str, Any]:
        """What the store holds, without moments of time."""
        found: dict[str, Any] = {}
        for key in self.names():
            kind = self.command("TYPE", key)
            if kind == "hash":
                flat = self.command("HGETALL", key)
                fields = dict(zip(flat[::2], flat[1::2], strict=True))
                found[key] = {name: value for name, value in fields.items() if name not in ("created", "deleted")}
            elif kind == "stream":
                found[key] = [(at, fields[3]) for at, fields in self.command("XRANGE", key, "-", "+")]
            elif kind == "set":
                found[key] = sorted(self.command("SMEMBERS", key))
        return {key: value for key, value in found.items() if not key.startswith(("tokens:", "session:", "on:"))}
