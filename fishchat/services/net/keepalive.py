"""Keepalive: ping silent programs; end connections that do not answer, read nothing, or log in too late.

One timer of a role checks all of its connections. A client that never said HELLO is a person, who may be
silent; ``probes`` finds out whether the other computer is still there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from fishchat.features.session.rows import RESP_BYE, RESP_PING
from fishchat.protocols.flow import Flow
from fishchat.protocols.peer import HANDSHAKE

#: Seconds between two checks.
EVERY = 5.0
#: Seconds of silence after which a client is pinged, and after which its connection ends.
PING_AFTER = 90.0
GONE_AFTER = 120.0

#: The last line of a connection that was silent.
SILENT = (
    RESP_BYE.line(b"silence", text=b"nothing was received for %d s, no answer to RESP_PING; connect again" % GONE_AFTER)
    + b"\r\n"
)


class IKeptPeer(Protocol):
    """The part of ``IPeer`` that keepalive uses."""

    flow: Flow
    heard_at: float
    shaking: bool
    closing_since: float | None

    def is_stuck(self, now: float) -> bool:
        """Return whether the peer has read nothing of its pending output for too long."""

    def send(self, line: bytes) -> None:
        """Write one line."""

    def abort(self) -> None:
        """End the connection at once."""


class IKept(Protocol):
    """The attributes of a connection that keepalive uses."""

    @property
    def peer(self) -> IKeptPeer:
        """The other end of the connection."""

    #: When the connection began, in seconds of the role's clock.
    since: float
    #: Whether the peer has said HELLO, as programs do.
    said_hello: bool
    #: Whether the peer was pinged in its present silence. Keepalive sets it.
    pinged: bool


C = TypeVar("C", bound=IKept)


def _always(connection: IKept) -> bool:
    return True


@dataclass(frozen=True)
class Keepalive(Generic[C]):
    """The checks of one role.

    :ivar time_limit: seconds that a connection may last while ``is_limited`` holds. :ivar late: ends a connection that
    has exceeded its time. :ivar gone: ends a connection whose peer did not answer the ping. :ivar is_limited: whether
    the time limit holds for this connection. :ivar is_pinged: whether this connection is pinged when it is silent.
    """

    time_limit: float
    late: Callable[[C], object]
    gone: Callable[[C], object]
    is_limited: Callable[[C], bool] = _always
    is_pinged: Callable[[C], bool] = _always

    def check(self, connections: Iterable[C], now: float) -> None:
        """Ping, close or abort each connection whose time is up."""
        for connection in list(connections):
            self._check(connection, now)

    def _check(self, connection: C, now: float) -> None:
        peer = connection.peer
        # While a peer is not read, its silence means nothing; and a person need not answer.
        silent = 0.0 if peer.flow.reasons or not connection.said_hello else now - peer.heard_at
        age = now - connection.since
        if peer.is_stuck(now) or (peer.shaking and age >= HANDSHAKE):
            peer.abort()
        elif peer.shaking or peer.closing_since is not None:
            return
        elif silent >= GONE_AFTER:
            self.gone(connection)
        elif age >= self.time_limit and self.is_limited(connection):
            self.late(connection)
        elif silent < PING_AFTER:
            # Any line is an answer, even one that is refused.
            connection.pinged = False
        elif not connection.pinged and self.is_pinged(connection):
            connection.pinged = True
            peer.send(RESP_PING.line() + b"\r\n")
