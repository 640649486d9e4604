"""A client in a test, and the transport in memory between it and a server's protocol."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from fishchat.protocols.lines import TelnetFilter
from fishchat.test.support.waiting import until
from fishchat.testing.conversation_runner import Captures, matches

#: What a transport holds before it asks its producer to pause: Twisted's own number.
FULL = 2**16


class Wire:
    """The transport between a client and the protocol of a server; its buffer can be full, as that of TCP."""

    def __init__(self, client: Client, protocol: Any, clock: IReactorTime, host: str) -> None:
        self.client = client
        self.protocol = protocol
        self.clock = clock
        self.host = host
        self.connected = True
        self.paused = False
        self.stuck = False
        self.inbox = bytearray()
        self.buffer = bytearray()
        self.closing = False
        self._producer: Any = None
        self._producer_paused = False
        protocol.makeConnection(self)

    # -- the side of the server

    def write(self, data: bytes) -> None:
        """Pass the data to the client, or keep them in the buffer while it does not read."""
        if not self.connected or self.closing:
            return
        self.buffer += data
        self.flush()
        if len(self.buffer) > FULL and self._producer is not None and not self._producer_paused:
            self._producer_paused = True
            self._producer.pauseProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Set the producer that is paused when the buffer is full."""
        assert streaming
        self._producer = producer

    def unregisterProducer(self) -> None:
        """Remove the producer."""
        self._producer = None
        self._producer_paused = False

    def pauseProducing(self) -> None:
        """Stop reading from the client."""
        self.paused = True

    def resumeProducing(self) -> None:
        """Read from the client again."""
        self.paused = False
        if self.inbox:
            self.clock.callLater(0, self.feed)

    def loseConnection(self) -> None:
        """Close when the buffer is empty."""
        self.closing = True
        self.flush()

    def abortConnection(self) -> None:
        """Close now."""
        self.buffer.clear()
        self.end(ConnectionLost())

    def getPeer(self) -> IPv4Address:
        """Return the address of the client."""
        return IPv4Address("TCP", self.host, 40000)

    # -- the side of the client

    def feed(self) -> None:
        """Pass what the client has sent to the server, while the server reads."""
        while self.inbox and self.connected and not self.paused:
            data = bytes(self.inbox[:FULL])
            del self.inbox[:FULL]
            self.protocol.dataReceived(data)

    def flush(self) -> None:
        """Pass the buffer to the client, unless the client does not read."""
        if self.stuck:
            return
        data = bytes(self.buffer)
        self.buffer.clear()
        if data:
            self.client.received(data)
        if self._producer_paused:
            # Twisted's transports resume the producer and forget that they were to close.
            self._producer_paused = False
            self.clock.callLater(0, self._producer.resumeProducing)
        elif self.closing:
            self.clock.callLater(0, self.end, ConnectionDone())

    def end(self, reason: Exception) -> None:
        """End the connection for both sides."""
        if self.connected:
            self.connected = False
            self.client.ended()
            self.protocol.connectionLost(Failure(reason))

    def vanish(self) -> None:
        """End the connection for the client alone: the server no longer exists."""
        if self.connected:
            self.connected = False
            self.client.ended()


class Client:
    """A client in a test.

    :ivar lines: the lines that were received and not yet taken by ``expect`` or ``take``.
    :ivar closed: whether the connection has ended.
    """

    def __init__(self, name: str = "client") -> None:
        self.name = name
        self.lines: list[str] = []
        self.closed = False
        self.wire: Wire | None = None
        self._rest = b""
        self._telnet = TelnetFilter()
        self._waiter: Deferred[None] | None = None

    # -- called by the wire

    def received(self, data: bytes) -> None:
        """Take bytes from the server."""
        # As telnet does, which does not show the negotiation of its options.
        *lines, self._rest = (self._rest + self._telnet.feed(data)).split(b"\r\n")
        self.lines += [line.decode() for line in lines]
        self._wake()

    def ended(self) -> None:
        """Note that the connection has ended."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            # Not at once: the test would continue in the middle of the server's own work.
            reactor.callLater(0, waiter.callback, None)

    # -- called by tests

    def send(self, *lines: str | bytes) -> None:
        """Send these lines in one piece."""
        self.write(b"".join((line.encode() if isinstance(line, str) else line) + b"\r\n" for line in lines))

    def write(self, data: bytes) -> None:
        """Write these bytes."""
        assert self.wire is not None
        if self.wire.connected:
            self.wire.inbox += data
            self.wire.feed()

    async def take(self, seconds: float = 10.0) -> str:
        """Return the next line; AssertionError when none comes in time."""
        deadline = reactor.seconds() + seconds
        while not self.lines:
            assert not self.closed, f"{self.name}: the connection is closed"
            await self._wait(deadline - reactor.seconds())
        return self.lines.pop(0)

    async def _wait(self, seconds: float) -> None:
        waiter = self._waiter = Deferred()
        timer = reactor.callLater(seconds, waiter.errback, AssertionError(f"{self.name} heard nothing more"))
        try:
            await waiter
        finally:
            self._waiter = None
            if timer.active():
                timer.cancel()

    async def expect(self, *patterns: str, captures: Captures | None = None, seconds: float = 10.0) -> Captures:
        """Take the next lines, which must match ``patterns`` of the conversation runner; return the captures."""
        found: Captures = dict(captures or {})
        for pattern in patterns:
            line = await self.take(seconds)
            result = matches(pattern, line, found)
            assert result is not None, f"{self.name} expected {pattern!r}, heard {line!r} {self.lines[:5]!r}"
            found = result
        return found

    async def ask(self, line: str, pattern: str, seconds: float = 10.0) -> Captures:
        """Send one line; the next line that is received must match ``pattern``."""
        self.send(line)
        return await self.expect(pattern, seconds=seconds)

    async def texts(self, count: int, seconds: float = 10.0) -> list[str]:
        """Return the texts of the next ``count`` messages; other pushes between them are skipped."""
        found: list[str] = []
        while len(found) < count:
            line = await self.take(seconds)
            if (text := text_of(line)) is not None:
                found.append(text)
        return found

    async def quiet(self) -> None:
        """Check that nothing is received before the answer to a ping."""
        await self.ask("@id=quiet SEND_PING", "@id=quiet OK SEND_PING")

    async def gone(self, seconds: float = 10.0) -> None:
        """Wait until the server ends the connection; no line may be left."""
        await until(lambda: self.closed, seconds)
        assert not self.lines, f"{self.name} heard {self.lines!r}"

    def drop(self) -> None:
        """End the connection without QUIT."""
        assert self.wire is not None
        self.wire.end(ConnectionLost())

    def stop_reading(self) -> None:
        """Stop reading what the server writes."""
        assert self.wire is not None
        self.wire.stuck = True

    def read_on(self) -> None:
        """Read again what the server writes."""
        assert self.wire is not None
        self.wire.stuck = False
        self.wire.flush()


def text_of(line: str) -> str | None:
    """Return the text of a pushed message, None for any other line."""
    words = line.split(" ")
    if words[0] == "@esc":
        words.pop(0)
    if words[0] == "RESP_MESSAGE_P2P":
        return " ".join(words[3:])
    if words[0] == "RESP_MESSAGE_TOPIC":
        return " ".join(words[4:])
    return None


def id_of(line: str) -> str:
    """Return the id of a pushed message."""
    words = line.removeprefix("@esc ").split(" ")
    return words[3 if words[0] == "RESP_MESSAGE_TOPIC" else 2]
