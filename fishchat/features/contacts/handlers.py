"""Contacts and blocked accounts."""

from __future__ import annotations

from fishchat.features.contacts import calls, rows
from fishchat.features.contacts.calls import BLOCKED, CONTACT
from fishchat.features.engine import Engine, Handlers, ICall, ISession
from fishchat.features.lists import named_item
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.profiles.calls import NAMED, display_names

#: The most accounts that one account may block, and the most contacts that it may have.
RELATED = 1000


class Contacts:
    """The verbs of contacts and of blocking.

    :param call: calls the store through the queue.
    """

    def __init__(self, call: ICall) -> None:
        self._call = call

    def add(self, session: ISession, command: Command) -> None:
        """Carry out ADD_CONTACT: let an account start a conversation."""
        self._set(session, command, CONTACT, True)

    def remove(self, session: ISession, command: Command) -> None:
        """Carry out REMOVE_CONTACT: remove this permission."""
        self._set(session, command, CONTACT, False)

    def list_contacts(self, session: ISession, command: Command) -> None:
        """Carry out REQ_CONTACTS: list the contacts."""
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
        names: list[bytes] = []
        for start in range(0, len(others), NAMED):
            names += await self._call(display_names(account, others[start : start + NAMED]))
        return list_lines(command, [(named_item(*each), b"") for each in zip(others, names, strict=True)])

    def _set(self, session: ISession, command: Command, kind: bytes, wanted: bool) -> None:
        other = command.fields[0]
        ask = calls.set_relation(session.account, other, kind, wanted, RELATED)
        session.ask(command, ask, lambda _: ok_line(command, other))


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    contacts = Contacts(engine.call)
    return {
        rows.ADD_CONTACT.name: contacts.add,
        rows.REMOVE_CONTACT.name: contacts.remove,
        rows.REQ_CONTACTS.name: contacts.list_contacts,
        rows.BLOCK_CLIENT.name: contacts.block,
        rows.UNBLOCK_CLIENT.name: contacts.unblock,
        rows.REQ_BLOCKED.name: contacts.list_blocked,
    }
