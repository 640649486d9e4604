"""Accounts: signing up, the password, the profile, devices, and who is online."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fishchat.errors import Refusal
from fishchat.features.accounts import calls, rows
from fishchat.features.accounts.calls import DeviceInfo, Status
from fishchat.features.engine import Engine, Handlers, IAudit, IHashes, ISession, Settings
from fishchat.features.lists import named_item
from fishchat.model.display_names import DISPLAY_LENGTH, display_name
from fishchat.model.secrets.passwords import Verifier, check, measure
from fishchat.model.secrets.passwords import make as make_verifier
from fishchat.model.secrets.tokens import fingerprint, new_token
from fishchat.protocols.fields import read_name
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.ask import Ask
from fishchat.storage.profiles.calls import display_names

#: The refusals of a sign-up, a code, a password change or a deletion that are recorded.
REFUSALS = frozenset({"FLOOD", "SIGNUPS", "INVITATION", "EXISTS", "AUTH"})


class Accounts:
    """The verbs of accounts.

    :param source: returns the name under which the sign-ups of an address are counted.
    """

    def __init__(self, settings: Settings, hashes: IHashes, audit: IAudit, source: Callable[[str], bytes]) -> None:
        self._settings = settings
        self._hashes = hashes
        self._audit = audit
        self._source = source

    def sign_up(self, session: ISession, command: Command) -> None:
        """Carry out CREATE_CLIENT: create an account."""
        if self._settings.mode == "open":
            raise Refusal("STATE", "accounts are created at the first login; log in with LOGIN <account>")
        invitation = command.tags.get(b"invite", b"")
        if self._settings.mode == "closed" and not invitation:
            raise Refusal("INVITATION")
        measure(command.text)
        session.perform(command, self._audited(session, command, self._signed_up(session, command, invitation)))

    async def _signed_up(self, session: ISession, command: Command, invitation: bytes) -> bytes:
        account, settings = command.fields[0], self._settings
        source = self._source(session.peer.host)
        mark = fingerprint(invitation) if invitation else b""
        needed = settings.mode == "closed"
        await self._hashes.begin(
            calls.begin_sign_up(account, mark, needed, source, settings.sign_ups, settings.guesses)
        )
        made = await self._verifier(command, calls.refund_sign_up(source, settings.sign_ups))
        await self._hashes.ask(calls.create(account, made.argon, made.scram, b"", settings.privacy, mark, needed))
        method = b"invitation" if invitation else b""
        self._audit.note("signup", session.peer.host, account=account, method=method)
        return ok_line(command, account)

    def redeem_code(self, session: ISession, command: Command) -> None:
        """Carry out REDEEM_CODE: exchange a code for a token of a device."""
        if self._settings.mode == "open":
            raise Refusal("STATE", "this server asks nobody for a secret; log in with LOGIN <account>")
        session.perform(command, self._audited(session, command, self._redeemed(session, command)))

    async def _redeemed(self, session: ISession, command: Command) -> bytes:
        (account, device), settings = command.fields, self._settings
        token, source = new_token(), self._source(session.peer.host)
        made, mark = fingerprint(token), fingerprint(command.text)
        await self._hashes.ask(
            calls.redeem_code(mark, account, device, made, settings.devices, source, settings.guesses)
        )
        self._audit.note("redeemed", session.peer.host, account=account, device=device)
        return ok_line(command, account + b" token=" + token)

    def change_password(self, session: ISession, command: Command) -> None:
        """Carry out SEND_PASSWORD. A login by token is refused, because the token may be stolen."""
        if self._settings.mode == "open":
            raise Refusal("STATE", "this server asks nobody for a password, so there is none to change")
        if not session.by_secret:
            raise Refusal("STATE", "log in with your password first; a token cannot change it")
        measure(command.text)
        session.perform(command, self._audited(session, command, self._password_changed(session, command)))

    async def _password_changed(self, session: ISession, command: Command) -> bytes:
        account, changes = session.account, self._settings.changes
        device = session.device
        # Hashing takes time: otherwise one client that keeps changing its password would use up the hashes.
        await self._hashes.begin(calls.begin_change(account, changes))
        made = await self._verifier(command, calls.refund_change(account, changes))
        if device is None:
            raise Refusal("STATE", "the connection is closing; log in on a new one")
        await self._hashes.ask(calls.set_password(account, made, device.name, device.session))
        self._audit.note("password", session.peer.host, account=account, device=device.name)
        return ok_line(command)

    def delete(self, session: ISession, command: Command) -> None:
        """Carry out DELETE_CLIENT: delete the account, for a client that knows its password."""
        if self._settings.mode == "open":
            raise Refusal("STATE", "this server cannot know whose account it is; ask its operator to delete it")
        session.perform(command, self._audited(session, command, self._deleted(session, command)))

    async def _deleted(self, session: ISession, command: Command) -> bytes:
        account, host, hashes = session.account, session.peer.host, self._hashes
        device, source = session.device, self._source(host)
        found = await hashes.attempt(account, source)
        if not await hashes.checked(account, source, check, command.text, found.argon, self._settings.costs):
            raise Refusal("AUTH", "this is not the password of your account; nothing was deleted")
        await hashes.ask(calls.erase(account, found.version))
        hashes.refund(account, source)
        self._audit.note("deleted", host, account=account, device=device.name if device else b"")
        return ok_line(command)

    async def _audited(self, session: ISession, command: Command, work: Coroutine[Any, Any, bytes]) -> bytes:
        """Do ``work``, and record why it was refused."""
        account = session.account if session.device is not None else command.fields[0]
        try:
            return await work
        except Refusal as refusal:
            if refusal.word in REFUSALS:
                reason, verb = refusal.word.encode(), command.verb.name
                self._audit.note("refused", session.peer.host, reason=reason, verb=verb, account=account)
            raise

    async def _verifier(self, command: Command, refund: Ask[None]) -> Verifier:
        """Return the verifier of a new password; make the call ``refund`` when there was no time for it."""
        made: Verifier = await self._hashes.hashed(refund, make_verifier, command.text, self._settings.costs)
        return made

    # -- the profile

    def set_name(self, session: ISession, command: Command) -> None:
        """Carry out SEND_NAME: set the display name."""
        try:
            name = display_name(command.text)
        except ValueError as error:
            raise Refusal("BADNAME", str(error), limit=DISPLAY_LENGTH) from None
        self._change(session, command, calls.set_name(session.account, name), b"")

    def set_privacy(self, session: ISession, command: Command) -> None:
        """Carry out SEND_PRIVACY: set who may start a conversation with the account."""
        chosen = command.fields[0]
        self._change(session, command, calls.set_privacy(session.account, chosen.decode()), chosen)

    # -- devices

    def devices(self, session: ISession, command: Command) -> None:
        """Carry out REQ_DEVICES: list the devices of the account."""

        def take(found: list[DeviceInfo]) -> bytes:
            return list_lines(command, [(_device_item(device), b"") for device in found])

        session.ask(command, calls.devices(session.account, self._settings.token_life), take, alone=True)

    def revoke_device(self, session: ISession, command: Command) -> None:
        """Carry out REVOKE_DEVICE. A device that revokes itself is notified after its answer."""
        account, device = session.account, command.fields[0]
        by, host = session.device.name if session.device else b"", session.peer.host

        def take(_: object) -> bytes:
            self._audit.note("revoked", host, account=account, device=device, by=by)
            return ok_line(command, device)

        session.ask(command, calls.revoke(account, device), take)

    def status(self, session: ISession, command: Command) -> None:
        """Carry out REQ_CLIENT_STATUS: return whether an account is online, and when it last was."""
        account = command.fields[0]

        def take(found: Status) -> bytes:
            line = b"%s %s %d" % (account, b"online" if found.online else b"offline", found.seen)
            return ok_line(command, line + b" " + found.name if found.name else line)

        session.ask(command, calls.status(session.account, account), take)

    def names(self, session: ISession, command: Command) -> None:
        """Carry out REQ_NAMES: return display names. Unknown accounts and those that hide have none."""
        named = dict.fromkeys(map(read_name, command.text.split()))
        if not 0 < len(named) <= rows.NAMES:
            raise Refusal(
                "FIELDS", f"usage: NAMES <accounts>, 1 to {rows.NAMES} accounts separated by spaces", limit=rows.NAMES
            )
        others = list(named)

        def take(found: list[bytes]) -> bytes:
            return list_lines(command, [(named_item(*each), b"") for each in zip(others, found, strict=True)])

        session.ask(command, display_names(session.account, others), take, alone=True)

    def _change(self, session: ISession, command: Command, ask: Ask[object], answer: bytes) -> None:
        session.ask(command, ask, lambda _: ok_line(command, answer))


def _device_item(device: DeviceInfo) -> bytes:
    online = b"online" if device.online else b"offline"
    return b"%s %s %d %d" % (device.device.encode(), online, device.seen, device.token_ends)


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    accounts = Accounts(engine.settings, engine.hashes, engine.audit, engine.source)
    return {
        rows.CREATE_CLIENT.name: accounts.sign_up,
        rows.REDEEM_CODE.name: accounts.redeem_code,
        rows.SEND_PASSWORD.name: accounts.change_password,
        rows.DELETE_CLIENT.name: accounts.delete,
        rows.SEND_NAME.name: accounts.set_name,
        rows.SEND_PRIVACY.name: accounts.set_privacy,
        rows.REQ_DEVICES.name: accounts.devices,
        rows.REVOKE_DEVICE.name: accounts.revoke_device,
        rows.REQ_CLIENT_STATUS.name: accounts.status,
        rows.REQ_NAMES.name: accounts.names,
    }
