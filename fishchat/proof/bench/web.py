"""A client that speaks lines over WebSocket, as browsers do.

It is here to measure servers: it does no more than RFC 6455 asks of a client whose server is its own.
"""

from __future__ import annotations

import struct
from typing import Any

from fishchat.proof.bench.crowd import Member
from fishchat.protocols.frames import SUBPROTOCOL

#: The key is the same for all: the server computes with it and does not remember it.
_HANDSHAKE = (
    "GET /socket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_TEXT, _MASKED, _CLOSE = 0x81, 0x80, 0x88
#: A mask that changes nothing: the server computes the same with every mask.
_MASK = bytes(4)


class WebMember(Member):
    """One client. Its lines are framed; the rest is that of a client over TCP."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self._is_open = False
        transport: Any = self.transport
        peer = transport.getPeer()
        super().write(_HANDSHAKE.format(host=f"{peer.host}:{peer.port}").encode())

    def write(self, data: bytes) -> None:
        super().write(b"".join(_masked(line) for line in data.split(b"\r\n")[:-1]))

    def dataReceived(self, data: bytes) -> None:
        data = self._rest + data
        if not self._is_open:
            answer, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = answer
                return
            if b" 101 " not in answer[:13]:
                self.lost(answer.partition(b"\r")[0].decode("latin-1"))
                return
            self._is_open = True
        lines, self._rest = _lines(data)
        if lines:
            self.heard(lines)


def _masked(line: bytes) -> bytes:
    length = len(line)
    if length < 126:
        return bytes((_TEXT, _MASKED | length)) + _MASK + line
    return struct.pack("!BBH", _TEXT, _MASKED | 126, length) + _MASK + line


def _lines(data: bytes) -> tuple[bytes, bytes]:
    """Return the lines of whole text frames, with their endings, and the bytes after them."""
    found = []
    at, end = 0, len(data)
    while end - at >= 2:
        length, start = data[at + 1], at + 2
        if length == 126:
            if end - at < 4:
                break
            length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        if start + length > end:
            break
        if data[at] == _TEXT:
            found.append(data[start : start + length])
        at = start + length
    found.append(b"")
    return b"\r\n".join(found), data[at:]
