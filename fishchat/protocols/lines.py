"""From bytes to lines, and the two escapes: of tags before a verb, of ``@esc`` text after it. No I/O.

Framing is liberal (LF, CRLF or CR, split anywhere, telnet's option bytes removed) and bounded. ``table`` reads what is
in a line.
"""

from __future__ import annotations

import re

from fishchat.errors import ProtocolError

#: Limits in bytes: a line to the server, without its ending; the text in it; a line from the server.
MAX_LINE = 8192
MAX_TEXT = 7168
MAX_OUT = 16384

#: Stands for a line that was too long. No line can look like it: it contains the separator.
OVERLONG = b"\n"
#: Likewise for a line whose end was never sent, where it must not be guessed.
UNFINISHED = b"\n\n"
#: How a TLS handshake begins. The splitter makes a line of it, because none of its other bytes needs to end a line.
TLS = b"\x16\x03"

# IAC (0xFF) opens a telnet sequence (RFC 854): an option with its byte, a subnegotiation up to IAC SE, or one command.
# Before any other byte it opens none and stays: the line is then no UTF-8, and nothing after it is lost.
_SUBNEGOTIATION = 256
# 0xEC to 0xEE are EOF, SUSP and ABORT (RFC 1184). No option has the byte of a line's end.
_TELNET = re.compile(
    rb"\xff(?:([\xfb-\xfe])([^\r\n])|\xfa.{0,%d}?\xff\xf0|[\xec-\xf9\xff])" % _SUBNEGOTIATION, re.DOTALL
)
# A peer that asks for an option (WILL, DO) waits for a refusal (DONT, WONT): after Ctrl+C telnet is silent until then.
_REFUSALS = {b"\xfb": b"\xff\xfe", b"\xfd": b"\xff\xfc"}
# The two commands that edit a line, as the keys that a terminal without telnet would send: see ``typed``.
_KEYS = {b"\xff\xf7": b"\b", b"\xff\xf8": b"\x15"}

_NO_TELNET = re.compile(rb"\xff(?:[^\xec-\xff]|[\xfb-\xfe][\r\n])")


class TelnetFilter:
    """Removes telnet's option sequences from a stream, wherever it is cut.

    :ivar refusals: the bytes to answer them with; the caller sends and clears them.
    """

    __slots__ = ("_held", "refusals")

    def __init__(self) -> None:
        self._held = b""
        self.refusals = b""

    def feed(self, data: bytes) -> bytes:
        """Return ``data`` without telnet sequences. An incomplete one is held back (at most 260 bytes)."""
        data = self._held + data
        self._held = b""
        out = []
        at = 0
        while (start := data.find(b"\xff", at)) >= 0:
            out.append(data[at:start])
            if (found := _TELNET.match(data, start)) is not None:
                at = found.end()
                if found[1] in _REFUSALS:
                    self.refusals += _REFUSALS[found[1]] + found[2]
                elif (key := _KEYS.get(found[0])) is not None:
                    out.append(key)
            elif _NO_TELNET.match(data, start) is not None:  # not telnet
                out.append(b"\xff")
                at = start + 1
            elif len(data) - start >= _SUBNEGOTIATION + 4:  # it never ends: remove only its opening
                at = start + 2
            else:
                self._held = data[start:]
                return b"".join(out)
        out.append(data[at:])
        return b"".join(out)


# The state of a splitter, a sum; 0 for almost every connection after its first line.
_FIRST = 1  # no line has ended yet
_CR = 2  # CR alone ends a line
_AFTER_CR = 4  # the last byte was a CR that has ended a line
_SKIPPING = 8  # the rest of a line that was too long is skipped


