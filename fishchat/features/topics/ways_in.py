"""Topics at the msg_server: creating, joining and inviting."""

from __future__ import annotations

from fishchat.features.engine import Engine, ISession
from fishchat.features.entering import REQUESTS, Entered, Entering, notice_body, remark_of
from fishchat.features.topics import calls
from fishchat.features.topics.calls import Joined
from fishchat.model.names import topic_conversation
from fishchat.protocols.replies import ok_line
from fishchat.protocols.table import Command
from fishchat.storage.logs.calls import Appended

#: The most open invitations of one topic.
INVITED = 1000


class WaysIn:
    """The verbs that lead into a topic."""

    def __init__(self, engine: Engine) -> None:
        self._entering = Entering(engine)
        self._membership = engine.membership
        self._news = engine.topic_news
        self._settings = engine.settings
        self._stream = engine.stream

    def create(self, session: ISession, command: Command) -> None:
        """Carry out CREATE_TOPIC: create a topic; its creator is the owner and first member."""
        topic, tags, account = command.fields[0], command.tags, session.account
        given = [part for name in (b"write", b"history") if name in tags for part in (name, tags[name])]
        if b"listed" in tags:
            given += [b"listed", b"yes"]
        kind, most = tags.get(b"kind", b"open"), self._settings.topics_per_account

        def take(joined: Joined) -> bytes:
            self._membership.joined(account, topic_conversation(topic), joined.version, joined.after)
            self._news.changed(topic, "created", account)
            return ok_line(command, topic)

        session.ask(command, calls.create(account, topic, kind, most, given), take)

    def join(self, session: ISession, command: Command) -> None:
        """Carry out JOIN_TOPIC: add a member, or store its request; for a member, change nothing."""
        topic, settings, device = command.fields[0], self._settings, session.device
        assert device is not None
        text = remark_of(command.text)

        def take(entered: Entered) -> bytes:
            self._entering.done(device.account, topic, entered)
            return ok_line(command, topic if entered.version else topic + b" pending")

        ask = calls.join(
            self._stream,
            device.account,
            device.name,
            topic,
            text,
            settings.topic_members,
            settings.topics_per_account,
            settings.join_notices,
            REQUESTS,
        )
        session.ask(command, ask, take)

    def invite(self, session: ISession, command: Command) -> None:
        """Carry out INVITE_TOPIC: let an account join, and notify it."""
        (topic, guest), device = command.fields, session.device
        assert device is not None

        def take(notice: Appended | None) -> bytes:
            if notice is not None:
                self._entering.deliver([notice])
            self._news.changed(topic, "invited", device.account)
            return ok_line(command, b" ".join(command.fields))

        body = notice_body(device, b"INVITED " + topic)
        session.ask(command, calls.invite(device.account, topic, guest, INVITED, self._stream, body), take)
