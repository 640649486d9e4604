"""Topics: making, joining, leaving, inviting, dismissing; and where one is served."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fishchat.errors import Refusal
from fishchat.model.message import NOTICE, pack_body
from fishchat.model.names import parse_position, topic_conversation
from fishchat.protocols.replies import echo, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.redis import Script
from fishchat.storage.scripts import CREATE, DISMISS, INVITE, JOIN, LEAVE, LOCATE

if TYPE_CHECKING:
    from fishchat.services.msg_server.sessions.connection import ClientConnection

#: Invitations of one topic that wait at most.
INVITED = 1000


def _change(
    connection: ClientConnection,
    command: Command,
    script: Script,
    arguments: tuple[Any, ...],
    event: str,
    done: Callable[[Any], None],
) -> None:
    """Run a script that changes a topic's membership; tell the others that it did."""
    topic = command.fields[0]
    server = connection.server
    account = connection.device.account  # type: ignore[union-attr]

    def take(reply: Any) -> bytes:
        if reply[0] != b"OK":
            raise _refusal(script, reply)
        done(reply)
        server.topic_changed(topic, event, account)
        return ok_line(command, b" ".join(command.fields))

    connection.ask(command, script, (account, topic, *arguments), take)


def _refusal(script: Script, reply: list[Any]) -> Refusal:
    word = reply[0].decode()
    if word == "EXISTS" and script is INVITE:
        return Refusal(word, "the account is already a member")
    return Refusal(word, limit=reply[1]) if len(reply) > 1 else Refusal(word)


def create(connection: ClientConnection, command: Command) -> None:
    """A new topic, its maker the owner and first member."""
    limits = connection.server.config.limits
    arguments = (command.tags.get(b"kind", b"open"), limits.topics_per_account)
    _change(connection, command, CREATE, arguments, "created", _join_here(connection, command.fields[0]))


def join(connection: ClientConnection, command: Command) -> None:
    """A new member; whoever is one stays one."""
    limits = connection.server.config.limits
    arguments = (limits.topic_members, limits.topics_per_account)
    _change(connection, command, JOIN, arguments, "joined", _join_here(connection, command.fields[0]))


def _join_here(connection: ClientConnection, topic: bytes) -> Callable[[Any], None]:
    account = connection.device.account  # type: ignore[union-attr]

    def done(reply: Any) -> None:
        _, version, position = reply
        connection.server.delivery.membership.joined(
            account, topic_conversation(topic), version, parse_position(position)
        )

    return done


def leave(connection: ClientConnection, command: Command) -> None:
    """A member less."""
    name = topic_conversation(command.fields[0])
    account = connection.device.account  # type: ignore[union-attr]

    def done(reply: Any) -> None:
        connection.server.delivery.membership.left(account, name, reply[1])

    _change(connection, command, LEAVE, (), "left", done)


def dismiss(connection: ClientConnection, command: Command) -> None:
    """The owner ends the topic: a last notice in it, then nobody is a member any more."""
    topic = command.fields[0]
    server = connection.server

    def done(reply: Any) -> None:
        _, name, epoch, number, body, version = reply
        server.delivery.told(name, epoch, number, body, version)
        server.delivery.membership.changed(name)

    arguments = (server.stream, _notice(connection, b"DISMISSED " + topic))
    _change(connection, command, DISMISS, arguments, "dismissed", done)


def invite(connection: ClientConnection, command: Command) -> None:
    """Let an account join, and tell it in its notices."""
    topic, guest = command.fields
    server = connection.server

    def done(reply: Any) -> None:
        if len(reply) > 1:
            _, name, epoch, number, body = reply
            server.delivery.told(name, epoch, number, body, 0)

    arguments = (guest, INVITED, server.stream, _notice(connection, b"INVITED " + topic))
    _change(connection, command, INVITE, arguments, "invited", done)


def _notice(connection: ClientConnection, text: bytes) -> bytes:
    device = connection.device
    assert device is not None
    return pack_body(device.account, device.name, -1, NOTICE, text)


def locate(connection: ClientConnection, command: Command) -> None:
    """Every msg_server serves every topic: this one is as good as any, if there is such a topic."""
    topic = command.fields[0]
    server = connection.server
    address = (server.address_tls() if connection.secure else server.address).encode()

    def take(reply: Any) -> bytes:
        if not reply:
            raise Refusal("NOTFOUND")
        return echo(command.tags) + b"LOCATE_TOPIC_MSG_ADDR %s %s\r\n" % (address, topic)

    connection.ask(command, LOCATE, (topic,), take, fenced=False)
