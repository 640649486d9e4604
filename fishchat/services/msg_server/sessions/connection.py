"""One client's connection: its state, its queue of answers, its device once it is logged in.

What a verb does stands in ``login``, ``chat``, ``topics`` and ``asking``; this module only brings a permitted command
there and its answer back in order.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import ensureDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from fishchat.errors import Refusal
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.features.session.rows import RESP_REPLACED, RESP_REVOKED
from fishchat.model.bucket import Bucket
from fishchat.model.device import Device
from fishchat.protocols.fields import Tags
from fishchat.protocols.peer import WAITING, LineServer
from fishchat.protocols.replies import error_line
from fishchat.protocols.rows import State, Verb
from fishchat.protocols.state import Event, after, guard
from fishchat.protocols.table import Command
from fishchat.services.msg_server.queue.commits import ANSWERED, doubtful
from fishchat.services.msg_server.queue.items import Call, Mark
from fishchat.storage.ask import Ask

if TYPE_CHECKING:
    from fishchat.services.msg_server.service import MsgServer
    from fishchat.services.msg_server.sessions.authentication import Proving

#: Reasons for which the store has forgotten the device: its cursors are to be stored no more.
FORGOTTEN = ("deleted", "revoked")

Handler = Callable[["ClientConnection", Command], None]
T = TypeVar("T")


class ClientConnection(LineServer):
    """A client of the msg_server.

    :ivar number: unique in this process.
    :ivar waiting: commands whose answer is still to come from the queue.
    :ivar proving: a login by SCRAM between its steps.
    :ivar by_secret: whether the login was by password or SCRAM.
    """

    commands = MSG_SERVER_COMMANDS
    # Of the class, since most connections never have their own.
    proving: Proving | None = None
    by_secret = False
    _late: IDelayedCall | None = None

    def __init__(self, server: MsgServer, number: int, address: str, secure: bool = False) -> None:
        super().__init__(server.turn, server.clock, secure)
        self.server = server
        self.number = number
        self.address = address
        self.state = State.GREETED
        self.acks = False
        self.device: Device | None = None
        self.waiting = 0
        self._alone = False
        self.pinged = False
        self.since = self.heard_at
        limits = server.config.limits
        self.bucket = Bucket(limits.rate, limits.burst, self.since) if limits.flood else None

    # -- in

    def connectionMade(self) -> None:
        super().connectionMade()
        self.server.connection_limits.enter(self, self.address)
        if not self.secure:
            self.greet()

    def greet(self) -> None:
        self.send(self.server.greeting(self))

    @property
    def binding(self) -> bytes | None:
        """What a proof on this connection is bound to; None without TLS."""
        if not self.secure:
            return None
        # Here and not above: it brings OpenSSL in, which a server without such a listener need not load.
        from fishchat.services.net.tls import binding_of

        return binding_of(self.transport)

    @property
    def account(self) -> bytes:
        """Who is logged in."""
        assert self.device is not None
        return self.device.account

    def connection_ended(self) -> None:
        self.server.connection_limits.leave(self, self.address)
        self.end()

    def end(self) -> None:
        """Nothing more is taken from this client; its session ends when what it asked for is done."""
        if self.state is not State.CLOSING:
            self.state = after(self.state, Event.END)
            self.proving = None
            self.steps_end()
            self.server.logins.forget(self)

    def command_received(self, command: Command) -> None:
        guard(self.state, command.verb)
        self.server.handlers[command.verb.name](self, command)

    # -- out, in order

    def answer(self, line: bytes) -> None:
        """Answer a command that needs nothing from the store, behind all that were asked before it."""
        if not self.waiting:
            self.send(line)
            return
        self.asked()
        self.server.commits.add(Mark(lambda: self.answered(line)))

    def refuse(self, refusal: Refusal, verb: Verb | None, tags: Tags) -> None:
        self.answer(error_line(refusal, verb, tags))

    def asked(self) -> None:
        """One more answer is to come from the queue; with too many of them nothing more is read."""
        self.waiting += 1
        if self.waiting >= WAITING:
            self.hold()

    def answered(self, line: bytes) -> None:
        """It has come."""
        self.waiting -= 1
        self.send(line)
        if self._held:
            self.go_on()

    def go_on(self) -> None:
        """Read again, unless there is a reason not to."""
        busy = self._alone or self.state is State.LOGGING_IN or self.waiting > WAITING // 2
        if not busy and self.server.running:
            super().go_on()

    def login_begins(self) -> None:
        """A step of a login is under way: what the client has sent behind it is looked at when it is through."""
        self.state = after(self.state, Event.LOGIN)
        self.asked()
        self.hold()

    def steps_begin(self, command: Command) -> None:
        """What answers this takes several steps, and each of them may take its time; together they may not."""

        def late() -> None:
            self._late = None
            # Nobody waits longer. What comes of it then, the next connection finds out.
            self.say_goodbye(error_line(doubtful(), command.verb, command.tags))

        self._late = self.clock.callLater(ANSWERED, late)

    def steps_end(self) -> None:
        """They are through."""
        late, self._late = self._late, None
        if late is not None:
            late.cancel()

    def perform(self, command: Command, work: Coroutine[Any, Any, bytes]) -> None:
        """Answer with the line that ``work`` gives, or with its Refusal; nothing more is read until then."""

        def refused(failure: Failure) -> bytes:
            return error_line(self.refusal_for(command, failure), command.verb, command.tags)

        def answer(line: bytes) -> None:
            self.steps_end()
            self._alone = False
            self.answered(line)

        def in_turn(line: bytes) -> None:
            # What was asked before may still wait for the store.
            self.server.commits.add(Mark(lambda: answer(line)))

        self.asked()
        self._alone = True
        self.hold()
        self.steps_begin(command)
        ensureDeferred(work).addErrback(refused).addCallback(in_turn)

    def refusal_for(self, command: Command, failure: Failure) -> Refusal:
        """What to answer to a command that came to nothing; a defect of ours is logged."""
        if isinstance(failure.value, Refusal):
            return failure.value
        self.server.log.failure("{verb} failed", failure, verb=command.verb.name)
        return Refusal("INTERNAL")

    def ask(
        self,
        command: Command,
        ask: Ask[T],
        take: Callable[[T], bytes],
        *,
        alone: bool = False,
    ) -> None:
        """Call the store in this connection's order; ``take`` makes the line of the result, or raises Refusal.

        After a call that is ``alone`` nothing more is read until it is answered: its answer may be long.
        """

        def settle(reply: Any) -> None:
            try:
                line = take(ask.parse(reply))
            except Refusal as refusal:
                fail(refusal)
            except Exception:
                self.server.log.failure("a reply of {script} was not understood", script=ask.script)
                fail(Refusal("INTERNAL"))
            else:
                answer(line)

        def fail(refusal: Refusal) -> None:
            answer(error_line(refusal, command.verb, command.tags))

        def answer(line: bytes) -> None:
            self._alone = self._alone and not alone
            self.answered(line)

        self.asked()
        if alone:
            self._alone = True
            self.hold()
        self.server.commits.add(Call(ask.script, ask.values, settle, fail, fenced=ask.fenced))

    # -- what the transport takes

    def outlet_full(self) -> None:
        super().outlet_full()
        if self.device is not None:
            self.device.choke()

    def outlet_free(self) -> None:
        super().outlet_free()
        if self.device is not None:
            self.device.unchoke()
            self.server.delivery.feed(self.device)

    # -- the end

    def revoked(self, why: str) -> None:
        """The right to be here was taken back: from the account, or from the device alone."""
        if self.device is not None and why in FORGOTTEN:
            self.server.cursors.discard(self.device)
        self.say_goodbye(RESP_REVOKED.line(why.encode()) + b"\r\n")

    def replaced(self) -> None:
        """The same device has logged in elsewhere."""
        self.say_goodbye(RESP_REPLACED.line() + b"\r\n")

    def evicted(self) -> None:
        """The store does not know this session any more."""
        self.say_goodbye(self.server.neighbours.move_line(0, self.secure))

    def is_done(self) -> bool:
        """Whether everything is answered, and everything given that was missed at the login."""
        synced = self.device is None or self.device.syncing is None
        return super().is_done() and not self.waiting and synced

    def say_goodbye(self, line: bytes) -> None:
        """A last line, then the end."""
        self.send(line)
        self.end()
        self.close()
