"""Connection limits: in total, for each source, before login, and for new connections a second.

The gateway, the msg_servers and the web sites count with the same class; each has bounds of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol

from fishchat.errors import Refusal
from fishchat.model.bucket import Bucket
from fishchat.model.sources import Sources
from fishchat.protocols.replies import error_line

#: Seconds after which a refused client may try again.
RETRY = 5

C = TypeVar("C")


@dataclass(frozen=True)
class Bounds:
    """The largest numbers of one listener or role; 0 means unbounded, except for ``total``."""

    total: int
    per_source: int = 0
    unauthenticated: int = 0
    unauthenticated_per_source: int = 0
    #: New connections a second.
    accepts: float = 0.0


class ConnectionLimits(Generic[C]):
    """Counts connections of any kind ``C``. A new connection costs a few look-ups, however many there are.

    :param exempt: networks whose addresses are not counted by source.
    """

    def __init__(self, bounds: Bounds, exempt: Iterable[str], clock: IReactorTime) -> None:
        self._bounds = bounds
        self._clock = clock
        self._accepts = Bucket(bounds.accepts, bounds.accepts, clock.seconds()) if bounds.accepts else None
        self._sources = Sources(exempt)
        self._of_source: Counter[str] = Counter()
        self._unauthenticated: dict[C, str] = {}
        self._unauthenticated_of: Counter[str] = Counter()
        self._connections: set[C] = set()

    @property
    def connections(self) -> Collection[C]:
        """All connections that are counted, logged in or not."""
        return self._connections

    def source(self, host: str) -> str:
        """Return the name under which ``host`` is counted; empty for an exempt one."""
        return self._sources.name(host)

    def refusal(self, host: str) -> Refusal | None:
        """Return why a new connection from ``host`` is refused; None when there is room. Counts the attempt."""
        bounds, source = self._bounds, self._sources.name(host)
        if len(self._connections) >= bounds.total:
            return Refusal("BUSY", limit=bounds.total, retry=RETRY)
        if source and _reached(self._of_source[source], bounds.per_source):
            return Refusal("BUSY", "too many connections from your address", limit=bounds.per_source, retry=RETRY)
        if source and _reached(self._unauthenticated_of[source], bounds.unauthenticated_per_source):
            limit = bounds.unauthenticated_per_source
            return Refusal("BUSY", "too many logins from your address; try again later", limit=limit, retry=RETRY)
        if _reached(len(self._unauthenticated), bounds.unauthenticated):
            return Refusal("BUSY", "too many are logging in; try later", limit=bounds.unauthenticated, retry=RETRY)
        if self._accepts is not None and self._accepts.take(self._clock.seconds()):
            return Refusal("BUSY", "too many new connections; try later", limit=f"{bounds.accepts:g}/s", retry=RETRY)
        return None

    def enter(self, connection: C, host: str) -> None:
        """Count a new connection from ``host``, not logged in yet."""
        source = self._sources.name(host)
        self._connections.add(connection)
        self._of_source[source] += 1
        self._unauthenticated[connection] = source
        self._unauthenticated_of[source] += 1

    def authenticated(self, connection: C) -> None:
        """Count ``connection`` as logged in."""
        source = self._unauthenticated.pop(connection, None)
        if source is not None:
            _decrease(self._unauthenticated_of, source)

    def leave(self, connection: C, host: str) -> None:
        """Forget ``connection``, which came from ``host``. A source without connections takes no memory."""
        if connection in self._connections:
            self._connections.discard(connection)
            self.authenticated(connection)
            _decrease(self._of_source, self._sources.name(host))


def _reached(count: int, bound: int) -> bool:
    return 0 < bound <= count


def _decrease(counted: Counter[str], source: str) -> None:
    counted[source] -= 1
    if not counted[source]:
        del counted[source]


class Refused(Protocol):
    """A refused connection. It gets one line with the reason."""

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal

    def connectionMade(self) -> None:
        """Write the reason and close."""
        assert self.transport is not None
        self.transport.write(error_line(self._refusal, None, {}))
        self.transport.loseConnection()
