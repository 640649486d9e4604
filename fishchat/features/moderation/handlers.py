"""Running a topic: settings, roles, and members who are kicked, banned or muted."""

from __future__ import annotations

from bisect import bisect_right

from fishchat.errors import Refusal
from fishchat.features.engine import Engine, Handlers, ICall, IMembership, IRooms, ISession, ITopicNews
from fishchat.features.moderation import calls, rows
from fishchat.features.moderation.calls import Actor, Ban, Change
from fishchat.features.moderation.settings import SETTINGS
from fishchat.features.moderation.steps import all_banned, with_room
from fishchat.model.display_names import shown_text
from fishchat.model.names import topic_conversation
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.ask import Ask

#: The most bytes of a reason.
REASON = 256


class Moderation:
    """The verbs of running a topic.

    :param call: calls the store through the queue.
    :param stream: the stream to which scripts add messages for other servers.
    """

    def __init__(self, rooms: IRooms, membership: IMembership, news: ITopicNews, call: ICall, stream: bytes) -> None:
        self._rooms = rooms
        self._membership = membership
        self._news = news
        self._call = call
        self._stream = stream

    # -- settings

    def set_topic(self, session: ISession, command: Command) -> None:
        """Carry out SET_TOPIC: change a setting."""
        topic, setting = command.fields
        try:
            value = SETTINGS[setting].check(command.text)
        except ValueError as error:
            raise Refusal("FIELDS", str(error)) from None
        self._change(session, command, calls.set_topic(self._stream, _actor(session), topic, setting, value))

    def describe(self, session: ISession, command: Command) -> None:
        """Carry out REQ_TOPIC: describe a topic."""

        def take(found: list[tuple[bytes, bytes]]) -> bytes:
            return list_lines(command, [(b"%s %s" % pair, b"") for pair in found])

        session.ask(command, calls.describe(_actor(session), command.fields[0]), take, alone=True)

    # -- roles

    def set_role(self, session: ISession, command: Command) -> None:
        """Carry out SET_ROLE: make a member an admin, or an admin a member."""
        topic, other, role = command.fields
        self._change(session, command, calls.set_role(self._stream, _actor(session), topic, other, role))

    def transfer(self, session: ISession, command: Command) -> None:
        """Carry out TRANSFER_TOPIC: make another member the owner."""
        topic, heir = command.fields
        self._change(session, command, calls.transfer(self._stream, _actor(session), topic, heir))

    # -- members who are not wanted

    def kick(self, session: ISession, command: Command) -> None:
        """Carry out KICK_MEMBER: end a membership."""
        topic, other = command.fields
        ask = calls.kick(self._stream, _actor(session), topic, other, _reason(command))

        def take(change: Change) -> bytes:
            self._expelled(topic, other, change)
            return ok_line(command, b" ".join(command.fields))

        session.ask(command, ask, take)

    def ban(self, session: ISession, command: Command) -> None:
        """Carry out BAN_MEMBER: end a membership, and keep the account out."""
        topic, other = command.fields
        seconds = command.tags.get(b"for", 0)
        ask = calls.ban(self._stream, _actor(session), topic, other, seconds, _reason(command))
        session.perform(command, self._banned(command, ask))

    async def _banned(self, command: Command, ask: Ask[Change]) -> bytes:
        topic, other = command.fields
        self._expelled(topic, other, await with_room(self._call, ask, topic, b"banned"))
        return ok_line(command, b" ".join(command.fields))

    def unban(self, session: ISession, command: Command) -> None:
        """Carry out UNBAN_MEMBER: end a ban."""
        topic, other = command.fields
        self._change(session, command, calls.unban(self._stream, _actor(session), topic, other))

    def list_banned(self, session: ISession, command: Command) -> None:
        """Carry out REQ_BANNED: list the banned accounts."""
        session.perform(command, self._listed(_actor(session), command), changes=False)

    async def _listed(self, by: Actor, command: Command) -> bytes:
        bans = await all_banned(self._call, by, command.fields[0])
        start = bisect_right([ban.account for ban in bans], command.tags.get(b"after", b""))
        page = bans[start : start + command.tags.get(b"limit", rows.PAGE)]
        return list_lines(command, [(_ban_item(ban), b"") for ban in page])

    def mute(self, session: ISession, command: Command) -> None:
        """Carry out MUTE_MEMBER: let a member read, but not write."""
        topic, other = command.fields
        seconds = command.tags.get(b"for", rows.MUTED)
        ask = calls.mute(self._stream, _actor(session), topic, other, seconds, _reason(command))
        session.perform(command, self._muted(command, ask))

    async def _muted(self, command: Command, ask: Ask[Change]) -> bytes:
        self._deliver(await with_room(self._call, ask, command.fields[0], b"muted"))
        return ok_line(command, b" ".join(command.fields))

    def unmute(self, session: ISession, command: Command) -> None:
        """Carry out UNMUTE_MEMBER: end a mute."""
        topic, other = command.fields
        self._change(session, command, calls.unmute(self._stream, _actor(session), topic, other))

    # -- after a change

    def _change(self, session: ISession, command: Command, ask: Ask[Change]) -> None:
        """Make a change that leaves the membership as it is."""

        def take(change: Change) -> bytes:
            self._deliver(change)
            return ok_line(command, b" ".join(command.fields))

        session.ask(command, ask, take)

    def _expelled(self, topic: bytes, other: bytes, change: Change) -> None:
        # The notice is delivered first: it is the last message that the account may read.
        self._deliver(change)
        if change.version:
            self._membership.left(other, topic_conversation(topic), change.version)
            self._news.changed(topic, "left", other)

    def _deliver(self, change: Change) -> None:
        notice = change.notice
        if notice is not None:
            self._rooms.told(notice.conversation, notice.epoch, notice.number, notice.body, notice.version, notice.time)


def _actor(session: ISession) -> Actor:
    device = session.device
    assert device is not None
    return Actor(device.account, device.name)


def _reason(command: Command) -> bytes:
    try:
        return shown_text(command.text, REASON) if command.text.strip() else b""
    except ValueError as error:
        raise Refusal("FIELDS", str(error)) from None


def _ban_item(ban: Ban) -> bytes:
    item = b"%s %d %s" % (ban.account, ban.until, ban.by)
    return b"%s %s" % (item, ban.reason) if ban.reason else item


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    topics = Moderation(engine.rooms, engine.membership, engine.topic_news, engine.call, engine.stream)
    return {
        rows.SET_TOPIC.name: topics.set_topic,
        rows.REQ_TOPIC.name: topics.describe,
        rows.SET_ROLE.name: topics.set_role,
        rows.TRANSFER_TOPIC.name: topics.transfer,
        rows.KICK_MEMBER.name: topics.kick,
        rows.BAN_MEMBER.name: topics.ban,
        rows.UNBAN_MEMBER.name: topics.unban,
        rows.REQ_BANNED.name: topics.list_banned,
        rows.MUTE_MEMBER.name: topics.mute,
        rows.UNMUTE_MEMBER.name: topics.unmute,
    }
