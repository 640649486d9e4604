"""Accounts: signing up, the password, the profile, devices, and who is online."""

from __future__ import annotations

from collections.abc import Callable

from fishchat.errors import Refusal
from fishchat.features.accounts import calls, rows
from fishchat.features.accounts.calls import DeviceInfo, Status
from fishchat.features.engine import Engine, Handlers, IGuesses, ISession
from fishchat.model.display_names import DISPLAY_LENGTH, display_name
from fishchat.model.secrets.passwords import Costs, Verifier, measure
from fishchat.model.secrets.passwords import make as make_verifier
from fishchat.model.secrets.tokens import fingerprint
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.ask import Ask


class Accounts:
    """The verbs of accounts.

    :param mode: the mode of sign-up: ``open``, ``closed`` or ``signup``.
    :param privacy: the privacy of a new account, in its stored form.
    :param token_life: the ms after which an unused token ends.
    :param source: returns the name under which the guesses of an address are counted.
    """

    def __init__(
        self,
        mode: str,
        privacy: bytes,
        costs: Costs,
        token_life: int,
        guesses: IGuesses,
        source: Callable[[str], bytes],
    ) -> None:
        self._mode = mode
        self._privacy = privacy
        self._costs = costs
        self._token_life = token_life
        self._guesses = guesses
        self._source = source

    def sign_up(self, session: ISession, command: Command) -> None:
        """Carry out CREATE_CLIENT: create an account."""
        if self._mode == "open":
            raise Refusal("STATE", "accounts are created at the first login; log in with LOGIN <account>")
        invitation = command.tags.get(b"invite", b"")
        if self._mode == "closed" and not invitation:
            raise Refusal("INVITATION")
        measure(command.text)
        session.perform(command, self._signed_up(session, command, invitation))

    async def _signed_up(self, session: ISession, command: Command, invitation: bytes) -> bytes:
        account = command.fields[0]
        made = await self._verifier(session, command)
        mark = fingerprint(invitation) if invitation else b""
        needed = self._mode == "closed"
        await self._guesses.ask(calls.create(account, made.argon, made.scram, b"", self._privacy, mark, needed))
        return ok_line(command, account)

    def change_password(self, session: ISession, command: Command) -> None:
        """Carry out SEND_PASSWORD. A login by token is refused, because the token may be stolen."""
        if self._mode == "open":
            raise Refusal("STATE", "this server asks nobody for a password, so there is none to change")
        if not session.by_secret:
            raise Refusal("STATE", "log in with your password first; a token cannot change it")
        measure(command.text)
        session.perform(command, self._password_changed(session, command))

    async def _password_changed(self, session: ISession, command: Command) -> bytes:
        device = session.device
        made = await self._verifier(session, command)
        if device is None:
            raise Refusal("STATE", "the connection is closing; log in on a new one")
        await self._guesses.ask(calls.set_password(device.account, made, device.name, device.session))
        return ok_line(command)

    async def _verifier(self, session: ISession, command: Command) -> Verifier:
        """Return the verifier of a new password.

        It counts as a guess of the client's address, because hashing takes time: otherwise one client that keeps
        signing up or changing its password would use up the hashes.
        """
        source = self._source(session.peer.host)
        await self._guesses.attempt(b"", source)
        made: Verifier = await self._guesses.hashed(b"", source, make_verifier, command.text, self._costs)
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

        session.ask(command, calls.devices(session.account, self._token_life), take, alone=True)

    def revoke_device(self, session: ISession, command: Command) -> None:
        """Carry out REVOKE_DEVICE. A device that revokes itself is notified after its answer."""
        device = command.fields[0]
        self._change(session, command, calls.revoke(session.account, device), device)

    def status(self, session: ISession, command: Command) -> None:
        """Carry out REQ_CLIENT_STATUS: return whether an account is online, and when it last was."""
        account = command.fields[0]

        def take(found: Status) -> bytes:
            line = b"%s %s %d" % (account, b"online" if found.online else b"offline", found.seen)
            return ok_line(command, line + b" " + found.name if found.name else line)

        session.ask(command, calls.status(session.account, account), take)

    def _change(self, session: ISession, command: Command, ask: Ask[object], answer: bytes) -> None:
        session.ask(command, ask, lambda _: ok_line(command, answer))


def _device_item(device: DeviceInfo) -> bytes:
    online = b"online" if device.online else b"offline"
    return b"%s %s %d %d" % (device.device.encode(), online, device.seen, device.token_ends)


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    settings = engine.settings
    accounts = Accounts(
        settings.mode, settings.privacy, settings.costs, settings.token_life, engine.guesses, engine.source
    )
    return {
        rows.CREATE_CLIENT.name: accounts.sign_up,
        rows.SEND_PASSWORD.name: accounts.change_password,
        rows.SEND_NAME.name: accounts.set_name,
        rows.SEND_PRIVACY.name: accounts.set_privacy,
        rows.REQ_DEVICES.name: accounts.devices,
        rows.REVOKE_DEVICE.name: accounts.revoke_device,
        rows.REQ_CLIENT_STATUS.name: accounts.status,
    }
