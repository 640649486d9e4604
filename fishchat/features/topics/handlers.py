"""Topics: leaving and dismissing; their members, and the server of a topic. ``ways_in`` has the verbs that lead in."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred, TimeoutError

from fishchat.errors import Refusal
from fishchat.features.engine import Engine, Handlers, ICall, IMembership, IRooms, ISession, ITopicNews
from fishchat.features.lists import ask_list
from fishchat.features.topics import calls, rows
from fishchat.features.topics.calls import Left, Member
from fishchat.features.topics.member_names import MemberNames
from fishchat.features.topics.ways_in import WaysIn
from fishchat.model.message import NOTICE, pack_body
from fishchat.model.names import topic_conversation
from fishchat.protocols.replies import echo, list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.ask import Ask
from fishchat.storage.logs.calls import Appended

#: The members described in one step of a list: a step takes less than 5 ms.
DESCRIBED = 500

#: Seconds after DISMISS_TOPIC during which members are released before the answer.
RELEASING = 2.0

T = TypeVar("T")


class Topics:
    """The verbs of topics.

    :param join_notices: the most members of a topic in which a notice says that one has left.
    :param call: calls the store through the queue, like every call for clients; fails with the Refusal.
    :param stream: the stream to which scripts add messages for other servers.
    :param address: returns the address of this server for clients, with TLS or without.
    """

    def __init__(
        self,
        rooms: IRooms,
        membership: IMembership,
        news: ITopicNews,
        call: ICall,
        join_notices: int,
        stream: bytes,
        address: Callable[[bool], bytes],
    ) -> None:
        self._rooms = rooms
        self._membership = membership
        self._news = news
        self._call = call
        self._names = MemberNames(call)
        self._join_notices = join_notices
        self._stream = stream
        self._address = address

    # -- membership

    def leave(self, session: ISession, command: Command) -> None:
        """Carry out LEAVE_TOPIC: end a membership."""
        topic, account = command.fields[0], session.account

        def done(left: Left) -> None:
            # The notice is for those who remain: it is delivered when this account reads no more.
            self._membership.left(account, topic_conversation(topic), left.version)
            if left.notice is not None:
                self._deliver(left.notice)

        body = _body(session, b"LEFT " + account)
        ask = calls.leave(account, topic, self._stream, body, self._join_notices)
        self._change(session, command, ask, "left", done)

    def dismiss(self, session: ISession, command: Command) -> None:
        """Carry out DISMISS_TOPIC: store a last notice in the topic, and end all memberships."""
        session.perform(command, self._dismissed(session, command))

    async def _dismissed(self, session: ISession, command: Command) -> bytes:
        topic, account, clock = command.fields[0], session.account, session.clock
        until = clock.seconds() + RELEASING
        notice = _body(session, b"DISMISSED " + topic)
        stored = await self._call(calls.dismiss(account, topic, self._stream, notice))
        self._deliver(stored)
        # The topic is dismissed already; the manager releases the members that are left.
        left = until - clock.seconds()
        if left > 0:
            with contextlib.suppress(Refusal, TimeoutError):
                await Deferred.fromCoroutine(self._release(topic)).addTimeout(left, clock)
        self._membership.changed(stored.conversation)
        self._news.changed(topic, "dismissed", account)
        return ok_line(command, topic)

    async def _release(self, topic: bytes) -> None:
        while await self._call(calls.release(topic, calls.RELEASED)):
            pass

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

    def _deliver(self, notice: Appended) -> None:
        self._rooms.told(notice.conversation, notice.epoch, notice.number, notice.body, notice.version, notice.time)

    # -- queries

    def list_topics(self, session: ISession, command: Command) -> None:
        """Carry out REQ_TOPICS: list the topics of the account."""
        ask_list(session, command, calls.topics(session.account), b"%s %s %s %d")

    def members(self, session: ISession, command: Command) -> None:
        """Carry out REQ_MEMBERS: list the members of a topic, for one of them."""
        session.perform(command, self._members_listed(session, command), changes=False)

    async def _members_listed(self, session: ISession, command: Command) -> bytes:
        topic, tags, account = command.fields[0], command.tags, session.account
        names = await self._names.of(account, topic, session.clock.seconds())
        names = names[bisect_right(names, tags.get(b"after", b"")) :][: tags.get(b"limit")]
        found: list[Member] = []
        for start in range(0, len(names), DESCRIBED):
            found += await self._call(calls.members(account, topic, names[start : start + DESCRIBED]))
        return list_lines(command, [(_member_item(member), _member_tags(member)) for member in found])

    def locate(self, session: ISession, command: Command) -> None:
        """Carry out LOCATE_TOPIC_MSG_ADDR: every msg_server serves every topic, so return this server's address."""
        topic = command.fields[0]
        address = self._address(session.peer.secure)

        def take(exists: bool) -> bytes:
            if not exists:
                raise Refusal("NOTFOUND")
            return echo(command.tags) + b"LOCATE_TOPIC_MSG_ADDR %s %s\r\n" % (address, topic)

        session.ask(command, calls.exists(topic), take)


def _member_item(member: Member) -> bytes:
    item = b"%s %s %d" % (member.account, member.role, member.read)
    return b"%s %s" % (item, member.name) if member.name else item


def _member_tags(member: Member) -> bytes:
    return b"muted=%d" % member.muted if member.muted else b""


def _body(session: ISession, text: bytes) -> bytes:
    device = session.device
    assert device is not None
    return pack_body(device.account, device.name, -1, NOTICE, text)


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    ways_in = WaysIn(engine)
    topics = Topics(
        engine.rooms,
        engine.membership,
        engine.topic_news,
        engine.call,
        engine.settings.join_notices,
        engine.stream,
        engine.address,
    )
    return {
        rows.CREATE_TOPIC.name: ways_in.create,
        rows.JOIN_TOPIC.name: ways_in.join,
        rows.LEAVE_TOPIC.name: topics.leave,
        rows.INVITE_TOPIC.name: ways_in.invite,
        rows.DISMISS_TOPIC.name: topics.dismiss,
        rows.LOCATE_TOPIC_MSG_ADDR.name: topics.locate,
        rows.REQ_TOPICS.name: topics.list_topics,
        rows.REQ_MEMBERS.name: topics.members,
    }
