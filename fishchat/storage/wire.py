"""One connection to Redis as a protocol: commands out, replies or one of three errors back.

It is built on txredisapi's protocol classes and hides their traps from its users. The changes: replies are never
converted, a command has one Deferred and a deadline of its own, and a connection that missed a deadline is given up as
a whole, since the outcome of the later commands is unknown.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis
import txredisapi
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.net.fast_write import send_now, socket_of

#: A reply of Redis: bytes, int, None, or a list of these; an error inside a list is a ``ReplyError`` there. It is Any
#: because a caller knows the form of its reply; isinstance at every use would prove nothing.
Reply = Any

#: The most commands without a reply: far above the need of a busy role, so that a hung Redis costs no more.
MOST_IN_FLIGHT = 100_000
#: Seconds between two pings of a connection without pending commands.
PING_INTERVAL = 5.0
#: Seconds. A timer this late shows that this process was stopped, not Redis: read the socket first.
LATE = 0.25
#: Bytes of a command that is sent at once. A client waits for a lone message; the batch of a busy server gains nothing,
#: and leaves later with the other commands of the same turn.
AT_ONCE = 2048


#: Redis before 7 wraps the error of a command in a script: ``ERR Error running script (call to f_…): @user_script:1:
#: @user_script: 1: -OOM command not allowed…``; from 7 on its word is the first.
_IN_SCRIPT = re.compile(r"@user_script: ?\d+: -?([A-Z]+) ")


class StoreError(Exception):
    """A command without a result."""


class Unavailable(StoreError):
    """Redis is away and the command was not sent: certainly not done."""


class Unknown(StoreError):
    """The connection ended before the reply: perhaps done."""


class ReplyError(StoreError):
    """A refusal by Redis. ``word`` is the first word (OOM, LOADING, READONLY, NOSCRIPT, ERR…), ``text`` all of it.

    A refused command did nothing. Only a script may fail halfway.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        inside = _IN_SCRIPT.findall(text)
        self.word = inside[-1] if inside else text.partition(" ")[0]


class _Default:
    """The type of ``DEFAULT``, which differs from None: None means no deadline."""


DEFAULT = _Default()


class _InFlight:
    """The commands that wait for a reply, in order. It has those two methods of a queue that txredisapi calls."""

    __slots__ = ("deadlines", "surprise", "waiting")

    def __init__(self, surprise: Callable[[Reply], None]) -> None:
        self.waiting: deque[Deferred[Reply]] = deque()
        self.deadlines: deque[float | None] = deque()
        self.surprise = surprise

    def add(self, deadline: float | None) -> Deferred[Reply]:
        result: Deferred[Reply] = Deferred()
        self.waiting.append(result)
        self.deadlines.append(deadline)
        return result

    def put(self, reply: Reply) -> None:
        if not self.waiting:
            self.surprise(reply)
            return
        result = self.waiting.popleft()
        self.deadlines.popleft()
        if isinstance(reply, Exception):
            result.errback(reply)
        else:
            result.callback(reply)

    def next_deadline(self) -> float | None:
        return min((deadline for deadline in self.deadlines if deadline is not None), default=None)


