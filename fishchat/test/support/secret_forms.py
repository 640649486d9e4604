"""A secret in every form in which it may have been written, to search for it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from fishchat.errors import Refusal
from fishchat.model.secrets.passwords import prepared


def forms(secret: str) -> set[bytes]:
    """Return the forms of a secret: raw, prepared, hex, base64 (any offset), URL, JSON, Python, Redis ``MONITOR``."""
    return {form for one in {secret, _prepared(secret)} for form in _forms(one)}


def found(secrets: dict[str, str], data: bytes) -> list[str]:
    """Return the names of the secrets that ``data`` contains in some form."""
    return [name for name, secret in secrets.items() if any(form in data for form in forms(secret))]


def _prepared(secret: str) -> str:
    try:
        return prepared(secret.encode())
    except Refusal:
        # This cannot be a password, so it has no such form.
        return secret


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    yield raw
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    yield from (quote(secret, safe="").encode(), quote_plus(secret).encode(), quote(secret, safe="").lower().encode())
    yield from (json.dumps(secret)[1:-1].encode(), json.dumps(secret, ensure_ascii=False)[1:-1].encode())
    yield from (repr(secret)[1:-1].encode(), repr(raw)[2:-1].encode(), secret.encode("unicode_escape"))
    yield "".join(_as_redis_shows(byte) for byte in raw).encode()
    yield secret.encode("utf-16-le")
    for before in range(3):
        # The letters of base64 that depend on the secret alone, not on the bytes around it.
        whole = b64encode(b"-" * before + raw)
        letters = whole[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
        yield letters
        yield letters.replace(b"+", b"-").replace(b"/", b"_")


def _as_redis_shows(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"
