"""The glue between Twisted's transports and lines: one write a turn, bounded both ways.

The ``Exchange`` of a connection interprets its lines. This module does not depend on stores or messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener, IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.errors import ProtocolError
from fishchat.interfaces import IPeer
from fishchat.net.fast_write import send_now, socket_of
from fishchat.net.turn import Turn
from fishchat.protocols.exchange import Exchange
from fishchat.protocols.flow import FULL, LINES, SHARE, Flow
from fishchat.protocols.lines import UNFINISHED, LineSplitter
from fishchat.protocols.typed import foreign, without_controls

#: Seconds that the handshake of TLS may take.
HANDSHAKE = 10.0
#: Seconds that a peer may take nothing of what is written to it.
STUCK = 30.0


@implementer(IPushProducer)
class _Outlet:
    """What the transport tells when its buffer is full, and when it is empty again."""

    __slots__ = ("_peer",)

    def __init__(self, peer: LinePeer) -> None:
        self._peer = peer

    def pauseProducing(self) -> None:
        self._peer.outlet_full()

    def resumeProducing(self) -> None:
        self._peer.outlet_free()

    def stopProducing(self) -> None:
        pass


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class LinePeer(LineReceiver):
    """A peer that speaks lines. LineReceiver gives the frame; its splitting is replaced (limits, telnet, both endings).

    :param serve: makes what answers this peer.
    :ivar session: what answers this peer; None when the connection is gone.
    :cvar web: whether it came through a web site, whose address it knows instead of that for lines.
    :cvar not_tls: what a peer is sent that speaks plain text to a port for TLS.
    """

    transport: Any
    web = False
    not_tls = b"ERR - VERSION this port is for TLS, and what you have sent was not encrypted; connect with TLS\r\n"

    def __init__(
        self, serve: Callable[[IPeer], Exchange], turn: Turn, clock: IReactorTime, host: str = "", secure: bool = False
    ) -> None:
        self._turn = turn
        self._clock = clock
        self.host = host
        self.secure = self.shaking = secure
        self.flow = Flow()
        self._splitter: Any = LineSplitter()
        self._out: list[bytes] = []
        self._socket: Any = None
        self._backlog: deque[bytes] | None = None
        self._ended = self._closing = self.lost = False
        #: When something was last read; since when the peer takes nothing, since when it is to go (None: neither).
        self.heard_at = clock.seconds()
        self.full_since: float | None = None
        self.closing_since: float | None = None
        #: What the transport held when it was last looked at.
        self._unsent = 0
        self._taken_at = self.heard_at
        self.session: Exchange | None = serve(self)

    @property
    def binding(self) -> bytes | None:
        """What a proof on this connection is bound to; None without TLS."""
        if not self.secure:
            return None
        # Here and not above: it brings OpenSSL in, which a server without such a listener need not load.
        from fishchat.net.tls_peer import binding_of

        return binding_of(self.transport)

    # -- Twisted's side

    def connectionMade(self) -> None:
        transport = self.transport
        transport.registerProducer(_Outlet(self), True)
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        self._socket = socket_of(transport)
        assert self.session is not None
        self.session.opened()
        if not self.secure and not self._closing:
            self.session.greet()

    def handshakeCompleted(self) -> None:
        """The TLS below is ready."""
        self.shaking = False
        if not self._closing and self.session is not None:
            self.session.greet()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = self._closing = True
        self._out.clear()
        self._backlog = None
        # Without this the two would hold each other until the collector of cycles runs, which is seldom.
        session, self.session = self.session, None
        if session is not None:
            session.closed()

    def outlet_full(self) -> None:
        """The transport's buffer is full: nothing more is read, and as little as possible written."""
        self.full_since = self._clock.seconds()
        self.hold(FULL)
        if self.session is not None:
            self.session.full()

    def outlet_free(self) -> None:
        """The transport takes again."""
        self.full_since = None
        self.read_on(FULL)
        if self.session is not None:
            self.session.free()

    def dataReceived(self, data: bytes) -> None:
        self.heard_at = self._clock.seconds()
        lines = self._splitter.feed(data)
        self.answer_control()
        flow = self.flow
        if flow.reasons:
            self._keep(lines)
            return
        for number, line in enumerate(lines):
            if number >= LINES:
                self._share_used()
            if flow.reasons:
                self._keep(lines[number:])
                return
            self.lineReceived(line)

    def answer_control(self) -> None:
        """Write what answers the frames of the transport, and no command: refusals of telnet's options."""
        if refusals := self._splitter.take_refusals():
            self.send(refusals)

    def readConnectionLost(self) -> None:
        """The peer will send nothing more, as a piped ``nc``: it is answered to the end, then closed."""
        self._finish_line()
        self._ended = True
        self._turn.at_end(self._close_if_done)

    def _finish_line(self) -> None:
        """Take a last line without its end, as ``printf`` writes it; refuse that of a program, which may have died."""
        session = self.session
        lines = self._splitter.finish()
        if lines and session is not None and session.said_hello:
            lines = [UNFINISHED]
        if self.flow.reasons:
            self._keep(lines)
            return
        for line in lines:
            self.lineReceived(line)

    def writeConnectionLost(self) -> None:
        """Twisted tells of this only when we have ended our side, which we never do alone."""

    def _close_if_done(self) -> None:
        if self._ended and not self._out and not self._backlog and (self.session is None or self.session.is_done()):
            self.close()

    def lineReceived(self, line: bytes) -> None:
        session = self.session
        if self._closing or session is None:
            return
        try:
            command = session.commands.parse(line)
        except ProtocolError as error:
            self._misread(session, line, error)
            return
        session.received(command)

    def _misread(self, session: Exchange, line: bytes, error: ProtocolError) -> None:
        if error.word == "CONTROL" and session.said_hello:
            # A program has pressed no keys: they are part of a text that it passes on.
            self.lineReceived(without_controls(line))
            return
        other = foreign(line)
        session.misread(other or error)
        if other is not None:
            self.close()

    # -- reading

    def hold(self, reason: int) -> None:
        """Stop reading for a reason, see IPeer."""
        if self.flow.hold(reason) and not self.lost:
            self.transport.pauseProducing()

    def read_on(self, reason: int) -> None:
        """Remove a reason not to read, see IPeer."""
        if self.flow.release(reason):
            self._turn.at_end(self._process_backlog)

    def _keep(self, lines: list[bytes]) -> None:
        if self._backlog is None:
            self._backlog = deque()
        self._backlog.extend(lines)

    def _share_used(self) -> None:
        self.hold(SHARE)
        self.read_on(SHARE)

    def _process_backlog(self) -> None:
        flow = self.flow
        if not flow.resume():
            return
        lines = 0
        while self._backlog and lines < LINES and not flow.held:
            lines += 1
            self.lineReceived(self._backlog.popleft())
        if flow.held or self.lost:
            return
        if self._backlog:
            self._share_used()
            return
        self._backlog = None
        flow.drained()
        if self._ended:
            self._close_if_done()
        else:
            self.transport.resumeProducing()

    # -- writing

    def send(self, line: bytes) -> None:
        """Write ``line``, which carries its ending, with all others of this turn."""
        if not self._out:
            if self.lost or self.shaking:
                return
            self._turn.at_end(self.flush)
        self._out.append(line)

    def flush(self) -> None:
        """Write what has gathered."""
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            send_now(self.transport, self._socket, data)
            if self._ended:
                self._close_if_done()

    @property
    def gathered(self) -> bytes:
        """What is to be written at the end of this turn."""
        return b"".join(self._out)

    def is_stuck(self, now: float) -> bool:
        """Whether the peer takes nothing any more; to be asked every few seconds. Slowly is not nothing."""
        if self.full_since is None and self.closing_since is None:
            return False
        # A layer of TLS keeps nothing back and hands these two through; what it has encrypted waits below it.
        transport = self.transport
        unsent = len(getattr(transport, "dataBuffer", b"")) - getattr(transport, "offset", 0)
        if unsent != self._unsent:
            self._unsent = unsent
            self._taken_at = now
        since = max(self.full_since or 0.0, self.closing_since or 0.0, self._taken_at)
        return now - since >= STUCK

    # -- the end

    def ignore(self) -> None:
        """See IPeer; what the peer has asked for is still answered."""
        self._closing = True

    def close(self) -> None:
        """Write what has gathered, then end the connection; a peer that takes nothing is cut off in time."""
        self.ignore()
        if self.shaking:
            self.abort()
        elif self.closing_since is None and not self.lost:
            self.closing_since = self._clock.seconds()
            self.flush()
            # With a producer, a transport waits for its end before it closes.
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def abort(self) -> None:
        """End the connection at once: whatever is in the buffer is of no use to a peer that does not read."""
        self._closing = True
        self._out.clear()
        if not self.lost:
            self.transport.abortConnection()