class Pipeline:
    """The common part of both kinds of wire. Their users call only ``run``."""

    log = Logger()
    transport: Any

    def __init__(
        self,
        clock: IReactorTime,
        timeout: float,
        made: Callable[[Any], None],
        lost: Callable[[Any, str], None],
    ) -> None:
        super().__init__(charset=None, convertNumbers=False)  # type: ignore[call-arg]
        self._reader = hiredis.Reader(protocolError=txredisapi.InvalidData, replyError=ReplyError)
        self.replyQueue = self._flight = _InFlight(self._surprise)
        self._clock = clock
        self._timeout = timeout
        self._made = made
        self._lost = lost
        self._watch: IDelayedCall | None = None
        self._ping: IDelayedCall | None = None
        self._socket: Any = None
        #: Whether nothing can be sent: not yet connected, or given up.
        self.closed = True

    def run(self, *args: bytes | str | int, timeout: float | _Default | None = DEFAULT) -> Deferred[Reply]:
        """Send one command; its reply, ``ReplyError``, ``Unavailable`` (not sent) or ``Unknown`` (perhaps).

        No reply within ``timeout`` seconds gives up the connection and makes every command on it ``Unknown``. None
        disables the deadline, and with it the pings after this command. For a blocking command prefer its blocking time
        and some seconds more.
        """
        if self.closed:
            return fail(Unavailable("no connection to Redis"))
        if len(self._flight.waiting) >= MOST_IN_FLIGHT:
            return fail(Unavailable(f"{MOST_IN_FLIGHT} commands wait for Redis already"))
        try:
            packed = hiredis.pack_command(args)  # type: ignore[arg-type]
        except TypeError as error:
            return fail(error)
        if len(packed) <= AT_ONCE:
            send_now(self.transport, self._socket, packed)
        else:
            self.transport.write(packed)
        seconds = self._timeout if isinstance(timeout, _Default) else timeout
        if seconds is None:
            return self._flight.add(None)
        deadline = self._clock.seconds() + seconds
        self._watch_until(deadline)
        return self._flight.add(deadline)

    @property
    def bounded(self) -> bool:
        """Whether any command with a deadline waits for its reply."""
        return self._flight.next_deadline() is not None

    def drop(self, reason: str) -> None:
        """Give the connection up now: every command in flight fails as ``Unknown``."""
        if self.closed:
            return
        transport = self.transport
        self._close(reason)
        transport.abortConnection()

    # Called by Twisted and txredisapi.

    def tryConvertData(self, data: Reply) -> Reply:
        """Keep replies as Redis sent them: ``007`` is not a number here, and bytes need not be text."""
        return data

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        """Take replies. A malformed one ends the connection, since the start of the next one is unknown."""
        try:
            super().dataReceived(data, unpause)  # type: ignore[misc]
        except Exception as error:
            self.log.error("what Redis sent is no reply: {error}", error=error)
            self.drop("what came is no reply")

    def connectionMade(self) -> None:
        """Mark the wire as ready to send; it is not yet ready for use, see ``made``."""
        super().connectionMade()  # type: ignore[misc]
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        self.closed = False
        self._socket = socket_of(self.transport)
        self._ping = self._clock.callLater(PING_INTERVAL, self._ping_now)
        self._made(self)

    def connectionLost(self, reason: Failure) -> None:
        """Fail all commands in flight: their outcome is unknown."""
        self._close(reason.getErrorMessage())
        super().connectionLost(reason)  # type: ignore[misc]

    # Deadlines: one timer for all commands, which normally never has to be moved.

    def _watch_until(self, deadline: float) -> None:
        watch = self._watch
        if watch is None:
            self._watch = self._clock.callLater(deadline - self._clock.seconds(), self._check, deadline)
        elif deadline < watch.getTime():
            watch.cancel()
            self._watch = self._clock.callLater(deadline - self._clock.seconds(), self._check, deadline)

    def _check(self, planned: float, looked: bool = False) -> None:
        self._watch = None
        deadline = self._flight.next_deadline()
        if deadline is None:
            return
        now = self._clock.seconds()
        if deadline > now:
            self._watch_until(deadline)
        elif now - planned > LATE and not looked:
            self._watch = self._clock.callLater(LATE, self._check, now + LATE, True)
        else:
            self.drop("no reply in time")

    def _ping_now(self) -> None:
        self._ping = self._clock.callLater(PING_INTERVAL, self._ping_now)
        if not self._flight.waiting:
            # A failure means that the connection ended, which its owner learns anyway; a refusal is a reply.
            self.run("PING").addErrback(lambda _: None)

    def _surprise(self, reply: Reply) -> None:
        self.log.warn("Redis sent what nobody asked for: {reply!r}", reply=reply)
        self.drop("a reply without a command")

    def _close(self, reason: str) -> None:
        if self.closed:
            return
        self.closed = True
        for timer in (self._watch, self._ping):
            if timer is not None and timer.active():
                timer.cancel()
        # The owner first, so that a retry from an errback finds the connection closed.
        self._lost(self, reason)
        while self._flight.waiting:
            self._flight.put(Unknown(reason))


class CommandWire(Pipeline, txredisapi.RedisProtocol):  # type: ignore[misc]
    """A connection for commands."""


class SubscriberWire(Pipeline, txredisapi.SubscriberProtocol):  # type: ignore[misc]
    """A connection in subscribe mode: ``receive(channel, payload)`` gets every message.

    ``run`` is for the few commands that are allowed there, SUBSCRIBE and PING.
    """

    def __init__(self, *args: Any, receive: Callable[[bytes, bytes], None]) -> None:
        super().__init__(*args)
        self._receive = receive

    def messageReceived(self, pattern: bytes | None, channel: bytes, message: bytes) -> None:
        """Pass a message on. Called by txredisapi: an exception would end the connection and lose the rest of its
        input.
        """
        try:
            self._receive(channel, message)
        except Exception:
            self.log.failure("a receiver of {channel!r} failed", channel=channel)
