"""The monitor over HTTP with any bytes: it shows nothing without authorization, never fails, and stays bounded."""

from __future__ import annotations

import re
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from fishchat.config import schema
from fishchat.proof.fuzz.helpers import Transport, claim, pieces, quiet
from fishchat.services.monitor.pages import BODY, IDLE
from fishchat.services.monitor.pages import site as site_of
from fishchat.services.web.guard import Guard
from fishchat.storage.redis import StoreError

TOKEN = b"fct_anna"
#: The first line of an answer. 500 would be a defect of the monitor.
_STATUS = re.compile(rb"^HTTP/1\.[01] ([0-9]{3}) ", re.MULTILINE)
STATUSES = {b"200", b"400", b"401", b"404", b"405", b"429", b"503", b"100", b"417", b"501", b"505"}
#: The most bytes that one connection may hold beside a body: Twisted reads eagerly.
HELD = 0x8000


class _Known:
    """The store with one token. It may be away, and may be slow."""

    def __init__(self, away: bool, slow: bool) -> None:
        self.away, self.slow = away, slow
        self.waiting: list[Deferred[None]] = []
        self.right = 0

    async def check_token(self, account: bytes, token: bytes) -> bytes | None:
        if self.slow:
            self.waiting.append(Deferred())
            await self.waiting[-1]
        if self.away:
            raise StoreError("away")
        if (account, token) != (b"anna", TOKEN):
            return None
        self.right += 1
        return b"main"


class _Shown:
    """The content of the pages, and the number of times that it was shown."""

    def __init__(self, known: _Known | None) -> None:
        self._known = known
        self._seen = 0
        self.wrong = False

    def servers(self) -> dict[str, Any]:
        self._see()
        return {"servers": []}

    def healthy(self) -> dict[str, Any]:
        return {"status": "ok"}

    def not_ready(self) -> str:
        self._see()
        return "no heartbeat" if self._seen % 2 else ""

    def _see(self) -> None:
        self._seen += 1
        # Checked later: an exception here would only become another answer.
        self.wrong = self.wrong or (self._known is not None and self._seen > self._known.right)


def web(data: bytes) -> None:
    """Byte 0 chooses how (guarded, the store away or slow, all of it many times), byte 1 the cuts."""
    flags, seed, said = data[0] if data else 0, data[1] if len(data) > 1 else 0, data[2:]
    if flags & 8:
        said *= 24
    clock = Clock()
    known = _Known(bool(flags & 2), bool(flags & 4)) if flags & 1 else None
    guard = Guard(["anna"], known, schema.Limits(), clock) if known else None
    with quiet():
        shown = _Shown(known)
        site = site_of(shown, clock, schema.Limits(), guard)
        door = site.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
        transport = Transport()
        door.makeConnection(transport)
        for part in pieces(said, seed) if flags & 16 else [said]:
            if transport.ended:
                break
            if transport.producerState != "paused":
                door.dataReceived(part)
            waiting, body = _held(door)
            claim(waiting <= HELD + len(part) and body <= BODY, "it holds too much", waiting, body)
            _answer(known)
        _answer(known)
        _check(transport.value(), known is not None)
        clock.pump([1.0] * (IDLE + 2))
        door.connectionLost(Failure(ConnectionDone()))
        _answer(known)
        clock.pump([1.0] * (IDLE + 2))
    claim(not shown.wrong, "shown to somebody without a right to it")
    claim(not clock.getDelayedCalls(), "a timer is left", clock.getDelayedCalls())
    claim(not site.factory.protocols, "a connection is counted that is gone")


def _answer(known: _Known | None) -> None:
    """Let the slow store answer."""
    while known is not None and known.waiting:
        claim(len(known.waiting) == 1, "several requests of one connection at once", known.waiting)
        waiting = known.waiting.pop()
        if not waiting.called:
            waiting.callback(None)


def _held(door: Any) -> tuple[int, int]:
    """Return the number of bytes that wait to be read as requests, and of those of bodies."""
    channel = getattr(door.wrappedProtocol, "_channel", None)
    buffered = [*getattr(channel, "_dataBuffer", []), getattr(channel, "_buffer", b"")]
    bodies = [request.content for request in getattr(channel, "requests", []) if request.content is not None]
    return sum(map(len, buffered)), sum(len(body.getvalue()) for body in bodies)


def _check(said: bytes, guarded: bool) -> None:
    statuses = set(_STATUS.findall(said))
    claim(statuses <= STATUSES, "an answer of another kind", statuses)
    claim(guarded or not statuses & {b"401", b"429"}, "refused, and nobody guards", statuses)
    claim(not said or said.startswith(b"HTTP/1."), "no answer", said[:40])
    claim(b"Traceback" not in said, "a traceback", said)
