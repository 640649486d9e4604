"""Values for the scripts: packed as one argument, in the units and forms that they expect."""

from __future__ import annotations

from typing import Any

import msgpack


def pack(*args: Any) -> bytes:
    """Return the one argument of a script. The MessagePack of Redis has no bin type, so bytes are packed as raw
    strings.
    """
    packed: bytes = msgpack.packb(args, use_bin_type=False)
    return packed


def unpack(packed: bytes) -> Any:
    """Return the values that a script packed; strings are bytes."""
    return msgpack.unpackb(packed, raw=True)


def days_in_ms(days: float) -> int:
    """Convert days to the unit of the scripts, milliseconds."""
    return int(days * 86_400_000)


def privacy_of(chosen: str) -> bytes:
    """Return the stored form of who may start a conversation with an account: empty for ``everyone``."""
    return b"" if chosen == "everyone" else chosen.encode()
