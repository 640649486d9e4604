"""The manager: who died, what is too old, who came and went."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from fishchat.bus import channels
from fishchat.services.manager.census import Census
from fishchat.services.manager.reaper import GRACE, REAP_EVERY, Reaper
from fishchat.services.manager.retention import AuditTrimmer, Trimmer
from fishchat.services.running.lease import LEASE
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.waiting import until


class ManagerCase(ClusterCase):
    """A manager without msg_servers."""

    async def alone(self, redis: RedisServer | None = None, clock: Clock | None = None, **settings: Any) -> Cluster:
        """Ready."""
        return await self.cluster(servers=0, routers=0, managers=1, redis=redis, clock=clock, **settings)

    def register(self, cluster: Cluster, server: str, *devices: str, lease: bool = True) -> None:
        """A msg_server with sessions, as the scripts leave it."""
        cluster.redis.command("HSET", "servers", server, "x")
        if lease:
            cluster.redis.command("SET", f"lease:{server}", "x", "PX", int(LEASE * 1000))
        for device in devices:
            account, _, name = device.partition("/")
            cluster.redis.command("HSET", f"session:{account}", name, f"{server} x 1")
            cluster.redis.command("SADD", f"on:{server}:x", device)
            cluster.redis.command("SET", f"at:{account}", server)


class Reaping(ManagerCase):
    """Sessions of servers that died."""

    async def test_dead(self) -> None:
        """Their sessions end, in steps; the living are left alone."""
        cluster = await self.alone()
        devices = [f"user{n}/main" for n in range(1200)]
        self.register(cluster, "ms2", *devices, lease=False)
        # Last: its lease must not expire meanwhile, however slow this machine is.
        self.register(cluster, "ms1", "alice/main")
        await cluster.reap()
        self.assertEqual(cluster.redis.command("HKEYS", "servers"), [b"ms1"])
        self.assertEqual(cluster.redis.command("KEYS", "at:*"), [b"at:alice"])
        self.assertEqual(cluster.redis.command("KEYS", "session:*"), [b"session:alice"])
        self.assertEqual(cluster.redis.command("EXISTS", "on:ms2:x", "dead"), 0)
        self.assertEqual(cluster.roles["manager1"].find(Reaper).ended, 1200)

    async def test_taken_over(self) -> None:
        """A device that has logged in elsewhere meanwhile keeps its session."""
        cluster = await self.alone()
        self.register(cluster, "ms2", "alice/main", "alice/desk", lease=False)
        self.register(cluster, "ms1", "alice/main")
        await cluster.reap()
        self.assertEqual(cluster.redis.command("HGETALL", "session:alice"), [b"main", b"ms1 x 1"])
        self.assertTrue(cluster.redis.command("GET", "at:alice").startswith(b"ms1"))

    async def test_by_itself(self) -> None:
        """It looks without being asked: within five seconds of a lease's end, but not in the first five of its own."""
        cluster = await self.alone(clock=Clock())
        self.register(cluster, "ms2", "alice/main", lease=False)
        await cluster.advance(GRACE - 0.5)
        self.assertEqual(cluster.redis.command("EXISTS", "at:alice"), 1)
        await cluster.advance(0.5 + REAP_EVERY)
        self.assertEqual(cluster.redis.command("EXISTS", "at:alice"), 0)
        self.register(cluster, "ms3", "bob/main", lease=False)
        await cluster.advance(4)
        self.assertEqual(cluster.redis.command("EXISTS", "at:bob"), 0)

    async def test_grace(self) -> None:
        """After a break of Redis nobody is declared dead at once: the others come back as well."""
        redis = self.own_redis()
        cluster = await self.alone(redis, clock=Clock())
        manager = cluster.roles["manager1"]
        reaper = manager.find(Reaper)
        await cluster.advance(60)
        redis.kill()
        await until(lambda: not any(link.connected for link in manager.links))
        redis.start()
        while not manager.ready():
            await cluster.advance(0.1)
        self.register(cluster, "ms2", "alice/main", lease=False)
        await cluster.advance(reaper.since + GRACE - 0.5 - cluster.clock.seconds())
        self.assertEqual(redis.command("EXISTS", "at:alice"), 1)
        await cluster.advance(0.5 + REAP_EVERY)
        self.assertEqual(redis.command("EXISTS", "at:alice"), 0)


