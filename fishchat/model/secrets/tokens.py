"""Secrets that the server makes: tokens of devices and invitations. No I/O.

They are so long that nobody guesses one, so the store keeps a plain hash of each and nothing has to be slow.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

#: What they begin with, so that a token is told from a password, and found when it stands where it must not.
TOKEN, INVITATION = b"fct_", b"fci_"


def new_token() -> bytes:
    """256 random bits, as text without blanks."""
    return TOKEN + secrets.token_urlsafe(32).encode()


def new_invitation() -> bytes:
    """128 random bits: an invitation is typed, and ends after days."""
    return INVITATION + secrets.token_urlsafe(16).encode()


def is_token(secret: bytes) -> bool:
    """Whether a secret claims to be a token; a password may not."""
    return secret.startswith(TOKEN)


def fingerprint(secret: bytes) -> bytes:
    """What the store keeps of a token or an invitation: SHA-256 in hex."""
    return sha256(secret).hexdigest().encode()
