"""Contacts and blocked accounts. Requests to become a contact are in ``requests``."""

from __future__ import annotations

from fishchat.errors import Refusal
from fishchat.features.contacts import calls, rows
from fishchat.features.contacts.calls import BLOCKED, CONTACT, RELATED
from fishchat.features.contacts.requests import Requests
from fishchat.features.engine import Engine, Handlers, ICall, ISession
from fishchat.features.lists import named_item
from fishchat.model.display_names import DISPLAY_LENGTH, remark
from fishchat.protocols.lines import escape_tag
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.profiles.calls import NAMED, display_names


class Contacts:
    """The verbs of contacts and of blocking.

    :param call: calls the store through the queue.
    """

    def __init__(self, call: ICall) -> None:
        self._call = call

    def add(self, session: ISession, command: Command) -> None:
        """Carry out ADD_CONTACT: let an account start a conversation, and keep a remark about it."""
        try:
            about = remark(command.text) if command.text else None
        except ValueError as error:
            raise Refusal("BADNAME", str(error), limit=DISPLAY_LENGTH) from None
        self._set(session, command, CONTACT, True, about)

    def remove(self, session: ISession, command: Command) -> None:
        """Carry out REMOVE_CONTACT: remove this permission."""
        self._set(session, command, CONTACT, False)

    def list_contacts(self, session: ISession, command: Command) -> None:
        """Carry out REQ_CONTACTS: list the contacts with the remarks about them."""
        session.perform(command, self._listed(session, command, CONTACT), changes=False)

    def block(self, session: ISession, command: Command) -> None:
        """Carry out BLOCK_CLIENT: block an account."""
        self._set(session, command, BLOCKED, True)

    def unblock(self, session: ISession, command: Command) -> None:
        """Carry out UNBLOCK_CLIENT: remove a block."""
        self._set(session, command, BLOCKED, False)

    def list_blocked(self, session: ISession, command: Command) -> None:
        """Carry out REQ_BLOCKED: list the blocked accounts."""
        session.perform(command, self._listed(session, command, BLOCKED), changes=False)

    async def _listed(self, session: ISession, command: Command, kind: bytes) -> bytes:
        account = session.account
        others = await self._call(calls.related(account, kind))
        items: list[tuple[bytes, bytes]] = []
        for start in range(0, len(others), NAMED):
            some = others[start : start + NAMED]
            names = await self._call(display_names(account, some))
            about = await self._call(calls.remarks(account, some)) if kind == CONTACT else [b""] * len(some)
            items += map(_item, some, names, about)
        return list_lines(command, items)

    def _set(self, session: ISession, command: Command, kind: bytes, wanted: bool, about: bytes | None = None) -> None:
        other = command.fields[0]
        ask = calls.set_relation(session.account, other, kind, wanted, RELATED, about)
        session.ask(command, ask, lambda _: ok_line(command, other))


def _item(account: bytes, name: bytes, about: bytes) -> tuple[bytes, bytes]:
    return named_item(account, name), b"remark=" + escape_tag(about) if about else b""


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    contacts = Contacts(engine.call)
    requests = Requests(engine.call, engine.rooms, engine.stream)
    return {
        rows.ADD_CONTACT.name: contacts.add,
        rows.REMOVE_CONTACT.name: contacts.remove,
        rows.REQ_CONTACTS.name: contacts.list_contacts,
        rows.BLOCK_CLIENT.name: contacts.block,
        rows.UNBLOCK_CLIENT.name: contacts.unblock,
        rows.REQ_BLOCKED.name: contacts.list_blocked,
        rows.ASK_CONTACT.name: requests.ask,
        rows.REQ_CONTACT_REQUESTS.name: requests.listed,
        rows.ACCEPT_CONTACT.name: requests.accept,
        rows.REFUSE_CONTACT.name: requests.refuse,
    }
