"""Requests about links, requests to join and the directory, for the client library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

from fishchat.errors import ProtocolError
from fishchat.features.links import rows
from fishchat.features.requests import (
    Events,
    Reply,
    Request,
    is_member,
    items,
    line_text,
    name_of,
    nothing,
    refused,
    request,
    text_of,
)


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that was just created: the code that leads into the topic, and the id by which it is listed."""

    code: str
    id: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a topic.

    :ivar left: how many accounts may still use it; None for any number. :ivar expires: its end, in seconds since 1970.
    :ivar approval: whether it leads to a request only.
    """

    id: str
    by: str
    left: int | None
    expires: float
    approval: bool


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A request to join a topic, made at ``time`` (seconds since 1970)."""

    account: str
    time: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class ListedTopic:
    """A topic of the directory; the title may be empty."""

    topic: str
    kind: Literal["open", "approval", "invitation"]
    members: int
    title: str = ""


EVENTS: Events = {}


def create_link(
    topic: str, seconds: int | None = None, uses: int | None = None, approval: bool = False
) -> Request[NewLink]:
    """Create a link into a topic, for 7 days and any number of accounts if nothing else is said."""
    tags: dict[bytes, Any] = {}
    if seconds is not None:
        tags[b"for"] = seconds
    if uses is not None:
        tags[b"uses"] = uses
    if approval:
        tags[b"approval"] = b""

    def made(reply: Reply) -> NewLink:
        code, link, *_ = reply.rest.decode().split(" ")
        return NewLink(code, link)

    return request(rows.CREATE_LINK, name_of(topic), tags=tags, result=made)


def revoke_link(topic: str, link: str) -> Request[int]:
    """Revoke a link by its code or id, or ``all``: how many were revoked."""

    def revoked(reply: Reply) -> int:
        return int(reply.rest.rpartition(b" ")[2])

    return request(rows.REVOKE_LINK, name_of(topic), _code_of(link), result=revoked)


def links(topic: str) -> Request[list[Link]]:
    """List the links of a topic."""

    def one(item: bytes, _escaped: bool) -> Link:
        link, by, left, expires, way = item.decode().split(" ")[:5]
        return Link(link, by, None if left == "-" else int(left), int(expires) / 1000, way == "approval")

    return request(rows.REQ_LINKS, name_of(topic), result=items(one))


def join_link(code: str, text: str = "") -> Request[tuple[str, bool]]:
    """Join by a link: the topic, and whether one is a member now. If not, its admins were asked, with this text."""

    def joined(reply: Reply) -> tuple[str, bool]:
        return reply.rest.decode().split(" ")[0], is_member(reply)

    return request(rows.JOIN_LINK, _code_of(code), text=_remark_of(text), result=joined)


def join_requests(topic: str) -> Request[list[JoinRequest]]:
    """List the requests to join a topic, oldest first."""

    def one(item: bytes, escaped: bool) -> JoinRequest:
        account, time, *text = item.split(b" ", 2)
        return JoinRequest(account.decode(), int(time) / 1000, text_of(b"".join(text), escaped))

    return request(rows.REQ_REQUESTS, name_of(topic), result=items(one))


def accept_member(topic: str, account: str) -> Request[None]:
    """Accept the request of an account. After an attempt with an unknown outcome, EXISTS means that it succeeded."""
    return request(rows.ACCEPT_MEMBER, name_of(topic), name_of(account), result=nothing, settled="EXISTS")


def refuse_member(topic: str, account: str, reason: str = "") -> Request[None]:
    """Refuse the request of an account."""
    text = _remark_of(reason)
    return request(rows.REFUSE_MEMBER, name_of(topic), name_of(account), text=text, result=nothing, settled="NOTFOUND")


def directory(prefix: str = "", after: str | None = None, limit: int | None = None) -> Request[list[ListedTopic]]:
    """List the topics of the directory by name: up to ``limit`` (1 to 100; 100 if None) after a name."""
    tags: dict[bytes, Any] = {}
    if after is not None:
        tags[b"after"] = name_of(after)
    if limit is not None:
        tags[b"limit"] = limit

    def one(item: bytes, escaped: bool) -> ListedTopic:
        topic, kind, members, *title = item.split(b" ", 3)
        shown = text_of(b"".join(title), escaped)
        known = cast(Literal["open", "approval", "invitation"], kind.decode())
        return ListedTopic(topic.decode(), known, int(members), shown)

    return request(rows.REQ_DIRECTORY, text=name_of(prefix) if prefix else b"", tags=tags, result=items(one))


def _code_of(value: str) -> bytes:
    try:
        return rows.read_code(value.encode("utf-8", "replace"))
    except ProtocolError:
        raise refused("NOTFOUND") from None


def _remark_of(text: str) -> bytes:
    return line_text(text, "FIELDS") if text else b""
