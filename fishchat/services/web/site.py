"""A bounded HTTP site: limits of connections, of idle time and of bodies, and headers that every answer has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IAddress, IDelayedCall, IHandshakeListener, IProtocol
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from twisted.web.server import Request, Site
from zope.interface import implementer

from fishchat.net.addresses import is_ip, is_loopback
from fishchat.protocols.peer import HANDSHAKE
from fishchat.services.net.connection_limits import Bounds, ConnectionLimits
from fishchat.services.web.origins import Origins
from fishchat.services.web.page import NOTHING

#: The headers of every answer. A page may replace this policy, which allows nothing.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": NOTHING,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "fishchat",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class SiteLimits:
    """The limits of one site.

    :ivar connections: the most connections; nobody logs in, so all of them count as unauthenticated. :ivar exempt:
    networks whose addresses are not counted by source. :ivar idle: seconds that a connection may be idle, and that a
    peer has to close it. :ivar body: bytes of the body of a request. :ivar local: whether requests for a host by any
    name but ``localhost`` are refused. Otherwise a page of a stranger whose name resolves to this machine could read
    the answers in a browser here (DNS rebinding). :ivar origins: the names of the site, if it has a list of them:
    requests for other hosts are then refused.
    """

    connections: Bounds
    exempt: Iterable[str] = ()
    idle: int = 30
    body: int = 16384
    local: bool = False
    origins: Origins | None = None


class _Request(Request):
    """A request with a small body, which stays in memory."""

    most = 0
    local = False
    origins: Origins | None = None
    _length = 0

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        self._length += len(data)
        if self._length > self.most:
            transport: Any = self.transport
            transport.abortConnection()
        else:
            super().handleContentChunk(data)

    def render(self, resrc: IResource) -> None:
        for name, text in HEADERS.items():
            self.setHeader(name, text)
        if self.local and not self._is_for_this_machine():
            self._refuse(403, b"this port answers only for localhost or an IP address\n")
        elif self.origins is not None and not self.origins.has_host(self.getHeader(b"host"), secure=self.isSecure()):
            self._refuse(421, b"this site has another name; add this one to web.origins\n")
        else:
            super().render(resrc)

    def _is_for_this_machine(self) -> bool:
        # A browser always sends the name. An address in its place was not resolved, so nobody can have redirected it.
        name = self.getRequestHostname().decode("utf-8", "replace") if self.getHeader(b"host") else "localhost"
        return is_ip(name) or is_loopback(name)

    def _refuse(self, status: int, body: bytes) -> None:
        self.setResponseCode(status)
        self.setHeader("Content-Type", "text/plain; charset=utf-8")
        self.setHeader("Content-Length", str(len(body)))
        self.write(b"" if self.method == b"HEAD" else body)
        self.finish()


class _Site(Site):
    noisy = False
    displayTracebacks = False

    def log(self, request: Any) -> None:
        """Log nothing: a client that asks every second would fill the log."""


@implementer(IHandshakeListener)
class _Connection(ProtocolWrapper):
    """Cuts off a peer that does not complete its handshake or does not close. TLS would wait for it forever."""

    host = ""
    _cut: IDelayedCall | None = None

    def makeConnection(self, transport: Any) -> None:
        if self.factory.secure:
            self._cut_in(HANDSHAKE)
        self.factory.limits.enter(self, self.host)
        super().makeConnection(transport)

    def handshakeCompleted(self) -> None:
        """Mark the handshake as complete. TLS calls this."""
        self._stay()

    def loseConnection(self) -> None:
        if self.connected and not self.disconnecting:
            self._cut_in(self.factory.idle)
        super().loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stay()
        self.factory.limits.leave(self, self.host)
        super().connectionLost(reason)

    def release(self) -> Any:
        """Let go of the transport, and return it."""
        self._stay()
        self.wrappedProtocol = None  # type: ignore[assignment]
        self.factory.limits.leave(self, self.host)
        self.factory.unregisterProtocol(self)
        transport: Any = self.transport
        transport.unregisterProducer()
        return transport

    def _cut_in(self, seconds: float) -> None:
        self._stay()
        self._cut = self.factory.reactor.callLater(seconds, self._cut_off)

    def _stay(self) -> None:
        cut, self._cut = self._cut, None
        if cut is not None:
            cut.cancel()

    def _cut_off(self) -> None:
        self._cut = None
        transport: Any = self.transport
        transport.abortConnection()


def hand_over(channel: Any, protocol: IProtocol) -> bool:
    """Connect the transport of an HTTP connection to another protocol. Return False if the connection is gone.

    Call it in a turn of its own. The site neither counts nor ends the connection any more.
    """
    connection: _Connection = channel.transport
    if connection.wrappedProtocol is None:
        return False
    transport = connection.release()
    # The attribute differs between a connection and a layer of TLS.
    setattr(transport, "wrappedProtocol" if hasattr(transport, "wrappedProtocol") else "protocol", protocol)
    return True


class _Bounded(WrappingFactory):
    """Refuses connections beyond the limits, and keeps the others so that they can be ended."""

    noisy = False
    protocol = _Connection

    def __init__(self, site: Site, reactor: Any, limits: SiteLimits, secure: bool, name: str) -> None:
        super().__init__(site)
        self.reactor = reactor
        self.secure = secure
        self.idle = limits.idle
        self.limits: ConnectionLimits[_Connection] = ConnectionLimits(limits.connections, limits.exempt, reactor)
        self._name = name

    def logPrefix(self) -> str:
        return self._name

    def buildProtocol(self, addr: IAddress | None) -> Any:
        host = getattr(addr, "host", "")
        if self.limits.refusal(host) is not None:
            return None
        connection: Any = super().buildProtocol(addr)
        connection.host = host
        return connection


class WebSite(Service):
    """A site: ``factory`` goes to a listener; stopping the service ends the open connections.

    :param secure: whether the listener has TLS. :param name: the name of the site in the log.
    """

    def __init__(
        self, root: IResource, reactor: Any, limits: SiteLimits, *, secure: bool = False, name: str = "Web"
    ) -> None:
        own = {"most": limits.body, "local": limits.local, "origins": limits.origins}
        request = type("_Request", (_Request,), own)
        site = _Site(root, requestFactory=request, timeout=limits.idle, reactor=reactor)
        self.factory = _Bounded(site, reactor, limits, secure, name)

    def stopService(self) -> None:
        """End the connections, which browsers would keep open for a minute."""
        super().stopService()
        for protocol in list(self.factory.protocols):
            protocol.transport.abortConnection()
