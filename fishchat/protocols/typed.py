"""Lines as terminals, editors and copied text make them: controls, byte order marks, blanks. No I/O.

A line that a program writes has none of this. So ``table`` calls everything here but ``clean`` only for a line that it
does not understand.
"""

from __future__ import annotations

import re

from fishchat.errors import ProtocolError
from fishchat.protocols.lines import MAX_LINE, OVERLONG, TLS

# C0 but TAB, and DEL. LF and NUL never get this far; CR may be inside a line.
_CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"
_C1 = re.compile(b"\xc2[\x80-\x9f]")
# Colours of a program's output. Any other escape sequence, such as that of an arrow key, changes what a person sees.
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")
# So do Backspace (two ways), Ctrl+U and Ctrl+W, where no terminal edits the line before it is sent.
_KEYS = re.compile(b"[\b\x7f\x15\x17\x1b]|\xc2\x9b")
# Blanks that look like a space, or like nothing: those of CJK keyboards, of Option+Space, of copied web pages.
_OTHER_BLANK = re.compile("[\xa0\u1680\u180e\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]")

_LOOSE = re.compile(rb"(?:\xef\xbb\xbf|[\t ])*(@[^ ]* )?[\t ]*([^@\t ][^\t ]*|)([\t ]?)(.*)", re.DOTALL)
# The first line of an HTTP request, or a ``Host:`` header if that line was too long. A web page can make its visitor's
# browser send arbitrary lines to a local port, and plain-text ports trust local clients.
_BROWSER = re.compile(rb"[A-Z]+ \S+ HTTP/[0-9.]+|(?i:host):.*")


def clean(line: bytes) -> bytes:
    """Remove control characters from a line that a person may have typed.

    Raises ProtocolError if the line is too long, no UTF-8, or contains NUL, or a key that would have changed it: to
    apply keys would let the end of a text turn the line into another command.
    """
    if line[:1] == b"\n":
        raise ProtocolError("TOOLONG", limit=MAX_LINE) if line == OVERLONG else ProtocolError("MALFORMED")
    if b"\0" in line:
        raise ProtocolError("NUL")
    if not line.isascii():
        try:
            line.decode()
        except UnicodeDecodeError:
            raise ProtocolError("BADUTF8") from None
    if _KEYS.search(line) is not None:
        line = _COLOUR.sub(b"", line)
        if _KEYS.search(line) is not None:
            raise ProtocolError("CONTROL")
    return without_controls(line)


def without_controls(line: bytes) -> bytes:
    """Return a line without control characters, but with tabs."""
    if not line.isascii():
        line = _C1.sub(b"", line)
    return line.translate(None, _CONTROLS)


def tidied(line: bytes) -> bytes:
    """Return a line without a byte order mark and blanks before its parts, and with a space after its verb."""
    found = _LOOSE.fullmatch(line)
    assert found is not None
    tags, word, blank, rest = found.groups()
    return b"%s%s%s%s" % (tags or b"", word, b" " if blank else b"", rest)


def hint(part: bytes) -> str:
    """Return what to say about the blanks in a verb or in the fields after it; empty if they are as they should be."""
    if b"\t" in part:
        return "; there is a tab where a single space is needed"
    if (found := _OTHER_BLANK.search(part.decode())) is not None:
        return f"; there is the character U+{ord(found[0]):04X} where a plain space is needed"
    if part[:1] == b" " or b"  " in part:
        return "; there is more than one space where a single space is needed"
    return ""


def foreign(line: bytes) -> ProtocolError | None:
    """Return how to refuse a line of another protocol, after which the connection is closed; None if it is none."""
    if line == TLS:
        return ProtocolError("VERSION", "this port is not for TLS; connect in plain text, or to the port for TLS")
    if _BROWSER.fullmatch(line) is not None:
        return ProtocolError("UNKNOWN_VERB", "this port does not speak HTTP; connect with a client for fishchat/1")
    return None
