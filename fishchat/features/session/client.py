"""Events and requests about the session, for the client library."""

from __future__ import annotations

from dataclasses import dataclass

from fishchat.features.requests import Events, Request, nothing, request
from fishchat.features.session import rows


@dataclass(frozen=True, slots=True)
class Synced:
    """The end of the replay: all missed messages have been delivered, and later messages are live."""


@dataclass(frozen=True, slots=True)
class Pinged:
    """A ping, by which the server checks whether the client is alive."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """The end of the session: this device has logged in on another connection."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The end of the session: the login was revoked. ``why`` is the reason in the server's word."""

    why: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A request to reconnect to ``address`` within ``within`` seconds. If it is None, the client asks the gateway."""

    address: str | None
    within: float


@dataclass(frozen=True, slots=True)
class Bye:
    """The end of the connection, in the server's word and sentence. The client connects again."""

    why: str
    sentence: str


def _bye(why: bytes, sentence: str) -> Bye:
    return Bye(why.decode(), sentence)


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
    rows.RESP_BYE: _bye,
}


def ping() -> Request[None]:
    """Check that the connection is alive."""
    return request(rows.SEND_PING, result=nothing)
