"""One connection to Redis as a protocol: commands out, replies or one of three errors back.

It stands on txredisapi's protocol classes and owns their traps; nothing above it needs to know them. What it
changes: replies are never converted, a command has one Deferred and a deadline of its own, and a connection
that missed a deadline is given up as a whole, since nobody can say what became of the commands behind it.
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

#: What Redis answers: bytes, int, None, or a list of these; an error inside a list is a ``ReplyError`` there.
#: It is Any because a caller knows what its own command answers; isinstance at every use would prove nothing.
Reply = Any

#: Commands without a reply at most: far above what a busy role has, so that a hung Redis costs no more.
MOST_IN_FLIGHT = 100_000
#: Seconds between two pings of a connection that waits for nothing.
PING_INTERVAL = 5.0
#: A timer that comes this late shows that this process was stopped, not Redis: look at the socket first.
LATE = 0.25
#: Bytes of a command that is sent at once. A lone message is waited for by somebody; the batch of a busy server gains
#: nothing, and leaves later with what is asked for in the same turn.
AT_ONCE = 2048


#: Redis before 7 wraps what a command in a script refused: ``ERR Error running script (call to f_…):
#: @user_script:1: @user_script: 1: -OOM command not allowed…``; from 7 on its word stands in front.
_IN_SCRIPT = re.compile(r"@user_script: ?\d+: -?([A-Z]+) ")


class StoreError(Exception):
    """A command that brought no result."""


class Unavailable(StoreError):
    """Redis is away and nothing was sent: certainly not done."""


class Unknown(StoreError):
    """The connection ended before the reply: perhaps done."""


class ReplyError(StoreError):
    """Redis refused. ``word`` is the first word (OOM, LOADING, READONLY, NOSCRIPT, ERR…), ``text`` all of it.

    A refused command did nothing, but for a script: that may fail halfway.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        inside = _IN_SCRIPT.findall(text)
        self.word = inside[-1] if inside else text.partition(" ")[0]


class _Default:
    """The type of ``DEFAULT``, which is not None: None means no deadline."""


DEFAULT = _Default()


class _InFlight:
    """What waits for a reply, in order. It has the two names that txredisapi uses of its own reply queue."""

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
    """What both kinds of wire have in common; ``run`` is all that their users call."""

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
        #: Nothing can be sent: not yet connected, or given up.
        self.closed = True

    def run(self, *args: bytes | str | int, timeout: float | _Default | None = DEFAULT) -> Deferred[Reply]:
        """Send one command; its reply, ``ReplyError``, ``Unavailable`` (not sent) or ``Unknown`` (perhaps).

        No reply within ``timeout`` seconds gives up the connection and makes every command on it ``Unknown``.
        None switches that off, and with it the pings behind this command: where possible, give a blocking
        command its blocking time and some seconds more instead.
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

    # What Twisted and txredisapi call.

    def tryConvertData(self, data: Reply) -> Reply:
        """Replies stay what Redis sent: ``007`` is no number here, and bytes need not be text."""
        return data

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        """Take replies. What is none ends the connection: nobody knows where the next one begins."""
        try:
            super().dataReceived(data, unpause)  # type: ignore[misc]
        except Exception as error:
            self.log.error("what Redis sent is no reply: {error}", error=error)
            self.drop("what came is no reply")

    def connectionMade(self) -> None:
        """Ready to send; not yet ready for use, see ``made``."""
        super().connectionMade()  # type: ignore[misc]
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        self.closed = False
        self._socket = socket_of(self.transport)
        self._ping = self._clock.callLater(PING_INTERVAL, self._ping_now)
        self._made(self)

    def connectionLost(self, reason: Failure) -> None:
        """Whatever was in flight has an unknown outcome."""
        self._close(reason.getErrorMessage())
        super().connectionLost(reason)  # type: ignore[misc]

    # Deadlines: one timer for all commands, which in the usual case never has to be moved.

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
            # A failure is the end of the connection, which its owner hears of anyway; a refusal is an answer.
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
        # First the owner, so that a retry out of an errback finds the connection gone.
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
        """Called by txredisapi. An exception would end the connection and lose what else it has read."""
        try:
            self._receive(channel, message)
        except Exception:
            self.log.failure("a receiver of {channel!r} failed", channel=channel)
