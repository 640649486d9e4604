"""All roles in one process: one memory bus, a real Redis, and clients joined to their servers in memory.

Each role has its own parts and its own clock, so that it can die alone: ``Cluster.kill`` ends a role as SIGKILL
would, without a word to clients or store. Nothing here listens on a port.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import msgspec
from twisted.application.service import IService
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import Clock, LoopingCall, deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from fishchat.bus import channels
from fishchat.config import schema
from fishchat.protocols.lines import TelnetFilter
from fishchat.services import gateway, manager, msg_server, router
from fishchat.services.manager.service import Reaper, Trimmer
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.net.listen import Listener
from fishchat.services.role import Parts
from fishchat.services.router.service import ShardReader
from fishchat.storage.redis import Link, Subscriber, parse_url
from fishchat.test.support.redis_fixture import RedisServer, shared_redis
from fishchat.test.support.waiting import until
from fishchat.testing.conversation_runner import Captures, matches
from fishchat.testing.memory_bus import Medium, MemoryBus

#: What a transport holds before it asks its producer to pause: Twisted's own number.
FULL = 2**16


@implementer(IReactorTime)
class Lifetime:
    """A role's clock: what was planned on it ends with the role."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: set[Any] = set()
        self.over = False

    def seconds(self) -> float:
        """As the clock behind it."""
        return self._clock.seconds()

    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any, **kw: Any) -> IDelayedCall:
        """As the clock behind it, until the end; then nothing is ever called."""
        if self.over:
            return DelayedCall(0, callable, args, kw, lambda _: None, lambda _: None, self.seconds)

        def run() -> None:
            self._calls.discard(call)
            callable(*args, **kw)

        call = self._clock.callLater(delay, run)
        self._calls.add(call)
        return call

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """What is planned."""
        return [call for call in self._calls if call.active()]

    def end(self) -> None:
        """No more."""
        self.over = True
        for call in self.getDelayedCalls():
            call.cancel()
        self._calls.clear()


