"""SEND_CLIENT_ID and SEND_AUTH: make a claim of the command, and store a session for the claim."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.python.failure import Failure

from fishchat.config.schema import Limits
from fishchat.errors import Refusal
from fishchat.features.engine import IAudit
from fishchat.features.session import calls, rows
from fishchat.features.session.calls import OPEN, LoginRefused
from fishchat.model.device import Device
from fishchat.model.message import TIMED_LINES
from fishchat.model.secrets.tokens import is_token
from fishchat.protocols.flow import FULL
from fishchat.protocols.table import Command
from fishchat.services.msg_server.delivery.delivery import Delivery
from fishchat.services.msg_server.delivery.log_reader import Known
from fishchat.services.msg_server.queue.items import Call
from fishchat.services.msg_server.sessions.authentication import Authentication
from fishchat.services.msg_server.sessions.guesses import Guesses
from fishchat.services.msg_server.sessions.login import Claim, Login
from fishchat.services.msg_server.sessions.registry import Sessions
from fishchat.services.msg_server.sessions.revocations import Revocations
from fishchat.services.msg_server.sessions.session import Session
from fishchat.storage.fence import Fence
from fishchat.storage.packing import days_in_ms

#: Refusals that say nothing about the client.
DOUBTFUL = frozenset({"TRYAGAIN", "UNKNOWN", "INTERNAL"})


class Entry:
    """Log clients in.

    :param fence: returns the lease and epoch under which sessions are stored, or None without a lease.
    :param source: returns the name under which the guesses of an address are counted.
    """

    def __init__(
        self,
        server: bytes,
        limits: Limits,
        fence: Callable[[], Fence | None],
        source: Callable[[str], bytes],
        authentication: Authentication,
        guesses: Guesses,
        audit: IAudit,
        sessions: Sessions,
        delivery: Delivery,
        revocations: Revocations,
    ) -> None:
        self._server = server
        self._limits = limits
        self._fence = fence
        self._source = source
        self._authentication = authentication
        self._guesses = guesses
        self._audit = audit
        self._sessions = sessions
        self._delivery = delivery
        self._revocations = revocations

    # -- the two verbs

    def log_in(self, session: Session, command: Command) -> None:
        """Carry out SEND_CLIENT_ID."""
        self._authentication.needs_secret(command)
        login = Login(session, command)
        claim = self._authentication.claim_at_once(command, self._source_of(session))
        if claim is not None:
            self._enter(login, claim)
        else:
            login.limit()
            self._run(login, command.fields[0], self._by_password(login))

    async def _by_password(self, login: Login) -> None:
        source = self._source_of(login.session)
        self._enter(login, await self._authentication.claim_by_password(login.command, source))

    def authenticate(self, session: Session, command: Command) -> None:
        """Carry out SEND_AUTH: the first step or, when the client was asked for a proof, the second."""
        login = session.steps
        if isinstance(login, Login) and login.challenge is not None:
            self._prove(login, command)
            return
        account = self._authentication.account_of(command, session.peer)
        login = Login(session, command)
        self._run(login, account, self._challenge(login, account))

    async def _challenge(self, login: Login, account: bytes) -> None:
        session = login.session
        source = self._source_of(session)
        asked = await self._authentication.challenge(login.command, account, source, session.peer)
        login.ask_for_proof(asked)

    def _prove(self, login: Login, command: Command) -> None:
        challenge, login.challenge = login.challenge, None
        assert challenge is not None
        login.step(command)
        try:
            claim = self._authentication.claim_by_proof(challenge, command, self._source_of(login.session))
        except Refusal as refusal:
            self._refuse(login, challenge.account, refusal)
            return
        self._enter(login, claim)

    def _source_of(self, session: Session) -> bytes:
        return self._source(session.peer.host)

    def _run(self, login: Login, account: bytes, work: Coroutine[Any, Any, None]) -> None:
        """Run a step of a login; refuse the login when the step fails."""

        def failed(failure: Failure) -> None:
            self._refuse(login, account, login.session.refusal_for(login.command, failure))

        ensureDeferred(work).addErrback(failed)

    def _refuse(self, login: Login, account: bytes, refusal: Refusal) -> None:
        """Refuse a login, and record why, unless it was for lack of time or of the store."""
        reason = refusal.reason if isinstance(refusal, LoginRefused) else refusal.word
        if reason not in DOUBTFUL:
            method = _method(login.command)
            self._audit.note("refused", login.session.peer.host, reason=reason.encode(), account=account, method=method)
        login.refuse(refusal)

    # -- the last step

    def _enter(self, login: Login, claim: Claim) -> None:
        """Check the proof, store the session and read its conversations, in one step of the store."""
        self._delivery.rooms.login_begins()
        self._revocations.login_begins()
        session = login.session

        def decided() -> None:
            self._delivery.rooms.login_ends()
            self._revocations.login_ends()

        def settle(conversations: list[Known]) -> None:
            method = b"open" if claim.proof is OPEN else _method(login.command)
            self._audit.note("login", session.peer.host, account=claim.account, device=claim.device, method=method)
            try:
                self._welcome(login, claim, conversations)
            finally:
                decided()

        def fail(refusal: Refusal) -> None:
            decided()
            if claim.by_secret and not (isinstance(refusal, LoginRefused) and not refusal.proved):
                # A right secret was no guess, although the login failed.
                self._guesses.refund(claim.account, self._source_of(session))
            if not isinstance(refusal, LoginRefused) and refusal.word != "TRYAGAIN":
                # The session may be stored all the same, and nothing else would end it.
                self._sessions.end_in_store(claim.account, claim.device, session.number)
            self._refuse(login, claim.account, refusal)

        limits = self._limits
        names = (claim.account, claim.device, session.number)
        ask = calls.login(*names, limits.devices, claim.makes, days_in_ms(limits.device_days), claim.proof)
        self._sessions.queue.add(Call.of(ask, settle, fail))

    def _welcome(self, login: Login, claim: Claim, talks: list[Known]) -> None:
        session = login.session
        fence = self._fence()
        key = claim.account + b"/" + claim.device
        incarnation, epoch = (fence.incarnation, fence.epoch) if fence else (b"", 0)
        stored = b"%s %s %d" % (self._server, incarnation, session.number)
        capabilities = session.capabilities
        encoding = TIMED_LINES if b"time" in capabilities else None
        dirty = self._delivery.rooms.dirty
        minute = None if session.said_hello else 0
        device = Device(claim.account, key, stored, session, capabilities, dirty, epoch, encoding, minute)
        self._sessions.displace(key)
        if not login.welcome(device, claim):
            self._sessions.log_out(session, device)
            return
        self._sessions.enter(session, device)
        if session.peer.flow.reasons & FULL:
            device.choke()
        self._delivery.add(device, talks)
        self._sessions.publish_came(device)
        self._revocations.welcomed(device)


def _method(command: Command) -> bytes:
    """Return how a client authenticates."""
    if command.verb is rows.SEND_AUTH:
        return b"scram"
    return b"token" if is_token(command.text) else b"password"
