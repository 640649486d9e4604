"""Messages and what is said of them: SEND_MESSAGE_P2P, SEND_MESSAGE_TOPIC, SEND_ACK, SEND_READ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishchat.errors import Refusal
from fishchat.features.messages import calls
from fishchat.model.message import ESCAPED, PLAIN
from fishchat.model.names import concerns, format_position, message_id, p2p, topic_conversation
from fishchat.protocols.replies import ok_line
from fishchat.protocols.table import Command

if TYPE_CHECKING:
    from fishchat.services.msg_server.sessions.session import Session


def send_p2p(connection: Session, command: Command) -> None:
    """Store a message for an account, then deliver it."""
    peer = command.fields[0]
    kind = ESCAPED if b"esc" in command.tags else PLAIN
    connection.send_message(command, p2p(connection.account, peer), kind, peer)


def send_topic(connection: Session, command: Command) -> None:
    """Store a message for a topic, then deliver it."""
    kind = ESCAPED if b"esc" in command.tags else PLAIN
    connection.send_message(command, topic_conversation(command.fields[0]), kind, b"")


def acknowledge(connection: Session, command: Command) -> None:
    """Move the device's cursor; there is no answer when it is fine."""
    conversation, epoch, seq = command.fields[0]
    device = connection.device
    assert device is not None
    reading = device.readings.get(conversation)
    if reading is None:
        raise Refusal("NOTFOUND")
    if not reading.acknowledge((epoch, seq)):
        raise Refusal("AHEAD", last=format_position(reading.position).decode())
    if device.lagging or not reading.open:
        connection.server.delivery.rooms.acknowledged(reading)


def read(connection: Session, command: Command) -> None:
    """Move the account's read number; the other side of a p2p conversation is told."""
    conversation, epoch, seq = command.fields[0]
    device = connection.device
    assert device is not None
    if not concerns(conversation, device.account):
        raise Refusal("NOTFOUND")
    server = connection.server
    position = format_position((epoch, seq))

    def take(moved: bool) -> bytes:
        if moved and conversation[:1] not in b"#@":
            server.delivery.receipts.push(conversation, device.account, position)
        return ok_line(command, message_id(conversation, epoch, seq))

    connection.ask(command, calls.read(server.stream, device.account, device.name, conversation, position), take)
