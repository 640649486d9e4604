"""A proxy between two parts of the system, which simulates faults of networks.

It listens on a port of this machine or on a unix socket, and forwards everything to its target. A fault applies to the
links that fit, present and future ones, until ``heal``.
"""

from __future__ import annotations

import socket
import struct
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Literal

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ServerEndpoint, UNIXClientEndpoint, UNIXServerEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from fishchat.net.addresses import parse_address
from fishchat.proof.lab.flow import Flow
from fishchat.proof.lab.hint_filter import HintFilter

Direction = Literal["up", "down", "both"]


class Link:
    """One connection through the proxy: ``up`` to the target, ``down`` from it.

    :ivar pid: the process at the near end, if it connected by a unix socket (Linux); otherwise None.
    :ivar connecting: fires when the target has accepted the connection, or is away.
    :ivar swallowed: whether neither end gets notice of what happens at the other.
    """

    def __init__(self, proxy: Proxy, near: Any) -> None:
        self.pid = _peer(near)
        self.near = near
        self.far: Any = None
        self.up = Flow(proxy.reactor, proxy.random, near)
        self.down = Flow(proxy.reactor, proxy.random, None)
        self.down.torn = self._torn
        self.down.give_to(near)
        self.hints: HintFilter | None = None
        self.swallowed = False
        self._links = proxy.links
        self._links.add(self)
        self._ends = 2

    def connect(self, endpoint: Any) -> None:
        """Connect to the target; if it is away, the near end is closed."""
        self.connecting: Deferred[Any] = endpoint.connect(_factory(lambda: _Far(self)))
        self.connecting.addErrback(lambda _: self._refused())

    def connected(self, far: Any) -> None:
        """Handle the connection to the target."""
        self.far = self.down.source = far
        self.up.give_to(far)

    def flows(self, direction: Direction) -> list[Flow]:
        """Return the flows of a direction."""
        return [flow for name, flow in (("up", self.up), ("down", self.down)) if direction in (name, "both")]

    def lost(self) -> None:
        """Handle the end of one side; the other may still have something to send."""
        self._ends -= 1
        if not self._ends:
            self._links.discard(self)

    def swallow(self) -> None:
        """Let nothing pass any more, without notice."""
        self.swallowed = True
        self.up.kill()
        self.down.kill()

    def reset(self) -> None:
        """Abort both sides."""
        self.up.kill()
        self.down.kill()
        self.near.abortConnection()
        self._abort_far()

    def heal(self) -> None:
        """Remove all faults."""
        if self.hints is not None:
            self.hints.heal()
        for flow in (self.up, self.down):
            flow.heal()

    def _torn(self) -> None:
        # Bytes that have passed must arrive: no reset, which could overtake them.
        self.down.finish()
        self.up.kill()
        self._abort_far()

    def _abort_far(self) -> None:
        if self.far is not None:
            self.far.abortConnection()
        else:
            self.connecting.cancel()

    def _refused(self) -> None:
        self.lost()
        if not self.swallowed:
            self.near.abortConnection()


Fits = Callable[[Link], bool]