class Wire:
    """The transport between a client and a server's protocol; it has a buffer that can be full, as TCP has."""

    def __init__(self, client: Client, protocol: Any, clock: IReactorTime, host: str) -> None:
        self.client = client
        self.protocol = protocol
        self.clock = clock
        self.host = host
        self.connected = True
        self.paused = False
        self.stuck = False
        self.inbox = bytearray()
        self.buffer = bytearray()
        self.closing = False
        self._producer: Any = None
        self._producer_paused = False
        protocol.makeConnection(self)

    # -- the server's side

    def write(self, data: bytes) -> None:
        """To the client, or into the buffer when it does not read."""
        if not self.connected or self.closing:
            return
        self.buffer += data
        self.flush()
        if len(self.buffer) > FULL and self._producer is not None and not self._producer_paused:
            self._producer_paused = True
            self._producer.pauseProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Who is told when the buffer is full."""
        assert streaming
        self._producer = producer

    def unregisterProducer(self) -> None:
        """Nobody is told any more."""
        self._producer = None
        self._producer_paused = False

    def pauseProducing(self) -> None:
        """Read no more from the client."""
        self.paused = True

    def resumeProducing(self) -> None:
        """Read again."""
        self.paused = False
        if self.inbox:
            self.clock.callLater(0, self.feed)

    def loseConnection(self) -> None:
        """Close once the buffer is empty."""
        self.closing = True
        self.flush()

    def abortConnection(self) -> None:
        """Close now."""
        self.buffer.clear()
        self.end(ConnectionLost())

    def getPeer(self) -> IPv4Address:
        """Where the client is."""
        return IPv4Address("TCP", self.host, 40000)

    # -- the client's side

    def feed(self) -> None:
        """Give the server what the client has sent, if it reads."""
        while self.inbox and self.connected and not self.paused:
            data = bytes(self.inbox[:FULL])
            del self.inbox[:FULL]
            self.protocol.dataReceived(data)

    def flush(self) -> None:
        """Give the client what is in the buffer, if it reads."""
        if self.stuck:
            return
        data = bytes(self.buffer)
        self.buffer.clear()
        if data:
            self.client.received(data)
        if self._producer_paused:
            # Twisted's transports resume the producer and forget that they were to close.
            self._producer_paused = False
            self.clock.callLater(0, self._producer.resumeProducing)
        elif self.closing:
            self.clock.callLater(0, self.end, ConnectionDone())

    def end(self, reason: Exception) -> None:
        """Both sides learn that it is over."""
        if self.connected:
            self.connected = False
            self.client.ended()
            self.protocol.connectionLost(Failure(reason))

    def vanish(self) -> None:
        """Only the client learns it: the server is no more."""
        if self.connected:
            self.connected = False
            self.client.ended()


class Client:
    """A client in a test.

    :ivar lines: what was heard and not yet taken by ``expect`` or ``take``.
    :ivar closed: whether the connection is over.
    """

    def __init__(self, name: str = "client") -> None:
        self.name = name
        self.lines: list[str] = []
        self.closed = False
        self.wire: Wire | None = None
        self._rest = b""
        self._telnet = TelnetFilter()
        self._waiter: Deferred[None] | None = None

    # -- what the wire tells

    def received(self, data: bytes) -> None:
        """Bytes from the server."""
        # As a telnet, which does not show what is said of its options.
        *lines, self._rest = (self._rest + self._telnet.feed(data)).split(b"\r\n")
        self.lines += [line.decode() for line in lines]
        self._wake()

    def ended(self) -> None:
        """The connection is over."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            # Not at once: the test would go on in the middle of the server's own work.
            reactor.callLater(0, waiter.callback, None)

    # -- what a test does

    def send(self, *lines: str | bytes) -> None:
        """Say these lines, in one piece."""
        self.write(b"".join((line.encode() if isinstance(line, str) else line) + b"\r\n" for line in lines))

    def write(self, data: bytes) -> None:
        """Write these bytes."""
        assert self.wire is not None
        if self.wire.connected:
            self.wire.inbox += data
            self.wire.feed()

    async def take(self, seconds: float = 10.0) -> str:
        """The next line, within so many seconds."""
        deadline = reactor.seconds() + seconds
        while not self.lines:
            assert not self.closed, f"{self.name}: the connection is closed"
            await self._wait(deadline - reactor.seconds())
        return self.lines.pop(0)

    async def _wait(self, seconds: float) -> None:
        waiter = self._waiter = Deferred()
        timer = reactor.callLater(seconds, waiter.errback, AssertionError(f"{self.name} heard nothing more"))
        try:
            await waiter
        finally:
            self._waiter = None
            if timer.active():
                timer.cancel()

    async def expect(self, *patterns: str, captures: Captures | None = None, seconds: float = 10.0) -> Captures:
        """The next lines fit ``patterns`` (as in a written conversation). Gives what they captured."""
        found: Captures = dict(captures or {})
        for pattern in patterns:
            line = await self.take(seconds)
            result = matches(pattern, line, found)
            assert result is not None, f"{self.name} expected {pattern!r}, heard {line!r} {self.lines[:5]!r}"
            found = result
        return found

    async def ask(self, line: str, pattern: str, seconds: float = 10.0) -> Captures:
        """Say one line; the next one that is heard fits ``pattern``."""
        self.send(line)
        return await self.expect(pattern, seconds=seconds)

    async def texts(self, count: int, seconds: float = 10.0) -> list[str]:
        """The texts of the next ``count`` messages; other pushes between them are left out."""
        found: list[str] = []
        while len(found) < count:
            line = await self.take(seconds)
            if (text := text_of(line)) is not None:
                found.append(text)
        return found

    async def quiet(self) -> None:
        """Nothing is heard before a ping is answered."""
        await self.ask("@id=quiet SEND_PING", "@id=quiet OK SEND_PING")

    async def gone(self, seconds: float = 10.0) -> None:
        """The server ends the connection, with nothing more to say than was taken."""
        await until(lambda: self.closed, seconds)
        assert not self.lines, f"{self.name} heard {self.lines!r}"

    def drop(self) -> None:
        """Go away without a word."""
        assert self.wire is not None
        self.wire.end(ConnectionLost())

    def stop_reading(self) -> None:
        """Take nothing more of what the server writes."""
        assert self.wire is not None
        self.wire.stuck = True

    def read_on(self) -> None:
        """Take it again."""
        assert self.wire is not None
        self.wire.stuck = False
        self.wire.flush()


