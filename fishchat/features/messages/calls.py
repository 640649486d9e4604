"""Calls of the scripts that read conversations and move read numbers. Sending is the queue's own call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fishchat.errors import Refusal
from fishchat.model.names import conversation_with, is_name, topic_conversation
from fishchat.storage.ask import Ask, accepted, rows
from fishchat.storage.script import script

_READ = script("messages/read")
_HISTORY = script("messages/history")
_CONVERSATIONS = script("messages/conversations")
_TIMES = script("messages/conversation_times")
_DESCRIBE = script("messages/describe_conversations")

#: The conversations of one step of a list, which takes less than 5 ms: names, numbers, last messages.
SCANNED, COUNTED, DESCRIBED = 1000, 50, 25
#: The bytes of a text in a preview.
PREVIEWED = 200

#: Position, time in ms, body.
Entry = tuple[bytes, bytes, bytes]


def read(stream: bytes, account: bytes, named: bytes, position: bytes) -> Ask[tuple[list[bytes], bytes]]:
    """Move the read number of an account, to the end without a position.

    Returns the accounts to notify, none if it did not move, and the position.
    """

    def parse(reply: Any) -> tuple[list[bytes], bytes]:
        if reply[0] == b"TOPIC":
            raise _meant_topic(named)
        if reply[0] == b"NEVER":
            raise Refusal("NOTFOUND", "no message has this id; use the id of a message that you have received")
        told, at = accepted(reply)
        return told.split(), at

    conversation = conversation_with(named, account)
    return Ask(_READ, (stream, account, conversation, position, _topic_named(named)), parse)


def _topic_named(named: bytes) -> bytes:
    """Return the conversation of the topic that may have been meant by a name alone; empty for anything else."""
    return topic_conversation(named) if is_name(named) else b""


def _meant_topic(name: bytes) -> Refusal:
    shown = name.decode()
    return Refusal("NOTFOUND", f"you have no conversation with an account {shown}; did you mean the topic #{shown}?")


def history(
    account: bytes, named: bytes, before: bytes, after: bytes, limit: int, operations: bool, versions: str
) -> Ask[list[Entry]]:
    """Read a page of a conversation, oldest first, within what the account may see.

    Two accounts that have not talked yet have an empty page; a topic that the account never saw is refused.
    ``versions`` says who may see replaced texts.
    """
    conversation = conversation_with(named, account)

    def parse(reply: Any) -> list[Entry]:
        if reply == b"TOPIC":
            raise _meant_topic(named)
        if reply == b"NOTFOUND":
            if conversation[:1] == b"#":
                raise Refusal("NOTFOUND")
            return []
        return list(zip(reply[::3], reply[1::3], reply[2::3], strict=True))

    values = account, conversation, before, after, limit, _topic_named(named), operations, versions
    return Ask(_HISTORY, values, parse)


@dataclass(frozen=True)
class Described:
    """A conversation of an account, with its last message if that was wanted and there is one.

    :ivar position: the position of the message, or nothing.
    :ivar text: the beginning of its text, up to one byte longer than a preview.
    :ivar name: the display name of the other account, or nothing.
    :ivar settings: what the account has set for it (``lib/conversation_settings.lua``), or nothing.
    :ivar mentions: how many unread messages mention it.
    """

    conversation: bytes
    last: int
    read: int
    unread: int
    position: bytes
    sender: bytes
    form: bytes
    text: bytes
    name: bytes
    settings: bytes
    mentions: int


def conversations(account: bytes, cursor: bytes) -> Ask[tuple[bytes, list[bytes]]]:
    """List some conversations, some perhaps repeated. Returns the next cursor, too; ``b"0"`` begins and ends."""
    return Ask(_CONVERSATIONS, (account, cursor, SCANNED), lambda reply: (reply[0], reply[1]))


def conversation_times(account: bytes, conversations: list[bytes]) -> Ask[list[int]]:
    """Read the times in ms at which something was last stored in up to ``COUNTED`` conversations; 0 if unknown."""
    return Ask(_TIMES, (account, conversations), lambda reply: [int(time) for time in reply])


def describe_conversations(account: bytes, conversations: list[bytes], preview: bool) -> Ask[list[Described]]:
    """Describe up to ``COUNTED`` conversations, or ``DESCRIBED`` with their last messages.

    Those that the account does not have are left out.
    """

    def parse(packed: bytes) -> list[Described]:
        return [Described(*row) for row in rows(packed, 11)]

    return Ask(_DESCRIBE, (account, conversations, preview, PREVIEWED + 1), parse)
