"""WebSocket frames to lines: the same however the stream is cut, bounded in memory, ended by what is no frame."""

from __future__ import annotations

from typing import Any

from fishchat.proof.fuzz.helpers import Dice, claim, pieces
from fishchat.protocols.frames import BROKEN, MAX_MESSAGE, FrameSplitter, frame
from fishchat.protocols.lines import MAX_LINE, OVERLONG

#: Bytes that a splitter may hold beside an incomplete message.
BESIDE = 1024
#: The lengths of made frames: those at which the form of a frame changes, and those of what is refused.
LENGTHS = (0, 1, 5, 125, 126, 127, MAX_LINE, MAX_LINE + 1)


def frames(data: bytes) -> None:
    """Byte 0 chooses between any bytes and made frames, byte 1 the cuts; the rest is the stream, or makes frames."""
    kind, seed = data[0] if data else 0, data[1] if len(data) > 1 else 0
    stream, wanted = _made(Dice(data[2:])) if kind % 2 else (data[2:], None)
    whole = _fed([stream])
    # Bytes of a long stream one by one would take too long.
    ways = [pieces(stream, seed)]
    if len(stream) < 1000:
        ways.append([stream[at : at + 1] for at in range(len(stream))])
    for way in ways:
        claim(_fed(way) == whole, "another cut, other lines", _fed(way), whole)
    for line in whole[0]:
        is_line = 0 < len(line) <= MAX_LINE and b"\n" not in line and b"\r" not in line
        claim(line in (OVERLONG, BROKEN) or is_line, "no line", line)
        if is_line:
            claim(_line_of(frame(line + b"\r\n")) == line, "a frame that is not its line", line)
    if wanted is not None:
        claim(whole[0] == wanted, "not the lines of the frames", whole[0], wanted)


def _fed(parts: list[bytes]) -> tuple[list[bytes], bytes | None]:
    """Return the lines of a stream that arrives in these parts, and the answers; None for a connection that ends.

    Of two frames that each end it, the cut decides which one is named in the last answer.
    """
    splitter = FrameSplitter()
    found: list[bytes] = []
    answers = b""
    for part in parts:
        found += splitter.feed(part)
        answers += splitter.take_refusals()
        claim(_held(splitter) <= MAX_MESSAGE + BESIDE, "it holds too much", _held(splitter))
    return found, None if splitter.ended else answers


def _held(splitter: FrameSplitter) -> int:
    reader: Any = splitter._protocol.reader
    return len(reader.buffer) + sum(map(len, splitter._parts or ()))


def _made(dice: Dice) -> tuple[bytes, list[bytes]]:
    """Return a stream of well-formed frames, and the lines that it holds."""
    stream, lines = b"", []
    while dice.left:
        text = bytes(0x20 + dice.byte() % 95 for _ in range(dice.pick((1, 2, 3)))) * 4096
        text = text[: dice.pick(LENGTHS)]
        way = dice.byte() % 4
        if way == 0:
            # A ping may stand between the parts of a message.
            middle = len(text) // 2
            stream += _frame(0x01, text[:middle], dice) + _frame(0x89, b"?", dice) + _frame(0x80, text[middle:], dice)
        elif way == 1:
            text += dice.pick((b"\r\n", b"\r", b"\n"))
            stream += _frame(0x81, text, dice)
        else:
            stream += _frame(0x81, text, dice)
        if len(text) > MAX_LINE:
            lines.append(OVERLONG)
        elif text:
            lines.append(BROKEN if text[-1:] in b"\r\n" else text)
    return stream, lines


def _frame(first: int, text: bytes, dice: Dice) -> bytes:
    """Return a frame of a client, with a mask."""
    mask = bytes(dice.byte() for _ in range(4))
    size = len(text)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([first]) + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))


def _line_of(framed: bytes) -> bytes:
    """Return the text of a frame of a server."""
    start = {126: 4, 127: 10}.get(framed[1], 2)
    return framed[start:]
