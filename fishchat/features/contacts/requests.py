"""Requests to become a contact, the way to an account that accepts messages from its contacts only.

An asking account learns of an acceptance and of nothing else: the reply is the same for every name.
"""

from __future__ import annotations

from fishchat.errors import Refusal
from fishchat.features.contacts import calls
from fishchat.features.contacts.rows import ASK_LENGTH
from fishchat.features.engine import ICall, IRooms, ISession
from fishchat.model.display_names import is_clean
from fishchat.model.message import NOTICE, pack_body
from fishchat.protocols.lines import escape_tag
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.logs.calls import Appended
from fishchat.storage.profiles.calls import NAMED, display_names


class Requests:
    """The verbs of requests.

    :param call: calls the store through the queue.
    :param stream: the stream to which scripts add messages for other servers.
    """

    def __init__(self, call: ICall, rooms: IRooms, stream: bytes) -> None:
        self._call = call
        self._rooms = rooms
        self._stream = stream

    def ask(self, session: ISession, command: Command) -> None:
        """Carry out ASK_CONTACT: leave a request at an account, and notify it."""
        account, other, text = session.account, command.fields[0], command.text
        if len(text) > ASK_LENGTH:
            raise Refusal("TEXTTOOLONG", f"the text of a request has at most {ASK_LENGTH} bytes", limit=ASK_LENGTH)
        if not is_clean(text):
            raise Refusal("CONTROL", "the text contains a character that changes the direction of writing; remove it")
        asked = _body(session, b"ASKED " + account + (b" " + text if text else b""))
        call = calls.ask_contact(self._stream, account, other, text, asked, _body(session, b"CONTACT " + account))

        def take(notice: Appended | None) -> bytes:
            if notice is not None:
                self._deliver(notice)
            return ok_line(command, other)

        session.ask(command, call, take)

    def listed(self, session: ISession, command: Command) -> None:
        """Carry out REQ_CONTACT_REQUESTS: list the requests that wait for an answer."""
        session.perform(command, self._listed(session, command), changes=False)

    async def _listed(self, session: ISession, command: Command) -> bytes:
        account = session.account
        found = await self._call(calls.requests(account))
        names: list[bytes] = []
        for start in range(0, len(found), NAMED):
            some = [other for _, other, _ in found[start : start + NAMED]]
            names += await self._call(display_names(account, some))
        items = []
        for (time, other, text), name in zip(found, names, strict=True):
            item = b"%s %d %s" % (other, time, text) if text else b"%s %d" % (other, time)
            items.append((item, b"name=" + escape_tag(name) if name else b""))
        return list_lines(command, items)

    def accept(self, session: ISession, command: Command) -> None:
        """Carry out ACCEPT_CONTACT: make both accounts contacts, and notify the one that has asked."""
        account, other = session.account, command.fields[0]
        call = calls.accept(self._stream, account, other, _body(session, b"CONTACT " + account))

        def take(notice: Appended) -> bytes:
            self._deliver(notice)
            return ok_line(command, other)

        session.ask(command, call, take)

    def refuse(self, session: ISession, command: Command) -> None:
        """Carry out REFUSE_CONTACT: remove a request, without notifying the account."""
        other = command.fields[0]
        session.ask(command, calls.refuse(session.account, other), lambda _: ok_line(command, other))

    def _deliver(self, notice: Appended) -> None:
        self._rooms.told(notice.conversation, notice.epoch, notice.number, notice.body, notice.version, notice.time)


def _body(session: ISession, text: bytes) -> bytes:
    device = session.device
    assert device is not None
    return pack_body(device.account, device.name, -1, NOTICE, text)
