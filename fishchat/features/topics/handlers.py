"""Topics: creating, joining, leaving, inviting, dismissing; who is in one, and where one is served."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fishchat.errors import Refusal
from fishchat.features.engine import Engine, Handlers, IMembership, IRooms, ISession, ITopicNews
from fishchat.features.lists import ask_list
from fishchat.features.topics import calls, rows
from fishchat.features.topics.calls import Joined, Notice
from fishchat.model.message import NOTICE, pack_body
from fishchat.model.names import topic_conversation
from fishchat.protocols.replies import echo, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.ask import Ask

#: Invitations of one topic that wait at most.
INVITED = 1000

T = TypeVar("T")


class Topics:
    """The verbs of topics.

    :param members: how many members a topic may have.
    :param topics: in how many topics an account may be.
    :param stream: where a script puts what other servers have to be told.
    :param address: where clients connect to this server, with TLS or without.
    """

    def __init__(
        self,
        rooms: IRooms,
        membership: IMembership,
        news: ITopicNews,
        members: int,
        topics: int,
        stream: bytes,
        address: Callable[[bool], bytes],
    ) -> None:
        self._rooms = rooms
        self._membership = membership
        self._news = news
        self._members = members
        self._topics = topics
        self._stream = stream
        self._address = address

    # -- membership

    def create(self, session: ISession, command: Command) -> None:
        """CREATE_TOPIC: a new topic, its maker the owner and first member."""
        topic, kind = command.fields[0], command.tags.get(b"kind", b"open")
        ask = calls.create(session.account, topic, kind, self._topics)
        self._change(session, command, ask, "created", self._join_here(session.account, topic))

    def join(self, session: ISession, command: Command) -> None:
        """JOIN_TOPIC: a new member; a member stays one."""
        topic = command.fields[0]
        ask = calls.join(session.account, topic, self._members, self._topics)
        self._change(session, command, ask, "joined", self._join_here(session.account, topic))

    def _join_here(self, account: bytes, topic: bytes) -> Callable[[Joined], None]:
        def done(joined: Joined) -> None:
            self._membership.joined(account, topic_conversation(topic), joined.version, joined.after)

        return done

    def leave(self, session: ISession, command: Command) -> None:
        """LEAVE_TOPIC: a member less."""
        topic, account = command.fields[0], session.account

        def done(version: int) -> None:
            self._membership.left(account, topic_conversation(topic), version)

        self._change(session, command, calls.leave(account, topic), "left", done)

    def dismiss(self, session: ISession, command: Command) -> None:
        """DISMISS_TOPIC: store a last notice in the topic, and end all memberships."""
        topic = command.fields[0]

        def done(notice: Notice) -> None:
            self._deliver(notice)
            self._membership.changed(notice.conversation)

        ask = calls.dismiss(session.account, topic, self._stream, _notice(session, b"DISMISSED " + topic))
        self._change(session, command, ask, "dismissed", done)

    def invite(self, session: ISession, command: Command) -> None:
        """INVITE_TOPIC: let an account join, and notify it."""
        topic, guest = command.fields

        def done(notice: Notice | None) -> None:
            if notice is not None:
                self._deliver(notice)

        body = _notice(session, b"INVITED " + topic)
        ask = calls.invite(session.account, topic, guest, INVITED, self._stream, body)
        self._change(session, command, ask, "invited", done)

    def _change(
        self, session: ISession, command: Command, ask: Ask[T], event: str, done: Callable[[T], object]
    ) -> None:
        """Change a topic's membership, and notify the other servers."""
        topic, account = command.fields[0], session.account

        def take(result: T) -> bytes:
            done(result)
            self._news.changed(topic, event, account)
            return ok_line(command, b" ".join(command.fields))

        session.ask(command, ask, take)

    def _deliver(self, notice: Notice) -> None:
        self._rooms.told(notice.conversation, notice.epoch, notice.number, notice.body, notice.version)

    # -- questions

    def list_topics(self, session: ISession, command: Command) -> None:
        """REQ_TOPICS: the topics of the account."""
        ask_list(session, command, calls.topics(session.account), b"%s %s %s %d")

    def members(self, session: ISession, command: Command) -> None:
        """REQ_MEMBERS: the members of a topic, for one of them."""
        ask_list(session, command, calls.members(session.account, command.fields[0]), b"%s %s %d")

    def locate(self, session: ISession, command: Command) -> None:
        """LOCATE_TOPIC_MSG_ADDR: every msg_server serves every topic, so this one's address if there is the topic."""
        topic = command.fields[0]
        address = self._address(session.peer.secure)

        def take(exists: bool) -> bytes:
            if not exists:
                raise Refusal("NOTFOUND")
            return echo(command.tags) + b"LOCATE_TOPIC_MSG_ADDR %s %s\r\n" % (address, topic)

        session.ask(command, calls.exists(topic), take)


def _notice(session: ISession, text: bytes) -> bytes:
    device = session.device
    assert device is not None
    return pack_body(device.account, device.name, -1, NOTICE, text)


def make(engine: Engine) -> Handlers:
    """Return what does each verb."""
    settings = engine.settings
    topics = Topics(
        engine.rooms,
        engine.membership,
        engine.topic_news,
        settings.topic_members,
        settings.topics_per_account,
        engine.stream,
        engine.address,
    )
    return {
        rows.CREATE_TOPIC.name: topics.create,
        rows.JOIN_TOPIC.name: topics.join,
        rows.LEAVE_TOPIC.name: topics.leave,
        rows.INVITE_TOPIC.name: topics.invite,
        rows.DISMISS_TOPIC.name: topics.dismiss,
        rows.LOCATE_TOPIC_MSG_ADDR.name: topics.locate,
        rows.REQ_TOPICS.name: topics.list_topics,
        rows.REQ_MEMBERS.name: topics.members,
    }
