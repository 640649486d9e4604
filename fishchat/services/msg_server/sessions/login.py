"""One attempt to log in, from its first command to the answer that lets the client in or does not."""

from __future__ import annotations

from dataclasses import dataclass

from fishchat.errors import Refusal
from fishchat.features.session.calls import Proof
from fishchat.model.device import Device
from fishchat.model.secrets import scram
from fishchat.protocols.flow import LOGIN
from fishchat.protocols.replies import error_line, ok_line
from fishchat.protocols.rows import State
from fishchat.protocols.state import Event
from fishchat.protocols.table import Command
from fishchat.services.msg_server.sessions.session import Session
from fishchat.services.msg_server.sessions.steps import Steps


@dataclass(frozen=True, repr=False)
class Claim:
    """Who a client says to be.

    :ivar proof: by what ``login.lua`` decides whether that is so.
    :ivar answer: what follows the ``OK`` when it is.
    :ivar by_secret: whether a password was sent or proved, and not a token.
    :ivar makes: whether to create a missing account; if ``contacts``, only its contacts may start a conversation with
        it.
    """

    account: bytes
    device: bytes
    proof: Proof
    answer: bytes
    by_secret: bool = False
    makes: bool | bytes = False


@dataclass(frozen=True)
class Challenge:
    """A login by SCRAM between its two steps: the exchange, and whom it is about."""

    exchange: scram.Exchange
    account: bytes
    device: bytes
    version: bytes
    line: bytes


class Login(Steps[Session]):
    """An attempt. It alone moves the session's state until it is decided.

    What the client sends in the meantime is processed when it is decided: it may depend on it.

    :ivar challenge: between two steps, what the client has to prove.
    """

    __slots__ = ("challenge",)

    def __init__(self, session: Session, command: Command) -> None:
        super().__init__(session, command)
        self.challenge: Challenge | None = None
        session.steps = self
        self.step(command)

    def step(self, command: Command) -> None:
        """Begin a step: with the first command, or with the proof that was asked for."""
        self.command = command
        session = self.session
        session.move(Event.LOGIN)
        session.asked()
        session.peer.hold(LOGIN)

    def refuse(self, refusal: Refusal) -> None:
        """Let the client stay outside."""
        self.end()
        self.session.move(Event.REFUSED)
        self._answer(error_line(refusal, self.command.verb, self.command.tags))

    def ask_for_proof(self, challenge: Challenge) -> None:
        """Answer with what the client has to prove."""
        self.challenge = challenge
        self.session.move(Event.CHALLENGED)
        self._answer(ok_line(self.command, challenge.line))

    def welcome(self, device: Device, claim: Claim) -> bool:
        """Let the client in as ``device``. Returns False when it has gone in the meantime."""
        self.end()
        session = self.session
        session.move(Event.WELCOME)
        if session.state is State.CLOSING:
            return False
        session.device = device
        session.by_secret = claim.by_secret
        self._answer(ok_line(self.command, claim.answer))
        return True

    def _answer(self, line: bytes) -> None:
        self.session.answered(line)
        self.session.peer.read_on(LOGIN)
