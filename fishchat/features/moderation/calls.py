"""Calls of the scripts by which a topic is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fishchat.storage.ask import Ask, accepted, rows
from fishchat.storage.logs.calls import Appended, parse_appended
from fishchat.storage.packing import unpack
from fishchat.storage.script import script

#: The most admins of a topic, bans of a topic, and mutes of a topic.
ADMINS, BANS, MUTES = 100, 10_000, 10_000
#: The bans or mutes that one step reads: a step takes less than 5 ms.
STEP = 500

_SET = script("moderation/set")
_DESCRIBE = script("moderation/describe")
_SET_ROLE = script("moderation/set_role")
_TRANSFER = script("moderation/transfer")
_KICK = script("moderation/kick")
_BAN = script("moderation/ban")
_UNBAN = script("moderation/unban")
_LIST_BANNED = script("moderation/list_banned")
_MUTE = script("moderation/mute")
_UNMUTE = script("moderation/unmute")
_LAPSE = script("moderation/lapse")


@dataclass(frozen=True)
class Actor:
    """An account that changes a topic, with its device."""

    account: bytes
    device: bytes


#: The operator, who needs no right: no client can have this device. In notices it is ``-``.
OPERATOR = Actor(b"-", b"*")


@dataclass(frozen=True)
class Change:
    """A change of a topic.

    :ivar notice: the notice of it; None if nothing changed.
    :ivar version: the membership version after it, if it ended a membership; else 0.
    """

    notice: Appended | None
    version: int = 0


@dataclass(frozen=True)
class Ban:
    """A ban: until when in ms (0 for ever), by whom, and why."""

    account: bytes
    until: int
    by: bytes
    reason: bytes


def set_topic(stream: bytes, by: Actor, topic: bytes, setting: bytes, value: bytes) -> Ask[Change]:
    """Change a setting; an empty value removes a text."""
    return Ask(_SET, (stream, by.account, by.device, topic, setting, value), _changed)


def describe(by: Actor, topic: bytes) -> Ask[list[tuple[bytes, bytes]]]:
    """Describe a topic: pairs of a setting and its value."""

    def parse(reply: Any) -> list[tuple[bytes, bytes]]:
        flat = unpack(accepted(reply)[0])
        return list(zip(flat[::2], flat[1::2], strict=True))

    return Ask(_DESCRIBE, (by.account, by.device, topic), parse)


def set_role(stream: bytes, by: Actor, topic: bytes, other: bytes, role: bytes) -> Ask[Change]:
    """Make a member an ``admin`` or a ``member``."""
    return Ask(_SET_ROLE, (stream, by.account, by.device, topic, other, role, ADMINS), _changed)


def transfer(stream: bytes, by: Actor, topic: bytes, heir: bytes) -> Ask[Change]:
    """Make another member the owner."""
    return Ask(_TRANSFER, (stream, by.account, by.device, topic, heir), _changed)


def kick(stream: bytes, by: Actor, topic: bytes, other: bytes, reason: bytes) -> Ask[Change]:
    """End a membership."""
    return Ask(_KICK, (stream, by.account, by.device, topic, other, reason), _expelled)


def ban(stream: bytes, by: Actor, topic: bytes, other: bytes, seconds: int, reason: bytes) -> Ask[Change]:
    """Ban an account for some seconds, 0 for ever."""
    return Ask(_BAN, (stream, by.account, by.device, topic, other, seconds, reason, BANS), _expelled)


def unban(stream: bytes, by: Actor, topic: bytes, other: bytes) -> Ask[Change]:
    """End a ban."""
    return Ask(_UNBAN, (stream, by.account, by.device, topic, other), _changed)


def list_banned(by: Actor, topic: bytes, cursor: bytes) -> Ask[tuple[bytes, list[Ban]]]:
    """Return some bans, unordered and perhaps repeated, after the next cursor; ``b"0"`` begins and ends."""

    def parse(reply: Any) -> tuple[bytes, list[Ban]]:
        following, packed = accepted(reply)
        return following, [Ban(*row) for row in rows(packed, 4)]

    return Ask(_LIST_BANNED, (by.account, by.device, topic, cursor, STEP), parse)


def mute(stream: bytes, by: Actor, topic: bytes, other: bytes, seconds: int, reason: bytes) -> Ask[Change]:
    """Mute a member for some seconds."""
    return Ask(_MUTE, (stream, by.account, by.device, topic, other, seconds, reason, MUTES), _changed)


def unmute(stream: bytes, by: Actor, topic: bytes, other: bytes) -> Ask[Change]:
    """End a mute."""
    return Ask(_UNMUTE, (stream, by.account, by.device, topic, other), _changed)


def lapse(topic: bytes, which: bytes, cursor: bytes) -> Ask[bytes]:
    """Remove some of the bans (``banned``) or mutes (``muted``) that have lapsed. Returns the next cursor."""
    return Ask(_LAPSE, (topic, which, cursor, STEP), bytes)


def _changed(reply: Any) -> Change:
    return Change(parse_appended(reply) if accepted(reply) else None)


def _expelled(reply: Any) -> Change:
    version, *notice = accepted(reply)
    return Change(Appended(*notice), version)
