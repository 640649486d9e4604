"""Contacts and blocked accounts."""

from __future__ import annotations

from fishchat.features.contacts import calls, rows
from fishchat.features.contacts.calls import BLOCKED, CONTACT
from fishchat.features.engine import Engine, Handlers, ISession
from fishchat.features.lists import ask_list
from fishchat.protocols.replies import ok_line
from fishchat.protocols.table import Command

#: The most accounts that one account may block, and the most contacts that it may have.
RELATED = 1000


class Contacts:
    """The verbs of contacts and of blocking."""

    def add(self, session: ISession, command: Command) -> None:
        """Carry out ADD_CONTACT: let an account start a conversation."""
        self._set(session, command, CONTACT, True)

    def remove(self, session: ISession, command: Command) -> None:
        """Carry out REMOVE_CONTACT: remove this permission."""
        self._set(session, command, CONTACT, False)

    def list_contacts(self, session: ISession, command: Command) -> None:
        """Carry out REQ_CONTACTS: list the contacts."""
        ask_list(session, command, calls.related(session.account, CONTACT), b"%s")

    def block(self, session: ISession, command: Command) -> None:
        """Carry out BLOCK_CLIENT: block an account."""
        self._set(session, command, BLOCKED, True)

    def unblock(self, session: ISession, command: Command) -> None:
        """Carry out UNBLOCK_CLIENT: remove a block."""
        self._set(session, command, BLOCKED, False)

    def list_blocked(self, session: ISession, command: Command) -> None:
        """Carry out REQ_BLOCKED: list the blocked accounts."""
        ask_list(session, command, calls.related(session.account, BLOCKED), b"%s")

    def _set(self, session: ISession, command: Command, kind: bytes, wanted: bool) -> None:
        other = command.fields[0]
        ask = calls.set_relation(session.account, other, kind, wanted, RELATED)
        session.ask(command, ask, lambda _: ok_line(command, other))


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    contacts = Contacts()
    return {
        rows.ADD_CONTACT.name: contacts.add,
        rows.REMOVE_CONTACT.name: contacts.remove,
        rows.REQ_CONTACTS.name: contacts.list_contacts,
        rows.BLOCK_CLIENT.name: contacts.block,
        rows.UNBLOCK_CLIENT.name: contacts.unblock,
        rows.REQ_BLOCKED.name: contacts.list_blocked,
    }
