"""Authentication: make a claim of what a client sends, by password, by token or by SCRAM.

The store decides whether the claim is true, in the step that writes the session (``login.lua``). So a token just
revoked, an account just disabled and a password just changed are refused.
"""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred
from twisted.python.failure import Failure

from fishchat.config.schema import Accounts
from fishchat.errors import ProtocolError, Refusal
from fishchat.features.accounts.calls import rehash
from fishchat.features.session.calls import OPEN, by_secret, by_token
from fishchat.interfaces import IPeer, IStore
from fishchat.model.secrets import scram
from fishchat.model.secrets.passwords import Costs, check, is_dated, make
from fishchat.model.secrets.tokens import fingerprint, is_token, new_token
from fishchat.protocols.table import Command
from fishchat.services.msg_server.sessions.guesses import Guesses
from fishchat.services.msg_server.sessions.hashing import Hashing
from fishchat.services.msg_server.sessions.login import Challenge, Claim
from fishchat.storage.decoy import decoy_key
from fishchat.storage.packing import days_in_ms, privacy_of
from fishchat.storage.redis import StoreError


def costs_of(accounts: Accounts) -> Costs:
    """Return what a hash costs by the configuration."""
    return Costs(accounts.argon2_memory, accounts.argon2_passes, accounts.scram_rounds)


class Authentication:
    """Make claims. In mode ``open`` no secret is needed, and a name is the only way to a claim."""

    def __init__(self, accounts: Accounts, reader: IStore, hashing: Hashing, guesses: Guesses) -> None:
        self._reader = reader
        self._hashing = hashing
        self._guesses = guesses
        self.mode = accounts.mode
        self._privacy = privacy_of(accounts.privacy)
        self._costs = costs_of(accounts)
        self._token_life = days_in_ms(accounts.token_days)
        self._decoy_key = b""
        if self.mode != "open":
            reader.on_connected.append(self._learn)

    def mechanisms(self, peer: IPeer) -> tuple[bytes, ...]:
        """Return the SASL mechanisms that SEND_AUTH offers to this peer."""
        if self.mode == "open":
            return ()
        return (scram.PLAIN,) if peer.binding is None else (scram.PLAIN, scram.PLUS)

    @property
    def ready(self) -> bool:
        """Whether a client can be asked for a proof; until then SEND_AUTH is answered with ``TRYAGAIN``."""
        return self.mode == "open" or bool(self._decoy_key)

    def _learn(self) -> None:
        ensureDeferred(self._learned()).addErrback(lambda failure: failure.trap(StoreError))

    async def _learned(self) -> None:
        self._decoy_key = await decoy_key(self._reader)

    # -- SEND_CLIENT_ID

    def needs_secret(self, command: Command) -> None:
        """Raise Refusal when a secret is required and the command has none."""
        if self.mode != "open" and not command.text:
            raise Refusal("AUTH", "a password or token is required: LOGIN <account> <password or token>")

    def claim_at_once(self, command: Command, source: bytes) -> Claim | None:
        """Return the claim of a login without a secret or by token; None for a password, which must be hashed first."""
        account, device = _names(command)
        if self.mode == "open":
            return Claim(account, device, OPEN, account, makes=self._privacy or True)
        if is_token(command.text):
            proof = by_token(fingerprint(command.text), self._token_life, source, self._guesses.of_address)
            return Claim(account, device, proof, account)
        return None

    async def claim_by_password(self, command: Command, source: bytes) -> Claim:
        """Return the claim of a right password; raise Refusal for a wrong one."""
        account, device = _names(command)
        secret = command.text
        found = await self._guesses.attempt(account, source)
        if not await self._guesses.checked(account, source, check, secret, found.argon, self._costs):
            raise Refusal("AUTH")
        if is_dated(found.argon, found.scram, self._costs):
            ensureDeferred(self._rehash(account, found.version, secret)).addErrback(self._not_rehashed)
        return self._claim(account, device, found.version, source, account)

    async def _rehash(self, account: bytes, version: bytes, secret: bytes) -> None:
        made = await self._hashing.run(make, secret, self._costs)
        await self._guesses.ask(rehash(account, version, made))

    def _not_rehashed(self, failure: Failure) -> None:
        # The next login by password repeats the attempt.
        failure.trap(Refusal)

    # -- SEND_AUTH

    def account_of(self, command: Command, peer: IPeer) -> bytes:
        """Return the account that the first step of SCRAM names.

        Raises Refusal when this connection may not use the mechanism.
        """
        mechanism = command.fields[0]
        offered = self.mechanisms(peer)
        if not offered:
            raise Refusal("STATE", "this server needs no password; log in with LOGIN <account>")
        if mechanism not in offered:
            raise Refusal("AUTH", f"{mechanism.decode()} requires TLS; connect to the TLS port")
        return scram.account_of(command.text)

    async def challenge(self, command: Command, account: bytes, source: bytes, peer: IPeer) -> Challenge:
        """Return what a client must prove to log in by SCRAM."""
        if not self.ready:
            # Also for an account that does not exist: otherwise the answer would reveal which accounts exist.
            self._learn()
            raise Refusal("TRYAGAIN", retry=1)
        found = await self._guesses.attempt(account, source)
        verifier = found.scram or scram.decoy(self._decoy_key, account, self._costs.rounds)
        exchange = scram.Exchange(command.fields[0], peer.binding, verifier)
        line = exchange.challenge(command.text)
        return Challenge(exchange, account, command.tags.get(b"device", b"main"), found.version, line)

    def claim_by_proof(self, challenge: Challenge, command: Command, source: bytes) -> Claim:
        """Return the claim of a right proof; raise Refusal for a wrong one."""
        if b"device" in command.tags:
            raise ProtocolError("BADTAG", "send @device with the first step only")
        if command.fields[0] != challenge.exchange.mechanism:
            raise Refusal("AUTH", "both steps must name the same mechanism")
        final = challenge.exchange.finish(command.text)
        return self._claim(challenge.account, challenge.device, challenge.version, source, final)

    # -- both

    def _claim(self, account: bytes, device: bytes, version: bytes, source: bytes, answer: bytes) -> Claim:
        token = new_token()
        proof = by_secret(version, fingerprint(token), source, self._guesses.of_address)
        return Claim(account, device, proof, b"%s token=%s" % (answer, token), by_secret=True)


def _names(command: Command) -> tuple[bytes, bytes]:
    return command.fields[0], command.tags.get(b"device", b"main")
