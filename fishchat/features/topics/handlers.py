"""Topics: making, joining, leaving, inviting, dismissing; and where one is served."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from fishchat.errors import Refusal
from fishchat.features.topics import calls
from fishchat.features.topics.calls import Joined, Notice
from fishchat.model.message import NOTICE, pack_body
from fishchat.model.names import topic_conversation
from fishchat.protocols.replies import echo, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.ask import Ask

if TYPE_CHECKING:
    from fishchat.services.msg_server.sessions.session import Session

#: Invitations of one topic that wait at most.
INVITED = 1000

T = TypeVar("T")


def _change(connection: Session, command: Command, ask: Ask[T], event: str, done: Callable[[T], object]) -> None:
    """Change a topic's membership, and notify the other servers."""
    topic, account = command.fields[0], connection.account

    def take(result: T) -> bytes:
        done(result)
        connection.server.topic_news.changed(topic, event, account)
        return ok_line(command, b" ".join(command.fields))

    connection.ask(command, ask, take)


def create(connection: Session, command: Command) -> None:
    """A new topic, its maker the owner and first member."""
    topic, kind = command.fields[0], command.tags.get(b"kind", b"open")
    ask = calls.create(connection.account, topic, kind, connection.server.config.limits.topics_per_account)
    _change(connection, command, ask, "created", _join_here(connection, topic))


def join(connection: Session, command: Command) -> None:
    """A new member; a member stays one."""
    topic, limits = command.fields[0], connection.server.config.limits
    ask = calls.join(connection.account, topic, limits.topic_members, limits.topics_per_account)
    _change(connection, command, ask, "joined", _join_here(connection, topic))


def _join_here(connection: Session, topic: bytes) -> Callable[[Joined], None]:
    account, name = connection.account, topic_conversation(topic)

    def done(joined: Joined) -> None:
        connection.server.delivery.membership.joined(account, name, joined.version, joined.after)

    return done


def leave(connection: Session, command: Command) -> None:
    """A member less."""
    topic, account = command.fields[0], connection.account

    def done(version: int) -> None:
        connection.server.delivery.membership.left(account, topic_conversation(topic), version)

    _change(connection, command, calls.leave(account, topic), "left", done)


def dismiss(connection: Session, command: Command) -> None:
    """The owner ends the topic: a last notice in it, then nobody is a member any more."""
    topic = command.fields[0]
    server = connection.server

    def done(notice: Notice) -> None:
        _deliver(connection, notice)
        server.delivery.membership.changed(notice.conversation)

    ask = calls.dismiss(connection.account, topic, server.stream, _notice(connection, b"DISMISSED " + topic))
    _change(connection, command, ask, "dismissed", done)


def invite(connection: Session, command: Command) -> None:
    """Let an account join, and notify it."""
    topic, guest = command.fields

    def done(notice: Notice | None) -> None:
        if notice is not None:
            _deliver(connection, notice)

    body = _notice(connection, b"INVITED " + topic)
    ask = calls.invite(connection.account, topic, guest, INVITED, connection.server.stream, body)
    _change(connection, command, ask, "invited", done)


def _deliver(connection: Session, notice: Notice) -> None:
    told = connection.server.delivery.rooms.told
    told(notice.conversation, notice.epoch, notice.number, notice.body, notice.version)


def _notice(connection: Session, text: bytes) -> bytes:
    device = connection.device
    assert device is not None
    return pack_body(device.account, device.name, -1, NOTICE, text)


def locate(connection: Session, command: Command) -> None:
    """Every msg_server serves every topic: this one is as good as any, if there is such a topic."""
    topic = command.fields[0]
    server = connection.server
    address = (server.address_tls() if connection.peer.secure else server.address).encode()

    def take(exists: bool) -> bytes:
        if not exists:
            raise Refusal("NOTFOUND")
        return echo(command.tags) + b"LOCATE_TOPIC_MSG_ADDR %s %s\r\n" % (address, topic)

    connection.ask(command, calls.exists(topic), take)
