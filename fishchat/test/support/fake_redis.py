"""A Redis that misbehaves on demand, for errors that a real one makes too rarely."""

from __future__ import annotations

from collections.abc import Callable

import hiredis
from twisted.internet import reactor
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Protocol, ServerFactory

#: Called with the connection, its number from 1, and one command; writes any reply.
Answer = Callable[["FakeConnection", int, list[bytes]], None]


class FakeConnection(Protocol):
    """One connection, which passes every command to the test."""

    def __init__(self, number: int, answer: Answer) -> None:
        self.number = number
        self._answer = answer
        self._reader = hiredis.Reader()

    def dataReceived(self, data: bytes) -> None:
        """Parse commands, which are arrays of strings like replies."""
        self._reader.feed(data)
        while (command := self._reader.gets()) is not False:
            self._answer(self, self.number, command)

    def say(self, reply: bytes) -> None:
        """Write ``reply`` unchanged."""
        assert self.transport is not None
        self.transport.write(reply)

    def hang_up(self) -> None:
        """Close the connection at once, also in the middle of a reply."""
        assert self.transport is not None
        self.transport.abortConnection()  # type: ignore[attr-defined]


class FakeRedis(ServerFactory):
    """A server on a port of the loopback at ``url``; ``connections`` holds all connections, closed ones too."""

    noisy = False

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.connections: list[FakeConnection] = []
        self.port: IListeningPort = reactor.listenTCP(0, self, interface="127.0.0.1")
        self.url = f"redis://127.0.0.1:{self.port.getHost().port}"  # type: ignore[attr-defined]

    def buildProtocol(self, addr: object) -> FakeConnection:
        """Make the protocol of a connection; Twisted calls this."""
        connection = FakeConnection(len(self.connections) + 1, self._answer)
        self.connections.append(connection)
        return connection
