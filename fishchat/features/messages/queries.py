"""Questions: history, conversations, topics, members, who is online. They change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fishchat.errors import Refusal
from fishchat.features.accounts import calls as accounts
from fishchat.features.accounts.calls import Status
from fishchat.features.messages import calls
from fishchat.features.messages.calls import Entry
from fishchat.features.topics import calls as topic_calls
from fishchat.model.message import item_line
from fishchat.model.names import MessageId, concerns, format_position
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.ask import Ask

if TYPE_CHECKING:
    from fishchat.services.msg_server.sessions.session import Session

#: Messages of a page of history when the client names no number.
LIMIT = 50


def history(connection: Session, command: Command) -> None:
    """A page of a conversation."""
    conversation = command.fields[0]
    account = connection.account
    if not concerns(conversation, account):
        raise Refusal("NOTFOUND")
    tags = command.tags
    before, after = (_bound(tags.get(name), conversation) for name in (b"before", b"after"))

    def take(entries: list[Entry]) -> bytes:
        return list_lines(command, [item_line(conversation, *entry) for entry in entries])

    ask = calls.history(account, conversation, before, after, tags.get(b"limit", LIMIT))
    connection.ask(command, ask, take, alone=True)


def _bound(message_id: MessageId | None, conversation: bytes) -> bytes:
    if message_id is None:
        return b""
    named, epoch, seq = message_id
    if named != conversation:
        raise Refusal("BADID", "@before and @after must name a message of this conversation")
    return format_position((epoch, seq))


def conversations(connection: Session, command: Command) -> None:
    """What the account talks about, and how much of it is unread."""
    _list(connection, command, calls.conversations(connection.account), b"%s %d %d %d")


def topics(connection: Session, command: Command) -> None:
    """The topics of the account."""
    _list(connection, command, topic_calls.topics(connection.account), b"%s %s %s %d")


def members(connection: Session, command: Command) -> None:
    """The members of a topic, for one of them."""
    _list(connection, command, topic_calls.members(connection.account, command.fields[0]), b"%s %s %d")


def _list(connection: Session, command: Command, ask: Ask[list[Any]], form: bytes) -> None:
    def take(rows: list[Any]) -> bytes:
        return list_lines(command, [(form % row, False) for row in rows])

    connection.ask(command, ask, take, alone=True)


def status(connection: Session, command: Command) -> None:
    """Whether an account is online, and when it last was."""
    account = command.fields[0]

    def take(found: Status) -> bytes:
        told = b"%s %s %d" % (account, b"online" if found.online else b"offline", found.seen)
        return ok_line(command, told + b" " + found.name if found.name else told)

    connection.ask(command, accounts.status(connection.account, account), take)
