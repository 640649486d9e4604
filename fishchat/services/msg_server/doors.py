"""Who may come in: how many connections there are, of one address and of those that have not logged in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from twisted.internet.protocol import Protocol

from fishchat.config.schema import Config
from fishchat.errors import Refusal
from fishchat.protocols.server import error_line

if TYPE_CHECKING:
    from fishchat.services.msg_server.connection import ClientConnection

#: Seconds after which a refused client may ask again.
RETRY = 5


class Doors:
    """Counts connections; nothing is looked through when one comes."""

    def __init__(self, config: Config) -> None:
        self._limits = config.limits
        self._capacity = config.msg_server.capacity
        self._of_address: Counter[str] = Counter()
        self.inside: set[ClientConnection] = set()

    def refusal(self, address: str, strangers: int) -> Refusal | None:
        """Why a connection from ``address`` is not let in; ``strangers`` have not logged in."""
        limits = self._limits
        if len(self.inside) >= self._capacity:
            return Refusal("BUSY", limit=self._capacity, retry=RETRY)
        if limits.flood and self._of_address[address] >= limits.per_address:
            return Refusal("BUSY", "too many connections of your address", limit=limits.per_address, retry=RETRY)
        if limits.flood and strangers >= limits.before_login:
            return Refusal("BUSY", "too many are logging in", limit=limits.before_login, retry=RETRY)
        return None

    def enter(self, connection: ClientConnection) -> None:
        """One more."""
        self.inside.add(connection)
        self._of_address[connection.address] += 1

    def leave(self, connection: ClientConnection) -> None:
        """One less; an address without connections takes no memory."""
        if connection in self.inside:
            self.inside.discard(connection)
            self._of_address[connection.address] -= 1
            if not self._of_address[connection.address]:
                del self._of_address[connection.address]


class Refused(Protocol):
    """A connection that is not let in: one line says why."""

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal

    def connectionMade(self) -> None:
        """Say it and close."""
        assert self.transport is not None
        self.transport.write(error_line(self._refusal, None, {}))
        self.transport.loseConnection()
