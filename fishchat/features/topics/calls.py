"""Calls of the scripts of topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fishchat.features.entering import Entered, parse_entered, parse_other
from fishchat.model.names import Position, parse_position
from fishchat.storage.ask import Ask, accepted, rows
from fishchat.storage.logs.calls import Appended, parse_appended
from fishchat.storage.script import script

#: The members released in one step of a dismissal: a step takes less than 5 ms.
RELEASED = 200

_CREATE = script("topics/create")
_JOIN = script("topics/join")
_LEAVE = script("topics/leave")
_INVITE = script("topics/invite")
_DISMISS = script("topics/dismiss")
_RELEASE = script("topics/release")
_MEMBERS = script("topics/members")
_MEMBER_NAMES = script("topics/member_names")
_LIST = script("topics/list")
_EXISTS = script("topics/exists")


@dataclass(frozen=True)
class Joined:
    """A membership: the membership version, and the position after which the member sees messages."""

    version: int
    after: Position


@dataclass(frozen=True)
class Left:
    """The end of a membership.

    :ivar version: the membership version after it.
    :ivar notice: the notice for the other members, or None.
    """

    version: int
    notice: Appended | None


@dataclass(frozen=True)
class Names:
    """Some names of members, unordered and perhaps repeated, the next cursor, and the membership version."""

    cursor: bytes
    names: list[bytes]
    version: int


@dataclass(frozen=True)
class Member:
    """A member: its role (``owner``, ``admin`` or ``member``), the number it has read, its display name or nothing.

    :ivar muted: until when it is muted, in ms; 0 if it is not.
    """

    account: bytes
    role: bytes
    read: int
    name: bytes
    muted: int


def create(account: bytes, topic: bytes, kind: bytes, topics: int, settings: list[bytes]) -> Ask[Joined]:
    """Create a topic. ``settings`` is flat: names and values. ``topics`` limits the topics of the account."""

    def parse(reply: Any) -> Joined:
        version, position = accepted(reply)
        return Joined(version, parse_position(position))

    return Ask(_CREATE, (account, topic, kind, topics, settings), parse)


def join(
    stream: bytes,
    account: bytes,
    device: bytes,
    topic: bytes,
    text: bytes,
    members: int,
    topics: int,
    notified: int,
    requests: int,
) -> Ask[Entered]:
    """Make an account a member, or store its request with this text; for a member, change nothing.

    ``members``, ``topics`` and ``requests`` are limits; up to ``notified`` members are notified of a new one.
    """
    return Ask(_JOIN, (stream, account, device, topic, text, members, topics, notified, requests), parse_entered)


def leave(account: bytes, topic: bytes, stream: bytes, body: bytes, most: int) -> Ask[Left]:
    """End a membership, or withdraw a request. Topics of at most ``most`` members have a notice of it."""

    def parse(reply: Any) -> Left:
        version, *notice = accepted(reply)
        return Left(version, Appended(*notice) if notice else None)

    return Ask(_LEAVE, (account, topic, stream, body, most), parse)


def invite(account: bytes, topic: bytes, guest: bytes, most: int, stream: bytes, body: bytes) -> Ask[Appended | None]:
    """Let an account join. Returns its notice, or None if it was invited before. ``most`` limits the invitations."""

    def parse(reply: Any) -> Appended | None:
        return parse_appended(reply) if accepted(parse_other(reply)) else None

    return Ask(_INVITE, (account, topic, guest, most, stream, body), parse)


def dismiss(account: bytes, topic: bytes, stream: bytes, body: bytes) -> Ask[Appended]:
    """End a topic. Returns its last notice. The operator, whose ``account`` is empty, needs no right."""
    return Ask(_DISMISS, (account, topic, stream, body), parse_appended)


def release(topic: bytes, most: int) -> Ask[bool]:
    """Release some members of a dismissed topic. Returns whether it released some and more remain."""
    return Ask(_RELEASE, (topic, most), bool)


def member_names(account: bytes, topic: bytes, cursor: bytes, known: int = -1) -> Ask[Names]:
    """Return some names of members; the cursor ``b"0"`` begins and ends.

    There are no names if the membership version is still ``known``.
    """
    return Ask(_MEMBER_NAMES, (account, topic, cursor, known), lambda reply: Names(*accepted(reply)))


def members(account: bytes, topic: bytes, names: list[bytes]) -> Ask[list[Member]]:
    """Describe those of these accounts that are members, in this order."""
    return Ask(_MEMBERS, (account, topic, names), lambda reply: [Member(*row) for row in rows(accepted(reply)[0], 5)])


def topics(account: bytes) -> Ask[list[tuple[bytes, bytes, bytes, int]]]:
    """List the topics of an account by name: topic, owner, kind, number of members."""
    return Ask(_LIST, (account,), lambda packed: sorted(rows(packed, 4)))


def exists(topic: bytes) -> Ask[bool]:
    """Return whether a topic exists."""
    return Ask(_EXISTS, (topic,), bool)
