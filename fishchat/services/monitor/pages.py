"""The pages of the monitor: read-only JSON for programs.

With TLS, everybody may read ``/healthz``; the other pages are for the accounts that the guard accepts.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

import msgspec
from twisted.web.server import Request

from fishchat.config.schema import Limits
from fishchat.services.net.connection_limits import Bounds
from fishchat.services.web.guard import Guard, Wrong
from fishchat.services.web.page import NOTHING, Answer, Page
from fishchat.services.web.site import SiteLimits, WebSite
from fishchat.storage.redis import StoreError

#: The most connections, the seconds that one may be idle, and the bytes of a request body, which no page needs.
CONNECTIONS, IDLE, BODY = 256, 30, 16384
#: Connections of one source with TLS, so that a slow client cannot take them all.
OF_SOURCE = 16


class Shown(Protocol):
    """The source of what the pages show."""

    def servers(self) -> dict[str, Any]:
        """Return all servers."""

    def healthy(self) -> dict[str, Any]:
        """Return the answer that the process runs."""

    def not_ready(self) -> str:
        """Return why the other pages may be out of date; empty when they are not."""


class Pages(Page):
    """All pages. They are few, and their addresses have no parts."""

    def __init__(self, shown: Shown, guard: Guard | None = None) -> None:
        super().__init__(NOTHING)
        self._shown = shown
        self._guard = guard
        self._pages = {
            b"/": self._servers,
            b"/servers": self._servers,
            b"/healthz": self._health,
            b"/readyz": self._ready,
        }

    def answer(self, request: Request) -> Answer | Coroutine[Any, Any, Answer]:
        """Return the page or an error in JSON; later, when a token must be checked first."""
        if self._guard is None or request.path == b"/healthz":
            return self._answer(request)
        return self._guarded(self._guard, request)

    async def _guarded(self, guard: Guard, request: Request) -> Answer:
        address = getattr(request.getClientAddress(), "host", "")
        try:
            await guard.check(request.getHeader(b"authorization"), address)
        except Wrong as wrong:
            if wrong.retry:
                return _error(wrong.status, "too many requests", f"wait {wrong.retry} s", **wrong.headers)
            text = "the name is an account of monitor.accounts, the password a token of it"
            return _error(wrong.status, "unauthorized", text, **wrong.headers)
        except StoreError:
            return _error(503, "unavailable", "the store that knows the tokens is away")
        except Exception:
            self.log.failure("a token could not be checked")
            return _error(500, "internal", "this is a defect of the monitor")
        return self._answer(request)

    def _answer(self, request: Request) -> Answer:
        page = self._pages.get(request.path)
        if page is None:
            known = ", ".join(path.decode() for path in self._pages)
            return _error(404, "not found", f"there are {known}")
        if request.method not in (b"GET", b"HEAD"):
            return _error(405, "method not allowed", "only GET and HEAD are", Allow="GET, HEAD")
        return page()

    def _servers(self) -> Answer:
        return _json(200, self._shown.servers())

    def _health(self) -> Answer:
        return _json(200, self._shown.healthy())

    def _ready(self) -> Answer:
        reason = self._shown.not_ready()
        return _json(503, {"status": "not ready", "text": reason}) if reason else _json(200, {"status": "ready"})


def _json(status: int, value: dict[str, Any], **headers: str) -> Answer:
    return Answer(
        msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n", "application/json", status, headers
    )


def _error(status: int, error: str, text: str, **headers: str) -> Answer:
    return _json(status, {"error": error, "text": text}, **headers)


def site(shown: Shown, reactor: Any, limits: Limits, guard: Guard | None = None, *, local: bool = False) -> WebSite:
    """Return the monitor's site; for a listener with TLS if ``guard`` is set. ``local``: see ``SiteLimits``."""
    per_source = OF_SOURCE if guard is not None and limits.flood else 0
    bounded = SiteLimits(Bounds(CONNECTIONS, per_source), limits.exempt, IDLE, BODY, local)
    return WebSite(Pages(shown, guard), reactor, bounded, secure=guard is not None, name="Monitor")
