"""The commands beside sending: their lines, and what their replies mean. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar, cast

from fishchat.client.events import Conversation, Device, HistoryItem, Member, RefusedError, Status, Topic
from fishchat.client.replies import Reply, refused, text_of
from fishchat.model.names import DISPLAY_LENGTH, is_conversation, is_display_name, is_name, split_id
from fishchat.protocols.lines import format_tags

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """A command and what its reply means.

    :ivar settled: the word that, after an attempt of unknown outcome, says that this attempt had succeeded.
    """

    verb: bytes
    line: bytes = field(repr=False)  # a password may be in it
    result: Callable[[Reply], T]
    settled: str | None = None


def _none(reply: Reply) -> None:
    return None


def name(value: str) -> bytes:
    """``value`` as it goes on the wire. Raises RefusedError (BADNAME)."""
    raw = value.encode("utf-8", "replace")
    if not is_name(raw):
        raise refused("BADNAME")
    return raw


def conversation_of(value: str) -> bytes:
    """``value`` as it goes on the wire. Raises RefusedError (BADID)."""
    raw = value.encode("utf-8", "replace")
    if not is_conversation(raw):
        raise refused("BADID")
    return raw


def id_of(value: str) -> bytes:
    """``value`` as it goes on the wire. Raises RefusedError (BADID)."""
    raw = value.encode("utf-8", "replace")
    try:
        split_id(raw)
    except ValueError:
        raise refused("BADID") from None
    return raw


def ping() -> Request[None]:
    """Ask for a sign of life."""
    return Request(b"SEND_PING", b"SEND_PING", _none)


def create_topic(topic: str, kind: Literal["open", "invitation"]) -> Request[None]:
    """Make a topic. When a first attempt's outcome is unknown, EXISTS may mean that it succeeded."""
    tags = {} if kind == "open" else {b"kind": kind.encode()}
    return Request(b"CREATE_TOPIC", format_tags(tags) + b"CREATE_TOPIC " + name(topic), _none)


def join(topic: str) -> Request[None]:
    """Become a member."""
    return Request(b"JOIN_TOPIC", b"JOIN_TOPIC " + name(topic), _none)


def leave(topic: str) -> Request[None]:
    """End one's membership."""
    return Request(b"LEAVE_TOPIC", b"LEAVE_TOPIC " + name(topic), _none, "NOTMEMBER")


def invite(topic: str, account: str) -> Request[None]:
    """Let an account join."""
    return Request(b"INVITE_TOPIC", b"INVITE_TOPIC %s %s" % (name(topic), name(account)), _none)


def dismiss(topic: str) -> Request[None]:
    """End a topic of one's own."""
    return Request(b"DISMISS_TOPIC", b"DISMISS_TOPIC " + name(topic), _none, "NOTFOUND")


def mark_read(message_id: str) -> Request[None]:
    """Say that a person has read up to this message."""
    return Request(b"SEND_READ", b"SEND_READ " + id_of(message_id), _none)


def status(account: str) -> Request[Status]:
    """Whether an account is online."""

    def result(reply: Reply) -> Status:
        who, state, seen, *shown = reply.rest.split(b" ", 3)
        return Status(who.decode(), state == b"online", int(seen) / 1000, text_of(b"".join(shown), False))

    return Request(b"REQ_CLIENT_STATUS", b"REQ_CLIENT_STATUS " + name(account), result)


def history(conversation: str, before: str | None, after: str | None, limit: int) -> Request[list[HistoryItem]]:
    """Messages of the past, oldest first."""
    tags = {b"limit": b"%d" % limit}
    if before is not None:
        tags[b"before"] = id_of(before)
    if after is not None:
        tags[b"after"] = id_of(after)
    line = format_tags(tags) + b"REQ_HISTORY " + conversation_of(conversation)

    def one(item: bytes, escaped: bool) -> HistoryItem:
        message_id, who, when, text = item.split(b" ", 3)
        return HistoryItem(message_id.decode(), who.decode(), int(when) / 1000, text_of(text, escaped))

    return Request(b"REQ_HISTORY", line, lambda reply: [one(*item) for item in reply.items])


