"""How values reach the scripts: packed as one argument, in the units and forms that they expect."""

from __future__ import annotations

from typing import Any

import msgpack


def pack(*args: Any) -> bytes:
    """The one argument of a script. The MessagePack of Redis has no bin type, so bytes are packed as raw strings."""
    packed: bytes = msgpack.packb(args, use_bin_type=False)
    return packed


def unpack(packed: bytes) -> Any:
    """What a script packed; strings come as bytes."""
    return msgpack.unpackb(packed, raw=True)


def days_in_ms(days: float) -> int:
    """Days in the unit of the scripts, milliseconds."""
    return int(days * 86_400_000)


def privacy_of(chosen: str) -> bytes:
    """How the store keeps who may start a conversation with an account: nothing for ``everyone``."""
    return b"" if chosen == "everyone" else chosen.encode()
