"""The roles of the world of ``sync_world`` as processes that receive one payload at a time and can be killed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fishchat.bus import channels
from fishchat.services.manager.reaper import Reaper
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.router.service import ShardReader
from fishchat.storage.epoch import Epoch
from fishchat.test.support.roles import Lifetime
from fishchat.test.support.sync_client import Device
from fishchat.test.support.sync_link import Link
from fishchat.test.support.sync_oracle import Login
from fishchat.test.support.sync_redis import SyncConnection
from fishchat.testing.memory_bus import Medium, MemoryBus

if TYPE_CHECKING:
    from fishchat.test.support.sync_world import World

Event = Callable[[], None]


class SlowBus(MemoryBus):
    """A participant of the bus that receives one payload at a time, on demand."""

    def __init__(self, medium: Medium) -> None:
        super().__init__(medium)
        self.inbox: deque[Event] = deque()
        #: The number of next hints to lose; payloads from Redis itself are not lost during a subscription.
        self.losing = 0

    def disconnect(self) -> None:
        """See MemoryBus."""
        super().disconnect()
        self.inbox.clear()

    @property
    def away(self) -> bool:
        """Whether the participant is disconnected."""
        return not self._connected

    def hear_one(self) -> None:
        """Deliver the first payload."""
        if self.inbox:
            self.inbox.popleft()()

    def _hear(self, channel: str, payload: bytes) -> list[Event]:
        if not self._connected or channel not in self._channels:
            return []
        if self.losing and channel != channels.CLIENT_STATUS:
            self.losing -= 1
        else:
            self.inbox.extend(self._calls(channel, payload))
        return []


class Process:
    """The process of a role, which can be killed as by SIGKILL."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.world = world
        self.clock = Lifetime(world.clock)
        self.bus = SlowBus(world.medium)
        self.connections: list[SyncConnection] = []
        self.links: list[Link] = []

    def connection(self) -> Any:
        """Make another connection to Redis."""
        made = SyncConnection(self.world.network, self.clock, f"{self.name}.{len(self.connections)}")
        made.start()
        self.connections.append(made)
        return made

    def crash(self) -> None:
        """Kill the process."""
        self.clock.end()
        self.bus.disconnect()
        self.world.medium.buses.remove(self.bus)
        for connection in self.connections:
            connection.vanish()
        for link in self.links:
            if not link.over:
                link.vanish()


class Server(Process):
    """The process of a msg_server."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        epoch = Epoch(world.wall)
        writer, reader = self.connection(), self.connection()
        for connection in (writer, reader):
            connection.prepare.append(epoch.hook)
        self.role = MsgServer(world.config, name, "127.0.0.1:1", writer, reader, epoch, self.bus, self.clock)
        self.role.startService()

    def connect(self, device: Device) -> Link:
        """Accept a new connection of a client."""
        protocol: Any = self.role.connect(None)
        oracle, lease, number = self.world.oracle, self.role.lease, protocol.session.number
        known: list[Login] = []

        def found() -> Login | None:
            if not known:
                login = oracle.logins.get((self.name, lease.incarnation.decode(), number))
                known.extend([login] if login is not None else [])
            return known[0] if known else None

        link = Link(device, protocol, self.clock, found)
        link.server = self.name
        self.links.append(link)
        protocol.makeConnection(link)
        return link


class Router(Process):
    """The process of a router of the one shard."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        shards: list[ShardReader] = []
        self.role = ShardReader(0, self.connection(), self.connection(), self.bus, self.clock, shards)
        shards.append(self.role)
        self.role.startService()


class Manager(Process):
    """The process of a manager, reduced to ending the sessions of dead servers."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.role = Reaper(self.connection(), self.clock)
        self.role.startService()
