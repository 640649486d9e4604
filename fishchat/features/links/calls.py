"""Calls of the scripts of links, requests and the directory.

``members``, ``topics``, ``requests`` and ``most`` are limits; up to ``notified`` members are notified of a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fishchat.errors import Refusal
from fishchat.features.entering import Entered, parse_entered, parse_other
from fishchat.storage.ask import Ask, accepted, rows
from fishchat.storage.logs.calls import Appended, parse_appended
from fishchat.storage.script import script

_CREATE_LINK = script("links/create_link")
_REVOKE_LINK = script("links/revoke_link")
_LIST_LINKS = script("links/list_links")
_JOIN_LINK = script("links/join_link")
_LIST_REQUESTS = script("links/list_requests")
_ACCEPT = script("links/accept")
_REFUSE = script("links/refuse")
_DIRECTORY = script("links/directory")


@dataclass(frozen=True)
class Link:
    """A link: the fingerprint of its code, its creator, and its end in ms. ``left`` is empty for any number of uses."""

    fingerprint: bytes
    by: bytes
    left: bytes
    until: int
    approval: bytes


@dataclass(frozen=True)
class JoinRequest:
    """A request to join a topic, made at ``time`` (ms)."""

    time: int
    account: bytes
    text: bytes


@dataclass(frozen=True)
class Listed:
    """A topic of the directory; the title may be empty."""

    topic: bytes
    kind: bytes
    members: int
    title: bytes


def create_link(
    account: bytes, topic: bytes, fingerprint: bytes, life: int, uses: int | None, approval: bool, most: int
) -> Ask[int]:
    """Create a link that is good for ``life`` ms and for ``uses`` accounts. Returns its end in ms."""

    def parse(reply: Any) -> int:
        until: int = accepted(reply)[0]
        return until

    left = b"" if uses is None else uses
    return Ask(_CREATE_LINK, (account, topic, fingerprint, life, left, approval, most), parse)


def revoke_link(account: bytes, topic: bytes, which: bytes) -> Ask[int]:
    """Revoke the links whose fingerprints begin so; all if empty. Returns how many were good."""

    def parse(reply: Any) -> int:
        revoked: int = accepted(reply)[0]
        return revoked

    return Ask(_REVOKE_LINK, (account, topic, which), parse)


def links(account: bytes, topic: bytes) -> Ask[list[Link]]:
    """List the links that are good, ordered by their end."""

    def parse(reply: Any) -> list[Link]:
        return sorted((Link(*row) for row in rows(accepted(reply)[0], 5)), key=lambda link: link.until)

    return Ask(_LIST_LINKS, (account, topic), parse)


def join_link(
    stream: bytes,
    account: bytes,
    device: bytes,
    fingerprint: bytes,
    text: bytes,
    members: int,
    topics: int,
    notified: int,
    requests: int,
) -> Ask[tuple[bytes, Entered]]:
    """Join a topic by a link, or ask to join it. Returns the topic, too."""

    def parse(reply: Any) -> tuple[bytes, Entered]:
        entered = parse_entered(reply)
        return reply[4], entered

    values = (stream, account, device, fingerprint, text, members, topics, notified, requests)
    return Ask(_JOIN_LINK, values, parse)


def requests(account: bytes, topic: bytes) -> Ask[list[JoinRequest]]:
    """List the requests to join a topic, oldest first."""

    def one(asker: bytes, stored: bytes) -> JoinRequest:
        time, _, text = stored.partition(b" ")
        return JoinRequest(int(time), asker, text)

    def parse(reply: Any) -> list[JoinRequest]:
        found = [one(*row) for row in rows(accepted(reply)[0], 2)]
        return sorted(found, key=lambda asked: (asked.time, asked.account))

    return Ask(_LIST_REQUESTS, (account, topic), parse)


def accept(
    stream: bytes,
    account: bytes,
    device: bytes,
    topic: bytes,
    guest: bytes,
    members: int,
    topics: int,
    notified: int,
    body: bytes,
) -> Ask[Entered]:
    """Make an account that has asked a member of the topic; ``body`` is the notice for it."""

    def parse(reply: Any) -> Entered:
        return parse_entered(_about_request(reply))

    return Ask(_ACCEPT, (stream, account, device, topic, guest, members, topics, notified, body), parse)


def refuse(stream: bytes, account: bytes, topic: bytes, guest: bytes, body: bytes) -> Ask[Appended | None]:
    """Remove a request; ``body`` is the notice for the account. Returns it, or None if the account was deleted."""

    def parse(reply: Any) -> Appended | None:
        return parse_appended(reply) if accepted(_about_request(reply)) else None

    return Ask(_REFUSE, (stream, account, topic, guest, body), parse)


def _about_request(reply: Any) -> Any:
    if reply[0] == b"NOTFOUND":
        raise Refusal("NOTFOUND", "no such topic, or the account has not asked to join it; REQUESTS lists who has")
    return parse_other(reply)


def directory(prefix: bytes, after: bytes, most: int) -> Ask[list[Listed]]:
    """List up to ``most`` topics of the directory that begin with ``prefix`` and sort after ``after``."""
    start = b"(" + after if after >= prefix and after else b"[" + prefix
    end = b"(" + prefix + b"\xff" if prefix else b"+"
    values = (start if prefix or after else b"-", end, most)
    return Ask(_DIRECTORY, values, lambda packed: [Listed(*row) for row in rows(packed, 4)])
