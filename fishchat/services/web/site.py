"""What the monitor knows, over HTTP: JSON for programs. It only shows; there is nothing to change here.

Over TLS it shows more than that it runs only to whom ``monitor_guard`` lets pass.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Protocol

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from fishchat.protocols.peer import HANDSHAKE
from fishchat.services.web.guard import Guard, Wrong
from fishchat.storage.redis import StoreError

#: Connections at most, seconds that one may be idle, and bytes of a body that nobody needs anyway.
CONNECTIONS, IDLE, BODY = 256, 30, 16384
#: Those with TLS of one source: a stranger that sends a little now and then is not to have them all.
OF_SOURCE = 16

HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    # Nothing here is ever to be run, framed or guessed at.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "fishchat",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


REALM = 'Basic realm="FishChat", charset="UTF-8"'


class Shown(Protocol):
    """What there is to show."""

    def servers(self) -> dict[str, Any]:
        """All servers."""

    def healthy(self) -> dict[str, Any]:
        """That the process runs."""

    def not_ready(self) -> str:
        """Why not to rely on the rest, or nothing."""


#: Status, value, and headers beyond those that every answer has.
Answer = tuple[int, dict[str, Any], dict[str, str]]


class Pages(Resource):
    """All pages; their addresses are few and have no parts."""

    isLeaf = True
    log = Logger()

    def __init__(self, shown: Shown, guard: Guard | None = None) -> None:
        super().__init__()
        self._shown = shown
        self._guard = guard
        self._pages = {
            b"/": self._servers,
            b"/servers": self._servers,
            b"/healthz": self._health,
            b"/readyz": self._ready,
        }

    def render(self, request: Request) -> bytes | int:
        """The page as JSON, or an error in JSON; later, if it is first to be found out who asks."""
        if self._guard is None or request.path == b"/healthz":
            return _encoded(request, self._answer(request))
        finished = request.notifyFinish()
        asking = Deferred.fromCoroutine(self._guarded(self._guard, request))
        # Who has gone meanwhile is not answered.
        finished.addErrback(lambda _: asking.cancel())
        asking.addCallbacks(lambda answer: _finish(request, answer), lambda _: None)
        return NOT_DONE_YET

    async def _guarded(self, guard: Guard, request: Request) -> Answer:
        address = getattr(request.getClientAddress(), "host", "")
        try:
            await guard.check(request.getHeader(b"authorization"), address)
        except Wrong as wrong:
            if wrong.retry:
                value = {"error": "too many requests", "text": f"wait {wrong.retry} s"}
                return 429, value, {"Retry-After": str(wrong.retry)}
            text = "the name is an account of monitor.accounts, the password a token of it"
            return 401, {"error": "unauthorized", "text": text}, {"WWW-Authenticate": REALM}
        except StoreError:
            return 503, {"error": "unavailable", "text": "the store that knows the tokens is away"}, {}
        except Exception:
            self.log.failure("a token could not be checked")
            return 500, {"error": "internal", "text": "this is a defect of the monitor"}, {}
        return self._answer(request)

    def _answer(self, request: Request) -> Answer:
        page = self._pages.get(request.path)
        if page is None:
            known = ", ".join(path.decode() for path in self._pages)
            return 404, {"error": "not found", "text": f"there are {known}"}, {}
        if request.method not in (b"GET", b"HEAD"):
            return 405, {"error": "method not allowed", "text": "only GET and HEAD are"}, {"Allow": "GET, HEAD"}
        return (*page(), {})

    def _servers(self) -> tuple[int, dict[str, Any]]:
        return 200, self._shown.servers()

    def _health(self) -> tuple[int, dict[str, Any]]:
        return 200, self._shown.healthy()

    def _ready(self) -> tuple[int, dict[str, Any]]:
        reason = self._shown.not_ready()
        return (503, {"status": "not ready", "text": reason}) if reason else (200, {"status": "ready"})


def _encoded(request: Request, answer: Answer) -> bytes:
    status, value, more = answer
    request.setResponseCode(status)
    for name, text in (HEADERS | more).items():
        request.setHeader(name, text)
    return msgspec.json.encode(value) + b"\n"


def _finish(request: Request, answer: Answer) -> None:
    body = _encoded(request, answer)
    request.setHeader("Content-Length", str(len(body)))
    # Of HEAD, Twisted leaves the body out only when it is given it at once.
    request.write(b"" if request.method == b"HEAD" else body)
    request.finish()


class _Request(Request):
    """A request whose body stays in memory and small."""

    _length = 0

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        self._length += len(data)
        if self._length > BODY:
            transport: Any = self.transport
            transport.abortConnection()
        else:
            super().handleContentChunk(data)


class _Site(Site):
    noisy = False

    def log(self, request: Any) -> None:
        """No line per request: what asks every second would fill the log."""


@implementer(IHandshakeListener)
class _Door(ProtocolWrapper):
    """Cuts off a peer that does not end its handshake, or that is to go and does not: TLS waits for its answer."""

    _cut: IDelayedCall | None = None
    source = ""

    def makeConnection(self, transport: Any) -> None:
        if self.factory.secure:
            self._cut_in(HANDSHAKE)
        super().makeConnection(transport)

    def handshakeCompleted(self) -> None:
        """The TLS below is ready."""
        self._stay()

    def loseConnection(self) -> None:
        if self.connected and not self.disconnecting:
            self._cut_in(IDLE)
        super().loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stay()
        super().connectionLost(reason)

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


class _Bounded(WrappingFactory):
    """Closes what is too much. It keeps the list of connections, so that they can be ended."""

    noisy = False
    protocol = _Door

    def __init__(self, site: Site, reactor: Any, guard: Guard | None) -> None:
        super().__init__(site)
        self.reactor = reactor
        self.secure = guard is not None
        self._guard = guard

    def logPrefix(self) -> str:
        return "Monitor"

    def buildProtocol(self, addr: IAddress | None) -> Any:
        source = "" if self._guard is None else self._guard.source(getattr(addr, "host", ""))
        same = sum(1 for door in self.protocols if door.source == source) if source else 0
        if same >= OF_SOURCE or len(self.protocols) >= CONNECTIONS:
            return None
        door: Any = super().buildProtocol(addr)
        door.source = source
        return door


class Web(Service):
    """``factory`` is what to listen with, by TLS if there is a guard; stopping ends the connections that are open."""

    def __init__(self, shown: Shown, reactor: Any, guard: Guard | None = None) -> None:
        site = _Site(Pages(shown, guard), requestFactory=_Request, timeout=IDLE, reactor=reactor)
        site.displayTracebacks = False
        self.factory = _Bounded(site, reactor, guard)

    def stopService(self) -> None:
        """End the connections; a browser would keep them for a minute."""
        super().stopService()
        for protocol in list(self.factory.protocols):
            protocol.transport.abortConnection()
