"""Bytes to lines: the same lines however the stream is cut, bounded in memory, telnet's sequences taken out."""

from __future__ import annotations

import re
from typing import Any

from fishchat.proof.fuzz.helpers import claim, pieces
from fishchat.protocols.lines import OVERLONG, LineSplitter

#: The line limits that are tried: small ones, so that few bytes reach them.
LIMITS = (8192, 16, 64, 3)
#: Bytes that a splitter may hold beside the incomplete line: a telnet sequence, a CR.
BESIDE = 262


def lines(data: bytes) -> None:
    """Byte 0 chooses the limit, byte 1 the cuts; the rest is the stream."""
    limit = LIMITS[data[0] % len(LIMITS)] if data else 16
    stream = data[2:]
    seed = data[1] if len(data) > 1 else 0
    whole = _fed([stream], limit)
    for way in (pieces(stream, seed), [stream[at : at + 1] for at in range(len(stream))]):
        claim(_fed(way, limit) == whole, "another cut, other lines", _fed(way, limit), whole)
    for line in whole[0]:
        claim(line == OVERLONG or (0 < len(line) <= limit and b"\n" not in line), "no line", line)
    if b"\xff" not in stream:
        claim(whole == (_plain(stream, limit), b""), "not the lines of the stream", whole)


def _fed(parts: list[bytes], limit: int) -> tuple[list[bytes], bytes]:
    """Return the lines of a stream that arrives in these parts, and the answers to telnet's options."""
    splitter = LineSplitter(limit)
    found: list[bytes] = []
    refusals = b""
    for part in parts:
        found += splitter.feed(part)
        refusals += splitter.take_refusals()
        claim(_held(splitter) <= limit + BESIDE, "it holds too much", _held(splitter))
    return found, refusals


def _held(holder: Any) -> int:
    """Return the number of bytes that a splitter keeps of the stream."""
    values = [getattr(holder, name) for name in holder.__slots__]
    own = sum(len(value) for value in values if isinstance(value, bytes))
    return own + sum(_held(value) for value in values if hasattr(value, "__slots__"))


def _plain(stream: bytes, limit: int) -> list[bytes]:
    """Return the lines of a stream without telnet, by the page: they end with LF, CRLF or CR NUL; none is empty.

    They end with CR alone if the first one does. A TLS handshake at the beginning is a line.
    """
    stream = stream.replace(b"\r\0", b"\r\n")
    if stream.startswith(b"\x16\x03"):
        stream = b"\x16\x03\n" + stream[2:]
    if (first := re.search(b"\r\n?|\n", stream)) is not None and first[0] == b"\r":
        stream = stream.replace(b"\r", b"\n")
    found = []
    for line in stream.split(b"\n")[:-1]:
        line = line[:-1] if line.endswith(b"\r") else line
        if line:
            found.append(line if len(line) <= limit else OVERLONG)
    rest = stream.rpartition(b"\n")[2]
    if len(rest) > limit and (rest[-1:] != b"\r" or len(rest) > limit + 1):
        found.append(OVERLONG)
    return found
