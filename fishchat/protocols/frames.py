"""From WebSocket frames to lines, and back (RFC 6455): one text frame holds one line, without its ending. No I/O.

The library ``websockets`` reads the frames (Sans-I/O). Frames of a server are not masked, so one frame serves every
client that receives the same line.
"""

from __future__ import annotations

from websockets.exceptions import ProtocolError as FrameError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN, SERVER, Protocol

from fishchat.protocols.lines import MAX_LINE, OVERLONG

#: The name of the protocol in the handshake.
SUBPROTOCOL = "fishchat.1"
#: The most bytes of a message that is read, to be refused as a line that is too long. A longer one ends the connection.
MAX_MESSAGE = 65536
#: Stands for a frame with the end of a line inside: it is no line, but has one refusal as its answer.
BROKEN = b"\n\n\n"

_CRLF = b"\r\n"
_TEXT = 0x80 | Opcode.TEXT


class FrameSplitter:
    """Reads frames into lines, with the methods of ``LineSplitter``.

    Answers a ping and a close frame itself, and closes after a frame that no client may send: ``take_refusals`` returns
    the bytes to write.

    :ivar ended: whether no more frames are read, because one side has closed.
    """

    __slots__ = ("_parts", "_protocol", "ended")

    def __init__(self) -> None:
        self._protocol = Protocol(SERVER, state=OPEN, max_size=MAX_MESSAGE)
        self._parts: list[bytes] | None = None
        self.ended = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that are complete now; one that is too long is ``OVERLONG``, and empty ones are left out."""
        if self.ended:
            return []
        protocol = self._protocol
        protocol.receive_data(data)
        lines = [line for frame in protocol.events_received() if (line := self._read(frame))]
        if protocol.close_expected():
            self.ended = True
        return lines

    def _read(self, frame: object) -> bytes:
        assert isinstance(frame, Frame)
        if self.ended:
            return b""
        if frame.opcode is Opcode.BINARY:
            self._fail(CloseCode.UNSUPPORTED_DATA, "send text frames")
        elif frame.opcode is Opcode.TEXT and frame.fin:
            return _line(bytes(frame.data))
        elif frame.opcode is Opcode.TEXT:
            self._parts = [bytes(frame.data)]
        elif frame.opcode is Opcode.CONT and self._parts is not None:
            self._parts.append(bytes(frame.data))
            if frame.fin:
                parts, self._parts = self._parts, None
                return _line(b"".join(parts))
        return b""

    def _fail(self, code: int, reason: str) -> None:
        self._protocol.fail(code, reason)
        self.ended = True

    def close(self, code: int, reason: str) -> None:
        """Begin to close; ``take_refusals`` has the frame."""
        if not self.ended:
            self.ended = True
            try:
                self._protocol.send_close(code, reason)
            except FrameError:
                # The other side has sent its own close frame, which is answered already.
                return

    def take_refusals(self) -> bytes:
        """Return the control frames to write."""
        return b"".join(self._protocol.data_to_send())

    def finish(self) -> list[bytes]:
        """Return the lines at the end of the connection: none, because a frame that is not complete is no line."""
        return []


def _line(data: bytes) -> bytes:
    if len(data) > MAX_LINE:
        return OVERLONG
    if b"\n" in data or b"\r" in data:
        return BROKEN
    return data


_last: tuple[bytes, bytes] = (b"", b"")


def frame(lines: bytes) -> bytes:
    """Return whole lines, each with its ending, as frames.

    A push is the same object for all of its receivers, and is framed once for all of them.
    """
    global _last
    if _last[0] is lines:
        return _last[1]
    if lines.find(_CRLF) == len(lines) - 2:
        framed = _framed(lines[:-2])
    else:
        framed = b"".join(map(_framed, lines.removesuffix(_CRLF).split(_CRLF)))
    _last = lines, framed
    return framed


def _framed(line: bytes) -> bytes:
    size = len(line)
    if size < 126:
        return b"%c%c%b" % (_TEXT, size, line)
    if size < 65536:
        return b"%c\x7e%b%b" % (_TEXT, size.to_bytes(2, "big"), line)
    return b"%c\x7f%b%b" % (_TEXT, size.to_bytes(8, "big"), line)
