"""One attempt to log in, from its first command to its answer."""

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
    """The account and device that a client says it is.

    :ivar proof: the data by which ``login.lua`` decides whether the claim is true.
    :ivar answer: what follows the ``OK`` if the claim is true.
    :ivar by_secret: whether the client sent or proved a password instead of sending a token.
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
    """A login by SCRAM between its two steps: the exchange, and its account and device."""

    exchange: scram.Exchange
    account: bytes
    device: bytes
    version: bytes
    line: bytes


class Login(Steps[Session]):
    """An attempt to log in. Until it is decided, nothing else moves the session's state.

    Commands that the client sends in the meantime wait for the decision, because they may depend on it.

    :ivar challenge: between the two steps, what the client must prove.
    """

    __slots__ = ("challenge",)

    def __init__(self, session: Session, command: Command) -> None:
        super().__init__(session, command)
        self.challenge: Challenge | None = None
        session.steps = self
        self.step(command)

    def step(self, command: Command) -> None:
        """Begin a step: with the first command, or with the command that brings the proof."""
        self.command = command
        session = self.session
        session.move(Event.LOGIN)
        session.asked()
        session.peer.hold(LOGIN)

    def refuse(self, refusal: Refusal) -> None:
        """Refuse the login; the client may try again."""
        self.end()
        self.session.move(Event.REFUSED)
        self._answer(error_line(refusal, self.command.verb, self.command.tags))

    def ask_for_proof(self, challenge: Challenge) -> None:
        """Answer with what the client must prove."""
        self.challenge = challenge
        self.session.move(Event.CHALLENGED)
        self._answer(ok_line(self.command, challenge.line))

    def welcome(self, device: Device, claim: Claim) -> bool:
        """Log the client in as ``device``. Returns False when it has disconnected in the meantime."""
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
