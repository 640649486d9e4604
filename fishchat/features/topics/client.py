"""Requests about topics, for the client library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from fishchat.features.requests import (
    Events,
    Request,
    is_member,
    items,
    line_text,
    name_of,
    nothing,
    request,
    tagged_items,
)
from fishchat.features.topics import rows

Kind = Literal["open", "approval", "invitation"]
Role = Literal["owner", "admin", "member"]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that one is a member of."""

    topic: str
    owner: str
    kind: Kind
    members: int


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a topic: whether it owns it, the number that it has read, its display name.

    ``admin`` is whether it is an admin. ``muted`` is until when it may not write, in seconds since 1970; 0.0 if it
    may.
    """

    account: str
    owner: bool
    read: int
    name: str = ""
    admin: bool = False
    muted: float = 0.0

    @property
    def role(self) -> Role:
        """The role: ``owner``, ``admin`` or ``member``."""
        return "owner" if self.owner else "admin" if self.admin else "member"


EVENTS: Events = {}


def create_topic(
    topic: str,
    kind: Kind = "open",
    write: Literal["all", "admins"] = "all",
    history: Literal["joined", "all"] = "joined",
    listed: bool = False,
) -> Request[None]:
    """Create a topic. After a first attempt with an unknown outcome, EXISTS may mean that it succeeded."""
    given = {b"kind": (kind, "open"), b"write": (write, "all"), b"history": (history, "joined")}
    tags = {name: value.encode() for name, (value, usual) in given.items() if value != usual}
    if listed:
        tags[b"listed"] = b""
    return request(rows.CREATE_TOPIC, name_of(topic), tags=tags, result=nothing)


def join(topic: str, text: str = "") -> Request[bool]:
    """Join a topic: whether one is a member now. If not, its admins were asked, with this text."""
    said = line_text(text, "FIELDS") if text else b""
    return request(rows.JOIN_TOPIC, name_of(topic), text=said, result=is_member)


def leave(topic: str) -> Request[None]:
    """End one's membership."""
    return request(rows.LEAVE_TOPIC, name_of(topic), result=nothing, settled="NOTMEMBER")


def invite(topic: str, account: str) -> Request[None]:
    """Let an account join, and notify it."""
    return request(rows.INVITE_TOPIC, name_of(topic), name_of(account), result=nothing)


def dismiss(topic: str) -> Request[None]:
    """Close a topic of one's own."""
    return request(rows.DISMISS_TOPIC, name_of(topic), result=nothing, settled="NOTFOUND")


def topics() -> Request[list[Topic]]:
    """List the topics that one is a member of."""

    def one(item: bytes, _escaped: bool) -> Topic:
        topic, owner, kind, members, *_ = item.decode().split(" ")
        return Topic(topic, owner, cast(Kind, kind), int(members))

    return request(rows.REQ_TOPICS, result=items(one))


def members(topic: str, after: str | None = None, limit: int | None = None) -> Request[list[Member]]:
    """List the members of a topic by name: all of them, or at most ``limit`` of those after a name."""
    tags: dict[bytes, Any] = {}
    if after is not None:
        tags[b"after"] = name_of(after)
    if limit is not None:
        tags[b"limit"] = limit

    def one(item: bytes, tags: Mapping[bytes, bytes]) -> Member:
        account, role, read, *shown = item.decode().split(" ", 3)
        muted = int(tags.get(b"muted", b"0")) / 1000
        return Member(account, role == "owner", int(read), "".join(shown), role == "admin", muted)

    return request(rows.REQ_MEMBERS, name_of(topic), tags=tags, result=tagged_items(one))
