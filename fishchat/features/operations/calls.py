"""Calls of the scripts that read what was done to messages. Storing operations is the queue's own call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fishchat.model.names import Position, format_position
from fishchat.storage.ask import Ask, accepted
from fishchat.storage.script import script

_MESSAGE = script("operations/message")
_VERSIONS = script("operations/versions")
_REACTIONS = script("operations/reactions")
_PINS = script("operations/pins")
_SUMS = script("operations/sums")

#: Position, time in ms, body.
Entry = tuple[bytes, bytes, bytes]


@dataclass(frozen=True)
class Reactions:
    """Some reactions to a message, unordered and perhaps repeated, with the next cursor: account, reaction."""

    cursor: bytes
    found: list[tuple[bytes, bytes]]


def message(account: bytes, conversation: bytes, position: bytes) -> Ask[Entry]:
    """Read one message that the account may see."""

    def parse(reply: Any) -> Entry:
        time, body = accepted(reply)
        return position, time, body

    return Ask(_MESSAGE, (account, conversation, position), parse)


def versions(account: bytes, conversation: bytes, position: bytes, who: str) -> Ask[list[Entry]]:
    """Read all texts of a message, the oldest first; ``who`` may see replaced ones: see the configuration."""
    return Ask(_VERSIONS, (account, conversation, position, who), _entries)


def reactions(account: bytes, conversation: bytes, position: bytes, cursor: bytes) -> Ask[Reactions]:
    """List some of the reactions to a message; the cursor ``b"0"`` begins and ends."""

    def parse(reply: Any) -> Reactions:
        following, flat = accepted(reply)
        return Reactions(following, list(zip(flat[::2], flat[1::2], strict=True)))

    return Ask(_REACTIONS, (account, conversation, position, cursor), parse)


def pins(account: bytes, conversation: bytes) -> Ask[list[Entry]]:
    """Read the pinned messages that the account may see."""
    return Ask(_PINS, (account, conversation), _entries)


def sums(conversation: bytes, positions: list[Position]) -> Ask[list[bytes]]:
    """Read how often each reaction was given to some messages: the value of the tag ``react``, ``-`` for none."""
    return Ask(_SUMS, (conversation, [format_position(position) for position in positions]), list)


def _entries(reply: Any) -> list[Entry]:
    flat = accepted(reply)[0]
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
