"""Calls of the scripts of topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fishchat.errors import Refusal
from fishchat.model.names import Position, parse_position
from fishchat.storage.ask import Ask, accepted, rows
from fishchat.storage.script import script

_CREATE = script("topics/create")
_JOIN = script("topics/join")
_LEAVE = script("topics/leave")
_INVITE = script("topics/invite")
_DISMISS = script("topics/dismiss")
_MEMBERS = script("topics/members")
_LIST = script("topics/list")
_EXISTS = script("topics/exists")


@dataclass(frozen=True)
class Joined:
    """A membership: the version that it made or found, and the position after which the member sees messages."""

    version: int
    after: Position


@dataclass(frozen=True)
class Notice:
    """A notice that was stored; ``version`` is the membership version of a topic's conversation, else 0."""

    conversation: bytes
    epoch: int
    number: int
    body: bytes
    version: int = 0


def create(account: bytes, topic: bytes, kind: bytes, topics: int) -> Ask[Joined]:
    """Create a topic."""
    return Ask(_CREATE, (account, topic, kind, topics), _joined)


def join(account: bytes, topic: bytes, members: int, topics: int) -> Ask[Joined]:
    """Become a member; a member stays one. ``members`` and ``topics`` are limits."""
    return Ask(_JOIN, (account, topic, members, topics), _joined)


def _joined(reply: Any) -> Joined:
    version, position = accepted(reply)
    return Joined(version, parse_position(position))


def leave(account: bytes, topic: bytes) -> Ask[int]:
    """End a membership: the new membership version."""

    def parse(reply: Any) -> int:
        version: int = accepted(reply)[0]
        return version

    return Ask(_LEAVE, (account, topic), parse)


def invite(account: bytes, topic: bytes, guest: bytes, most: int, stream: bytes, body: bytes) -> Ask[Notice | None]:
    """Let an account join: its notice, or None if it was invited before. ``most`` limits the invitations of a topic."""

    def parse(reply: Any) -> Notice | None:
        if reply[0] == b"EXISTS":
            raise Refusal("EXISTS", "the account is already a member")
        notice = accepted(reply)
        return Notice(*notice) if notice else None

    return Ask(_INVITE, (account, topic, guest, most, stream, body), parse)


def dismiss(account: bytes, topic: bytes, stream: bytes, body: bytes) -> Ask[Notice]:
    """End a topic: its last notice."""
    return Ask(_DISMISS, (account, topic, stream, body), lambda reply: Notice(*accepted(reply)))


def members(account: bytes, topic: bytes) -> Ask[list[tuple[bytes, bytes, int]]]:
    """The members by name: account, ``owner`` or ``member``, read number."""
    return Ask(_MEMBERS, (account, topic), lambda reply: sorted(rows(accepted(reply)[0], 3)))


def topics(account: bytes) -> Ask[list[tuple[bytes, bytes, bytes, int]]]:
    """The topics of an account by name: topic, owner, kind, number of members."""
    return Ask(_LIST, (account,), lambda packed: sorted(rows(packed, 4)))


def exists(topic: bytes) -> Ask[bool]:
    """Whether there is such a topic."""
    return Ask(_EXISTS, (topic,), bool)
