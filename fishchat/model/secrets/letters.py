"""The letters of passwords: SASLprep (RFC 4013) of the library, and what to tell a person whose password it refuses."""

from __future__ import annotations

from scramp import ScramException
from scramp.core import saslprep

_DIRECTION = (
    "a password with letters that are written from right to left must begin and end with such a letter, and contain no "
    "letters that are written from left to right"
)


def prepare(password: str) -> str:
    """Return the password in the form of SASLprep. Raises ValueError with a sentence that shows no part of it."""
    try:
        text: str = saslprep(password)
    except ScramException:
        raise ValueError(_fault(password)) from None
    return text


def _fault(password: str) -> str:
    for place, letter in enumerate(password, 1):
        try:
            saslprep(letter)
        except ScramException:
            return (
                f"character {place} of the password is not allowed: passwords have the characters of Unicode 3.2, "
                "without control characters and without most emoji; replace it"
            )
    return _DIRECTION
