"""The router by itself, on a real Redis, with a stream that the test writes."""

from __future__ import annotations

from itertools import count
from typing import Any

from twisted.internet.task import Clock

from fishchat.bus import channels
from fishchat.bus.hints import Hints
from fishchat.services.router.service import LEASE, ShardReader
from fishchat.storage.packing import pack
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.waiting import until
from fishchat.testing.memory_bus import MemoryBus

STREAM = channels.SEND


class RouterCase(ClusterCase):
    """Routers without msg_servers."""

    async def alone(self, routers: int = 1, heard: str = "ms2", settings: dict[str, Any] | None = None) -> Cluster:
        """``self.heard`` gets the hints for one msg_server."""
        cluster = Cluster(settings=settings)
        self.addCleanup(self._end, cluster)
        self.heard: list[Hints] = []
        self.ear = MemoryBus(cluster.medium)
        self.ear.subscribe(channels.msg_server(heard), lambda payload: self.heard.append(Hints.decode(payload)))
        await cluster.start(servers=0, routers=routers)
        return cluster

    def write(self, cluster: Cluster, *texts: str, targets: bytes = b"ms2", epoch: int = 7) -> None:
        """One entry, as the scripts leave it."""
        messages = []
        routes = []
        for place, text in enumerate(texts):
            messages += [b"alice+bob", b"alice/main", -1, text.encode(), b"alice", b"bob"]
            routes += [place * 6, place + 1, 0, targets]
        batch = pack(b"ms1", b"x", b"%d" % epoch, STREAM.encode(), [], messages, [])
        number = cluster.redis.command("INCR", f"count:{STREAM}")
        cluster.redis.command("XADD", STREAM, f"{epoch}-{number}", "b", batch, "r", pack(*routes), "t", 5)

    @property
    def texts(self) -> list[str]:
        """The texts of the recorded hints."""
        return [body.decode() for hints in self.heard for _, _, body, _, _ in hints.messages()]

    def reader(self, cluster: Cluster, name: str = "router1") -> ShardReader:
        """A router's first shard."""
        return self.readers(cluster, name)[0]

    def readers(self, cluster: Cluster, name: str) -> list[ShardReader]:
        """All shards of a router, held or not."""
        return [service for service in cluster.roles[name].services if isinstance(service, ShardReader)]


class Routing(RouterCase):
    """What it tells."""

    async def test_in_order(self) -> None:
        """Each entry becomes one numbered batch for each target."""
        cluster = await self.alone()
        for n in range(20):
            self.write(cluster, f"{n}a", f"{n}b")
        await until(lambda: len(self.heard) == 20)
        self.assertEqual(self.texts, [f"{n}{c}" for n in range(20) for c in "ab"])
        self.assertEqual([hints.number for hints in self.heard], list(range(1, 21)))
        self.assertEqual({(hints.shard, hints.generation, hints.epoch) for hints in self.heard}, {(0, 1, 7)})

    async def test_others(self) -> None:
        """What is for another server is numbered for that one alone."""
        cluster = await self.alone()
        self.write(cluster, "1")
        self.write(cluster, "2", targets=b"ms3")
        self.write(cluster, "3", targets=b"ms3 ms2 ms1")
        await until(lambda: len(self.heard) == 2)
        self.assertEqual((self.texts, self.heard[-1].number), (["1", "3"], 2))

    async def test_trims_behind_itself(self) -> None:
        """What was told is cut off, and the numbers stand in the store, within a second or so."""
        cluster = await self.alone()
        for n in range(5):
            self.write(cluster, str(n))
        await until(lambda: cluster.redis.command("XLEN", STREAM) == 0, 3)
        self.assertEqual(cluster.redis.command("HGET", f"hints:{STREAM}", "ms2"), b"1 5")

    async def test_cut(self) -> None:
        """Entries are missing: every registered server is to sweep."""
        cluster = await self.alone(routers=0)
        cluster.redis.command("HSET", "servers", "ms2", "x", "ms3", "y")
        cluster.redis.command("SET", f"count:{STREAM}", 10)
        self.write(cluster, "after the cut", targets=b"ms3")
        cluster.add("router1")
        await until(lambda: self.heard)
        self.assertTrue(self.heard[0].sweep)

    async def test_not_cut(self) -> None:
        """A store that is new is no reason to sweep."""
        cluster = await self.alone()
        self.write(cluster, "1")
        await until(lambda: self.heard)
        self.assertFalse(any(hints.sweep for hints in self.heard))


