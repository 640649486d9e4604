"""Operations on messages, for the client library.

What changes a message is a ``Numbered`` command: the client numbers it together with the messages of its conversation,
so that it is carried out once and in order. Its result is the id of the operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fishchat.errors import ProtocolError
from fishchat.features.items import HistoryItem, history_item, sums_of, words_of
from fishchat.features.operations import rows
from fishchat.features.requests import (
    Events,
    Numbered,
    RefusedError,
    Reply,
    Request,
    conversation_of,
    id_of,
    mention_of,
    message_text,
    refused,
    request,
    tagged_items,
)
from fishchat.model.names import MessageId
from fishchat.protocols.fields import NO_TAGS, Tags, write_id
from fishchat.protocols.lines import parse_tags
from fishchat.protocols.rows import Verb


@dataclass(frozen=True, slots=True)
class Edited:
    """The text of message ``of`` was replaced by its author; ``id`` is the id of the edit.

    ``mention`` is who is mentioned by the tag of the edit, or ``("all",)``.
    """

    from_: str
    text: str
    id: str
    of: str
    conversation: str
    mention: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recalled:
    """Message ``of`` was recalled by ``from_``, its author or an admin: forget its text. ``reason`` may be empty."""

    from_: str
    reason: str
    id: str
    of: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Reacted:
    """An account has reacted to message ``of``, or taken a reaction back (``added`` is False)."""

    from_: str
    reaction: str
    added: bool
    id: str
    of: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """Message ``of`` was pinned, or its pin was removed (``added`` is False)."""

    from_: str
    added: bool
    id: str
    of: str
    conversation: str


@dataclass(frozen=True, slots=True)
class ReactionSums:
    """How many accounts have given each reaction to message ``of`` by now, in a large topic that one watches."""

    of: str
    conversation: str
    reactions: Mapping[str, int] = field(hash=False)


def _head(operation: MessageId, of: MessageId) -> tuple[str, str, str]:
    return write_id(operation).decode(), write_id(of).decode(), operation[0].decode()


def _edited(sender: bytes, operation: MessageId, of: MessageId, text: str, mention: bytes = b"") -> Edited:
    return Edited(sender.decode(), text, *_head(operation, of), words_of(mention.decode()))


def _recalled(sender: bytes, operation: MessageId, of: MessageId, reason: str) -> Recalled:
    return Recalled(sender.decode(), reason, *_head(operation, of))


def _reacted(sender: bytes, operation: MessageId, of: MessageId, sign: bytes, reaction: bytes) -> Reacted:
    return Reacted(sender.decode(), reaction.decode(), sign == b"+", *_head(operation, of))


def _summed(of: MessageId, sums: bytes) -> ReactionSums:
    written = parse_tags(b"r=" + sums)[b"r"].decode("utf-8", "replace")
    return ReactionSums(write_id(of).decode(), of[0].decode(), {} if written == "-" else sums_of(written))


def _pinned(sender: bytes, operation: MessageId, of: MessageId, sign: bytes) -> Pinned:
    return Pinned(sender.decode(), sign == b"+", *_head(operation, of))


EVENTS: Events = {
    rows.RESP_EDIT: _edited,
    rows.RESP_RECALL: _recalled,
    rows.RESP_REACTION: _reacted,
    rows.RESP_REACTIONS: _summed,
    rows.RESP_PIN: _pinned,
}


def edit(message: str, text: str, was: str | None = None, mention: Iterable[str] | None = None) -> Numbered:
    """Replace the text of a message. With ``was``, only if the text of that message or edit still stands."""
    raw, is_escaped = message_text(text)
    if not raw:
        raise refused("FIELDS")
    tags: Tags = {b"esc": b""} if is_escaped else {}
    if was is not None:
        tags[b"was"] = id_of(was)
    if mention is not None:
        tags[b"mention"] = mention_of(mention)
    return _numbered(rows.SEND_EDIT, message, text=raw, tags=tags)


def recall(message: str, reason: str = "") -> Numbered:
    """Recall a message: its text is erased, and ``reason`` may be shown in its place."""
    raw, is_escaped = message_text(reason)
    return _numbered(rows.SEND_RECALL, message, text=raw, tags={b"esc": b""} if is_escaped else NO_TAGS)


def react(message: str, reaction: str) -> Numbered:
    """React to a message."""
    return _numbered(rows.SEND_REACTION, message, _reaction(reaction))


def unreact(message: str, reaction: str) -> Numbered:
    """Take a reaction back."""
    return _numbered(rows.REMOVE_REACTION, message, _reaction(reaction))


def pin(message: str) -> Numbered:
    """Pin a message."""
    return _numbered(rows.SEND_PIN, message)


def unpin(message: str) -> Numbered:
    """Remove a pin."""
    return _numbered(rows.REMOVE_PIN, message)


def message(message: str) -> Request[HistoryItem]:
    """Return one message, as history shows it."""

    def only(reply: Reply) -> HistoryItem:
        [found] = tagged_items(history_item)(reply)
        return found

    return request(rows.REQ_MESSAGE, id_of(message), result=only)


def versions(message: str) -> Request[list[HistoryItem]]:
    """List all texts of a message, the oldest first."""
    return request(rows.REQ_VERSIONS, id_of(message), result=tagged_items(history_item))


def reactions(message: str) -> Request[dict[str, list[str]]]:
    """Return reaction → the accounts that have given it."""

    def by_reaction(reply: Reply) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for item, _ in reply.items:
            reaction, account, *_ = item.decode("utf-8", "replace").split(" ")
            found.setdefault(reaction, []).append(account)
        return found

    return request(rows.REQ_REACTIONS, id_of(message), result=by_reaction)


def pins(conversation: str) -> Request[list[HistoryItem]]:
    """List the pinned messages of a conversation, in the order in which they were pinned."""
    return request(rows.REQ_PINS, conversation_of(conversation), result=tagged_items(history_item))


def _reaction(value: str) -> bytes:
    try:
        return rows.read_reaction(value.encode("utf-8", "replace"))
    except ProtocolError as error:
        raise RefusedError(error.word, error.text) from None


def _numbered(verb: Verb, message: str, *values: Any, text: bytes = b"", tags: Tags = NO_TAGS) -> Numbered:
    target = id_of(message)
    return Numbered(target[0], verb.name, verb.line(target, *values, text=text, tags=tags))
