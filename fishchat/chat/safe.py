"""Text of others, made safe to show: what a terminal would obey, or would reorder a line, is shown as an escape."""

from __future__ import annotations

import re

# C0 (except the newline), DEL, C1, the separators of lines, and all that is invisible or changes the direction of text.
_OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# Marks are drawn over the letters before them, without an end.
_STACK = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def safe(text: str) -> str:
    """Return ``text`` with each character that must not reach a terminal as ``\\x1b`` or the like; lines stay lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    text = _STACK.sub(r"\1", text)
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def safe_line(text: str) -> str:
    """Return ``text`` as ``safe`` does, in one line."""
    return safe(text).replace("\n", " ⏎ ")