class Leases(RouterCase):
    """One reader for each shard."""

    async def test_one_holds(self) -> None:
        """Of two only one tells; when it is stopped the other one goes on at once, where it was."""
        cluster = await self.alone(routers=2)
        names = ["router1", "router2"]
        holder = next(name for name in names if self.reader(cluster, name).holds)
        other = names[1 - names.index(holder)]
        self.assertFalse(self.reader(cluster, other).holds)
        self.write(cluster, "1")
        await until(lambda: self.heard)
        await cluster.stop(holder)
        self.write(cluster, "2")
        await until(lambda: len(self.heard) == 2, LEASE + 2)
        self.assertEqual(self.texts, ["1", "2"])
        self.assertEqual([(hints.generation, hints.number) for hints in self.heard], [(1, 1), (2, 2)])

    async def test_after_a_death(self) -> None:
        """The next one may repeat what was told after the place was last stored; it leaves nothing out."""
        cluster = await self.alone()
        for n in range(10):
            self.write(cluster, str(n))
        await until(lambda: len(self.heard) == 10)
        await cluster.kill("router1")
        for n in range(10, 15):
            self.write(cluster, str(n))
        cluster.forget_lease("router1")
        cluster.add("router1")
        await until(lambda: "14" in self.texts)
        first = self.texts[10:]
        self.assertEqual(first, [str(n) for n in range(15)][-len(first) :])
        numbers = [hints.number for hints in self.heard[10:]]
        self.assertEqual(numbers, list(range(numbers[0], 16)))

    async def test_shared(self) -> None:
        """Routers that come later get their share of the shards; what is written meanwhile is told in order."""
        cluster = await self.alone(settings={"router.shards": 3})
        readers = {"router1": self.readers(cluster, "router1")}
        await until(lambda: all(reader.holds for reader in readers["router1"]), 3)
        self.write(cluster, "1")
        for name in ("router2", "router3"):
            cluster.add(name)
            readers[name] = self.readers(cluster, name)
        said = count(2)

        def shared_now() -> bool:
            self.write(cluster, str(next(said)))
            return [sum(reader.holds for reader in each) for each in readers.values()] == [1, 1, 1]

        await until(shared_now, 20)
        last = next(said)
        self.write(cluster, str(last))
        await until(lambda: str(last) in self.texts)
        # The next router may repeat the last hints.
        self.assertEqual([int(text) for text in dict.fromkeys(self.texts)], list(range(1, last + 1)))

    async def test_lost(self) -> None:
        """A router whose shard was taken stops telling, and asks for it again."""
        cluster = await self.alone()
        cluster.redis.command("SET", f"router:{STREAM}", "somebody", "PX", 1500)
        await until(lambda: not self.reader(cluster).holds, 3)
        self.write(cluster, "1")
        await until(lambda: self.reader(cluster).holds, 5)
        await until(lambda: self.heard)
        self.assertEqual(self.texts, ["1"])

    async def test_redis_restarted(self) -> None:
        """It goes on by itself when Redis is back."""
        redis = self.own_redis()
        cluster = Cluster(redis, Clock())
        self.addCleanup(self._end, cluster)
        self.heard = []
        MemoryBus(cluster.medium).subscribe(
            channels.msg_server("ms2"), lambda payload: self.heard.append(Hints.decode(payload))
        )
        await cluster.start(servers=0)
        self.write(cluster, "1")
        await until(lambda: self.heard)
        redis.kill()
        redis.start()
        self.write(cluster, "2", epoch=8)
        await until(lambda: "2" in self.texts)
        self.assertFalse(any(hints.sweep for hints in self.heard))
