"""msg_servers and routers: ``epoch``, ``register``, ``retire``, ``reap`` and the three of ``route_…``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fishchat.storage.fence import Fence
from fishchat.test.support.script_runner import EPOCH, LONG, MS1, MS2, PROPERTY, STREAM, Said, ScriptCase, on_each_redis


@on_each_redis
class Epochs(ScriptCase):
    """The store's incarnation only grows."""

    def epoch(self, run: str, seen: int = 0, floor: int = 1) -> int:
        """What a role that connects is told."""
        return int(self.call("servers/epoch", run, seen, floor, 2))

    def test_first(self) -> None:
        """An empty store begins at the floor: it may have had a life before."""
        self.command("FLUSHALL")
        self.assertEqual(self.epoch("run", floor=1000), 1000)

    def test_format(self) -> None:
        """An empty store is given the format of the version that finds it; one with an epoch keeps what it has."""
        self.command("DEL", "format")
        self.epoch("two")
        self.assertIsNone(self.command("GET", "format"))
        self.command("FLUSHALL")
        self.epoch("run")
        self.assertEqual(self.command("GET", "format"), "2")
        self.call("servers/epoch", "three", 0, 1, 3)
        self.assertEqual(self.command("GET", "format"), "2")

    def test_same_run(self) -> None:
        """Connecting again to the same Redis changes nothing, whatever the clock says."""
        self.epoch("run", floor=1000)
        before = self.dump()
        self.assertEqual(self.epoch("run", seen=1000, floor=2000), 1000)
        self.assert_unchanged(before)

    def test_new_run(self) -> None:
        """A Redis that was started anew gets a higher one, also when the clock went back."""
        self.assertEqual(self.epoch("two", floor=1), EPOCH + 1)
        self.assertEqual(self.epoch("three", floor=500), 500)

    def test_put_back(self) -> None:
        """A store that knows less than somebody has seen goes above what they saw."""
        self.assertEqual(self.epoch("test", seen=20), 21)
        self.assertEqual(self.epoch("test", seen=20), 21)

    def test_without_memory(self) -> None:
        """A Redis that comes back full can still be used: to read, and to make room."""
        self.fill_memory()
        self.assertEqual(self.epoch("two"), EPOCH + 1)

    @PROPERTY
    @given(
        st.lists(
            st.tuples(st.sampled_from(["ask", "restart", "put back"]), st.integers(0, 2), st.integers(1, 9)),
            max_size=30,
        )
    )
    def test_any_sequence(self, steps: list[tuple[str, int, int]]) -> None:
        """Over restarts, copies put back and wrong clocks: nobody is told less than it has seen.

        And whoever is the first to ask a Redis that was started anew is told more than it, and this Redis, has seen.
        """
        self.empty()
        copy = stored = EPOCH
        seen, run, fresh = [0, 0, 0], 0, True
        for step, role, floor in steps:
            if step == "put back":
                self.command("SET", "epoch", copy)
                stored = copy
            if step != "ask":
                copy, run, fresh = stored, run + 1, True
            told = self.epoch(str(run), seen[role], floor)
            self.assertGreaterEqual(told, seen[role] + fresh)
            self.assertGreaterEqual(told, stored + fresh)
            seen[role] = stored = told
            fresh = False


