"""A role in this process as if it were a process of its own: it has its own parts and clock, and can be killed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from twisted.application.service import IService
from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from fishchat.config import schema
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.net.listen import Listener
from fishchat.services.role import Parts
from fishchat.storage.redis import Link
from fishchat.test.support.client import Client
from fishchat.testing.memory_bus import Medium, MemoryBus


@implementer(IReactorTime)
class Lifetime:
    """The clock of one role: all calls that it has scheduled end with the role."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: set[Any] = set()
        self.over = False

    def seconds(self) -> float:
        """Return the time of the wrapped clock."""
        return self._clock.seconds()

    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any, **kw: Any) -> IDelayedCall:
        """Schedule a call on the wrapped clock; after ``end`` nothing is ever called."""
        if self.over:
            return DelayedCall(0, callable, args, kw, lambda _: None, lambda _: None, self.seconds)

        def run() -> None:
            self._calls.discard(call)
            callable(*args, **kw)

        call = self._clock.callLater(delay, run)
        self._calls.add(call)
        return call

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """Return the calls that are scheduled."""
        return [call for call in self._calls if call.active()]

    def end(self) -> None:
        """Cancel all calls and schedule no more."""
        self.over = True
        for call in self.getDelayedCalls():
            call.cancel()
        self._calls.clear()


class Bus(MemoryBus):
    """The bus of one role. When ``losing(channel, payload)`` is set and returns True, the payload is not received."""

    losing: Callable[[str, bytes], bool] | None = None

    def hear(self, channel: str, payload: bytes) -> list[Callable[[], None]]:
        """Return the calls that deliver this payload; none when it is lost."""
        if self.losing is not None and self.losing(channel, payload):
            return []
        return super().hear(channel, payload)


class Role:
    """The services of one role on parts of their own, as a process would have them.

    :ivar clients: the clients that a test has connected to it.
    """

    def __init__(self, medium: Medium, module: ModuleType, config: schema.Config, clock: IReactorTime) -> None:
        self.config = config
        self.clock = Lifetime(clock)
        self.parts = Parts(config, embedded=False, clock=self.clock)
        self.bus = Bus(medium)
        self.parts.bus = self.bus
        self.services: list[IService] = []
        self.clients: list[Client] = []
        for service in module.build(self.parts):
            if not isinstance(service, Listener):
                service.setServiceParent(self.parts)
                self.services.append(service)
        self.parts.startService()

    def find(self, kind: type[Any]) -> Any:
        """Return its first service of this kind."""
        return next(service for service in self.services if isinstance(service, kind))

    @property
    def links(self) -> list[Link[Any]]:
        """Return its connections to Redis."""
        return [service for service in self.parts if isinstance(service, Link)]

    @property
    def writer(self) -> Link[Any]:
        """Return the connection with which a msg_server writes: its first one."""
        return self.links[0]

    def ready(self) -> bool:
        """Return whether it can do its work: Redis answers, and a msg_server has its lease."""
        return all(link.connected for link in self.links) and all(
            service.ready for service in self.services if isinstance(service, MsgServer)
        )

    async def kill(self) -> None:
        """End it as SIGKILL would: nothing is sent, nothing is stored."""
        for client in self.clients:
            assert client.wire is not None
            client.wire.vanish()
        self.bus.disconnect()
        ends = [link.abandon("killed") for link in self.links]
        self.clock.end()
        for end in ends:
            await end

    async def stop(self) -> None:
        """End it as SIGTERM would."""
        await self.parts.stopService()
        self.clock.end()
