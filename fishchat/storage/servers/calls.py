"""Calls of the scripts about msg_servers: their names, their leases, and the epoch of the store."""

from __future__ import annotations

from typing import Any

from fishchat.storage.ask import Ask, ignored
from fishchat.storage.script import script

_EPOCH = script("servers/epoch")
_REGISTER = script("servers/register")
_RETIRE = script("servers/retire")
_HOLD = script("servers/hold")
_RELEASE = script("servers/release")
_REAP = script("servers/reap")


def epoch(run_id: bytes, remembered: int, floor: int, format: int) -> Ask[int]:
    """The epoch of this run of Redis. A new store is given this format."""
    return Ask(_EPOCH, (run_id, remembered, floor, format), int)


def register(server: bytes, token: bytes, lease: int, take: bool | bytes, features: bytes) -> Ask[bytes]:
    """Take a name or keep it: ``KEPT``, ``NEW``, ``LOST`` or ``TAKEN``. The server understands these features."""
    return Ask(_REGISTER, (server, token, lease, take, features), bytes)


def hold(name: bytes, token: bytes, lease: int, take: bool | bytes) -> Ask[bytes]:
    """Take or keep a lease for a role without clients, which may then store messages by ``logs/append``."""
    return Ask(_HOLD, (name, token, lease, take), bytes)


def release(name: bytes, incarnation: bytes) -> Ask[None]:
    """Release such a lease."""
    return Ask(_RELEASE, (name, incarnation), ignored)


def retire(server: bytes, incarnation: bytes) -> Ask[None]:
    """Give a name back."""
    return Ask(_RETIRE, (server, incarnation), ignored)


def reap(most: int) -> Ask[tuple[int, bool, list[bytes]]]:
    """End sessions of servers that are gone: how many ended, whether there are more, servers declared dead."""

    def parse(reply: Any) -> tuple[int, bool, list[bytes]]:
        ended, more, dead = reply
        return ended, bool(more), dead

    return Ask(_REAP, (most,), parse)
