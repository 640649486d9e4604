"""Messages, notices and requests about them, for the client library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fishchat.features.items import HistoryItem, history_item, words_of
from fishchat.features.messages import rows
from fishchat.features.requests import (
    Events,
    Request,
    conversation_of,
    id_of,
    nothing,
    refused,
    request,
    tagged_items,
    text_of,
)
from fishchat.model.names import MessageId
from fishchat.protocols.fields import write_id


@dataclass(frozen=True, slots=True)
class Message:
    """A message from another account, or from another device of one's own account (``from_`` is one's own account).

    ``reply`` is the id of the message that it answers, ``mention`` the accounts that its tag names, or ``("all",)``.
    ``edited`` is the id of the edit by which the text stands, if it was edited before this device received it.
    """

    from_: str
    text: str
    id: str
    conversation: str
    topic: str | None = None
    reply: str = ""
    mention: tuple[str, ...] = ()
    edited: str = ""

    @property
    def reply_to(self) -> str:
        """The address of an answer: ``#topic``, or the sender."""
        return self.from_ if self.topic is None else f"#{self.topic}"


@dataclass(frozen=True, slots=True)
class Notice:
    """An event of the account or of a topic, e.g. ``INVITED fishing``. Numbered and acknowledged like a message."""

    from_: str
    text: str
    id: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A range of numbers, ``first`` to ``last``, of a conversation that can no longer be delivered."""

    conversation: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Behind:
    """A range of numbers, ``first`` to ``last``, of a conversation whose messages are not pushed: newer ones follow.

    ``Client.history`` returns its messages. Some of them may have been received before: their ids tell.
    """

    conversation: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Dated:
    """The time at which the next messages were sent, for people: a client of this library never receives it."""

    date: str
    time: str
    zone: str


@dataclass(frozen=True, slots=True)
class Read:
    """A read receipt: ``account`` has read up to message ``id``.

    With ``own_reads``, ``account`` may be one's own: another device has read up to there.
    """

    account: str
    id: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of one's own: its last number, the read number, and how many messages are unread.

    In a page, ``time`` is when something was last stored in it, in seconds since 1970. With a preview, ``name`` is the
    display name of the other account, and ``id``, ``from_`` and ``text`` are those of the last message: empty if there
    is none. ``text`` is its beginning, at most 200 bytes. ``mentions`` is how many unread messages mention one.

    The rest is what ``set_conversation`` has set: ``notify`` is ``all``, ``mentions`` or ``none``, ``until`` when it
    ends, in seconds since 1970, or 0.
    """

    conversation: str
    last: int
    read: int
    unread: int
    time: float = 0.0
    name: str = ""
    id: str = ""
    from_: str = ""
    text: str = ""
    notify: str = "all"
    until: float = 0.0
    pinned: bool = False
    archived: bool = False
    remark: str = ""
    mentions: int = 0

    @property
    def place(self) -> str:
        """The place in the list: the next page is the one before it."""
        return f"{round(self.time * 1000)}-{self.conversation}"


def _message(sender: bytes, message_id: MessageId, text: str, **tags: Any) -> Message:
    return _made(None, sender, message_id, text, **tags)


def _topic_message(topic: bytes, sender: bytes, message_id: MessageId, text: str, **tags: Any) -> Message:
    return _made(topic.decode(), sender, message_id, text, **tags)


def _made(
    topic: str | None,
    sender: bytes,
    message_id: MessageId,
    text: str,
    reply: MessageId | None = None,
    mention: bytes = b"",
    edited: MessageId | None = None,
) -> Message:
    names = words_of(mention.decode())
    head = sender.decode(), text, write_id(message_id).decode(), message_id[0].decode(), topic
    return Message(*head, _written(reply), names, _written(edited))


def _written(message_id: MessageId | None) -> str:
    return "" if message_id is None else write_id(message_id).decode()


def _notice(sender: bytes, message_id: MessageId, text: str) -> Notice:
    return Notice(sender.decode(), text, write_id(message_id).decode(), message_id[0].decode())


def _gap(conversation: bytes, first: int, last: int) -> Gap:
    return Gap(conversation.decode(), first, last)


def _behind(conversation: bytes, first: int, last: int) -> Behind:
    return Behind(conversation.decode(), first, last)


def _dated(*words: bytes) -> Dated:
    return Dated(*(word.decode("utf-8", "replace") for word in words))


def _read(account: bytes, message_id: MessageId) -> Read:
    return Read(account.decode(), write_id(message_id).decode())


EVENTS: Events = {
    rows.RESP_MESSAGE_P2P: _message,
    rows.RESP_MESSAGE_TOPIC: _topic_message,
    rows.RESP_NOTICE: _notice,
    rows.RESP_GAP: _gap,
    rows.RESP_BEHIND: _behind,
    rows.RESP_TIME: _dated,
    rows.RESP_READ: _read,
}


def mark_read(upto: str) -> Request[None]:
    """Mark a conversation as read: up to the message with this id, or all of the conversation ``upto``."""
    return request(rows.SEND_READ, id_of(upto) if ":" in upto else conversation_of(upto), result=nothing)


def history(conversation: str, before: str | None, after: str | None, limit: int) -> Request[list[HistoryItem]]:
    """List messages of the past, oldest first."""
    tags: dict[bytes, Any] = {b"limit": limit}
    if before is not None:
        tags[b"before"] = id_of(before)
    if after is not None:
        tags[b"after"] = id_of(after)

    return request(rows.REQ_HISTORY, conversation_of(conversation), tags=tags, result=tagged_items(history_item))


def conversations(
    preview: bool = False, limit: int | None = None, before: str | None = None
) -> Request[list[Conversation]]:
    """List one's conversations: all by name, or a page of them, newest first."""
    tags: dict[bytes, Any] = {} if limit is None else {b"limit": limit}
    if preview:
        tags[b"preview"] = b""
    if before is not None:
        time, _, conversation = before.partition("-")
        if not time.isdecimal():
            raise refused("BADTAG")
        tags[b"before"] = int(time), conversation_of(conversation)

    def one(item: bytes, tags: Mapping[bytes, bytes]) -> Conversation:
        which, last, read, unread, *rest = item.split(b" ", 5)
        made = Conversation(
            which.decode(),
            int(last),
            int(read),
            int(unread),
            int(tags.get(b"time", b"0")) / 1000,
            notify=tags.get(b"notify", b"all").decode(),
            until=int(tags.get(b"until", b"0")) / 1000,
            pinned=b"pinned" in tags,
            archived=b"archived" in tags,
            remark=text_of(tags.get(b"remark", b""), False),
            mentions=int(tags.get(b"mentions", b"0")),
        )
        if len(rest) < 1:
            return made
        name = text_of(tags.get(b"name", b""), False)
        if len(rest) == 1:
            return replace(made, name=name)
        text = text_of(rest[1], b"esc" in tags)
        return replace(made, name=name, id=rest[0].decode(), from_=tags.get(b"from", b"").decode(), text=text)

    return request(rows.REQ_CONVERSATIONS, tags=tags, result=tagged_items(one))