@on_each_redis
class Names(ScriptCase):
    """A msg_server's name belongs to one process at a time."""

    def test_kept(self) -> None:
        """Renewing keeps the name and prolongs the lease."""
        self.command("PEXPIRE", "lease:ms1", 60_000)
        self.assertEqual(self.register(MS1, take=False), "KEPT")
        self.assertGreater(self.command("PTTL", "lease:ms1"), 60_000)

    def test_kept_after_expiry(self) -> None:
        """Who was silent too long, but was not declared dead, goes on as before."""
        self.command("DEL", "lease:ms1")
        self.assertEqual(self.register(MS1, take=False), "KEPT")
        self.assertEqual(self.command("GET", "lease:ms1"), "aaaa.0")

    def test_new(self) -> None:
        """A name that nobody has is taken."""
        self.assertEqual(self.register(Fence(b"ms3", b"cccc", EPOCH)), "NEW")
        self.assertEqual(self.command("HGET", "servers", "ms3"), "cccc")
        self.assertGreater(self.command("PTTL", "lease:ms3"), 0)

    def test_taken_over(self) -> None:
        """A name is taken from its holder only by who names that one: then it writes no more, and its sessions end."""
        self.login("alice")
        newer = replace(MS1, incarnation=b"cccc")
        self.assertEqual(self.register(newer, take=True), "TAKEN")
        self.assertEqual(self.register(newer, take="bbbb.1"), "TAKEN")
        self.assertEqual(self.command("HGET", "servers", "ms1"), "aaaa")
        self.assertEqual(self.register(newer), "NEW")
        self.assertEqual(self.register(MS1, take=False), "TAKEN")
        self.assertEqual(self.said("alice", "alice", "x", fence=newer), 1)
        self.assertEqual(self.send(Said("alice", "alice", "y")), ["LEASE"])
        self.assertEqual(self.call("servers/reap", 10), [1, 0, []])
        self.assertEqual(self.command("EXISTS", "at:alice"), 0)

    def test_two_newcomers(self) -> None:
        """Two of them found the same holder dead: the second one does not take the name from the first one."""
        first, second = replace(MS1, incarnation=b"cccc"), replace(MS1, incarnation=b"dddd")
        self.assertEqual(self.register(first, take="aaaa.0"), "NEW")
        self.assertEqual(self.register(second, take="aaaa.0"), "TAKEN")
        self.assertEqual(self.register(first, take=False), "KEPT")

    def test_lost(self) -> None:
        """Who was declared dead is told so; it does not get its sessions back."""
        self.command("DEL", "lease:ms1")
        self.call("servers/reap", 10)
        self.assertEqual(self.register(MS1, take=False), "LOST")
        self.assertEqual(self.command("EXISTS", "lease:ms1"), 0)

    def test_lost_to_another(self) -> None:
        """Also when the one that took the name is gone as well."""
        self.register(replace(MS1, incarnation=b"cccc"))
        self.command("DEL", "lease:ms1")
        self.assertEqual(self.register(MS1, take=False), "LOST")

    def test_without_memory(self) -> None:
        """A full memory ends no lease."""
        self.fill_memory()
        self.assertEqual(self.register(MS1, take=False), "KEPT")
        self.assertEqual(self.register(Fence(b"ms3", b"cccc", EPOCH)), "NEW")

    def test_retire(self) -> None:
        """A server that ends in order gives its name back at once, and may write no more."""
        self.login("alice")
        self.call("servers/retire", "ms1", "aaaa")
        self.assertEqual(self.command("HKEYS", "servers"), ["ms2"])
        self.assertEqual(self.send(Said("alice", "alice", "x")), ["LEASE"])
        self.assertEqual(self.call("servers/reap", 10), [1, 0, []])

    def test_retire_with_nothing_left(self) -> None:
        """Without sessions nothing is left to be done."""
        self.call("servers/retire", "ms1", "aaaa")
        self.assertEqual(self.command("EXISTS", "dead", "lease:ms1"), 0)

    def test_retire_late(self) -> None:
        """The older of two processes does not take the name from the newer one."""
        self.register(replace(MS1, incarnation=b"cccc"))
        self.call("servers/retire", "ms1", "aaaa")
        self.assertEqual(self.command("GET", "lease:ms1"), "cccc.0")
        self.assertEqual(self.command("HGET", "servers", "ms1"), "cccc")


