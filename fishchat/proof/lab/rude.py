"""Rude clients: they do not read, leave within a line, or send their TLS handshake a byte a second."""

from __future__ import annotations

import errno
import socket
import ssl
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import cycle
from typing import Any

from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.features.session.rows import SEND_CLIENT_ID
from fishchat.features.topics.rows import JOIN_TOPIC

#: Bytes that the kernel may hold for a client that does not read: the less, the more is left to the server.
RECEIVED = 4096
#: The bytes after the greeting, and whether to wait for an answer before the connection is closed.
Saying = tuple[bytes, bool]
NOTHING: tuple[Saying, ...] = ((b"", False),)
#: Logins that end at every step.
HALVES: tuple[Saying, ...] = (
    (b"SEND_CLIENT_ID some", False),
    (b"@id=1;device=lap", False),
    (b"HELLO 1 caps=ack\r\n", True),
    (b"SEND_CLIENT_ID nobody fct_" + b"A" * 43 + b"\r\n", False),
    (b"SEND_CLIENT_ID nobody fct_" + b"A" * 43 + b"\r\n", True),
    (b"SEND_AUTH SCRAM-SHA-256 n,,n=nobody,r=rOprNGfwEbeRWgbNEkqO\r\n", False),
    (b"SEND_AUTH SCRAM-SHA-256 n,,n=nobody,r=rOprNGfwEbeRWgbNEkqO\r\n", True),
    (b"CREATE_CLIENT nobody short\r\n", True),
)
# Closing is then a reset, and the port is free at once: there are not enough ports for a million that wait.
_AT_ONCE = struct.pack("ii", 1, 0)


class Reader(Protocol):
    """Logs in, joins a topic, and then stops reading.

    :ivar ready: whether it is a member.
    """

    transport: Any

    def __init__(self, account: str, topic: str) -> None:
        login, join = SEND_CLIENT_ID.line(account.encode()), JOIN_TOPIC.line(topic.encode())
        self._lines = b"%s\r\n%s\r\n" % (login, join)
        self._heard = b""
        self._lost = False
        self.ready = False

    def connectionMade(self) -> None:
        self.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED)
        self.transport.write(self._lines)

    def dataReceived(self, data: bytes) -> None:
        self._heard = (self._heard + data)[-4096:]
        self.ready = self.ready or JOIN_TOPIC.ok in self._heard

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost = True

    def stop_reading(self) -> None:
        """Read nothing from now on."""
        self.transport.pauseProducing()

    @property
    def cut_off(self) -> bool:
        """Whether the server has ended the connection, by the state in the kernel: nothing is read here."""
        if self._lost:
            return True
        state: int = self.transport.getHandle().getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return state != 1  # established

    def leave(self) -> None:
        """Close the connection."""
        self.transport.abortConnection()


class Passing:
    """Connects and closes many times, some at once, as fast as it can.

    :param sayings: what the connections send before they end, one after the other.
    :param opening: what is sent without a greeting: the beginning of a handshake.
    :ivar done: the number of connections that were greeted and closed.
    :ivar refused: the number of those that were not greeted.
    """

    def __init__(
        self,
        reactor: Any,
        port: int,
        count: int,
        sayings: Iterable[Saying] = NOTHING,
        opening: bytes = b"",
        at_once: int = 64,
    ) -> None:
        self._reactor = reactor
        self._port = port
        self._left = count
        self._sayings = cycle(sayings)
        self._opening = opening
        self._at_once = at_once
        self.under_way = self.done = self.refused = 0

    def start(self) -> None:
        """Start connections up to the limit."""
        while self.under_way < self._at_once and self._left:
            self._left -= 1
            self.under_way += 1
            _Visit(self._reactor, self._port, self._opening, next(self._sayings), self._over)

    def stop(self) -> None:
        """Start no further connection."""
        self._left = 0

    @property
    def over(self) -> bool:
        """Whether all have ended."""
        return not self._left and not self.under_way

    def _over(self, greeted: bool) -> None:
        self.under_way -= 1
        self.done += greeted
        self.refused += not greeted
        self.start()


@implementer(IReadWriteDescriptor)
class _Visit:
    """One connection: waits for the greeting, sends something, may wait for an answer, and closes."""

    def __init__(self, reactor: Any, port: int, opening: bytes, saying: Saying, over: Callable[[bool], None]) -> None:
        self._reactor = reactor
        self._opening = opening
        self._said, self._waits = saying
        self._over = over
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        # In progress is not refused: reading shows the outcome.
        self._refused = self._socket.connect_ex(("127.0.0.1", port)) not in (0, errno.EINPROGRESS)
        reactor.addReader(self)
        if opening:
            reactor.addWriter(self)

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """Return the name in logs."""
        return "visit"

    def doWrite(self) -> None:
        """Send the opening on the new connection."""
        self._reactor.removeWriter(self)
        with suppress(OSError):
            self._socket.send(self._opening)

    def doRead(self) -> None:
        """Handle the greeting or the answer."""
        try:
            heard = b"" if self._refused else self._socket.recv(4096)
        except OSError:
            heard = b""
        if heard and self._said:
            said, self._said = self._said, b""
            try:
                self._socket.send(said)
            except OSError:
                self._waits = False
            if self._waits:
                return
        self._end(bool(heard) and not heard.startswith(b"ERR - BUSY"))

    def connectionLost(self, reason: Failure) -> None:
        """End, since the reactor found the socket broken."""
        self._end(False)

    def _end(self, greeted: bool) -> None:
        if self._socket.fileno() >= 0:
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)
            self._socket.close()
            # Later, or a thousand connections would be a thousand calls deep.
            self._reactor.callLater(0, self._over, greeted)


class Dripping(Protocol):
    """Sends a TLS handshake a byte a second, or nothing at all.

    :ivar ended: when the server ended it; None before that.
    """

    transport: Any

    def __init__(self, clock: Any, silent: bool) -> None:
        self._clock = clock
        self._hello = b"" if silent else client_hello()
        self._drip = LoopingCall(self._next)
        self._drip.clock = clock
        self.began = clock.seconds()
        self.ended: float | None = None

    def connectionMade(self) -> None:
        self._drip.start(1.0)

    def _next(self) -> None:
        self.transport.write(self._hello[:1])
        self._hello = self._hello[1:]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = self._clock.seconds()
        self._drip.stop()


def client_hello() -> bytes:
    """Return the first bytes that a TLS client sends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        shaking.do_handshake()
    return outgoing.read()
