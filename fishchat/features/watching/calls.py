"""Calls of the scripts of watching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fishchat.errors import Refusal
from fishchat.features.watching import rows
from fishchat.storage.ask import Ask, accepted, nothing
from fishchat.storage.script import script

_ONLINE = script("watching/online")
_PRESENCES = script("watching/presences")
_MAY_OPEN = script("watching/may_open")
_TYPING = script("watching/typing")
_READERS = script("watching/readers")
_SAW = script("watching/saw")

#: Whether an account is online, and since when or when it was last seen (ms; 0 if unknown).
Seen = tuple[bool, int]


def online(accounts: Sequence[bytes]) -> Ask[list[bool]]:
    """Return whether each account is online."""
    return Ask(_ONLINE, (list(accounts),), lambda reply: [bool(one) for one in reply])


def presences(watches: Sequence[tuple[bytes, bytes]]) -> Ask[list[Seen]]:
    """Return what a watcher sees of an account, for each pair of the two."""

    def parse(reply: Any) -> list[Seen]:
        return [(bool(is_online), ms) for is_online, ms in zip(reply[::2], reply[1::2], strict=True)]

    return Ask(_PRESENCES, ([name for watch in watches for name in watch],), parse)


def may_open(account: bytes, topic: bytes) -> Ask[None]:
    """Check that an account may watch a topic."""
    return Ask(_MAY_OPEN, (account, topic), nothing)


def typing(stream: bytes, account: bytes, conversation: bytes, peer: bytes) -> Ask[bool]:
    """Show that an account is typing. Returns whether it may be shown; ``peer`` is empty for a topic."""
    values = (stream, account, conversation, peer, rows.TYPING_MEMBERS)
    return Ask(_TYPING, values, lambda reply: bool(accepted(reply)[0]))


@dataclass(frozen=True)
class Readers:
    """Who has read a message.

    :ivar members: how many members there are.
    :ivar names: those that have read it.
    :ivar later: those that have too, but joined later: ``saw`` returns which of them were members before.
    """

    members: int
    names: list[bytes]
    later: list[bytes]


def readers(account: bytes, conversation: bytes, position: bytes) -> Ask[Readers]:
    """Return who has read up to this position."""

    def parse(reply: Any) -> Readers:
        if reply[0] == b"FULL":
            most = rows.READERS_MEMBERS
            raise Refusal("FULL", f"a topic of more than {most} members does not tell who has read", limit=most)
        return Readers(*accepted(reply))

    return Ask(_READERS, (account, conversation, position, rows.READERS_MEMBERS), parse)


def saw(conversation: bytes, position: bytes, accounts: Sequence[bytes]) -> Ask[list[bytes]]:
    """Return which of these accounts may see the message at this position."""
    return Ask(_SAW, (conversation, position, list(accounts)), list)
