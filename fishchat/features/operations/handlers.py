"""Operations on messages, at the msg_server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fishchat.errors import Refusal
from fishchat.features.engine import Engine, Handlers, ICall, ISession
from fishchat.features.operations import calls, rows
from fishchat.features.operations.calls import Entry
from fishchat.model.message import item_line, pack_form
from fishchat.model.names import MessageId, concerns, conversation_with, format_position
from fishchat.model.operations import EDIT, PIN, REACT, RECALL, UNPIN, UNREACT, Operation, Times
from fishchat.protocols.fields import Tags
from fishchat.protocols.lines import escape_tag, parse_tags
from fishchat.protocols.replies import list_lines
from fishchat.protocols.rows import Verb
from fishchat.protocols.table import Command

#: Verb → the kind of operation that it stores.
KINDS: Mapping[Verb, bytes] = {
    rows.SEND_EDIT: EDIT,
    rows.SEND_RECALL: RECALL,
    rows.SEND_REACTION: REACT,
    rows.REMOVE_REACTION: UNREACT,
    rows.SEND_PIN: PIN,
    rows.REMOVE_PIN: UNPIN,
}


class Operations:
    """The verbs of operations on messages.

    :param times: how long messages may be changed.
    :param versions: who may see replaced texts.
    """

    def __init__(self, call: ICall, times: Times, versions: str) -> None:
        self._call = call
        self._times = times
        self._versions = versions

    def operate(self, session: ISession, command: Command) -> None:
        """Carry out one of the verbs in ``KINDS``: store an operation, then deliver it."""
        conversation, of = _seen(session, command)
        kind, tags = KINDS[command.verb], command.tags
        form = _form(kind, of, tags)
        reaction, text = b"", command.text
        if kind in (REACT, UNREACT):
            text = command.fields[1]
            reaction = escape_tag(text)
        was = _was(tags.get(b"was"), conversation)
        session.send_operation(command, Operation(conversation, kind, of, form, text, self._times, reaction, was))

    def message(self, session: ISession, command: Command) -> None:
        """Carry out REQ_MESSAGE: return one message."""
        conversation, position = _seen(session, command)

        def take(entry: Entry) -> bytes:
            return list_lines(command, [item_line(conversation, *entry)])

        session.ask(command, calls.message(session.account, conversation, position), take)

    def list_versions(self, session: ISession, command: Command) -> None:
        """Carry out REQ_VERSIONS: return all texts of a message."""
        conversation, position = _seen(session, command)
        ask = calls.versions(session.account, conversation, position, self._versions)
        session.ask(command, ask, lambda entries: _listed(command, conversation, entries), alone=True)

    def list_pins(self, session: ISession, command: Command) -> None:
        """Carry out REQ_PINS: return the pinned messages of a conversation."""
        conversation = conversation_with(command.fields[0], session.account)
        if not concerns(conversation, session.account):
            raise Refusal("NOTFOUND")
        ask = calls.pins(session.account, conversation)
        session.ask(command, ask, lambda entries: _listed(command, conversation, entries), alone=True)

    def list_reactions(self, session: ISession, command: Command) -> None:
        """Carry out REQ_REACTIONS: list who has reacted to a message."""
        session.perform(command, self._reactions(session, command), changes=False)

    async def _reactions(self, session: ISession, command: Command) -> bytes:
        # The client may be gone before the last step.
        account, (conversation, position) = session.account, _seen(session, command)
        found: dict[bytes, set[bytes]] = {}
        cursor = b"0"
        while True:
            page = await self._call(calls.reactions(account, conversation, position, cursor))
            for reactor, written in page.found:
                found.setdefault(written, set()).add(reactor)
            cursor = page.cursor
            if cursor == b"0":
                break
        kinds = sorted((_reaction(written), reactors) for written, reactors in found.items())
        items = [(b"%s %s" % (reaction, reactor), b"") for reaction, reactors in kinds for reactor in sorted(reactors)]
        return list_lines(command, items)


def _form(kind: bytes, of: bytes, tags: Tags) -> bytes:
    """Return the form of an operation: its kind, its target, and those tags that are stored."""
    if b"esc" not in tags and b"mention" not in tags:
        return b"%s;of=%s" % (kind, of)
    kept = {b"of": of}
    if b"esc" in tags:
        kept[b"esc"] = b""
    if b"mention" in tags:
        kept[b"mention"] = escape_tag(tags[b"mention"])
    return pack_form(kind, kept)


def _reaction(written: bytes) -> bytes:
    """Return a reaction from the form that it has in a tag."""
    return parse_tags(b"r=" + written)[b"r"]


def _listed(command: Command, conversation: bytes, entries: list[Entry]) -> bytes:
    return list_lines(command, [item_line(conversation, *entry) for entry in entries])


def _seen(session: ISession, command: Command) -> tuple[bytes, bytes]:
    """Return the conversation and the position of the message that a command names, if it can be the account's."""
    conversation, epoch, seq = command.fields[0]
    if not concerns(conversation, session.account):
        raise Refusal("NOTFOUND")
    return conversation, format_position((epoch, seq))


def _was(message_id: MessageId | None, conversation: bytes) -> bytes:
    if message_id is None:
        return b""
    named, *position = message_id
    if named != conversation:
        raise Refusal("BADID", "@was must name a message of this conversation")
    return format_position((position[0], position[1]))


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    operations = Operations(engine.call, engine.settings.times, engine.settings.versions)
    handlers: dict[bytes, Any] = {verb.name: operations.operate for verb in KINDS}
    return {
        **handlers,
        rows.REQ_MESSAGE.name: operations.message,
        rows.REQ_VERSIONS.name: operations.list_versions,
        rows.REQ_REACTIONS.name: operations.list_reactions,
        rows.REQ_PINS.name: operations.list_pins,
    }
