"""Calls of the scripts that read conversations and move read numbers. Sending is the queue's own call."""

from __future__ import annotations

from typing import Any

from fishchat.errors import Refusal
from fishchat.storage.ask import Ask, accepted, rows
from fishchat.storage.script import script

_READ = script("messages/read")
_HISTORY = script("messages/history")
_CONVERSATIONS = script("messages/conversations")

#: Position, time in ms, body.
Entry = tuple[bytes, bytes, bytes]


def read(stream: bytes, account: bytes, conversation: bytes, position: bytes) -> Ask[bool]:
    """Move the read number of an account. Returns whether it moved and may be published."""
    return Ask(_READ, (stream, account, conversation, position), lambda reply: bool(accepted(reply)[0]))


def history(account: bytes, conversation: bytes, before: bytes, after: bytes, limit: int) -> Ask[list[Entry]]:
    """Read a page of a conversation, oldest first, within what the account may see.

    Two accounts that have not talked yet have an empty page; a topic that the account never saw is refused.
    """

    def parse(reply: Any) -> list[Entry]:
        if reply == b"NOTFOUND":
            if conversation[:1] == b"#":
                raise Refusal("NOTFOUND")
            return []
        return list(zip(reply[::3], reply[1::3], reply[2::3], strict=True))

    return Ask(_HISTORY, (account, conversation, before, after, limit), parse)


def conversations(account: bytes) -> Ask[list[tuple[bytes, int, int, int]]]:
    """List the conversations of an account by name: last number that it may see, number that it has read, unread."""
    return Ask(_CONVERSATIONS, (account,), lambda packed: sorted(rows(packed, 4)))
