"""Short questions to a Redis on a unix socket, on a connection of their own, without the store's machinery."""

from __future__ import annotations

from typing import Any

import hiredis
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

# Its stub accepts only tuples of one word.
_pack: Any = hiredis.pack_command


class _Question(Protocol):
    def __init__(self, commands: tuple[tuple[str, ...], ...]) -> None:
        self._commands = commands
        self._replies: list[Any] = []
        self._reader = hiredis.Reader()
        self.answered: Deferred[list[Any]] = Deferred(lambda _: self._give_up())

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"".join(map(_pack, self._commands)))

    def dataReceived(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            self._replies.append(reply)
        if len(self._replies) >= len(self._commands):
            self._give_up()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # Fired only now, so that the caller leaves no open connection when it continues.
        if self.answered.called:
            return
        if len(self._replies) == len(self._commands):
            self.answered.callback(self._replies)
        else:
            self.answered.errback(Failure(ConnectionDone("Redis did not answer")))

    def _give_up(self) -> None:
        assert self.transport is not None
        self.transport.abortConnection()  # type: ignore[attr-defined]


async def ask(reactor: Any, clock: Any, path: str, *commands: tuple[str, ...], timeout: float = 2.0) -> list[Any]:
    """Send commands and return the replies, one for each. An error reply is a ``hiredis.ReplyError`` among them.

    Raises ``ConnectError`` or ``ConnectionDone``, or the ``TimeoutError`` of ``twisted.internet.defer``.
    """
    factory: Any = Factory.forProtocol(lambda: _Question(commands))
    factory.noisy = False
    protocol = await UNIXClientEndpoint(reactor, path, timeout=timeout).connect(factory)
    answered: Deferred[list[Any]] = protocol.answered
    return await answered.addTimeout(timeout, clock)
