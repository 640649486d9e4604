"""Who may come in: how many connections there may be, of one address and of strangers, and how fast they may come."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol

from fishchat.config.schema import Config
from fishchat.errors import Refusal
from fishchat.model.bucket import Bucket
from fishchat.model.sources import Sources
from fishchat.protocols.replies import error_line

if TYPE_CHECKING:
    from fishchat.services.msg_server.sessions.connection import ClientConnection

#: Seconds after which a refused client may ask again.
RETRY = 5


class Doors:
    """Counts connections; nothing is looked through when one comes."""

    def __init__(self, config: Config, clock: IReactorTime) -> None:
        limits = self._limits = config.limits
        self._capacity = config.msg_server.capacity
        self._clock = clock
        self._accepts = Bucket(limits.accepts, limits.accepts, clock.seconds()) if limits.flood else None
        self._sources = Sources(limits.exempt)
        self._of_source: Counter[str] = Counter()
        self._strangers: dict[ClientConnection, str] = {}
        self._strangers_of: Counter[str] = Counter()
        self.inside: set[ClientConnection] = set()

    def source(self, address: str) -> bytes:
        """Whose guesses those from ``address`` are; nothing for one that is not counted."""
        return self._sources.name(address).encode()

    def refusal(self, address: str) -> Refusal | None:
        """Why a connection from ``address`` is not let in."""
        limits = self._limits
        if len(self.inside) >= self._capacity:
            return Refusal("BUSY", limit=self._capacity, retry=RETRY)
        if not limits.flood:
            return None
        source = self._sources.name(address)
        if source and self._of_source[source] >= limits.per_address:
            return Refusal("BUSY", "too many connections of your address", limit=limits.per_address, retry=RETRY)
        if source and self._strangers_of[source] >= limits.strangers_per_address:
            text = "too many of your address are logging in"
            return Refusal("BUSY", text, limit=limits.strangers_per_address, retry=RETRY)
        if len(self._strangers) >= limits.before_login:
            return Refusal("BUSY", "too many are logging in", limit=limits.before_login, retry=RETRY)
        if self._accepts is not None and self._accepts.take(self._clock.seconds()):
            return Refusal("BUSY", "too many connect at once", limit=f"{limits.accepts:g}/s", retry=RETRY)
        return None

    def enter(self, connection: ClientConnection) -> None:
        """One more, whom nobody knows yet."""
        source = self._sources.name(connection.address)
        self.inside.add(connection)
        self._of_source[source] += 1
        self._strangers[connection] = source
        self._strangers_of[source] += 1

    def known(self, connection: ClientConnection) -> None:
        """It has logged in."""
        source = self._strangers.pop(connection, None)
        if source is not None:
            _less(self._strangers_of, source)

    def leave(self, connection: ClientConnection) -> None:
        """One less; an address without connections takes no memory."""
        if connection in self.inside:
            self.inside.discard(connection)
            self.known(connection)
            _less(self._of_source, self._sources.name(connection.address))


def _less(counted: Counter[str], source: str) -> None:
    counted[source] -= 1
    if not counted[source]:
        del counted[source]


class Refused(Protocol):
    """A connection that is not let in: one line says why."""

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal

    def connectionMade(self) -> None:
        """Say it and close."""
        assert self.transport is not None
        self.transport.write(error_line(self._refusal, None, {}))
        self.transport.loseConnection()