def text_of(line: str) -> str | None:
    """The text of a pushed message, None of any other line."""
    words = line.split(" ")
    if words[0] == "@esc":
        words.pop(0)
    if words[0] == "RESP_MESSAGE_P2P":
        return " ".join(words[3:])
    if words[0] == "RESP_MESSAGE_TOPIC":
        return " ".join(words[4:])
    return None


def id_of(line: str) -> str:
    """The id of a pushed message."""
    words = line.removeprefix("@esc ").split(" ")
    return words[3 if words[0] == "RESP_MESSAGE_TOPIC" else 2]


class Bus(MemoryBus):
    """A role's bus. ``losing(channel, payload)`` may be set: what it is true for is not heard."""

    losing: Callable[[str, bytes], bool] | None = None

    def _hear(self, channel: str, payload: bytes) -> list[Callable[[], None]]:
        if self.losing is not None and self.losing(channel, payload):
            return []
        return super()._hear(channel, payload)


class Role:
    """One process that is none: the services of one role on parts of their own."""

    def __init__(self, cluster: Cluster, module: ModuleType, config: schema.Config, clock: IReactorTime) -> None:
        self.config = config
        self.clock = Lifetime(clock)
        self.parts = Parts(config, embedded=False, clock=self.clock)
        self.bus = Bus(cluster.medium)
        self.parts.bus = self.bus
        self.services: list[IService] = []
        self.clients: list[Client] = []
        for service in module.build(self.parts):
            if not isinstance(service, Listener):
                service.setServiceParent(self.parts)
                self.services.append(service)
        self.parts.startService()

    def find(self, kind: type[Any]) -> Any:
        """Its first service of a kind."""
        return next(service for service in self.services if isinstance(service, kind))

    @property
    def links(self) -> list[Link[Any]]:
        """Its connections to Redis."""
        return [service for service in self.parts if isinstance(service, Link)]

    def ready(self) -> bool:
        """Whether it has what it needs to do its work."""
        return all(link.connected for link in self.links) and all(
            service.lease.fence is not None and service.admission.ready
            for service in self.services
            if isinstance(service, MsgServer)
        )

    async def kill(self) -> None:
        """It is no more: nobody is told, nothing is stored."""
        for client in self.clients:
            assert client.wire is not None
            client.wire.vanish()
        self.bus.disconnect()
        ends = []
        for link in self.links:
            link.running = False
            ends.append(link._service.stopService())
            link.drop("killed")
        self.clock.end()
        for end in ends:
            await end

    async def stop(self) -> None:
        """It ends as on SIGTERM."""
        await self.parts.stopService()
        self.clock.end()


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
        # What the scripts say by themselves goes over Redis; here it joins what the roles say.
        voice = MemoryBus(self.medium)
        self._ear = Subscriber(parse_url(self.redis.url))
        self._ear.subscribe(channels.CLIENT_STATUS, lambda said: voice.publish(channels.CLIENT_STATUS, said))
        self._ear.startService()
        self._pump = LoopingCall(clock.advance, 0) if clock is not None else None
        if self._pump is not None:
            self._pump.start(0.001)

    # -- roles

    async def start(self, servers: int = 2, routers: int = 1, managers: int = 0, gateways: int = 0) -> None:
        """So many of each, ready."""
        for number in range(1, servers + 1):
            self.add(f"ms{number}")
        for kind, count in (("router", routers), ("manager", managers), ("gateway", gateways)):
            for number in range(1, count + 1):
                self.add(f"{kind}{number}")
        await self.ready()

    def add(self, name: str) -> Role:
        """One more role, or one that was killed again."""
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
        role = self.roles[name] = Role(self, module, config, clock)
        return role

    async def ready(self) -> None:
        """All roles can work; if there is a router, one holds the shard."""
        await until(lambda: all(role.ready() for role in self.roles.values()) and self._ear.connected)
        readers = [role.find(ShardReader) for name, role in self.roles.items() if name.startswith("router")]
        await until(lambda: not readers or any(reader.holds for reader in readers))

    def server(self, name: str) -> MsgServer:
        """A msg_server's main service."""
        found: MsgServer = self.roles[name].find(MsgServer)
        return found

    def bus(self, name: str) -> Bus:
        """A role's bus: it can lose, hold, reorder, be away."""
        return self.roles[name].bus

    def lose_hints(self, name: str, count: int = 1) -> None:
        """The msg_server ``name`` does not hear the next ``count`` batches of the service."""
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
        """Let the lease of a msg_server, or of the router of the first shard, end now."""
        key = f"router:{channels.send_stream(0)}" if name.startswith("router") else f"lease:{name}"
        self.redis.command("DEL", key)

    async def reap(self) -> None:
        """One look of the manager for servers that died."""
        await self.roles["manager1"].find(Reaper).reap()

    async def trim(self) -> None:
        """One round of the manager's retention."""
        await self.roles["manager1"].find(Trimmer).trim()

    async def settled(self) -> None:
        """The msg_servers have nothing to store any more, cursors included, and the routers nothing to carry."""
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
        return reader._at[1] >= written

    async def advance(self, seconds: float) -> None:
        """Move the ``task.Clock``, a second at a time, giving Redis the time to answer."""
        assert isinstance(self.clock, Clock)
        while seconds > 0:
            self.clock.advance(min(seconds, 1.0))
            seconds -= 1.0
            await deferLater(reactor, 0)
            await until(lambda: not any(self._waits(link) for role in self.roles.values() for link in role.links))

    def _waits(self, link: Link[Any]) -> bool:
        return link._clock is not reactor and link._wire is not None and link._wire.bounded

    # -- clients

    def connect(self, server: str = "ms1", name: str = "client", host: str = "192.0.2.1") -> Client:
        """A new connection, its greeting (or its refusal) not yet taken."""
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
        """A client that is logged in; with ``synced`` it had missed nothing."""
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
        """Everything ends, without ceremony."""
        if self._pump is not None:
            self._pump.stop()
        for role in list(self.roles.values()):
            await role.kill()
        self.roles.clear()
        await self._ear.stopService()


def configured(settings: dict[str, Any]) -> schema.Config:
    """The default configuration with these keys changed; texts are read as numbers where they are some."""
    tree: dict[str, Any] = {}
    for key, value in settings.items():
        *sections, last = key.split(".")
        at = tree
        for section in sections:
            at = at.setdefault(section, {})
        at[last] = value
    return msgspec.convert(tree, schema.Config, strict=False)


class ClusterCase(TestCase):
    """A test with clusters, which end with it."""

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
        """A cluster that is ready. A setting's dot is written as two underscores."""
        dotted = {key.replace("__", "."): value for key, value in settings.items()}
        cluster = Cluster(redis, clock, dotted)
        self.addCleanup(self._end, cluster)
        await cluster.start(servers, routers, managers, gateways)
        return cluster

    def own_redis(self) -> RedisServer:
        """A Redis that this test may kill."""
        server = RedisServer()
        self.addCleanup(server.close)
        return server

    def _end(self, cluster: Cluster) -> Deferred[None]:
        return Deferred.fromCoroutine(cluster.end())
