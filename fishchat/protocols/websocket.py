"""The glue between Twisted's transports and lines in WebSocket frames: a ``LinePeer`` with another frame."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from fishchat.errors import ProtocolError
from fishchat.interfaces import IPeer
from fishchat.net.turn import Turn
from fishchat.protocols.exchange import Exchange
from fishchat.protocols.frames import BROKEN, FrameSplitter, frame
from fishchat.protocols.peer import LinePeer

#: The code of a connection that a server closes in order.
GOING = 1001


class WebSocketPeer(LinePeer):
    """A peer that speaks lines over WebSocket. It begins after the handshake, as a program that has said HELLO would:
    nobody types here, so it is pinged, and no keys of a terminal are expected.
    """

    web = True
    _splitter: FrameSplitter

    def __init__(
        self, serve: Callable[[IPeer], Exchange], turn: Turn, clock: IReactorTime, host: str = "", secure: bool = False
    ) -> None:
        super().__init__(serve, turn, clock, host, secure)
        # The handshake of TLS came before that of WebSocket.
        self.shaking = False
        self._splitter = FrameSplitter()
        assert self.session is not None
        self.session.said_hello = True

    @property
    def binding(self) -> bytes | None:
        """Return None: a browser cannot bind a proof to its connection."""
        return None

    def connectionMade(self) -> None:
        super().connectionMade()
        if self.secure and not self._closing and self.session is not None:
            self.session.greet()

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if self._splitter.ended:
            self._end()

    def _end(self) -> None:
        """Close after the close frame of one of both sides."""
        self.answer_control()
        super().close()

    def lineReceived(self, line: bytes) -> None:
        if line == BROKEN:
            if not self._closing and self.session is not None:
                self.session.misread(ProtocolError("FIELDS", "a frame holds one line, without its end"))
            return
        super().lineReceived(line)

    def _misread(self, session: Exchange, line: bytes, error: ProtocolError) -> None:
        session.misread(error)

    def send(self, line: bytes) -> None:
        """Write ``line``, which carries its ending, with all others of this turn, as a frame."""
        super().send(frame(line))

    def answer_control(self) -> None:
        """Write the control frames that are due."""
        if control := self._splitter.take_refusals():
            super().send(control)

    def readConnectionLost(self) -> None:
        """The peer sends nothing more: in WebSocket that is the end."""
        super().close()

    def close(self) -> None:
        """Write what has gathered and a close frame, then end the connection."""
        self._splitter.close(GOING, "")
        self.answer_control()
        super().close()
