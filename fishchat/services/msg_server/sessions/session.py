"""One client's session: its state, its answers in order, its device once it is logged in.

A session is given commands and emits lines. What carries them is the business of its peer, what a verb does is the
business of the features, and who the client is, of ``login``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.errors import Refusal
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.features.session.rows import RESP_REPLACED, RESP_REVOKED
from fishchat.interfaces import IPeer
from fishchat.model.bucket import Bucket
from fishchat.model.device import Device
from fishchat.model.message import pack_body, with_tags
from fishchat.protocols.exchange import Exchange, IClock
from fishchat.protocols.fields import Tags
from fishchat.protocols.flow import LIST, PENDING
from fishchat.protocols.replies import error_line, ok_line
from fishchat.protocols.rows import State, Verb
from fishchat.protocols.state import Event, after, guard
from fishchat.protocols.table import Command
from fishchat.services.msg_server.queue.commits import Commits
from fishchat.services.msg_server.queue.items import Barrier, Call, Send
from fishchat.services.msg_server.sessions.steps import Steps
from fishchat.storage.ask import Ask

#: Reasons for which the store has forgotten the device: its cursors are to be stored no more.
FORGOTTEN = ("deleted", "revoked")

#: Those of a client that has not said HELLO.
NO_CAPABILITIES: frozenset[bytes] = frozenset()

T = TypeVar("T")


class ISessions(Protocol):
    """What a session asks of the server that it belongs to."""

    @property
    def queue(self) -> Commits:
        """What commands that need the store wait in."""

    @property
    def handlers(self) -> Mapping[bytes, Handler]:
        """Verb → what does it."""

    def greeting(self, session: Session) -> bytes:
        """Return the first line."""

    def opened(self, session: Session) -> None:
        """Count a new session."""

    def closed(self, session: Session) -> None:
        """Count it no more."""

    def forget(self, session: Session) -> None:
        """Store the end of a session that may be logged in."""

    def feed(self, device: Device) -> None:
        """Push from the log what the device has room for."""

    def discard(self, device: Device) -> None:
        """Store no cursor of this device any more."""

    def move_line(self, within: float, secure: bool) -> bytes:
        """Return the push that sends a client to another server."""


class Session(Exchange):
    """A client of the msg_server.

    :ivar number: unique in this process.
    :ivar capabilities: what the client was granted at HELLO.
    :ivar device: the client as a logged-in device.
    :ivar by_secret: whether the login was by password or SCRAM.
    :ivar steps: what is under way in several steps: a login, or a command that hashes.
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
        """Who is logged in."""
        assert self.device is not None
        return self.device.account

    def carry_out(self, command: Command) -> None:
        verb = command.verb
        if self.state not in verb.states:
            guard(self.state, verb)
        self._sessions.handlers[verb.name](self, command)

    # -- out, in order

    def answer(self, line: bytes) -> None:
        """Answer a command that needs nothing from the store, after all that were asked before it."""
        if not self.peer.flow.pending:
            self.peer.send(line)
            return
        self.asked()
        self._sessions.queue.add(Barrier(lambda: self.answered(line)))

    def refuse(self, refusal: Refusal, verb: Verb | None, tags: Tags) -> None:
        self.answer(error_line(refusal, verb, tags))

    def asked(self) -> None:
        """Count an answer that is to come from the queue; with too many of them nothing more is read."""
        if self.peer.flow.asked():
            self.peer.hold(PENDING)

    def answered(self, line: bytes) -> None:
        """Send an answer that was counted."""
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

    def stored(self, token: Command, message_id: bytes, time: int) -> None:
        """Answer the command of a message that is stored."""
        peer, line = self.peer, ok_line(token, message_id)
        peer.send(with_tags(line, b"time=%d" % time) if b"time" in self.capabilities else line)
        if peer.flow.answered():
            peer.read_on(PENDING)

    def failed(self, token: Command, refusal: Refusal) -> None:
        """Answer the command of a message that is not stored, as far as we know."""
        self.answered(error_line(refusal, token.verb, token.tags))

    def perform(self, command: Command, work: Coroutine[Any, Any, bytes]) -> None:
        """Answer with the line that ``work`` returns, or with its Refusal; nothing more is read until then."""
        self.asked()
        self.peer.hold(LIST)
        steps = self.steps = Steps(self, command)
        steps.limit()

        def refused(failure: Failure) -> bytes:
            return error_line(self.refusal_for(command, failure), command.verb, command.tags)

        def answer(line: bytes) -> None:
            steps.end()
            self.answered(line)
            self.peer.read_on(LIST)

        def in_turn(line: bytes) -> None:
            # What was asked before may still wait for the store.
            self._sessions.queue.add(Barrier(lambda: answer(line)))

        ensureDeferred(work).addErrback(refused).addCallback(in_turn)

    def stepped(self, steps: Any) -> None:
        """Take note that ``steps`` are over."""
        if self.steps is steps:
            self.steps = None

    def refusal_for(self, command: Command, failure: Failure) -> Refusal:
        """Return what to answer to a command that failed; a defect of ours is logged."""
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
        """Call the store in this session's order; ``take`` makes the line of the result, or raises Refusal.

        After a call that is ``alone`` nothing more is read until it is answered: its answer may be long.
        """

        def settle(reply: Any) -> None:
            try:
                line = take(ask.parse(reply))
            except Refusal as refusal:
                fail(refusal)
            except Exception:
                self.log.failure("a reply of {script} was not understood", script=ask.script)
                fail(Refusal("INTERNAL"))
            else:
                answer(line)

        def fail(refusal: Refusal) -> None:
            answer(error_line(refusal, command.verb, command.tags))

        def answer(line: bytes) -> None:
            self.answered(line)
            if alone:
                self.peer.read_on(LIST)

        self.asked()
        if alone:
            self.peer.hold(LIST)
        self._sessions.queue.add(Call(ask.script, ask.values, settle, fail, fenced=ask.fenced))

    # -- what the peer takes

    @property
    def push(self) -> Callable[[bytes], None]:
        """See ISessionOwner: what is pushed is a line to the peer, without a step between."""
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
        """Go to the next state. Only the session itself and its login call this."""
        self.state = after(self.state, event)

    def revoked(self, why: str) -> None:
        """See ISessionOwner."""
        if self.device is not None and why in FORGOTTEN:
            self._sessions.discard(self.device)
        self.say_goodbye(RESP_REVOKED.line(why.encode()) + b"\r\n")

    def replaced(self) -> None:
        """See ISessionOwner."""
        self.say_goodbye(RESP_REPLACED.line() + b"\r\n")

    def evicted(self) -> None:
        """See ISessionOwner."""
        self.say_goodbye(self._sessions.move_line(0, self.peer.secure))

    def is_done(self) -> bool:
        """Return whether everything is answered, and everything pushed that was missed at the login."""
        synced = self.device is None or self.device.syncing is None
        return not self.peer.flow.pending and synced

    def quit(self, line: bytes) -> None:
        """Answer what was asked, then with ``line``, then close; nothing more is taken from now on."""
        self.peer.ignore()
        if self.peer.flow.pending:
            self._sessions.queue.add(Barrier(lambda: self.say_goodbye(line)))
        else:
            self.say_goodbye(line)

    def end(self) -> None:
        """Take nothing more from this client; its session ends when what it asked for is done."""
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


Handler = Callable[[Session, Command], None]
