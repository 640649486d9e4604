"""The commands of a client about accounts, its own and others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from twisted.internet.defer import Deferred

from fishchat.client.asking import Asking
from fishchat.client.events import Contact, ContactRequest, Device, Status
from fishchat.features.accounts import client as accounts
from fishchat.features.contacts import client as contacts
from fishchat.features.requests import Named
from fishchat.features.session import client as session
from fishchat.features.watching import client as watching


class PeopleCalls(Asking):
    """Contacts, presence, the own account and its devices."""

    def ping(self) -> Deferred[None]:
        """Check that the connection is alive."""
        return self._ask(session.ping)

    def status(self, account: str) -> Deferred[Status]:
        """Return whether ``account`` is online, when it last was, and its display name. Fails with RefusedError."""
        return self._ask(lambda: accounts.status(account))

    def names(self, of: Iterable[str]) -> Deferred[dict[str, str]]:
        """Return the display names of up to 100 accounts, by account. Accounts without one are left out.

        An account that does not exist or hides its status has none. Fails with RefusedError.
        """
        return self._ask(lambda: accounts.names(of))

    def set_name(self, name: str) -> Deferred[None]:
        """Set the display name that others see. Fails with RefusedError."""
        return self._ask(lambda: accounts.set_name(name))

    def change_password(self, password: str) -> Deferred[None]:
        """Change the password. This client uses it from then on; all other devices must log in with it.

        Fails with RefusedError: ``PASSWORD``, or ``STATE`` on a connection that was logged in by a token. Therefore use
        a client that has the old password as its ``secret`` and no ``state``, right after its ``start``. If the
        connection is lost in between, ``STATE`` does not show whether the password was changed.
        """
        return self._call(lambda: self._machine.change_password(password))

    def delete_account(self, password: str) -> Deferred[None]:
        """Delete the account and everything that it wrote, for ever. The client then stops, as for ``deleted``.

        Fails with RefusedError: ``AUTH`` for a wrong password, ``STATE`` where a login needs none. Fails with
        ClosedError when the answer was lost; the next login then shows whether the account exists.
        """
        return self._ask(lambda: accounts.delete_account(password))

    def devices(self) -> Deferred[list[Device]]:
        """List the devices of one's account."""
        return self._ask(accounts.devices)

    def revoke_device(self, device: str) -> Deferred[None]:
        """Revoke a device's token and close its connection. Fails with RefusedError, e.g. ``NOTFOUND``."""
        return self._ask(lambda: accounts.revoke_device(device))

    def block(self, account: str) -> Deferred[None]:
        """Block ``account``: it cannot write or see the status, and is not notified. Fails with RefusedError."""
        return self._ask(lambda: contacts.block(account))

    def unblock(self, account: str) -> Deferred[None]:
        """Unblock ``account``. Fails with RefusedError."""
        return self._ask(lambda: contacts.unblock(account))

    def blocked(self) -> Deferred[list[Named]]:
        """List the accounts that one has blocked: strings, each with the display name as ``name``."""
        return self._ask(contacts.blocked)

    def add_contact(self, account: str, remark: str | None = None) -> Deferred[None]:
        """Add a contact, which may start a conversation when only contacts may. Fails with RefusedError.

        ``remark`` (up to 64 characters) is for oneself; an empty one removes it, None leaves it as it is.
        """
        return self._ask(lambda: contacts.add_contact(account, remark))

    def remove_contact(self, account: str) -> Deferred[None]:
        """Remove a contact. Fails with RefusedError."""
        return self._ask(lambda: contacts.remove_contact(account))

    def contacts(self) -> Deferred[list[Contact]]:
        """List one's contacts: strings, each with the display name as ``name`` and one's own ``remark``."""
        return self._ask(contacts.contacts)

    def ask_contact(self, account: str, text: str = "") -> Deferred[None]:
        """Ask ``account`` to become a contact, with a text of up to 256 bytes, once a day.

        Succeeds for every name, also if there is no such account. The notice ``CONTACT <account>`` reports that the
        other account has accepted; nothing reports a refusal. Fails with RefusedError, e.g. ``FULL``.
        """
        return self._ask(lambda: contacts.ask_contact(account, text))

    def contact_requests(self) -> Deferred[list[ContactRequest]]:
        """List the accounts that have asked one to become their contact, the oldest request first."""
        return self._ask(contacts.contact_requests)

    def accept_contact(self, account: str) -> Deferred[None]:
        """Accept the request of ``account``: both become contacts. Fails with RefusedError, e.g. ``NOTFOUND``."""
        return self._ask(lambda: contacts.accept_contact(account))

    def refuse_contact(self, account: str) -> Deferred[None]:
        """Refuse the request of ``account``, which is not notified. Fails with RefusedError, e.g. ``NOTFOUND``."""
        return self._ask(lambda: contacts.refuse_contact(account))

    def set_privacy(self, who: Literal["everyone", "contacts"]) -> Deferred[None]:
        """Set which accounts may start a conversation with one. Fails with RefusedError."""
        return self._ask(lambda: accounts.set_privacy(who))

    def watch(self, account: str) -> Deferred[None]:
        """Watch whether ``account`` is online: ``on_event`` receives a ``Presence`` at once and with each change.

        The watch ends with the connection: call this in ``on_synced``, after each login. Fails with RefusedError,
        e.g. ``FULL`` for more than 200 accounts.
        """
        return self._ask(lambda: watching.watch(account))

    def unwatch(self, account: str) -> Deferred[None]:
        """Stop watching an account."""
        return self._ask(lambda: watching.unwatch(account))
