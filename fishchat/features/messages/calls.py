"""Calls of the scripts that read conversations and move read numbers. Sending is the queue's own call."""

from __future__ import annotations

from typing import Any

from fishchat.errors import Refusal
from fishchat.model.names import conversation_with, is_name, topic_conversation
from fishchat.storage.ask import Ask, accepted, rows
from fishchat.storage.script import script

_READ = script("messages/read")
_HISTORY = script("messages/history")
_CONVERSATIONS = script("messages/conversations")

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


def history(account: bytes, named: bytes, before: bytes, after: bytes, limit: int) -> Ask[list[Entry]]:
    """Read a page of a conversation, oldest first, within what the account may see.

    Two accounts that have not talked yet have an empty page; a topic that the account never saw is refused.
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

    return Ask(_HISTORY, (account, conversation, before, after, limit, _topic_named(named)), parse)


def conversations(account: bytes) -> Ask[list[tuple[bytes, int, int, int]]]:
    """List the conversations of an account by name: last number that it may see, number that it has read, unread."""
    return Ask(_CONVERSATIONS, (account,), lambda packed: sorted(rows(packed, 4)))
