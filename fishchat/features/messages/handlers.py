"""Messages: sending, acknowledging, reading. Verbs that only read from the store are in ``queries``."""

from __future__ import annotations

from functools import partial

from fishchat.errors import Refusal
from fishchat.features.engine import Engine, Handlers, IRooms, ISession, ISignals
from fishchat.features.messages import calls, queries, rows
from fishchat.features.messages.conversations import Conversations
from fishchat.model.message import ESCAPED, PLAIN, pack_form
from fishchat.model.names import (
    concerns,
    conversation_with,
    format_position,
    p2p,
    parse_position,
    topic_conversation,
)
from fishchat.protocols.lines import escape_tag
from fishchat.protocols.replies import ok_line
from fishchat.protocols.table import Command


class Messages:
    """The verbs that store a message, a cursor or a read number.

    :param stream: the stream to which scripts add messages for other servers.
    """

    def __init__(self, rooms: IRooms, signals: ISignals, stream: bytes) -> None:
        self._rooms = rooms
        self._signals = signals
        self._stream = stream

    def send_p2p(self, session: ISession, command: Command) -> None:
        """Carry out SEND_MESSAGE_P2P: store a message for an account, then deliver it."""
        device, peer = session.device, command.fields[0]
        assert device is not None
        form = ESCAPED if b"esc" in command.tags else PLAIN
        if not command.verb.kept_names.isdisjoint(command.tags):
            form = with_kept_tags(form, command)
        session.send_message(command, p2p(device.account, peer), form, peer)

    def send_topic(self, session: ISession, command: Command) -> None:
        """Carry out SEND_MESSAGE_TOPIC: store a message for a topic, then deliver it."""
        form = ESCAPED if b"esc" in command.tags else PLAIN
        if not command.verb.kept_names.isdisjoint(command.tags):
            form = with_kept_tags(form, command)
        session.send_message(command, topic_conversation(command.fields[0]), form, b"")

    def acknowledge(self, session: ISession, command: Command) -> None:
        """Carry out SEND_ACK: move the device's cursor; answer only an error."""
        conversation, epoch, seq = command.fields[0]
        device = session.device
        assert device is not None
        reading = device.readings.get(conversation)
        if reading is None:
            raise Refusal("NOTFOUND")
        if not reading.acknowledge((epoch, seq)):
            if (epoch, seq) <= self._rooms.announced(reading):
                # It is in an announced range, which the place of the device passes with a later acknowledgement.
                return
            raise Refusal("AHEAD", last=format_position(reading.position).decode())
        if device.lagging or not reading.open:
            self._rooms.acknowledged(reading)

    def read(self, session: ISession, command: Command) -> None:
        """Carry out SEND_READ: move the account's read number, and notify those whom the store names."""
        mark, device = command.fields[0], session.device
        assert device is not None
        named, position = (mark, b"") if isinstance(mark, bytes) else (mark[0], format_position(mark[1:]))
        conversation = conversation_with(named, device.account)
        if not concerns(conversation, device.account):
            raise Refusal("NOTFOUND")

        def take(done: tuple[list[bytes], bytes]) -> bytes:
            told, at = done
            read = conversation, *parse_position(at)
            self._signals.push(told, rows.RESP_READ.line(device.account, read), but=device)
            return ok_line(command, conversation + b":" + at)

        session.ask(command, calls.read(self._stream, device.account, named, position), take)


def with_kept_tags(kind: bytes, command: Command) -> bytes:
    """Return the form of a message: its kind, and as attributes those tags of the command that its row keeps."""
    tags = command.tags
    kept = {tag.name: escape_tag(tag.write(tags[tag.name])) for tag in command.verb.kept if tag.name in tags}
    return pack_form(kind, kept) if kept else kind


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    messages = Messages(engine.rooms, engine.signals, engine.stream)
    return {
        rows.SEND_MESSAGE_P2P.name: messages.send_p2p,
        rows.SEND_MESSAGE_TOPIC.name: messages.send_topic,
        rows.SEND_ACK.name: messages.acknowledge,
        rows.SEND_READ.name: messages.read,
        rows.REQ_HISTORY.name: partial(queries.history, versions=engine.settings.versions),
        rows.REQ_CONVERSATIONS.name: Conversations(engine.call).listed,
    }
