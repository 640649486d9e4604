"""Events of the audit record: logins, refusals, and changes of accounts. Never texts or secrets. No I/O.

An event is a set of fields, each a word and a value. Its line is ``kind=… address=… …``, in which every byte of a value
that could end the value or the line is escaped as in a URL: a peer chooses names, and one event is always one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote_from_bytes

#: Kind → its meaning, for the help of the command line.
KINDS = {
    "login": "an accepted login",
    "refused": "a refused login, sign-up, code, password change or deletion",
    "signup": "a new account of a client",
    "redeemed": "a device let in by a code of the operator",
    "password": "a password changed by its owner",
    "revoked": "a device revoked by its owner",
    "deleted": "an account deleted by its owner",
    "reported": "a message reported by an account",
    "admin": "a change by the operator",
    "lost": "events that could not be recorded",
}

#: The order of the fields on a line. The address is early, so that a pattern can find it before any name.
FIELDS = (
    "kind",
    "address",
    "reason",
    "verb",
    "account",
    "device",
    "method",
    "server",
    "by",
    "action",
    "what",
    "why",
    "more",
)

#: Characters of a value that need no escape, besides letters, digits and ``_.-~``.
_SAFE = "/:@+,"
#: Bytes of a value that are kept.
LONGEST = 200

Event = Mapping[str, "bytes | str"]


def ordered(event: Event) -> list[tuple[str, bytes]]:
    """Return the fields of an event in their order, as bytes, without empty ones."""
    found = []
    for name in FIELDS:
        value = event.get(name)
        if value:
            found.append((name, (value if isinstance(value, bytes) else value.encode(errors="replace"))[:LONGEST]))
    return found


def line(event: Event) -> str:
    """Return the event as one line of ``key=value``."""
    return " ".join(f"{name}={quote_from_bytes(value, _SAFE)}" for name, value in ordered(event))
