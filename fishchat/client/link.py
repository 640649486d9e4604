"""One connection to a server: bytes to lines and back, with or without TLS. Subclasses interpret the lines."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHandshakeListener, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.net.tls_peer import binding
from fishchat.protocols.lines import MAX_OUT, LineSplitter


@implementer(IHandshakeListener)
class Link(Protocol):
    """The base class of connections to a server. A subclass overrides the events that it handles."""

    def __init__(self) -> None:
        self._splitter = LineSplitter(MAX_OUT)
        self._gone = False

    def opened(self) -> None:
        """Handle a new connection. With TLS, the handshake has not completed yet."""

    def secured(self, binding: bytes | None) -> None:
        """Handle a TLS handshake with a trusted server; ``binding`` is that of its certificate, if it has one."""

    def received(self, lines: list[bytes]) -> None:
        """Handle received lines, without their endings."""

    def lost(self, reason: BaseException | None) -> None:
        """Handle the loss of the connection."""

    def connectionMade(self) -> None:
        """Report the new connection, and disable Nagle's algorithm."""
        if ITCPTransport.providedBy(self.transport):  # a small line must not wait for the reply to the one before
            self.transport.setTcpNoDelay(True)
        self.opened()

    def handshakeCompleted(self) -> None:
        """Report that the server's certificate was accepted."""
        transport: Any = self.transport
        self.secured(binding(transport.getPeerCertificate().to_cryptography()))

    def dataReceived(self, data: bytes) -> None:
        """Split the data into lines, and report them."""
        self.received(self._splitter.feed(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report that the connection is lost."""
        self._gone = True
        self.lost(reason.value)

    def send(self, lines: list[bytes]) -> None:
        """Write ``lines`` at once."""
        if self.transport is not None:
            self.transport.write(b"\r\n".join(lines) + b"\r\n")

    def close(self) -> None:
        """Write the remaining data, then close the connection."""
        if self.transport is not None:
            self.transport.loseConnection()

    def abort(self) -> None:
        """Drop the connection without waiting for anything."""
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None and not self._gone:  # Twisted's TLS fails on a second call
            abort()
