"""All roles in one process: one memory bus, a real Redis, and clients joined to their servers in memory.

Each role has its own parts and its own clock, so that it can die alone: ``Cluster.kill`` ends a role as SIGKILL
would, without a word to clients or store. Nothing here listens on a port.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock, LoopingCall, deferLater
from twisted.trial.unittest import TestCase

from fishchat.bus import channels
from fishchat.services import gateway, manager, msg_server, router
from fishchat.services.manager.reaper import Reaper
from fishchat.services.manager.retention import Trimmer
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.router.service import ShardReader
from fishchat.storage.redis import Subscriber, parse_url
from fishchat.test.support.client import Client, Wire
from fishchat.test.support.redis_fixture import RedisServer, shared_redis
from fishchat.test.support.roles import Bus, Role
from fishchat.test.support.waiting import until
from fishchat.testing.memory_bus import Medium, MemoryBus
from fishchat.testing.settings import configured

__all__ = ["Cluster", "ClusterCase"]


class Cluster:
    """Roles by name: ``ms1``, ``ms2``, …, ``router1``, …, ``manager1``, …, ``gateway1``.

    ``clock``, if it is a ``task.Clock``, is that of the msg_servers and managers and moves by ``advance`` only (a
    router waits for Redis all the time, so it lives in real time). Settings are dotted keys:
    ``{"limits.devices": 2}``.
    """

    def __init__(
        self, redis: RedisServer | None = None, clock: Clock | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        self.redis = redis or shared_redis()
        self.clock: IReactorTime = clock or reactor
        self.config = configured({"redis.url": self.redis.url, **(settings or {})})
        self.medium = Medium(reactor)
        self.roles: dict[str, Role] = {}
        self.clients: list[Client] = []
        # The scripts publish over Redis; their messages join those of the roles here.
        voice = MemoryBus(self.medium)
        self._ear = Subscriber(parse_url(self.redis.url))
        for channel in (channels.CLIENT_STATUS, channels.TOPIC_SYNC):
            self._ear.subscribe(channel, partial(voice.publish, channel))
        self._ear.startService()
        self._pump = LoopingCall(clock.advance, 0) if clock is not None else None
        if self._pump is not None:
            self._pump.start(0.001)

    # -- roles

    async def start(self, servers: int = 2, routers: int = 1, managers: int = 0, gateways: int = 0) -> None:
        """Start this many roles of each kind; return when they are ready."""
        for number in range(1, servers + 1):
            self.add(f"ms{number}")
        for kind, count in (("router", routers), ("manager", managers), ("gateway", gateways)):
            for number in range(1, count + 1):
                self.add(f"{kind}{number}")
        await self.ready()

    def add(self, name: str) -> Role:
        """Add a role, or start one again that was killed."""
        kind = name.rstrip("0123456789")
        module = {"ms": msg_server, "router": router, "manager": manager, "gateway": gateway}[kind]
        config = self.config
        clock: IReactorTime = reactor
        if kind == "ms":
            port = 18999 + int(name[2:])
            section = msgspec.structs.replace(config.msg_server, id=name, listen=f"127.0.0.1:{port}")
            config = msgspec.structs.replace(config, msg_server=section)
        if kind in ("ms", "manager"):
            clock = self.clock
        role = self.roles[name] = Role(self.medium, module, config, clock)
        return role

    async def ready(self) -> None:
        """Return when all roles can work and, if there are routers, one of them holds the shard."""
        await until(lambda: all(role.ready() for role in self.roles.values()) and self._ear.connected)
        readers = [role.find(ShardReader) for name, role in self.roles.items() if name.startswith("router")]
        await until(lambda: not readers or any(reader.holds for reader in readers))

    def server(self, name: str) -> MsgServer:
        """Return the main service of a msg_server."""
        found: MsgServer = self.roles[name].find(MsgServer)
        return found

    def bus(self, name: str) -> Bus:
        """Return the bus of a role, which can lose, hold and reorder payloads and be disconnected."""
        return self.roles[name].bus

    def lose_hints(self, name: str, count: int = 1) -> None:
        """Let the next ``count`` batches of the router to msg_server ``name`` be lost."""
        left = [count]

        def losing(channel: str, _: bytes) -> bool:
            if channel != channels.msg_server(name) or not left[0]:
                return False
            left[0] -= 1
            return True

        self.bus(name).losing = losing

    async def kill(self, name: str) -> None:
        """End a role as SIGKILL would; ``add`` starts it again."""
        await self.roles.pop(name).kill()

    async def stop(self, name: str) -> None:
        """End a role as SIGTERM would."""
        await self.roles.pop(name).stop()

    def forget_lease(self, name: str) -> None:
        """Let the lease of a msg_server, or of the router of the first shard, expire now."""
        key = f"router:{channels.send_stream(0)}" if name.startswith("router") else f"lease:{name}"
        self.redis.command("DEL", key)

    async def reap(self) -> None:
        """Let the manager look once for servers that have died."""
        await self.roles["manager1"].find(Reaper).round()

    async def trim(self) -> None:
        """Let the manager remove all that is due, however much that is."""
        trimmer = self.roles["manager1"].find(Trimmer)
        await trimmer.remove(await trimmer.look())

    async def settled(self) -> None:
        """Return when msg_servers have stored everything, cursors included, and routers have carried everything."""
        for name, role in self.roles.items():
            if name.startswith("ms"):
                server = self.server(name)
                server.cursors.flush()
                await server.commits.when_idle()
            elif name.startswith("router"):
                reader = role.find(ShardReader)
                if reader.holds:
                    await until(lambda reader=reader: self._routed(reader))  # type: ignore[misc]

    def _routed(self, reader: ShardReader) -> bool:
        written = int(self.redis.command("GET", "count:" + channels.send_stream(reader.shard)) or 0)
        return reader.at[1] >= written

    async def advance(self, seconds: float) -> None:
        """Move the ``task.Clock`` forward, a second at a time, and wait for Redis after each."""
        assert isinstance(self.clock, Clock)
        while seconds > 0:
            self.clock.advance(min(seconds, 1.0))
            seconds -= 1.0
            await deferLater(reactor, 0)
            await until(lambda: not any(link.waiting for role in self.roles.values() for link in role.links))

    # -- clients

    def connect(self, server: str = "ms1", name: str = "client", host: str = "192.0.2.1") -> Client:
        """Return a new connection; its first line, the greeting or a refusal, is still to be taken."""
        role = self.roles["gateway1" if server == "gateway" else server]
        client = Client(name)
        address = IPv4Address("TCP", host, 40000)
        if server == "gateway":
            protocol: Any = role.find(gateway.service.Gateway).buildProtocol(address)
        else:
            protocol = self.server(server).connect(address)
        client.wire = Wire(client, protocol, role.clock, host)
        role.clients.append(client)
        self.clients.append(client)
        return client

    async def login(
        self, account: str, server: str = "ms1", device: str = "", acks: bool = False, synced: bool = True
    ) -> Client:
        """Return a client that is logged in; with ``synced`` it must have missed nothing."""
        client = self.connect(server, account)
        await client.expect("HELLO fishchat/1 …")
        if acks:
            await client.ask("HELLO 1 caps=ack", "OK HELLO fishchat/1 caps=ack")
        tag = f"@device={device} " if device else ""
        await client.ask(f"{tag}SEND_CLIENT_ID {account}", f"OK SEND_CLIENT_ID {account}")
        if synced:
            await client.expect("RESP_SYNCED")
        return client

    async def end(self) -> None:
        """Kill all roles."""
        if self._pump is not None:
            self._pump.stop()
        for role in list(self.roles.values()):
            await role.kill()
        self.roles.clear()
        await self._ear.stopService()


class ClusterCase(TestCase):
    """A test with clusters, which end with the test."""

    timeout = 60

    async def cluster(
        self,
        servers: int = 2,
        routers: int = 1,
        managers: int = 0,
        gateways: int = 0,
        redis: RedisServer | None = None,
        clock: Clock | None = None,
        **settings: Any,
    ) -> Cluster:
        """Return a cluster that is ready. The dot of a setting is written as two underscores.

        Without a setting, members are not notified of those who join and leave: most tests count messages.
        """
        dotted = {"limits.join_notices": 0, **{key.replace("__", "."): value for key, value in settings.items()}}
        cluster = Cluster(redis, clock, dotted)
        self.addCleanup(self._end, cluster)
        await cluster.start(servers, routers, managers, gateways)
        return cluster

    def own_redis(self) -> RedisServer:
        """Return a Redis that this test may kill."""
        server = RedisServer()
        self.addCleanup(server.close)
        return server

    def _end(self, cluster: Cluster) -> Deferred[None]:
        return Deferred.fromCoroutine(cluster.end())
