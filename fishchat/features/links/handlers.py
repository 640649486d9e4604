"""Links, requests and the directory at the msg_server."""

from __future__ import annotations

from fishchat.features.engine import Engine, Handlers, ISession
from fishchat.features.entering import REQUESTS, Entered, Entering, notice_body, remark_of
from fishchat.features.links import calls, rows
from fishchat.features.links.calls import JoinRequest, Link, Listed
from fishchat.features.lists import named_item
from fishchat.model.device import Device
from fishchat.model.secrets.tokens import LINK, LINK_DIGITS, fingerprint, new_link
from fishchat.protocols.fields import read_name
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.logs.calls import Appended

#: The most links of one topic.
LINKS = 100


def _device(session: ISession) -> Device:
    assert session.device is not None
    return session.device


class Links:
    """The verbs of links, for the admins of a topic."""

    def create(self, session: ISession, command: Command) -> None:
        """Carry out CREATE_LINK: create a link; nobody can read its code again."""
        topic, tags, code = command.fields[0], command.tags, new_link()
        name = fingerprint(code)
        life = 1000 * tags.get(b"for", rows.WEEK)
        ask = calls.create_link(session.account, topic, name, life, tags.get(b"uses"), b"approval" in tags, LINKS)
        session.ask(command, ask, lambda _: ok_line(command, b"%s %s" % (code, name[:LINK_DIGITS])))

    def revoke(self, session: ISession, command: Command) -> None:
        """Carry out REVOKE_LINK: revoke one link or all."""
        topic, link = command.fields
        which = b"" if link == rows.ALL else fingerprint(link) if link.startswith(LINK) else link
        # A shorter beginning of a fingerprint could be that of several links.
        if link != rows.ALL and len(which) < LINK_DIGITS:
            which = fingerprint(link)
        ask = calls.revoke_link(session.account, topic, which)
        session.ask(command, ask, lambda revoked: ok_line(command, b"%s %d" % (topic, revoked)))

    def list(self, session: ISession, command: Command) -> None:
        """Carry out REQ_LINKS: list the links of a topic."""

        def take(links: list[Link]) -> bytes:
            return list_lines(command, [(_link_item(link), b"") for link in links])

        session.ask(command, calls.links(session.account, command.fields[0]), take, alone=True)


def _link_item(link: Link) -> bytes:
    way = b"approval" if link.approval else b"direct"
    return b"%s %s %s %d %s" % (link.fingerprint[:LINK_DIGITS], link.by, link.left or b"-", link.until, way)


class Requests:
    """Joining by a link, requests to join, and the directory."""

    def __init__(self, engine: Engine) -> None:
        self._entering = Entering(engine)
        self._stream = engine.stream
        settings = engine.settings
        self._limits = settings.topic_members, settings.topics_per_account, settings.join_notices

    def enter(self, session: ISession, command: Command) -> None:
        """Carry out JOIN_LINK: join a topic by a link, or ask to join it."""
        device, text = _device(session), remark_of(command.text)

        def take(result: tuple[bytes, Entered]) -> bytes:
            topic, entered = result
            self._entering.done(device.account, topic, entered)
            return ok_line(command, topic if entered.version else topic + b" pending")

        name = fingerprint(command.fields[0])
        ask = calls.join_link(self._stream, device.account, device.name, name, text, *self._limits, REQUESTS)
        session.ask(command, ask, take)

    def list(self, session: ISession, command: Command) -> None:
        """Carry out REQ_REQUESTS: list the requests to join a topic."""

        def take(requests: list[JoinRequest]) -> bytes:
            return list_lines(command, [(_request_item(asked), b"") for asked in requests])

        session.ask(command, calls.requests(session.account, command.fields[0]), take, alone=True)

    def accept(self, session: ISession, command: Command) -> None:
        """Carry out ACCEPT_MEMBER: make an account that has asked a member."""
        (topic, guest), device = command.fields, _device(session)

        def take(entered: Entered) -> bytes:
            self._entering.done(guest, topic, entered)
            return ok_line(command, b"%s %s" % (topic, guest))

        body = notice_body(device, b"ACCEPTED " + topic)
        ask = calls.accept(self._stream, device.account, device.name, topic, guest, *self._limits, body)
        session.ask(command, ask, take)

    def refuse(self, session: ISession, command: Command) -> None:
        """Carry out REFUSE_MEMBER: remove the request of an account."""
        (topic, guest), device, reason = command.fields, _device(session), remark_of(command.text)

        def take(notice: Appended | None) -> bytes:
            if notice is not None:
                self._entering.deliver([notice])
            return ok_line(command, b"%s %s" % (topic, guest))

        body = notice_body(device, named_item(b"REFUSED " + topic, reason))
        session.ask(command, calls.refuse(self._stream, device.account, topic, guest, body), take)

    def directory(self, session: ISession, command: Command) -> None:
        """Carry out REQ_DIRECTORY: list a page of the directory."""
        prefix, tags = command.text.strip(), command.tags

        def take(topics: list[Listed]) -> bytes:
            return list_lines(command, [(_listed_item(topic), b"") for topic in topics])

        ask = calls.directory(prefix and read_name(prefix), tags.get(b"after", b""), tags.get(b"limit", rows.PAGE))
        session.ask(command, ask, take, alone=True)


def _request_item(asked: JoinRequest) -> bytes:
    return named_item(b"%s %d" % (asked.account, asked.time), asked.text)


def _listed_item(topic: Listed) -> bytes:
    return named_item(b"%s %s %d" % (topic.topic, topic.kind, topic.members), topic.title)


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    links, requests = Links(), Requests(engine)
    return {
        rows.CREATE_LINK.name: links.create,
        rows.REVOKE_LINK.name: links.revoke,
        rows.REQ_LINKS.name: links.list,
        rows.JOIN_LINK.name: requests.enter,
        rows.REQ_REQUESTS.name: requests.list,
        rows.ACCEPT_MEMBER.name: requests.accept,
        rows.REFUSE_MEMBER.name: requests.refuse,
        rows.REQ_DIRECTORY.name: requests.directory,
    }
