"""One connection to a server: bytes to lines and back, by TLS or without. What the lines mean is said by subclasses."""

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
    """What is common to all of them; a subclass overrides what it wants to hear of."""

    def __init__(self) -> None:
        self._splitter = LineSplitter(MAX_OUT)
        self._gone = False

    def opened(self) -> None:
        """The connection stands; where there is TLS, it has yet to be agreed on."""

    def secured(self, binding: bytes | None) -> None:
        """TLS is agreed on, with a server that is trusted; ``binding`` is that of its certificate, if it has one."""

    def received(self, lines: list[bytes]) -> None:
        """Lines have come."""

    def lost(self, reason: BaseException | None) -> None:
        """The connection is gone."""

    def connectionMade(self) -> None:
        """Report the new connection; send small lines at once."""
        if ITCPTransport.providedBy(self.transport):  # a small line must not wait for the reply to the one before
            self.transport.setTcpNoDelay(True)
        self.opened()

    def handshakeCompleted(self) -> None:
        """The server's certificate is good."""
        transport: Any = self.transport
        self.secured(binding(transport.getPeerCertificate().to_cryptography()))

    def dataReceived(self, data: bytes) -> None:
        """Split the data into lines, and report those."""
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
        """Write what is left, then close."""
        if self.transport is not None:
            self.transport.loseConnection()

    def abort(self) -> None:
        """Drop the connection without waiting for anything."""
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None and not self._gone:  # Twisted's TLS does not bear it twice
            abort()
