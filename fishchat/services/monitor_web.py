"""What the monitor knows, over HTTP: JSON for programs. It only shows; there is nothing to change here."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Protocol

import msgspec
from twisted.application.service import Service
from twisted.internet.interfaces import IAddress
from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

#: Connections at most, seconds that one may be idle, and bytes of a body that nobody needs anyway.
CONNECTIONS, IDLE, BODY = 256, 30, 16384

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


class Shown(Protocol):
    """What there is to show."""

    def servers(self) -> dict[str, Any]:
        """All servers."""

    def healthy(self) -> dict[str, Any]:
        """That the process runs."""

    def not_ready(self) -> str:
        """Why not to rely on the rest, or nothing."""


class Pages(Resource):
    """All pages; their addresses are few and have no parts."""

    isLeaf = True

    def __init__(self, shown: Shown) -> None:
        super().__init__()
        self._shown = shown
        self._pages = {
            b"/": self._servers,
            b"/servers": self._servers,
            b"/healthz": self._health,
            b"/readyz": self._ready,
        }

    def render(self, request: Request) -> bytes:
        """The page as JSON, or an error in JSON."""
        page = self._pages.get(request.path)
        if page is None:
            known = ", ".join(path.decode() for path in self._pages)
            status, value = 404, {"error": "not found", "text": f"there are {known}"}
        elif request.method not in (b"GET", b"HEAD"):
            request.setHeader("Allow", "GET, HEAD")
            status, value = 405, {"error": "method not allowed", "text": "only GET and HEAD are"}
        else:
            status, value = page()
        request.setResponseCode(status)
        for name, text in HEADERS.items():
            request.setHeader(name, text)
        return msgspec.json.encode(value) + b"\n"

    def _servers(self) -> tuple[int, dict[str, Any]]:
        return 200, self._shown.servers()

    def _health(self) -> tuple[int, dict[str, Any]]:
        return 200, self._shown.healthy()

    def _ready(self) -> tuple[int, dict[str, Any]]:
        reason = self._shown.not_ready()
        return (503, {"status": "not ready", "text": reason}) if reason else (200, {"status": "ready"})


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


class _Bounded(WrappingFactory):
    """Closes what is too much. It keeps the list of connections, so that they can be ended."""

    noisy = False

    def logPrefix(self) -> str:
        return "Monitor"

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return None if len(self.protocols) >= CONNECTIONS else super().buildProtocol(addr)


class Web(Service):
    """``factory`` is what to listen with; stopping ends the connections that are open."""

    def __init__(self, shown: Shown, reactor: Any) -> None:
        site = _Site(Pages(shown), requestFactory=_Request, timeout=IDLE, reactor=reactor)
        site.displayTracebacks = False
        self.factory = _Bounded(site)

    def stopService(self) -> None:
        """End the connections; a browser would keep them for a minute."""
        super().stopService()
        for protocol in list(self.factory.protocols):
            protocol.transport.abortConnection()
