"""Messages and what is said of them: SEND_MESSAGE_P2P, SEND_MESSAGE_TOPIC, SEND_ACK, SEND_READ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishchat.errors import Refusal
from fishchat.features.messages import calls
from fishchat.model.message import ESCAPED, PLAIN, pack_body
from fishchat.model.names import concerns, format_position, message_id, p2p, topic_conversation
from fishchat.protocols.replies import ok_line
from fishchat.protocols.table import Command
from fishchat.services.msg_server.queue.items import Send

if TYPE_CHECKING:
    from fishchat.services.msg_server.sessions.connection import ClientConnection


def send_p2p(connection: ClientConnection, command: Command) -> None:
    """Store a message for an account, then hand it out."""
    peer = command.fields[0]
    account = connection.device.account  # type: ignore[union-attr]
    _send(connection, command, p2p(account, peer), peer)


def send_topic(connection: ClientConnection, command: Command) -> None:
    """Store a message for a topic, then hand it out."""
    _send(connection, command, topic_conversation(command.fields[0]), b"")


def _send(connection: ClientConnection, command: Command, conversation: bytes, peer: bytes) -> None:
    device = connection.device
    assert device is not None
    tags = command.tags
    cseq = tags.get(b"cseq", -1) if tags else -1
    body = pack_body(device.account, device.name, cseq, ESCAPED if b"esc" in tags else PLAIN, command.text)
    connection.asked()
    connection.server.commits.add(Send(connection, command, conversation, device.key, cseq, body, device.account, peer))


def acknowledge(connection: ClientConnection, command: Command) -> None:
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
        connection.server.delivery.acknowledged(reading)


def read(connection: ClientConnection, command: Command) -> None:
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
            server.delivery.push_receipt(conversation, device.account, position)
        return ok_line(command, message_id(conversation, epoch, seq))

    connection.ask(command, calls.read(server.stream, device.account, device.name, conversation, position), take)
