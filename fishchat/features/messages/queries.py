"""Queries about messages: history. They change nothing."""

from __future__ import annotations

from fishchat.errors import Refusal
from fishchat.features.engine import ISession
from fishchat.features.messages import calls
from fishchat.features.messages.calls import Entry
from fishchat.features.messages.rows import DEFAULT_PAGE
from fishchat.model.message import item_line
from fishchat.model.names import MessageId, concerns, conversation_with, format_position
from fishchat.protocols.replies import list_lines
from fishchat.protocols.table import Command


def history(session: ISession, command: Command, versions: str) -> None:
    """Carry out REQ_HISTORY: return a page of a conversation; ``versions`` says who may see replaced texts."""
    account, named = session.account, command.fields[0]
    conversation = conversation_with(named, account)
    if not concerns(conversation, account):
        raise Refusal("NOTFOUND")
    tags = command.tags
    before, after = (_bound(tags.get(name), conversation) for name in (b"before", b"after"))

    def take(entries: list[Entry]) -> bytes:
        return list_lines(command, [item_line(conversation, *entry) for entry in entries])

    ask = calls.history(account, named, before, after, tags.get(b"limit", DEFAULT_PAGE), b"with" in tags, versions)
    session.ask(command, ask, take, alone=True)


def _bound(message_id: MessageId | None, conversation: bytes) -> bytes:
    if message_id is None:
        return b""
    named, epoch, seq = message_id
    if named != conversation:
        raise Refusal("BADID", "@before and @after must name a message of this conversation")
    return format_position((epoch, seq))
