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
    """Return the epoch of this run of Redis. A new store gets this format."""
    return Ask(_EPOCH, (run_id, remembered, floor, format), int)


def register(server: bytes, token: bytes, lease: int, take: bool | bytes, features: bytes) -> Ask[bytes]:
    """Take a name or keep it. Returns ``KEPT``, ``NEW``, ``LOST`` or ``TAKEN``. The server announces ``features``."""
    return Ask(_REGISTER, (server, token, lease, take, features), bytes)


def hold(name: bytes, token: bytes, lease: int, take: bool | bytes) -> Ask[bytes]:
    """Take or keep a lease for a role without clients, which may then store messages by ``logs/append``."""
    return Ask(_HOLD, (name, token, lease, take), bytes)


def release(name: bytes, incarnation: bytes) -> Ask[None]:
    """Release the lease of a role without clients."""
    return Ask(_RELEASE, (name, incarnation), ignored)


def retire(server: bytes, incarnation: bytes) -> Ask[None]:
    """Release the name of a msg_server."""
    return Ask(_RETIRE, (server, incarnation), ignored)


def reap(most: int) -> Ask[tuple[int, bool, list[bytes]]]:
    """End sessions of dead servers. Returns how many ended, whether more remain, and the servers declared dead."""

    def parse(reply: Any) -> tuple[int, bool, list[bytes]]:
        ended, more, dead = reply
        return ended, bool(more), dead

    return Ask(_REAP, (most,), parse)