@on_each_redis
class Reaping(ScriptCase):
    """The sessions of those that died, and only those."""

    def test_nobody_died(self) -> None:
        """As long as the leases last nothing happens."""
        self.login("alice")
        before = self.dump()
        self.assertEqual(self.call("servers/reap", 10), [0, 0, []])
        self.assert_unchanged(before)

    def test_the_dead_only(self) -> None:
        """The dead server is named and its sessions end; the other's stay."""
        self.login("alice")
        self.login("bob", fence=MS2)
        self.command("DEL", "lease:ms1")
        self.assertEqual(self.call("servers/reap", 10), [1, 0, ["ms1"]])
        self.assertEqual(self.command("MGET", "at:alice", "at:bob"), [None, "ms2/main"])
        self.assertEqual(self.command("HKEYS", "servers"), ["ms2"])
        self.assertEqual(self.command("EXISTS", "dead", "on:ms1:aaaa"), 0)

    def test_device_elsewhere_meanwhile(self) -> None:
        """A device that logged in elsewhere keeps that session."""
        self.login("alice")
        self.command("DEL", "lease:ms1")
        self.login("alice", fence=MS2)
        self.login("alice", "phone", fence=MS2)
        self.assertEqual(self.call("servers/reap", 10), [0, 0, ["ms1"]])
        self.assertEqual(self.command("HLEN", "session:alice"), 2)
        self.assertEqual(sorted(self.command("GET", "at:alice").split()), ["ms2/main", "ms2/phone"])

    def test_device_on_the_same_name(self) -> None:
        """A device that logged in at the dead one's successor keeps that session."""
        self.login("alice")
        newer = replace(MS1, incarnation=b"cccc")
        self.register(newer)
        self.login("alice", fence=newer)
        self.login("bob", fence=newer)
        self.assertEqual(self.call("servers/reap", 10), [0, 0, []])
        self.assertEqual(self.command("MGET", "at:alice", "at:bob"), ["ms1/main", "ms1/main"])

    def test_leftover_that_was_replaced(self) -> None:
        """Even where the set of the dead still names a device, its session elsewhere stays."""
        self.login("alice", fence=MS2)
        self.command("SADD", "on:ms1:aaaa", "alice/main")
        self.command("DEL", "lease:ms1")
        self.assertEqual(self.call("servers/reap", 10), [0, 0, ["ms1"]])
        self.assertEqual(self.command("GET", "at:alice"), "ms2/main")

    def test_leftover_on_the_same_name(self) -> None:
        """The same where the session is at the dead one's successor."""
        newer = replace(MS1, incarnation=b"cccc")
        self.register(newer)
        self.login("alice", fence=newer)
        self.command("SADD", "on:ms1:aaaa", "alice/main")
        self.assertEqual(self.call("servers/reap", 10), [0, 0, []])
        self.assertEqual(self.command("GET", "at:alice"), "ms1/main")

    def test_in_steps(self) -> None:
        """No call ends more than it may, over all the dead together; the last one says that it is the last."""
        for number in range(7):
            self.login(f"a{number}", fence=MS1 if number < 5 else MS2)
        self.command("DEL", "lease:ms1", "lease:ms2")
        ended, more = [], 1
        while more:
            count, more, _ = self.call("servers/reap", 3)
            ended.append(count)
        self.assertEqual((sum(ended), max(ended)), (7, 3))
        self.assertEqual(self.command("KEYS", "session:*"), [])
        self.assertEqual(self.command("EXISTS", "dead"), 0)

    def test_last_seen(self) -> None:
        """Who was on a server that died was last seen when that was found."""
        self.login("alice")
        self.command("HSET", "seen:alice", "main", 5)
        self.command("DEL", "lease:ms1")
        self.call("servers/reap", 10)
        self.assertGreater(self.call("accounts/status", "bob", "alice")[1], 1_700_000_000_000)

    def test_without_memory(self) -> None:
        """A full memory keeps no dead server's devices online."""
        self.login("alice")
        self.command("DEL", "lease:ms1")
        self.fill_memory()
        self.assertEqual(self.call("servers/reap", 10), [1, 0, ["ms1"]])


