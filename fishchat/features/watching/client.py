"""Watching, for the client library."""

from __future__ import annotations

from dataclasses import dataclass

from fishchat.features.requests import Events, Reply, Request, conversation_of, id_of, name_of, nothing, request
from fishchat.features.watching import rows


@dataclass(frozen=True, slots=True)
class Presence:
    """A watched account is online, or offline.

    :ivar since: since when it is online, or when it was last seen: in seconds since 1970, 0.0 if unknown.
    """

    account: str
    online: bool
    since: float


@dataclass(frozen=True, slots=True)
class Typing:
    """An account is typing in a watched conversation. It has stopped after 6 seconds without another such event."""

    account: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Readers:
    """How many members have read a message, of how many, and the names of up to 100 of them."""

    count: int
    members: int
    names: list[str]


def _presence(account: bytes, state: bytes, since: int) -> Presence:
    return Presence(account.decode(), state == rows.ONLINE, since / 1000)


def _typing(account: bytes, conversation: bytes) -> Typing:
    return Typing(account.decode(), conversation.decode())


EVENTS: Events = {rows.RESP_PRESENCE: _presence, rows.RESP_TYPING: _typing}


def watch(account: str) -> Request[None]:
    """Watch whether an account is online: a ``Presence`` follows at once, and with each change."""
    return request(rows.WATCH_CLIENT, name_of(account), result=nothing)


def unwatch(account: str) -> Request[None]:
    """Stop watching an account."""
    return request(rows.UNWATCH_CLIENT, name_of(account), result=nothing)


def watch_conversation(conversation: str) -> Request[None]:
    """Watch who is typing in a conversation, and in a small topic who has read it."""
    return request(rows.WATCH_CONVERSATION, conversation_of(conversation), result=nothing)


def unwatch_conversation(conversation: str) -> Request[None]:
    """Stop watching a conversation."""
    return request(rows.UNWATCH_CONVERSATION, conversation_of(conversation), result=nothing)


def typing(conversation: str) -> Request[None]:
    """Show that one is typing to those who watch the conversation."""
    return request(rows.SEND_TYPING, conversation_of(conversation), result=nothing)


def readers(message_id: str) -> Request[Readers]:
    """Return which members have read up to a message."""

    def parse(reply: Reply) -> Readers:
        (counts, _), *names = reply.items
        count, members = map(int, counts.split(b" ")[:2])
        return Readers(count, members, [name.decode().partition(" ")[0] for name, _ in names])

    return request(rows.REQ_READERS, id_of(message_id), result=parse)