def conversations() -> Request[list[Conversation]]:
    """One's conversations."""

    def one(item: bytes, _escaped: bool) -> Conversation:
        which, last, read, unread = item.split(b" ")
        return Conversation(which.decode(), int(last), int(read), int(unread))

    return Request(b"REQ_CONVERSATIONS", b"REQ_CONVERSATIONS", lambda reply: [one(*item) for item in reply.items])


def topics() -> Request[list[Topic]]:
    """The topics that one is a member of."""

    def one(item: bytes, _escaped: bool) -> Topic:
        topic, owner, kind, members = item.decode().split(" ")
        return Topic(topic, owner, cast('Literal["open", "invitation"]', kind), int(members))

    return Request(b"REQ_TOPICS", b"REQ_TOPICS", lambda reply: [one(*item) for item in reply.items])


def members(topic: str) -> Request[list[Member]]:
    """The members of a topic."""

    def one(item: bytes, _escaped: bool) -> Member:
        account, role, read = item.decode().split(" ")
        return Member(account, role == "owner", int(read))

    return Request(b"REQ_MEMBERS", b"REQ_MEMBERS " + name(topic), lambda reply: [one(*item) for item in reply.items])


def line_text(value: str, word: str) -> bytes:
    """``value`` as it goes to the end of a line. Raises RefusedError (``word``) for what no line can hold."""
    if not value or not value.isprintable():
        raise RefusedError(word, "it is empty or holds a character that no line can hold")
    return value.encode()


def change_password(password: str) -> Request[None]:
    """Have another password from now on."""
    return Request(b"SEND_PASSWORD", b"SEND_PASSWORD " + line_text(password, "PASSWORD"), _none)


def devices() -> Request[list[Device]]:
    """One's devices."""

    def one(item: bytes, _escaped: bool) -> Device:
        device, state, seen, ends = item.decode().split(" ")
        return Device(device, state == "online", int(seen) / 1000, int(ends) / 1000)

    return Request(b"REQ_DEVICES", b"REQ_DEVICES", lambda reply: [one(*item) for item in reply.items])


def revoke_device(device: str) -> Request[None]:
    """End a device's token and connection."""
    return Request(b"REVOKE_DEVICE", b"REVOKE_DEVICE " + name(device), _none, "NOTFOUND")


def block(account: str) -> Request[None]:
    """Hear nothing of an account."""
    return Request(b"BLOCK_CLIENT", b"BLOCK_CLIENT " + name(account), _none)


def unblock(account: str) -> Request[None]:
    """End that."""
    return Request(b"UNBLOCK_CLIENT", b"UNBLOCK_CLIENT " + name(account), _none)


def blocked() -> Request[list[str]]:
    """Whom one has blocked."""
    return Request(b"REQ_BLOCKED", b"REQ_BLOCKED", _accounts)


def add_contact(account: str) -> Request[None]:
    """Let an account begin a conversation."""
    return Request(b"ADD_CONTACT", b"ADD_CONTACT " + name(account), _none)


def remove_contact(account: str) -> Request[None]:
    """End that."""
    return Request(b"REMOVE_CONTACT", b"REMOVE_CONTACT " + name(account), _none)


def contacts() -> Request[list[str]]:
    """One's contacts."""
    return Request(b"REQ_CONTACTS", b"REQ_CONTACTS", _accounts)


def set_privacy(who: Literal["everyone", "contacts"]) -> Request[None]:
    """Say who may begin a conversation."""
    return Request(b"SEND_PRIVACY", b"SEND_PRIVACY " + name(who), _none)


def set_name(shown: str) -> Request[None]:
    """Have a name that others are shown."""
    raw = shown.strip().encode("utf-8", "replace")
    if not is_display_name(raw):
        raise RefusedError("BADNAME", "a display name is short printable text", {"limit": str(DISPLAY_LENGTH)})
    return Request(b"SEND_NAME", b"SEND_NAME " + raw, _none)


def _accounts(reply: Reply) -> list[str]:
    return [item.decode() for item, _ in reply.items]
