"""Accounts: signing up, and changing the password."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from fishchat.errors import Refusal
from fishchat.features.accounts import calls
from fishchat.model.secrets.passwords import Costs, make, measure
from fishchat.model.secrets.tokens import fingerprint
from fishchat.protocols.replies import ok_line
from fishchat.protocols.table import Command
from fishchat.storage.ask import Ask

T = TypeVar("T")


class IGuesses(Protocol):
    """The guess budget of accounts and addresses."""

    def attempt(self, account: bytes, source: bytes) -> Awaitable[Any]:
        """Take a guess; Refusal ``FLOOD`` when there is none left."""

    def hashed(self, account: bytes, source: bytes, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """Make a slow hash after an attempt, whose guess is refunded when there was no time for the hash."""

    def ask(self, ask: Ask[T]) -> Awaitable[T]:
        """Call the store through the queue; fails with the Refusal."""


class Accounts:
    """What clients do with accounts.

    :param mode: who may sign up: ``open``, ``closed`` or ``signup``.
    :param privacy: that of a new account, as the store has it.
    :param source: by what name the guesses of an address are counted.
    """

    def __init__(
        self, mode: str, privacy: bytes, costs: Costs, guesses: IGuesses, source: Callable[[str], bytes]
    ) -> None:
        self._mode = mode
        self._privacy = privacy
        self._costs = costs
        self._guesses = guesses
        self._source = source

    def sign_up(self, session: Any, command: Command) -> None:
        """CREATE_CLIENT."""
        if self._mode == "open":
            raise Refusal("STATE", "accounts are created at the first login; log in with SEND_CLIENT_ID <account>")
        invitation = command.tags.get(b"invite", b"")
        if self._mode == "closed" and not invitation:
            raise Refusal("INVITATION")
        measure(command.text)
        session.perform(command, self._signed_up(session, command, invitation))

    async def _signed_up(self, session: Any, command: Command, invitation: bytes) -> bytes:
        account = command.fields[0]
        source = self._source(session.peer.host)
        # A sign-up counts as a guess of its address, right or wrong: even to look at a password takes time.
        await self._guesses.attempt(b"", source)
        made = await self._guesses.hashed(b"", source, make, command.text, self._costs)
        mark = fingerprint(invitation) if invitation else b""
        needed = self._mode == "closed"
        await self._guesses.ask(calls.create(account, made.argon, made.scram, b"", self._privacy, mark, needed))
        return ok_line(command, account)

    def change_password(self, session: Any, command: Command) -> None:
        """SEND_PASSWORD: a token alone, which may be stolen, does not change what it was given for."""
        if not session.by_secret:
            raise Refusal("STATE", "log in with your password first; a token cannot change it")
        measure(command.text)
        session.perform(command, self._password_changed(session, command))

    async def _password_changed(self, session: Any, command: Command) -> bytes:
        device = session.device
        source = self._source(session.peer.host)
        # As a sign-up: else one client that goes on changing it would keep the hashes from all others.
        await self._guesses.attempt(b"", source)
        made = await self._guesses.hashed(b"", source, make, command.text, self._costs)
        if device is None:
            raise Refusal("STATE", "the connection is closing; log in on a new one")
        await self._guesses.ask(calls.set_password(device.account, made, device.name, device.session))
        return ok_line(command)
