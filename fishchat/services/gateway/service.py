"""The gateway: assigns a msg_server to each client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import SystemRandom

from twisted.application.service import IService, Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, ServerFactory
from twisted.internet.task import LoopingCall

from fishchat.config.schema import Limits
from fishchat.features.session.rows import RESP_BYE
from fishchat.interfaces import IBus, IPeer
from fishchat.model.bucket import Bucket
from fishchat.model.placement import Placement, Way
from fishchat.net.turn import Turn
from fishchat.protocols.peer import STUCK, LinePeer
from fishchat.services.gateway.connection import GatewaySession
from fishchat.services.net.connection_limits import Bounds, ConnectionLimits
from fishchat.services.net.keepalive import EVERY, GONE_AFTER, SILENT, Keepalive
from fishchat.services.net.listen import CHAT, Listener
from fishchat.services.net.placement import follow
from fishchat.services.role import Parts
from fishchat.services.running.heartbeat import Load

#: The last line to all clients when the gateway stops.
STOPS = RESP_BYE.line(b"stop", text=b"this gateway stops; connect again in a moment, or to another gateway") + b"\r\n"
#: Seconds that clients have to read their pending output when the gateway stops.
LINGER = 1.0


class Gateway(Service, ServerFactory):
    """The connected clients, and the known msg_servers."""

    noisy = False

    def __init__(self, bus: IBus, placement: Placement, limits: Limits, clock: IReactorTime) -> None:
        #: The number of answers with an address.
        self.placed = 0
        self.placement = placement
        self._limits = limits
        self._clock = clock
        self._turn = Turn(clock)
        # No client logs in here: all of them are bounded like unauthenticated ones.
        bounds = Bounds(limits.before_login, limits.per_address if limits.flood else 0)
        self._connections: ConnectionLimits[GatewaySession] = ConnectionLimits(bounds, limits.exempt, clock)
        # The time limit is that of a login, and room is limited to the same number.
        time_limit = max(GONE_AFTER + STUCK, limits.login_seconds)
        late = b"a connection to the gateway ends after %d s; connect again" % time_limit
        self._keepalive: Keepalive[GatewaySession] = Keepalive(
            time_limit, late=_closing(RESP_BYE.line(b"time", text=late) + b"\r\n"), gone=_closing(SILENT)
        )
        self._checks = LoopingCall(self._check)
        self._checks.clock = clock
        self._empty: Deferred[None] | None = None
        follow(placement, bus, clock)

    def buildProtocol(self, addr: IAddress | None) -> LinePeer:
        """Make the connection of one client, for Twisted."""
        return LinePeer(self._session, self._turn, self._clock, _host(addr))

    def build_secure(self, addr: IAddress | None) -> LinePeer | None:
        """Return the connection of one client with TLS; None, before a handshake, when there is no room."""
        if self._connections.refusal(_host(addr)) is not None:
            return None
        return LinePeer(self._session, self._turn, self._clock, _host(addr), secure=True)

    def _session(self, peer: IPeer) -> GatewaySession:
        return GatewaySession(self, peer, self._clock)

    def startService(self) -> None:
        """Begin the checks of the connections."""
        super().startService()
        self._checks.start(EVERY, now=False)

    def stopService(self) -> Deferred[None]:
        """Close all connections. Fires when they have ended: after ``LINGER`` at most."""
        super().stopService()
        if self._checks.running:
            self._checks.stop()
        if not self.clients:
            return succeed(None)
        empty = self._empty = Deferred()
        cut = self._clock.callLater(LINGER, self._abort_all)
        empty.addCallback(lambda _: cut.cancel() if cut.active() else None)
        for client in list(self._connections.connections):
            client.quit(STOPS)
        return empty

    @property
    def clients(self) -> int:
        """The number of connected clients."""
        return len(self._connections.connections)

    def bucket(self) -> Bucket | None:
        """Return the rate limit for the commands of a new client."""
        limits = self._limits
        return Bucket(limits.rate, limits.burst, self._clock.seconds()) if limits.flood else None

    def enter(self, client: GatewaySession) -> bool:
        """Count a new client; False when there is no room for it."""
        if self._connections.refusal(client.peer.host) is not None:
            return False
        self._connections.enter(client, client.peer.host)
        return True

    def leave(self, client: GatewaySession) -> None:
        """Forget a client whose connection is gone."""
        self._connections.leave(client, client.peer.host)
        if not self.clients and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)

    def choose(self, secure: bool) -> Sequence[str]:
        """Return the addresses of msg_servers for one client, the first to use; empty when none is known."""
        addresses = self.placement.choose(self._clock.seconds(), Way(secure))
        self.placed += bool(addresses)
        return addresses

    def _check(self) -> None:
        self._keepalive.check(self._connections.connections, self._clock.seconds())

    def _abort_all(self) -> None:
        for client in list(self._connections.connections):
            client.peer.abort()


class _Secure(Factory):
    """Creates the connections with TLS."""

    noisy = False

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def logPrefix(self) -> str:
        return "Gateway"

    def buildProtocol(self, addr: IAddress | None) -> LinePeer | None:
        return self._gateway.build_secure(addr)


def _closing(line: bytes) -> Callable[[GatewaySession], None]:
    """Return what closes the connection of a client after a last line."""
    return lambda client: client.quit(line)


def _host(address: IAddress | None) -> str:
    return address.host if isinstance(address, (IPv4Address, IPv6Address)) else ""


def build(parts: Parts) -> Sequence[IService]:
    """Return the gateway's services, in the order of their start."""
    section = parts.config.gateway
    placement = Placement(section.servers, SystemRandom(), section.servers_tls)
    gateway = Gateway(parts.bus, placement, parts.config.limits, parts.clock)
    listeners = [Listener(section.listen, gateway, "gateway.listen", parts.reactor)]

    def load() -> Load:
        return Load(section.listen, gateway.clients, figures={"placed": gateway.placed}, address_tls=section.listen_tls)

    counted: Callable[[], Load] = load
    if section.listen_tls:
        creator = parts.certificates.creator(CHAT)
        secure = _Secure(gateway)
        listeners.append(Listener(section.listen_tls, secure, "gateway.listen_tls", parts.reactor, creator))
        counted = parts.certificates.counted(load)
    return [gateway, *listeners, *_pages(parts, placement), parts.heartbeat("gateway", counted)]


def _pages(parts: Parts, placement: Placement) -> Sequence[IService]:
    """Return the site with the pages for browsers; nothing where there is none."""
    section = parts.config.web
    if not section.listen and not section.listen_tls:
        return []
    # Imported here: a process without a web site does not need it.
    from fishchat.services.gateway.pages import pages

    return pages(parts, placement)
