"""Calls of the scripts by which routers share the shards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fishchat.model.names import START, Position, format_position, parse_position
from fishchat.storage.ask import Ask, ignored
from fishchat.storage.script import script

_TAKE = script("routes/take")
_STORE = script("routes/store")
_RELEASE = script("routes/release")
#: The scripts that a router loads.
SCRIPTS = (_TAKE, _STORE, _RELEASE)


@dataclass(frozen=True)
class Taken:
    """A shard that a router holds now: where to continue reading, and the last hint number of each msg_server."""

    generation: int
    position: Position
    numbers: dict[bytes, int]


def take(stream: bytes, token: bytes, lease: int, held: int) -> Ask[Taken | None]:
    """Take a shard. Returns None while another router holds it."""

    def parse(reply: Any) -> Taken | None:
        if reply is None:
            return None
        generation, at, flat = reply
        said = zip(flat[::2], flat[1::2], strict=True)
        # Redis keeps 'generation number'. The generation belongs to the router that sent the hint.
        numbers = {server: int(last.split()[1]) for server, last in said}
        return Taken(generation, parse_position(at) if at else START, numbers)

    return Ask(_TAKE, (stream, token, lease, held), parse)


def store(
    stream: bytes, token: bytes, lease: int, generation: int, at: Position, numbers: dict[bytes, int], spare: int
) -> Ask[bytes]:
    """Store how far a shard was read. Returns ``OK``, ``LOST`` or ``GIVEN``."""
    flat = [value for pair in numbers.items() for value in pair]
    position = format_position(at) if at != START else b""
    return Ask(_STORE, (stream, token, lease, generation, position, flat, spare), bytes)


def release(stream: bytes, token: bytes) -> Ask[None]:
    """Release a shard."""
    return Ask(_RELEASE, (stream, token), ignored)
