"""Calls of the scripts about msg_servers: their names, their leases, and the epoch of the store."""

from __future__ import annotations

from typing import Any

from fishchat.storage.ask import Ask, ignored
from fishchat.storage.script import script

_EPOCH = script("servers/epoch")
_REGISTER = script("servers/register")
_RETIRE = script("servers/retire")
_REAP = script("servers/reap")


def epoch(run_id: bytes, remembered: int, floor: int) -> Ask[int]:
    """The epoch of this run of Redis."""
    return Ask(_EPOCH, (run_id, remembered, floor), int)


def register(server: bytes, token: bytes, lease: int, take: bool | bytes) -> Ask[bytes]:
    """Take a name or keep it: ``KEPT``, ``NEW``, ``LOST`` or ``TAKEN``."""
    return Ask(_REGISTER, (server, token, lease, take), bytes)


def retire(server: bytes, incarnation: bytes) -> Ask[None]:
    """Give a name back."""
    return Ask(_RETIRE, (server, incarnation), ignored)


def reap(most: int) -> Ask[tuple[int, bool, list[bytes]]]:
    """End sessions of servers that are gone: how many ended, whether there are more, servers declared dead."""

    def parse(reply: Any) -> tuple[int, bool, list[bytes]]:
        ended, more, dead = reply
        return ended, bool(more), dead

    return Ask(_REAP, (most,), parse)
