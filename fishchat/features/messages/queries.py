"""Questions: history, conversations, topics, members, who is online. They change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fishchat.errors import Refusal
from fishchat.model.message import item_line
from fishchat.model.names import MessageId, concerns, format_position
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.scripts import CONVERSATIONS, HISTORY, ROSTER, STATUS, TOPICS, unpack

if TYPE_CHECKING:
    from fishchat.services.msg_server.sessions.connection import ClientConnection

#: Messages of a page of history when the client names no number.
LIMIT = 50


def history(connection: ClientConnection, command: Command) -> None:
    """A page of a conversation."""
    conversation = command.fields[0]
    account = connection.account
    if not concerns(conversation, account):
        raise Refusal("NOTFOUND")
    tags = command.tags
    bounds = [_bound(tags.get(name), conversation) for name in (b"before", b"after")]

    def take(reply: Any) -> bytes:
        if reply == b"NOTFOUND":
            if conversation[:1] == b"#":
                raise Refusal("NOTFOUND")
            reply = []
        rows = zip(reply[::3], reply[1::3], reply[2::3], strict=True)
        return list_lines(command, [item_line(conversation, *row) for row in rows])

    arguments = (account, conversation, *bounds, tags.get(b"limit", LIMIT))
    connection.ask(command, HISTORY, arguments, take, fenced=False, alone=True)


def _bound(message_id: MessageId | None, conversation: bytes) -> bytes:
    if message_id is None:
        return b""
    named, epoch, seq = message_id
    if named != conversation:
        raise Refusal("BADID", "@before and @after must name a message of this conversation")
    return format_position((epoch, seq))


def conversations(connection: ClientConnection, command: Command) -> None:
    """What the account talks about, and how much of it is unread."""
    _list(connection, command, CONVERSATIONS, b"%s %d %d %d", 4)


def topics(connection: ClientConnection, command: Command) -> None:
    """The topics of the account."""
    _list(connection, command, TOPICS, b"%s %s %s %d", 4)


def _list(connection: ClientConnection, command: Command, script: Any, form: bytes, width: int) -> None:
    def take(reply: Any) -> bytes:
        return _items(command, unpack(reply), form, width)

    connection.ask(command, script, (connection.account,), take, fenced=False, alone=True)


def members(connection: ClientConnection, command: Command) -> None:
    """The members of a topic, for one of them."""

    def take(reply: Any) -> bytes:
        if reply[0] != b"OK":
            raise Refusal(reply[0].decode())
        return _items(command, unpack(reply[1]), b"%s %s %d", 3)

    connection.ask(command, ROSTER, (connection.account, command.fields[0]), take, fenced=False, alone=True)


def _items(command: Command, flat: list[Any], form: bytes, width: int) -> bytes:
    rows = sorted(tuple(flat[start : start + width]) for start in range(0, len(flat), width))
    return list_lines(command, [(form % row, False) for row in rows])


def status(connection: ClientConnection, command: Command) -> None:
    """Whether an account is online, and when it last was."""
    account = command.fields[0]

    def take(reply: Any) -> bytes:
        if not isinstance(reply, list):
            raise Refusal(reply.decode())
        online, seen, name = reply
        told = b"%s %s %d" % (account, b"online" if online else b"offline", seen)
        return ok_line(command, told + b" " + name if name else told)

    connection.ask(command, STATUS, (connection.account, account), take, fenced=False)
