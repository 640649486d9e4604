"""Requests about running a topic, for the client library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fishchat.features.moderation import rows
from fishchat.features.moderation.settings import NONE, SETTINGS
from fishchat.features.requests import (
    Events,
    RefusedError,
    Reply,
    Request,
    items,
    line_text,
    name_of,
    nothing,
    request,
)

Role = Literal["admin", "member"]


@dataclass(frozen=True, slots=True)
class Ban:
    """A banned account, until when in seconds since 1970 (0.0 for ever), by whom, and why."""

    account: str
    until: float
    by: str
    reason: str = ""


EVENTS: Events = {}


def set_topic(topic: str, setting: str, value: str) -> Request[None]:
    """Change a setting of a topic; an empty value removes a name, a description or an announcement."""
    known = SETTINGS.get(setting.encode("utf-8", "replace"))
    if known is None:
        raise RefusedError("FIELDS", f"a topic has no setting {setting}")
    raw = value.encode("utf-8", "surrogatepass") or NONE
    try:
        known.check(raw)
    except ValueError as error:
        raise RefusedError("FIELDS", str(error)) from None
    return request(rows.SET_TOPIC, name_of(topic), known.name, text=raw, result=nothing)


def describe(topic: str) -> Request[dict[str, str]]:
    """Describe a topic: setting → value, and its ``owner``, ``members``, own ``role`` and so on."""

    def pairs(reply: Reply) -> dict[str, str]:
        found = [item.decode("utf-8", "replace").split(" ", 1) for item, _ in reply.items]
        return {name: "".join(value) for name, *value in found}

    return request(rows.REQ_TOPIC, name_of(topic), result=pairs)


def set_role(topic: str, account: str, role: Role) -> Request[None]:
    """Make a member an admin, or an admin a member."""
    raw = role.encode("utf-8", "replace")
    if raw not in rows.ROLES:
        raise RefusedError("FIELDS", "the role must be admin or member")
    return request(rows.SET_ROLE, name_of(topic), name_of(account), raw, result=nothing)


def transfer(topic: str, account: str) -> Request[None]:
    """Make another member the owner. After an attempt with an unknown outcome, RIGHTS may mean that it succeeded."""
    return request(rows.TRANSFER_TOPIC, name_of(topic), name_of(account), result=nothing)


def kick(topic: str, account: str, reason: str = "") -> Request[None]:
    """End the membership of an account."""
    who = name_of(topic), name_of(account)
    return request(rows.KICK_MEMBER, *who, text=_reason(reason), result=nothing, settled="NOTMEMBER")


def ban(topic: str, account: str, reason: str = "", seconds: int | None = None) -> Request[None]:
    """Keep an account out of a topic, for some seconds or for ever."""
    who = name_of(topic), name_of(account)
    return request(rows.BAN_MEMBER, *who, text=_reason(reason), tags=_for(seconds), result=nothing)


def unban(topic: str, account: str) -> Request[None]:
    """End a ban."""
    return request(rows.UNBAN_MEMBER, name_of(topic), name_of(account), result=nothing, settled="NOTFOUND")


def banned(topic: str, after: str | None = None, limit: int | None = None) -> Request[list[Ban]]:
    """List the accounts that are banned from a topic, by name: the first ones, or those after a name."""
    tags: dict[bytes, Any] = {}
    if after is not None:
        tags[b"after"] = name_of(after)
    if limit is not None:
        tags[b"limit"] = limit

    def one(item: bytes, _escaped: bool) -> Ban:
        account, until, by, *reason = item.decode("utf-8", "replace").split(" ", 3)
        return Ban(account, int(until) / 1000, by, "".join(reason))

    return request(rows.REQ_BANNED, name_of(topic), tags=tags, result=items(one))


def mute(topic: str, account: str, reason: str = "", seconds: int | None = None) -> Request[None]:
    """Let a member read, but not write, for some seconds (a day if None)."""
    who = name_of(topic), name_of(account)
    return request(rows.MUTE_MEMBER, *who, text=_reason(reason), tags=_for(seconds), result=nothing)


def unmute(topic: str, account: str) -> Request[None]:
    """End a mute."""
    return request(rows.UNMUTE_MEMBER, name_of(topic), name_of(account), result=nothing, settled="NOTFOUND")


def _reason(reason: str) -> bytes:
    return line_text(reason, "FIELDS") if reason else b""


def _for(seconds: int | None) -> Mapping[bytes, int]:
    return {} if seconds is None else {b"for": seconds}
