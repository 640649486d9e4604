"""Short texts that an account writes to the admins of a topic, or they to it. No I/O."""

from __future__ import annotations

import re

#: The most bytes of such a text.
REMARK_BYTES = 256

#: What is wrong with a refused text, in a sentence for people.
RULE = "this text may have no control characters and no characters that change the direction of writing"

_REFUSED = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u206f]")


def remark(raw: bytes) -> bytes:
    """Return a text as it is stored, without blanks around it. Raises ValueError for one that must not be shown."""
    text = raw.decode().strip(" ")
    if _REFUSED.search(text):
        raise ValueError(RULE)
    return text.encode()
