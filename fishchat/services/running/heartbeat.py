"""The heartbeat of every role, with its figures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from fishchat import __version__
from fishchat.bus import channels
from fishchat.interfaces import IBus
from fishchat.services.running.incarnation import instance

#: Seconds between two heartbeats.
EVERY = 2.0
#: The most bytes of a heartbeat; a longer one is ignored, so that the memory for heartbeats is bounded.
MOST = 16384


@dataclass(frozen=True)
class Load:
    """The figures and addresses of a role. ``capacity`` 0 means that it accepts no clients."""

    address: str = ""
    clients: int = 0
    capacity: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    address_tls: str = ""
    address_web: str = ""
    address_web_tls: str = ""


class Heartbeat(Service):
    """Publishes ``channels.Heartbeat`` of one role every two seconds, and a last one when it stops.

    :param clock: times the beats and the uptime.
    :param wall: returns the time of day.
    :ivar load: returns the present figures; called for each heartbeat.
    """

    log = Logger()

    def __init__(
        self,
        bus: IBus,
        role: str,
        load: Callable[[], Load],
        clock: IReactorTime,
        *,
        id: str = "",
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.role = role
        self._id = id
        self._bus = bus
        self.load = load
        self._clock = clock
        self._wall = wall
        self._started = 0.0
        self._beats = LoopingCall(self.beat)
        self._beats.clock = clock

    @property
    def id(self) -> str:
        """The name in the heartbeats. A daemon without a configured one has another process number after its start."""
        return self._id or instance()

    def startService(self) -> None:
        """Start; the first heartbeat is published at once."""
        super().startService()
        self._started = self._clock.seconds()
        self._beats.start(EVERY)

    def stopService(self) -> None:
        """Publish the last heartbeat, which says ``stopping``."""
        super().stopService()
        if self._beats.running:
            self._beats.stop()
            self.beat(stopping=True)

    def again(self) -> None:
        """Publish one now if this runs. The subscription is new, so earlier ones may have had no receivers."""
        if self.running:
            self.beat()

    def beat(self, stopping: bool = False) -> None:
        """Publish one now, out of turn, so that the other servers learn of a change at once."""
        try:
            load = self.load()
        except Exception:
            # A server that cannot report figures is still alive.
            self.log.failure("the figures of {role} failed", role=self.role)
            load = Load()
        said = channels.Heartbeat(
            role=self.role,
            id=self.id,
            address=load.address,
            address_tls=load.address_tls,
            address_web=load.address_web,
            address_web_tls=load.address_web_tls,
            pid=os.getpid(),
            at=int(self._wall() * 1000),
            uptime=int((self._clock.seconds() - self._started) * 1000),
            version=__version__,
            clients=load.clients,
            capacity=load.capacity,
            stopping=stopping,
            figures=dict(load.figures),
        )
        self._bus.publish(channels.MONITOR, said.encode())


def listen(bus: IBus, receive: Callable[[channels.Heartbeat], None]) -> None:
    """Call ``receive`` with every heartbeat of every role; other payloads are ignored."""
    log = Logger(namespace=__name__)

    def received(payload: bytes) -> None:
        if len(payload) > MOST:
            return
        try:
            said = channels.Heartbeat.decode(payload)
        except ValueError as error:
            log.debug("no heartbeat: {error}", error=error)
        else:
            receive(said)

    bus.subscribe(channels.MONITOR, received)