class Proxy:
    """Listens at an address, and forwards connections to the target; see the module.

    :ivar links: the links of which a side is still connected.
    :ivar counts: the number of links in all, and of those that were reset.
    """

    def __init__(self, reactor: Any, target: str, *, random: Random) -> None:
        self.reactor = reactor
        self.random = random
        self.links: set[Link] = set()
        self.counts: Counter[str] = Counter()
        self._target = target
        self._faults: list[tuple[Fits, Callable[[Link], None]]] = []
        self._port: Any = None

    async def start(self, address: str) -> None:
        """Listen on ``127.0.0.1:port`` or on the path of a unix socket. CannotListenError when that is taken."""
        if address.startswith("/"):
            endpoint: Any = UNIXServerEndpoint(self.reactor, address, mode=0o600)
        else:
            host, port = parse_address(address)
            endpoint = TCP4ServerEndpoint(self.reactor, port, interface=host)
        self._port = await endpoint.listen(_factory(lambda: _Near(self)))

    @property
    def port(self) -> int:
        """The port on which it listens, if it does."""
        return int(self._port.getHost().port)

    async def stop(self) -> None:
        """Stop listening, and abort all links."""
        port, self._port = self._port, None
        if port is not None:
            await maybeDeferred(port.stopListening)
        for link in list(self.links):
            link.reset()

    def delay(self, seconds: float, jitter: float = 0.0, fits: Fits | None = None) -> None:
        """Delay everything by so many seconds, plus or minus ``jitter``, in order."""

        def fault(link: Link) -> None:
            for flow in link.flows("both"):
                flow.delay, flow.jitter = seconds, jitter

        self._put(fault, fits)

    def drip(self, bytes_per_second: float, fits: Fits | None = None) -> None:
        """Limit the speed of each direction."""

        def fault(link: Link) -> None:
            link.up.speed = link.down.speed = bytes_per_second

        self._put(fault, fits)

    def hold(self, direction: Direction = "both", fits: Fits | None = None) -> None:
        """Hold everything back; after ``heal`` all of it passes, in order."""

        def fault(link: Link) -> None:
            for flow in link.flows(direction):
                flow.held = True

        self._put(fault, fits)

    def swallow(self, fits: Fits | None = None) -> None:
        """Make the links dead without notice: nothing passes any more, not even an end; ``heal`` changes nothing."""

        def fault(link: Link) -> None:
            link.swallow()

        self._put(fault, fits)

    def tear(self, after: int, fits: Fits | None = None) -> None:
        """Reset the link after so many more bytes from the target."""

        def fault(link: Link) -> None:
            link.down.left = after
            link.down.pump()

        self._put(fault, fits)

    def disturb_hints(self, prefix: bytes, drop: float, double: float, late: float, fits: Fits | None = None) -> None:
        """Lose, double or delay these shares of the messages in channels with this prefix.

        For links of Redis' subscribers, best before they are made: a link that is within a reply ends.
        """

        def fault(link: Link) -> None:
            if link.hints is None:
                link.hints = HintFilter(prefix, drop, double, late, self.random)
                link.down.edit = link.hints.edit
            else:
                link.hints.disturb(prefix, drop, double, late)

        self._put(fault, fits)

    def reset(self, fits: Fits | None = None) -> None:
        """Reset the present links."""
        for link in list(self.links):
            if fits is None or fits(link):
                self.counts["reset"] += 1
                link.reset()

    def heal(self) -> None:
        """Remove all faults; dead links stay dead."""
        self._faults.clear()
        for link in list(self.links):
            link.heal()

    def _put(self, fault: Callable[[Link], None], fits: Fits | None) -> None:
        chosen = fits or (lambda _: True)
        self._faults.append((chosen, fault))
        for link in list(self.links):
            if chosen(link):
                fault(link)

    def connect(self, near: Any) -> Link:
        """Return a link for a new connection."""
        link = Link(self, near)
        self.counts["links"] += 1
        if self._target.startswith("/"):
            link.connect(UNIXClientEndpoint(self.reactor, self._target))
        else:
            link.connect(HostnameEndpoint(self.reactor, *parse_address(self._target)))
        for fits, fault in self._faults:
            if fits(link):
                fault(link)
        return link


class _Near(Protocol):
    """The side that connected."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def connectionMade(self) -> None:
        self._link = self._proxy.connect(self.transport)

    def dataReceived(self, data: bytes) -> None:
        self._link.up.take(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._link.lost()
        self._link.up.end()


class _Far(Protocol):
    """The side of the target."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def connectionMade(self) -> None:
        self._link.connected(self.transport)

    def dataReceived(self, data: bytes) -> None:
        self._link.down.take(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._link.lost()
        self._link.down.end()


def _factory(make: Callable[[], Protocol]) -> Any:
    factory: Any = Factory.forProtocol(make)
    factory.noisy = False
    return factory


def _peer(transport: Any) -> int | None:
    """Return the process at the other end of a unix socket."""
    handle = transport.getHandle()
    if handle.family != socket.AF_UNIX or not hasattr(socket, "SO_PEERCRED"):
        return None
    pid, _, _ = struct.unpack("3i", handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(pid)
