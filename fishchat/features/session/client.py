"""The connection itself, for the client library."""

from __future__ import annotations

from dataclasses import dataclass

from fishchat.features.requests import Events, Request, nothing, request
from fishchat.features.session import rows


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything missed has been delivered; what follows is live."""


@dataclass(frozen=True, slots=True)
class Pinged:
    """The server asks whether the client is alive."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """This device has logged in on another connection."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The login was revoked, for this reason in the server's word."""

    why: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The server asks to connect elsewhere within so many seconds: to ``address``, or (None) where the gateway says."""

    address: str | None
    within: float


def _revoked(why: bytes) -> Revoked:
    return Revoked(why.decode())


def _moved(address: bytes | None, within: float) -> Moved:
    return Moved(None if address is None else address.decode(), within)


EVENTS: Events = {
    rows.RESP_SYNCED: Synced,
    rows.RESP_PING: Pinged,
    rows.RESP_REPLACED: Replaced,
    rows.RESP_REVOKED: _revoked,
    rows.RESP_MOVE: _moved,
}


def ping() -> Request[None]:
    """Check that the connection is alive."""
    return request(rows.SEND_PING, result=nothing)
