"""Secrets that the server makes: tokens of devices, invitations and links. No I/O.

They are too long to guess, so the store keeps a plain hash of each and nothing has to be slow.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

#: Their prefixes, which distinguish a token from a password, and make it detectable in the wrong place.
TOKEN, INVITATION, LINK, CODE = b"fct_", b"fci_", b"fcj_", b"fcc_"
#: The digits of a fingerprint that name a link.
LINK_DIGITS = 10


def new_token() -> bytes:
    """Return 256 random bits, as text without blanks."""
    return TOKEN + secrets.token_urlsafe(32).encode()


def new_invitation() -> bytes:
    """Return 128 random bits: an invitation is typed, and expires after days."""
    return INVITATION + secrets.token_urlsafe(16).encode()


def new_link() -> bytes:
    """Return 128 random bits: the code of a link into a topic."""
    return LINK + secrets.token_urlsafe(16).encode()


def new_code() -> bytes:
    """Return 128 random bits: a code that is redeemed once, within minutes."""
    return CODE + secrets.token_urlsafe(16).encode()


def is_token(secret: bytes) -> bool:
    """Return whether a secret has the form of a token; a password may not."""
    return secret.startswith(TOKEN)


def fingerprint(secret: bytes) -> bytes:
    """Return the stored form of a token, an invitation, a link or a code: SHA-256 in hex."""
    return sha256(secret).hexdigest().encode()
