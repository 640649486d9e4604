"""One client's session: its state, its answers in order, its device after the login.

A session receives commands and emits lines. Its peer carries the lines, the features carry out the verbs, and
``login`` finds out which account and device the client is.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.errors import Refusal, tryagain
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.features.session.rows import RESP_REPLACED, RESP_REVOKED
from fishchat.interfaces import IPeer
from fishchat.model.bucket import Bucket
from fishchat.model.device import Device
from fishchat.model.message import pack_body, with_tags
from fishchat.model.operations import RECALL, Operation
from fishchat.model.placement import Way
from fishchat.protocols.exchange import Exchange, IClock
from fishchat.protocols.fields import Tags
from fishchat.protocols.flow import LIST, PENDING
from fishchat.protocols.replies import error_line, ok_line
from fishchat.protocols.rows import State, Verb
from fishchat.protocols.state import Event, after, guard
from fishchat.protocols.table import Command
from fishchat.services.msg_server.queue.commits import Commits
from fishchat.services.msg_server.queue.items import Barrier, Call, Change, Recall, Send
from fishchat.services.msg_server.sessions.steps import Steps
from fishchat.storage.ask import Ask

#: Reasons for which the store has forgotten the device: its cursors are no longer stored.
FORGOTTEN = ("deleted", "revoked")

#: The capabilities of a client that has not sent HELLO.
NO_CAPABILITIES: frozenset[bytes] = frozenset()

T = TypeVar("T")


class ISessions(Protocol):
    """The parts of its server that a session uses."""

    @property
    def queue(self) -> Commits:
        """The queue of the commands that need the store."""

    @property
    def handlers(self) -> Mapping[bytes, Handler]:
        """The handler of each verb."""

    def greeting(self, session: Session) -> bytes:
        """Return the first line."""

    def opened(self, session: Session) -> None:
        """Count a new session."""

    def closed(self, session: Session) -> None:
        """Stop counting a session."""

    def forget(self, session: Session) -> None:
        """Store the end of a session that may be logged in."""

    def feed(self, device: Device) -> None:
        """Push messages from the log while the device has room."""

    def discard(self, device: Device) -> None:
        """Stop storing cursors of this device."""

    def move_line(self, within: float, way: Way) -> bytes:
        """Return the push that sends a client to another server."""


class Session(Exchange):
    """A client of the msg_server.

    :ivar number: unique in this process.
    :ivar capabilities: the capabilities that the client was granted at HELLO.
    :ivar device: the client as a logged-in device.
    :ivar by_secret: whether the login was by password or SCRAM.
    :ivar steps: a login or another command of several steps, while it is under way.
    """

    __slots__ = ("_sessions", "by_secret", "capabilities", "device", "number", "state", "steps")

    commands = MSG_SERVER_COMMANDS
    log = Logger()

    def __init__(self, sessions: ISessions, peer: IPeer, clock: IClock, number: int, bucket: Bucket | None) -> None:
        super().__init__(peer, clock)
        self._sessions = sessions
        self.number = number
        self.bucket = bucket
        self.state = State.GREETED
        self.capabilities = NO_CAPABILITIES
        self.by_secret = False
        self.device: Device | None = None
        self.steps: Steps[Session] | None = None

    # -- in

    def opened(self) -> None:
        self._sessions.opened(self)

    def greet(self) -> None:
        self.peer.send(self._sessions.greeting(self))

    def closed(self) -> None:
        self._sessions.closed(self)
        self.end()

    @property
    def account(self) -> bytes:
        """The account that is logged in."""
        assert self.device is not None
        return self.device.account

    def carry_out(self, command: Command) -> None:
        verb = command.verb
        if self.state not in verb.states:
            guard(self.state, verb)
        self._sessions.handlers[verb.name](self, command)

    # -- out, in order

    def answer(self, line: bytes) -> None:
        """Answer a command that needs nothing from the store, after all commands before it."""
        if not self.peer.flow.pending:
            self.peer.send(line)
            return
        self.asked()
        self._sessions.queue.add(Barrier(lambda: self.answered(line)))

    def refuse(self, refusal: Refusal, verb: Verb | None, tags: Tags) -> None:
        self.answer(error_line(refusal, verb, tags))

    def asked(self) -> None:
        """Count a command that the queue will answer; stop reading when too many wait for their answers."""
        if self.peer.flow.asked():
            self.peer.hold(PENDING)

    def answered(self, line: bytes) -> None:
        """Send the answer to a command that was counted."""
        self.peer.send(line)
        if self.peer.flow.answered():
            self.peer.read_on(PENDING)

    def send_message(self, command: Command, conversation: bytes, form: bytes, peer: bytes) -> None:
        """Store the message of ``command``, then deliver it."""
        device = self.device
        assert device is not None
        tags, text = command.tags, command.text
        cseq = tags.get(b"cseq", -1) if tags else -1
        account = device.account
        body = pack_body(account, device.name, cseq, form, text)
        if self.peer.flow.asked():
            self.peer.hold(PENDING)
        self._sessions.queue.add(Send(self, command, conversation, device.key, cseq, form, text, body, account, peer))

    def send_operation(self, command: Command, operation: Operation) -> None:
        """Store an operation on a message, then deliver it."""
        device = self.device
        assert device is not None
        self.asked()
        cseq = command.tags.get(b"cseq", -1)
        make = Recall if operation.kind == RECALL else Change
        self._sessions.queue.add(make(self, command, operation, device.account, device.name, cseq))

    def stored(self, token: Command, message_id: bytes, time: int) -> None:
        """Answer the command of a message that is stored."""
        peer, line = self.peer, ok_line(token, message_id)
        peer.send(with_tags(line, b"time=%d" % time) if b"time" in self.capabilities else line)
        if peer.flow.answered():
            peer.read_on(PENDING)

    def failed(self, token: Command, refusal: Refusal) -> None:
        """Answer the command of a message that was refused, or whose outcome is unknown."""
        self.answered(error_line(refusal, token.verb, token.tags))

    def perform(self, command: Command, work: Coroutine[Any, Any, bytes], *, changes: bool = True) -> None:
        """Answer with the line that ``work`` returns, or with its Refusal; read nothing more until then.

        When the store does not answer work that changes nothing, the client is asked to try again.
        """
        self.asked()
        self.peer.hold(LIST)

        def stop() -> None:
            working.cancel()

        steps = self.steps = Steps(self, command, None if changes else stop)
        steps.limit()

        def refused(failure: Failure) -> bytes:
            if not changes and failure.check(CancelledError) is not None:
                refusal = tryagain()
            else:
                refusal = self.refusal_for(command, failure)
                if not changes and refusal.word == "UNKNOWN":
                    refusal = tryagain()
            return error_line(refusal, command.verb, command.tags)

        def answer(line: bytes) -> None:
            steps.end()
            self.answered(line)
            self.peer.read_on(LIST)

        def in_turn(line: bytes) -> None:
            if self.peer.flow.pending == 1:
                # The queue may wait for a call that was given up.
                answer(line)
            else:
                # Earlier commands may still wait for the store.
                self._sessions.queue.add(Barrier(lambda: answer(line)))

        working = ensureDeferred(work)
        working.addErrback(refused).addCallback(in_turn)

    def stepped(self, steps: Any) -> None:
        """Take note that ``steps`` are complete."""
        if self.steps is steps:
            self.steps = None

    def refusal_for(self, command: Command, failure: Failure) -> Refusal:
        """Return the Refusal for a command that failed; log a defect of the server."""
        if isinstance(failure.value, Refusal):
            return failure.value
        self.log.failure("{verb} failed", failure, verb=command.verb.name)
        return Refusal("INTERNAL")

    def ask(
        self,
        command: Command,
        ask: Ask[T],
        take: Callable[[T], bytes],
        *,
        alone: bool = False,
    ) -> None:
        """Call the store in the order of this session's commands.

        ``take`` makes the line of the result, or raises Refusal. After a call that is ``alone`` nothing more is read
        until it is answered, because its answer may be long.
        """

        def fail(refusal: Refusal) -> None:
            answer(error_line(refusal, command.verb, command.tags))

        def answer(line: bytes) -> None:
            self.answered(line)
            if alone:
                self.peer.read_on(LIST)

        self.asked()
        if alone:
            self.peer.hold(LIST)
        asked = Ask(ask.script, ask.values, lambda reply: take(ask.parse(reply)))
        self._sessions.queue.add(Call.of(asked, answer, fail))

    # -- pushes and room

    @property
    def push(self) -> Callable[[bytes], None]:
        """See ISessionOwner: a push is sent to the peer directly."""
        return self.peer.send

    def full(self) -> None:
        if self.device is not None:
            self.device.choke()

    def free(self) -> None:
        if self.device is not None:
            self.device.unchoke()
            self._sessions.feed(self.device)

    # -- the end

    def move(self, event: Event) -> None:
        """Change to the next state. Only the session itself and its login call this."""
        self.state = after(self.state, event)

    def revoked(self, why: str) -> None:
        """Close after ``RESP_REVOKED``, see ``ISessionOwner``."""
        if self.device is not None and why in FORGOTTEN:
            self._sessions.discard(self.device)
        self.say_goodbye(RESP_REVOKED.line(why.encode()) + b"\r\n")

    def replaced(self) -> None:
        """Close after ``RESP_REPLACED``, see ``ISessionOwner``."""
        self.say_goodbye(RESP_REPLACED.line() + b"\r\n")

    def evicted(self) -> None:
        """Close after ``RESP_MOVE``, see ``ISessionOwner``."""
        self.say_goodbye(self._sessions.move_line(0, way_of(self.peer)))

    def is_done(self) -> bool:
        """Return whether every command is answered and every message missed before the login is pushed."""
        synced = self.device is None or self.device.syncing is None
        return not self.peer.flow.pending and synced

    def quit(self, line: bytes) -> None:
        """Answer the commands received so far, then send ``line`` and close; read nothing more."""
        self.peer.ignore()
        if self.peer.flow.pending:
            self._sessions.queue.add(Barrier(lambda: self.say_goodbye(line)))
        else:
            self.say_goodbye(line)

    def end(self) -> None:
        """End the session: process no more commands of this client."""
        if self.state is not State.CLOSING:
            self.move(Event.END)
            if self.steps is not None:
                self.steps.end()
            self._sessions.forget(self)

    def say_goodbye(self, line: bytes) -> None:
        """Send a last line, then close."""
        self.peer.send(line)
        self.end()
        self.peer.close()


def way_of(peer: IPeer) -> Way:
    """Return how a client connects, to find it another server."""
    return Way(peer.secure, peer.web)


Handler = Callable[[Session, Command], None]
