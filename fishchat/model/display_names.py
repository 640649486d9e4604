"""The names and texts that accounts show to people. They may be in any script.

The rule uses no table of the Python that runs it, so that all servers give the same answer, whatever their version: a
character that a later Unicode adds is accepted today.
"""

from __future__ import annotations

import re
from unicodedata import ucd_3_2_0 as fixed

#: The most characters of a display name.
DISPLAY_LENGTH = 64

#: What is wrong with a refused name, in a sentence for people.
RULE = (
    f"a display name must have 1 to {DISPLAY_LENGTH} characters of any script, one of them visible, and no line "
    "breaks, control characters or characters that change the direction of writing"
)

#: The blanks of all scripts.
_SPACES = " \xa0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
#: Controls, line and paragraph separators, marks that change the direction, characters that mean nothing.
_REFUSED = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u206f\\ufdd0-\\ufdef\\ufff9-\\ufffb]"
    "|[" + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17)) + "]"
)
#: Tags are invisible letters. They stand for something only after a black flag: 🏴 and `gbeng` is the flag of England.
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
_TAG = re.compile("[\U000e0000-\U000e007f]")
#: What shows nothing: joiners, fillers of Hangul, the empty pattern of Braille, variation selectors.
_BLANK = re.compile(
    "[\\xad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200d\\u2060-\\u2065\\u2800\\u3164\\ufe00-\\ufe0f"
    "\\ufeff\\uffa0\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]"
)


def display_name(raw: bytes) -> bytes:
    """Return a display name as it is stored: without blanks around it, which may be those of any script.

    Blanks inside stay as they were typed: the wide one is part of Japanese names. Raises ValueError for a name that
    must not be shown.
    """
    text = _stripped(raw)
    if text is None or len(text) > DISPLAY_LENGTH:
        raise ValueError(RULE)
    return text.encode()


def shown_text(raw: bytes, longest: int) -> bytes:
    """Return a text of up to ``longest`` bytes that others read in one line, without blanks around it.

    Raises ValueError for a text that must not be shown; the error says what it must have.
    """
    text = _stripped(raw)
    found = b"" if text is None else text.encode()
    if not 0 < len(found) <= longest:
        raise ValueError(
            f"a text must have 1 to {longest} bytes, one visible character, and no line breaks, control characters or "
            "characters that change the direction of writing"
        )
    return found


def _stripped(raw: bytes) -> str | None:
    """Return a text without the blanks around it; None if it must not be shown."""
    try:
        text = raw.decode().strip(_SPACES)
    except UnicodeDecodeError:
        return None
    if _REFUSED.search(text) or _TAG.search(_FLAG.sub("", text)):
        return None
    return text if any(map(_is_visible, _BLANK.sub("", text))) else None


def is_display_name(raw: bytes) -> bool:
    """Return whether the name may be shown to people."""
    try:
        return display_name(raw) != b""
    except ValueError:
        return False


def _is_visible(letter: str) -> bool:
    # Neither a blank nor a mark that needs a letter before it. What Unicode 3.2 does not know counts as a letter.
    return fixed.category(letter)[0] not in "ZM"


def remark(raw: bytes) -> bytes:
    """Return a remark about an account or a conversation, by the rule of display names; empty for ``-`` or nothing.

    Raises ValueError for a remark that must not be shown.
    """
    if raw.strip() in (b"", b"-"):
        return b""
    try:
        return display_name(raw)
    except ValueError as error:
        raise ValueError(str(error).replace("display name", "remark", 1)) from None


def is_clean(raw: bytes) -> bool:
    """Return whether a text has no line breaks, controls or characters that change the direction of writing."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return False
    return not _REFUSED.search(text) and not _TAG.search(_FLAG.sub("", text))