class LineSplitter:
    """Splits a stream into lines: into the same ones, however it is cut.

    The end of the first line decides for the whole stream. After LF or CRLF, a single CR ends no line: a program that
    passes on a text with a CR in it must not send a second command. After a CR alone, as raw terminals send for Enter,
    each CR ends a line.

    Skips empty lines. Replaces a line longer than ``limit`` bytes by :data:`OVERLONG`.
    """

    __slots__ = ("_limit", "_rest", "_state", "_telnet")

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._rest = b""
        self._state = _FIRST
        self._telnet: TelnetFilter | None = None

    def _prepared(self, data: bytes) -> bytes:
        """Return ``data`` without telnet sequences and with LF for each CR that ends a line."""
        if self._telnet is not None or b"\xff" in data or b"\0" in data:
            data = self._without_telnet(data)
        state = self._state
        if not data or not state & (_FIRST | _CR):
            return data
        if state & _FIRST:
            data = self._begun(data)
        if self._state & _CR:
            self._state &= ~_AFTER_CR
            self._state |= _AFTER_CR if data[-1:] == b"\r" else 0
            data = data.replace(b"\r", b"\n")
        return data

    def _without_telnet(self, data: bytes) -> bytes:
        if self._telnet is None:
            self._telnet = TelnetFilter()
        data = self._telnet.feed(data)
        # Enter on a telnet terminal may be CR NUL (RFC 854).
        if data[:1] == b"\0" and (self._rest[-1:] == b"\r" or self._state & _AFTER_CR):
            data = b"\n" + data[1:]
        return data.replace(b"\r\0", b"\r\n")

    def _begun(self, data: bytes) -> bytes:
        """Look for the end of the first line. A CR at the end of the data ends it at once; what follows decides."""
        if self._state & _AFTER_CR:
            self._state ^= _FIRST | _AFTER_CR
            self._state |= 0 if data[:1] == b"\n" else _CR
            return data
        if not self._state & _SKIPPING and (self._rest + data[:2])[:2] == TLS:
            self._state ^= _FIRST
            data = TLS + b"\n" + (self._rest + data)[2:]
            self._rest = b""
            return data
        cr, lf = data.find(b"\r"), data.find(b"\n")
        if 0 <= cr == len(data) - 1 and lf < 0:
            self._state |= _AFTER_CR
            return data[:-1] + b"\n"
        if lf >= 0 and (cr < 0 or lf <= cr + 1):
            self._state ^= _FIRST
        elif cr >= 0:
            self._state ^= _FIRST | _CR
        return data

    def finish(self) -> list[bytes]:
        """Return the line that the stream has ended in, if any. An incomplete telnet sequence is dropped."""
        self._telnet = None
        return self.feed(b"\n")

    def take_refusals(self) -> bytes:
        """Return and clear the answer to telnet's options; empty if there were none."""
        telnet = self._telnet
        if telnet is None or not telnet.refusals:
            return b""
        refusals, telnet.refusals = telnet.refusals, b""
        return refusals

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that ``data`` completes, without their endings."""
        if self._state or self._telnet is not None or b"\xff" in data or b"\0" in data:
            data = self._prepared(data)
        pieces = data.split(b"\n")
        pieces[0] = self._rest + pieces[0]
        rest = pieces.pop()
        if pieces and self._state & _SKIPPING:
            del pieces[0]
            self._state ^= _SKIPPING
        limit = self._limit
        lines = []
        for line in pieces:
            if line[-1:] == b"\r":
                line = line[:-1]
            if len(line) > limit:
                lines.append(OVERLONG)
            elif line:
                lines.append(line)
        if len(rest) > limit or self._state & _SKIPPING:
            # The one byte above the limit may be the CR of a line that is exactly as long as allowed.
            if not self._state & _SKIPPING and (rest[-1:] != b"\r" or len(rest) > limit + 1):
                lines.append(OVERLONG)
                self._state |= _SKIPPING
            if self._state & _SKIPPING:
                # A trailing CR still matters while skipping: with a NUL after it, it ends the line.
                rest = rest[-1:] if rest[-1:] == b"\r" else b""
        self._rest = rest
        return lines


_TAG_ESCAPES = {b":": b";", b"s": b" ", b"r": b"\r", b"n": b"\n", b"\\": b"\\"}
_TAG_ESCAPED = {b";": rb"\:", b" ": rb"\s", b"\r": rb"\r", b"\n": rb"\n", b"\\": rb"\\"}
_KEY_BYTES = b"abcdefghijklmnopqrstuvwxyz"
_TAG_KEY = re.compile(rb"[a-z][a-z0-9-]{0,31}")


def parse_tags(raw: bytes) -> dict[bytes, bytes]:
    """Parse the tags between ``@`` and the first space. Raises ProtocolError for malformed tags.

    The form is that of IRCv3 message tags (https://ircv3.net/specs/extensions/message-tags).
    """
    if b"\\" not in raw and b";" not in raw:
        # One plain tag, as on almost every line that has any.
        key, _, value = raw.partition(b"=")
        if key and not key.translate(None, _KEY_BYTES):
            return {key: value}
    tags = {}
    for part in raw.split(b";"):
        key, _, value = part.partition(b"=")
        if _TAG_KEY.fullmatch(key) is None:
            raise ProtocolError("BADTAG", "invalid tags; write @name=value;name=value before the verb")
        if b"\\" in value:
            value = re.sub(rb"\\(.?)", lambda m: _TAG_ESCAPES.get(m[1], m[1]), value, flags=re.DOTALL)
        tags[key] = value
    return tags


def escape_tag(value: bytes) -> bytes:
    """Return the value of a tag as it stands in a line."""
    return re.sub(rb"[; \r\n\\]", lambda m: _TAG_ESCAPED[m[0]], value)


def format_tags(tags: dict[bytes, bytes]) -> bytes:
    """Return ``b"@name=value;flag "``, with the space after it; empty if there are no tags."""
    if not tags:
        return b""
    parts = []
    for key, value in tags.items():
        parts.append(key + b"=" + escape_tag(value) if value else key)
    return b"@" + b";".join(parts) + b" "


_TEXT_ESCAPES = {b"n": b"\n", b"r": b"\r", b"\\": b"\\"}
_TEXT_ESCAPED = {b"\n": rb"\n", b"\r": rb"\r", b"\\": rb"\\"}


def unescape(text: bytes) -> bytes:
    """Return the text that ``@esc`` text stands for. Raises ProtocolError for an unknown escape."""

    def one(found: re.Match[bytes]) -> bytes:
        try:
            return _TEXT_ESCAPES[found[1]]
        except KeyError:
            raise ProtocolError("BADESCAPE") from None

    return re.sub(rb"\\(.?)", one, text, flags=re.DOTALL)


def escape(text: bytes) -> bytes:
    """Escape line ends and backslashes in ``text``, for sending it with ``@esc``."""
    return re.sub(rb"[\n\r\\]", lambda m: _TEXT_ESCAPED[m[0]], text)