class Trimming(ManagerCase):
    """Retention."""

    def fill(self, cluster: Cluster, conversation: str, ages: list[float]) -> None:
        """Messages of so many days ago, the oldest first."""
        now = int(cluster.redis.command("TIME")[0])
        for seq, age in enumerate(ages, 1):
            time = int((now - age * 86400) * 1000)
            cluster.redis.command("XADD", f"log:{conversation}", f"1-{seq}", "t", time, "m", "a main -1 - x")

    def left(self, cluster: Cluster, conversation: str) -> list[int]:
        """The numbers that are still there."""
        found = cluster.redis.command("XRANGE", f"log:{conversation}", "-", "+")
        return [int(entry[0].partition(b"-")[2]) for entry in found]

    async def test_audit(self) -> None:
        """Events beyond the age or the number of the configuration go, also when no server adds any."""
        cluster = await self.alone(retention__audit={"days": 10, "count": 3})
        redis = cluster.redis
        now = int(redis.command("TIME")[0]) * 1000
        day = 86_400_000
        for at in (now - 11 * day, *(now - n for n in (5, 4, 3, 2, 1))):
            redis.command("XADD", "audit", at, "kind", "login")
        await cluster.roles["manager1"].find(AuditTrimmer).round()
        self.assertEqual(redis.command("XLEN", "audit"), 3)
        redis.command("DEL", "audit")
        redis.command("XADD", "audit", now - 11 * day, "kind", "login")
        store = cluster.roles["manager1"].parts.speaker
        retention = cluster.roles["manager1"].parts.config.retention
        await AuditTrimmer(store, retention, Clock(), lambda: now / 1000 + 61).round()
        self.assertEqual(redis.command("XLEN", "audit"), 1)

    async def test_reports(self) -> None:
        """Reports beyond the age or the number are removed; none by its age while the clocks differ."""
        cluster = await self.alone(retention__reports={"days": 10, "count": 3})
        redis = cluster.redis
        now = int(redis.command("TIME")[0]) * 1000
        day = 86_400_000
        for at in (now - 11 * day, *(now - n for n in (5, 4, 3, 2, 1))):
            redis.command("XADD", "reports", at, "by", "alice")
        await cluster.roles["manager1"].find(AuditTrimmer).round()
        self.assertEqual(redis.command("XLEN", "reports"), 3)
        redis.command("DEL", "reports")
        for at in (now - 12 * day, now - 11 * day):
            redis.command("XADD", "reports", at, "by", "alice")
        store = cluster.roles["manager1"].parts.speaker
        retention = cluster.roles["manager1"].parts.config.retention
        await AuditTrimmer(store, retention, Clock(), lambda: now / 1000 + 61).round()
        self.assertEqual(redis.command("XLEN", "reports"), 2)
        await AuditTrimmer(store, retention, Clock(), lambda: now / 1000).round()
        self.assertEqual(redis.command("XLEN", "reports"), 0)

    async def test_by_kind(self) -> None:
        """Each kind of conversation has its own age and count."""
        cluster = await self.alone(
            retention__p2p={"days": 10, "count": 100},
            retention__topic={"days": 100, "count": 3},
            retention__notice={"days": 1, "count": 100},
        )
        for name in ("alice+bob", "#fishing", "@alice"):
            self.fill(cluster, name, [50, 20, 11, 9, 2, 0.5])
        await cluster.trim()
        self.assertEqual(self.left(cluster, "alice+bob"), [4, 5, 6])
        self.assertEqual(self.left(cluster, "#fishing"), [4, 5, 6])
        self.assertEqual(self.left(cluster, "@alice"), [6])
        self.assertEqual(cluster.roles["manager1"].find(Trimmer).removed, 11)

    async def test_many(self) -> None:
        """More than one step looks at."""
        cluster = await self.alone()
        self.fill(cluster, "alice+bob", [400.0] * 2500 + [1.0] * 5)
        await cluster.trim()
        self.assertEqual(self.left(cluster, "alice+bob"), list(range(2501, 2506)))


class Counting(ManagerCase):
    """The census."""

    async def test_counts(self) -> None:
        """Clients that come and go, and what happens to topics, stand in the heartbeat."""
        cluster = await self.cluster(managers=1)
        census: Census = cluster.roles["manager1"].find(Census)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("CREATE fishing", "OK …")
        await bob.ask("JOIN fishing", "OK …")
        await bob.ask("LEAVE fishing", "OK …")
        bob.drop()
        await until(lambda: census.went == 1)
        self.assertEqual(census.came, 2)
        self.assertEqual(census.topics, {"created": 1, "joined": 1, "left": 1})

    async def test_nonsense(self) -> None:
        """What is no status is logged by the bus and counted nowhere."""
        cluster = await self.alone()
        bus = cluster.bus("manager1")
        bus.publish(channels.CLIENT_STATUS, b"nonsense")
        bus.publish(channels.CLIENT_STATUS, channels.ClientStatus(server="ms1", came=["a/main"]).encode())
        census: Census = cluster.roles["manager1"].find(Census)
        await until(lambda: census.came == 1)
        self.assertEqual(len(self.flushLoggedErrors()), 1)
