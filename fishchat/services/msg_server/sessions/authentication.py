"""How clients prove who they are: by password, by token, by SCRAM; how they sign up, and change their password.

What is right is decided by the store in the step that writes the session (``login.lua``): so a token that was just
revoked, an account that was just disabled and a password that was just changed let nobody in.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from fishchat.errors import ProtocolError, Refusal
from fishchat.model.secrets import scram
from fishchat.model.secrets.passwords import Costs, check, is_dated, make, measure
from fishchat.model.secrets.tokens import fingerprint, is_token, new_token
from fishchat.protocols.replies import ok_line
from fishchat.protocols.state import Event, after
from fishchat.protocols.table import Command
from fishchat.services.msg_server.queue.commits import tryagain
from fishchat.services.msg_server.queue.items import Call
from fishchat.services.msg_server.sessions.hashing import Hashing
from fishchat.services.msg_server.sessions.registry import Claim, flood
from fishchat.storage.accounts import days_in_ms, decoy_key, privacy_of, refusal_of
from fishchat.storage.redis import Connection, Script, StoreError
from fishchat.storage.scripts import ATTEMPT, ENROL, HARDEN, SECRET, SPARE

if TYPE_CHECKING:
    from fishchat.services.msg_server.service import MsgServer
    from fishchat.services.msg_server.sessions.connection import ClientConnection

Hashed = TypeVar("Hashed")

#: What ``login.lua`` is given where nobody has to prove anything.
OPEN: tuple[Any, ...] = (b"open",)


@dataclass(frozen=True)
class Proving:
    """A login by SCRAM between its two steps."""

    exchange: scram.Exchange
    account: bytes
    device: bytes
    version: bytes


class Admission:
    """The ways in. In mode ``open`` there is one, and no secret."""

    def __init__(self, server: MsgServer, reader: Connection, hashing: Hashing) -> None:
        accounts, limits = server.config.accounts, server.config.limits
        self._server = server
        self._reader = reader
        self._hashing = hashing
        self.mode = accounts.mode
        self._privacy = privacy_of(accounts.privacy)
        self._costs = Costs(accounts.argon2_memory, accounts.argon2_passes, accounts.scram_rounds)
        self._token_life = days_in_ms(accounts.token_days)
        self._guesses = limits.guesses if limits.flood else 0
        self._guess_ms = max(1, int(limits.guess_seconds * 1000))
        self._decoy_key = b""
        if self.mode != "open":
            reader.on_connected.append(self._learn)

    def mechanisms(self, connection: ClientConnection) -> tuple[bytes, ...]:
        """What SEND_AUTH may speak on this connection."""
        if self.mode == "open":
            return ()
        return (scram.PLAIN,) if connection.binding is None else (scram.PLAIN, scram.PLUS)

    @property
    def ready(self) -> bool:
        """Whether a proof can be asked for; until then SEND_AUTH is ``TRYAGAIN``."""
        return self.mode == "open" or bool(self._decoy_key)

    def _learn(self) -> None:
        ensureDeferred(self._learned()).addErrback(lambda failure: failure.trap(StoreError))

    async def _learned(self) -> None:
        self._decoy_key = await decoy_key(self._reader)

    # -- logging in

    def log_in(self, connection: ClientConnection, command: Command) -> None:
        """SEND_CLIENT_ID."""
        account, device = command.fields[0], command.tags.get(b"device", b"main")
        secret = command.text
        if self.mode != "open" and not secret:
            raise Refusal("AUTH", "a password or token is required: SEND_CLIENT_ID <account> <password or token>")
        connection.login_begins()
        logins = self._server.logins
        if self.mode == "open":
            logins.enter(connection, command, Claim(account, device, OPEN, account, makes=self._privacy or True))
        elif is_token(secret):
            proof = (b"token", fingerprint(secret), self._token_life, self._source(connection), *self._limits)
            logins.enter(connection, command, Claim(account, device, proof, account))
        else:
            connection.steps_begin(command)
            self._run(connection, command, self._by_password(connection, command, account, device, secret))

    async def _by_password(
        self, connection: ClientConnection, command: Command, account: bytes, device: bytes, secret: bytes
    ) -> None:
        argon, scram_verifier, version = await self._attempt(connection, account)
        if not await self._hashed(connection, account, check, secret, argon, self._costs):
            raise Refusal("AUTH")
        if is_dated(argon, scram_verifier, self._costs):
            ensureDeferred(self._harden(account, version, secret)).addErrback(self._not_hardened)
        self._enter(connection, command, account, device, version, account)

    def authenticate(self, connection: ClientConnection, command: Command) -> None:
        """SEND_AUTH: the first step or, when a proof was asked for, the second."""
        proving, connection.proving = connection.proving, None
        if proving is not None:
            self._proved(connection, command, proving)
            return
        mechanism, message = command.fields[0], command.text
        offered = self.mechanisms(connection)
        if not offered:
            raise Refusal("STATE", "this server needs no password; log in with SEND_CLIENT_ID <account>")
        if mechanism not in offered:
            raise Refusal("AUTH", f"{mechanism.decode()} requires TLS; connect to the TLS port")
        account = scram.account_of(message)
        connection.login_begins()
        device = command.tags.get(b"device", b"main")
        self._run(connection, command, self._challenge(connection, command, account, device, mechanism))

    async def _challenge(
        self, connection: ClientConnection, command: Command, account: bytes, device: bytes, mechanism: bytes
    ) -> None:
        if not self.ready:
            # Whoever asks: else this would tell who has an account.
            self._learn()
            raise Refusal("TRYAGAIN", retry=1)
        _, verifier, version = await self._attempt(connection, account)
        verifier = verifier or scram.decoy(self._decoy_key, account, self._costs.rounds)
        exchange = scram.Exchange(mechanism, connection.binding, verifier)
        challenge = exchange.challenge(command.text)
        connection.proving = Proving(exchange, account, device, version)
        connection.state = after(connection.state, Event.CHALLENGED)
        connection.answered(ok_line(command, challenge))

    def _proved(self, connection: ClientConnection, command: Command, proving: Proving) -> None:
        connection.login_begins()
        try:
            if b"device" in command.tags:
                raise ProtocolError("BADTAG", "send @device with the first step only")
            if command.fields[0] != proving.exchange.mechanism:
                raise Refusal("AUTH", "both steps must name the same mechanism")
            final = proving.exchange.finish(command.text)
        except Refusal as refusal:
            self._server.logins.refuse(connection, command, refusal)
            return
        self._enter(connection, command, proving.account, proving.device, proving.version, final)

    def _enter(
        self,
        connection: ClientConnection,
        command: Command,
        account: bytes,
        device: bytes,
        version: bytes,
        answer: bytes,
    ) -> None:
        token = new_token()
        proof = (b"secret", version, fingerprint(token), self._source(connection), self._guess_ms)
        claim = Claim(account, device, proof, b"%s token=%s" % (answer, token), by_secret=True)
        self._server.logins.enter(connection, command, claim)

    def _run(self, connection: ClientConnection, command: Command, work: Coroutine[Any, Any, None]) -> None:
        """A step of a login, which is refused when it fails."""

        def failed(failure: Failure) -> None:
            self._server.logins.refuse(connection, command, connection.refusal_for(command, failure))

        ensureDeferred(work).addErrback(failed)

    # -- accounts

    def sign_up(self, connection: ClientConnection, command: Command) -> None:
        """CREATE_CLIENT."""
        if self.mode == "open":
            raise Refusal("STATE", "accounts are created at the first login; log in with SEND_CLIENT_ID <account>")
        invitation = command.tags.get(b"invite", b"")
        if self.mode == "closed" and not invitation:
            raise Refusal("INVITATION")
        measure(command.text)
        connection.perform(command, self._signed_up(connection, command, invitation))

    async def _signed_up(self, connection: ClientConnection, command: Command, invitation: bytes) -> bytes:
        account = command.fields[0]
        # A sign-up counts as a guess of its address, right or wrong: even to look at a password takes time.
        await self._attempt(connection, b"")
        made = await self._hashed(connection, b"", make, command.text, self._costs)
        mark = fingerprint(invitation) if invitation else b""
        needed = self.mode == "closed"
        await self._ask(ENROL, account, made.argon, made.scram, b"", self._privacy, mark, needed)
        return ok_line(command, account)

    def change_password(self, connection: ClientConnection, command: Command) -> None:
        """SEND_PASSWORD: a token alone, which may be stolen, does not change what it was given for."""
        if not connection.by_secret:
            raise Refusal("STATE", "log in with your password first; a token cannot change it")
        measure(command.text)
        connection.perform(command, self._password_changed(connection, command))

    async def _password_changed(self, connection: ClientConnection, command: Command) -> bytes:
        device = connection.device
        # As a sign-up: else one client that goes on changing it would keep the hashes from all others.
        await self._attempt(connection, b"")
        made = await self._hashed(connection, b"", make, command.text, self._costs)
        if device is None:
            raise Refusal("STATE", "the connection is closing; log in on a new one")
        await self._ask(SECRET, device.account, made.argon, made.scram, device.name, device.session)
        return ok_line(command)

    async def _harden(self, account: bytes, version: bytes, secret: bytes) -> None:
        made = await self._hashing.run(make, secret, self._costs)
        await self._call(HARDEN, account, version, made.argon, made.scram)

    def _not_hardened(self, failure: Failure) -> None:
        # The next login by password tries again.
        failure.trap(Refusal)

    # -- the store

    @property
    def _limits(self) -> tuple[int, int]:
        return self._guesses, self._guess_ms

    def _source(self, connection: ClientConnection) -> bytes:
        return self._server.connection_limits.source(connection.address).encode()

    async def _attempt(self, connection: ClientConnection, account: bytes) -> tuple[bytes, bytes, bytes]:
        """What a secret is checked by; Refusal ``FLOOD`` when too many were wrong."""
        try:
            reply = await self._call(ATTEMPT, account, self._source(connection), *self._limits)
        except Refusal as refusal:
            # A guess may be taken; but nothing of what was asked for is done.
            if refusal.word == "UNKNOWN":
                raise tryagain() from None
            raise
        if reply[0] == b"FLOOD":
            raise flood(reply[1])
        _, argon, verifier, version = reply
        return argon, verifier, version

    async def _hashed(
        self, connection: ClientConnection, account: bytes, function: Callable[..., Hashed], *arguments: Any
    ) -> Hashed:
        """A slow hash behind an attempt, whose guess is given back when there was no time for the hash."""
        try:
            return await self._hashing.run(function, *arguments)
        except Refusal as refusal:
            if refusal.word == "TRYAGAIN":
                self.spare(connection, account)
            raise

    def spare(self, connection: ClientConnection, account: bytes) -> None:
        """Give a guess back: else whoever sends a right password again, as told, would be shut out in the end."""
        if self._guesses:
            given = self._call(SPARE, account, self._source(connection), self._guess_ms)
            given.addErrback(lambda failure: failure.trap(Refusal))

    async def _ask(self, script: Script, *arguments: Any) -> Any:
        reply = await self._call(script, *arguments)
        if reply[0] != b"OK":
            raise refusal_of(reply)
        return reply

    def _call(self, script: Script, *arguments: Any) -> Deferred[Any]:
        """Through the queue, as everything that clients want; fails with the Refusal."""
        done: Deferred[Any] = Deferred()
        self._server.commits.add(Call(script, arguments, done.callback, done.errback, fenced=False))
        return done