@on_each_redis
class Shards(ScriptCase):
    """One router at a time reads a shard, from where the last one stood."""

    def take(self, token: str = "one", lease: int = LONG, held: int = -1) -> Any:
        """Generation, position and hint numbers, or None."""
        return self.call("routes/take", STREAM, token, lease, held)

    def store(
        self, at: str, *numbers: Any, token: str = "one", generation: int = 1, lease: int = LONG, held: int = 0
    ) -> Any:
        """Whether it was stored."""
        return self.call("routes/store", STREAM, token, lease, generation, at, list(numbers), held)

    def test_take(self) -> None:
        """The first router begins at the beginning, in the first generation."""
        self.assertEqual(self.take(), [1, "", []])

    def test_one_at_a_time(self) -> None:
        """Another one gets nothing while the lease lasts."""
        self.take()
        before = self.dump()
        self.assertIsNone(self.take("two"))
        self.assert_unchanged(before)

    def test_take_over(self) -> None:
        """Who takes over goes on where the other stored its place, with its numbers, in a new generation."""
        self.take()
        self.store("7-5", "ms1", 3, "ms2", 4)
        self.command("DEL", "router:" + STREAM)
        generation, at, numbers = self.take("two")
        self.assertEqual((generation, at), (2, "7-5"))
        self.assertEqual(dict(zip(numbers[::2], numbers[1::2], strict=True)), {"ms1": "1 3", "ms2": "1 4"})

    def test_lease(self) -> None:
        """The lease ends by itself; each storing prolongs it."""
        self.take(lease=60_000)
        self.assertTrue(0 < self.command("PTTL", "router:" + STREAM) <= 60_000)
        self.store("7-1", lease=LONG)
        self.assertGreater(self.command("PTTL", "router:" + STREAM), 60_000)

    def test_two_newcomers(self) -> None:
        """Two of them found the same holder dead: the second one does not take the name from the first one."""
        first, second = replace(MS1, incarnation=b"cccc"), replace(MS1, incarnation=b"dddd")
        self.assertEqual(self.register(first, take="aaaa.0"), "NEW")
        self.assertEqual(self.register(second, take="aaaa.0"), "TAKEN")
        self.assertEqual(self.register(first, take=False), "KEPT")

    def test_lost(self) -> None:
        """Who lost the shard stores nothing, prolongs nothing and cuts nothing."""
        self.take()
        self.command("XADD", STREAM, "7-1", "b", "", "r", "")
        self.command("SET", "router:" + STREAM, "two")
        before = self.dump()
        self.assertEqual(self.store("7-1", "ms1", 3), "LOST")
        self.command("DEL", "router:" + STREAM)
        self.assertEqual(self.store("7-1", "ms1", 3), "LOST")
        self.command("SET", "router:" + STREAM, "two")
        self.assert_unchanged(before)

    def test_cuts_behind_itself(self) -> None:
        """What was told is removed; what comes behind the place stays, of a later epoch too."""
        self.take()
        for at in ("7-1", "7-2", "7-3", "8-4"):
            self.command("XADD", STREAM, at, "b", "", "r", "")
        self.store("7-2")
        self.assertEqual([at for at, _ in self.command("XRANGE", STREAM, "-", "+")], ["7-3", "8-4"])

    def test_nothing_read_yet(self) -> None:
        """A router that has read nothing keeps its lease and cuts nothing."""
        self.take()
        self.command("XADD", STREAM, "7-1", "b", "", "r", "")
        self.assertEqual(self.store(""), "OK")
        self.assertEqual(self.command("XLEN", STREAM), 1)

    def test_given(self) -> None:
        """To who wanted it and holds two fewer, and to nobody else; its place and numbers are stored before."""
        self.take()
        self.assertIsNone(self.take("two", held=1))
        for held in (0, 1, 2):
            self.assertEqual(self.store("7-1", held=held), "OK")
        self.assertEqual(self.store("7-2", "ms1", 3, held=3), "GIVEN")
        self.assertIsNone(self.take("three", held=0))
        self.assertEqual(self.store("7-3", held=3), "LOST")
        self.assertEqual(self.take("two", held=1), [2, "7-2", ["ms1", "1 3"]])
        self.assertEqual(self.store("7-3", token="two", generation=2, held=2), "GIVEN")

    def test_wanted_most(self) -> None:
        """Of several who want it, the one that holds the fewest gets it; who does not ask any more is forgotten."""
        self.take()
        for token, held in (("two", 1), ("three", 0), ("four", 1)):
            self.take(token, held=held)
        self.assertEqual(self.command("GET", "wanted:" + STREAM), "three 0")
        self.assertTrue(0 < self.command("PTTL", "wanted:" + STREAM) <= LONG)
        self.assertEqual(self.store("7-1", held=5), "GIVEN")
        self.assertEqual(self.command("GET", "router:" + STREAM), "three")
        self.assertTrue(0 < self.command("PTTL", "router:" + STREAM) <= LONG)

    def test_release(self) -> None:
        """A shard that was given back is free at once; nobody gives back another's."""
        self.take()
        self.call("routes/release", STREAM, "two")
        self.assertIsNone(self.take("two"))
        self.call("routes/release", STREAM, "one")
        self.assertEqual(self.take("two"), [2, "", []])

    def test_without_memory(self) -> None:
        """A full memory does not stop the routers, which make room."""
        self.command("XADD", STREAM, "7-1", "b", "", "r", "")
        self.fill_memory()
        self.take()
        self.assertEqual(self.store("7-1", "ms1", 1), "OK")
        self.assertEqual(self.command("XLEN", STREAM), 0)
