"""The glue between Twisted's transports and lines: one write a turn, bounded both ways.

What a line means is the business of a subclass. Nothing here knows of stores or messages.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener, IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.errors import ProtocolError, Refusal
from fishchat.model.bucket import Bucket
from fishchat.net.fast_write import send_now, socket_of
from fishchat.protocols.fields import Tags
from fishchat.protocols.lines import LineSplitter
from fishchat.protocols.replies import error_line
from fishchat.protocols.rows import Verb
from fishchat.protocols.table import BadCommand, Command, Table

#: Commands of one connection that wait for their answers at most; then it is not read until half are answered.
WAITING = 64
#: Lines of one connection in one turn: whoever sends more is not to keep the others waiting.
LINES = 64
#: Seconds for which nothing is read of a peer that has sent too fast: refusing is work, too.
REST = 1.0
#: How a browser begins, and goes on when the first line is too long to be looked at. Any page can have the browser of
#: who looks at it send lines behind these to a port of this machine, and the plain ones trust whoever is here.
_BROWSER = re.compile(rb"[A-Z]+ \S+ HTTP/[0-9.]+|(?i:host):.*")
#: Seconds that the handshake of TLS may take.
HANDSHAKE = 10.0
#: Seconds that a peer may take nothing of what is written to it.
STUCK = 30.0


class Turn:
    """What is to be done once at the end of this turn of the reactor, however often it was asked for.

    Twisted runs a call for "now" before it waits for events again, so this costs no turn of its own.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: list[Callable[[], None]] = []

    def at_end(self, call: Callable[[], None]) -> None:
        """Run ``call`` at the end of the turn; whoever asks twice is called twice."""
        if not self._calls:
            self._clock.callLater(0, self._end)
        self._calls.append(call)

    def _end(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            try:
                call()
            except Exception:
                # Whoever else waits for the end of this turn has no part in it.
                self.log.failure("something at the end of a turn failed")


@implementer(IPushProducer)
class _Outlet:
    """What the transport tells when its buffer is full, and when it is empty again."""

    __slots__ = ("_connection",)

    def __init__(self, connection: LineServer) -> None:
        self._connection = connection

    def pauseProducing(self) -> None:
        self._connection.outlet_full()

    def resumeProducing(self) -> None:
        self._connection.outlet_free()

    def stopProducing(self) -> None:
        pass


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class LineServer(LineReceiver):
    """A connection of lines. LineReceiver gives the frame; its splitting is replaced (limits, telnet, both endings).

    :ivar commands: the verbs of this port.
    :ivar bucket: how fast the peer may send; None: as it likes.
    :ivar secure: whether there is TLS below.
    :ivar shaking: whether its handshake is still under way; nothing can be said before it is done.
    """

    commands: Table
    bucket: Bucket | None = None

    def __init__(self, turn: Turn, clock: IReactorTime, secure: bool = False) -> None:
        self._turn = turn
        self.secure = self.shaking = secure
        self.clock = clock
        self._splitter = LineSplitter()
        self._out: list[bytes] = []
        self._socket: Any = None
        self._backlog: deque[bytes] = deque()
        self._held = self._going_on = self._ended = False
        self._closing = False
        #: When something was last read; since when the peer takes nothing, since when it is to go (None: neither).
        self.heard_at = clock.seconds()
        self.full_since: float | None = None
        self.closing_since: float | None = None
        self.lost = False
        self._resting = False
        #: What the transport held when it was last looked at.
        self._unsent = 0
        self._taken_at = self.heard_at

    # -- what a subclass says

    def command_received(self, command: Command) -> None:
        """A well-formed command. A Refusal raised here becomes its ``ERR`` line."""
        raise NotImplementedError

    def greet(self) -> None:
        """The peer can be spoken to. A subclass calls this itself when there is no TLS."""

    def connection_ended(self) -> None:
        """The connection is gone."""

    def outlet_full(self) -> None:
        """The transport's buffer is full: nothing more is read, and as little as possible written."""
        self.full_since = self.clock.seconds()
        self.hold()

    def outlet_free(self) -> None:
        """The transport takes again."""
        self.full_since = None
        self.go_on()

    # -- Twisted's side

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.registerProducer(_Outlet(self), True)
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        self._socket = socket_of(transport)

    def handshakeCompleted(self) -> None:
        """The TLS below is ready."""
        self.shaking = False
        if not self._closing:
            self.greet()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = self._closing = True
        self._out.clear()
        self._backlog.clear()
        self.connection_ended()

    def dataReceived(self, data: bytes) -> None:
        self.heard_at = self.clock.seconds()
        lines = self._splitter.feed(data)
        if refusals := self._splitter.take_refusals():
            self.send(refusals)
        if self._held:
            self._backlog.extend(lines)
            return
        for number, line in enumerate(lines):
            if number >= LINES:
                self.hold()
                self.go_on()
            if self._held:
                self._backlog.extend(lines[number:])
                return
            self.lineReceived(line)

    def readConnectionLost(self) -> None:
        """The peer will send nothing more, as a piped ``nc``: it is answered to the end, then closed."""
        self._ended = True
        self._turn.at_end(self._close_if_done)

    def writeConnectionLost(self) -> None:
        """Twisted tells of this only when we have ended our side, which we never do alone."""

    def is_done(self) -> bool:
        """Whether all that the peer has asked for is answered."""
        return not self._backlog

    def _close_if_done(self) -> None:
        if self._ended and not self._out and self.is_done():
            self.close()

    def lineReceived(self, line: bytes) -> None:
        if self._closing:
            return
        try:
            command = self.commands.parse(line)
        except BadCommand as error:
            self.spend()
            self.refuse(error, error.verb, error.tags)
            if error.verb is None and _BROWSER.fullmatch(line):
                self.close()
            return
        except ProtocolError as error:
            self.spend()
            self.refuse(error, None, {})
            return
        free = command.verb.free
        try:
            if not free and (wait := self.spend()):
                raise Refusal("FLOOD", retry=math.ceil(wait))
            self.command_received(command)
        except Refusal as refusal:
            if free:
                self.spend()
            self.refuse(refusal, command.verb, command.tags)

    def spend(self) -> float:
        """Take a token for a line. Gives the seconds until there is one, and then nothing is read for a moment."""
        wait = self.bucket.take(self.clock.seconds()) if self.bucket is not None else 0.0
        if wait and not self._resting:
            self._resting = True
            self.hold()
            self.clock.callLater(REST, self._rested)
        return wait

    def _rested(self) -> None:
        self._resting = False
        self.go_on()

    # -- reading

    def hold(self) -> None:
        """Stop reading until ``go_on``; what has arrived waits."""
        self._going_on = False
        if not self._held and not self.lost:
            self._held = True
            self.transport.pauseProducing()  # type: ignore[union-attr]

    def go_on(self) -> None:
        """Read again at the end of the turn, first what has waited."""
        if self._held and self.full_since is None and not self._resting and not self._going_on:
            self._going_on = True
            self._turn.at_end(self._go_on)

    def _go_on(self) -> None:
        if not self._going_on or self.full_since is not None:  # held again, or full, in the same turn
            self._going_on = False
            return
        self._going_on = self._held = False
        lines = 0
        while self._backlog and not self._held and lines < LINES:
            lines += 1
            self.lineReceived(self._backlog.popleft())
        if self._held or self.lost:
            return
        if self._backlog:
            self._held = True
            self.go_on()
        elif self._ended:
            self._close_if_done()
        else:
            self.transport.resumeProducing()  # type: ignore[union-attr]

    @property
    def is_read(self) -> bool:
        """Whether what the peer sends is read now."""
        return not self._held

    def is_stuck(self, now: float) -> bool:
        """Whether the peer takes nothing any more; to be asked every few seconds. Slowly is not nothing."""
        if self.full_since is None and self.closing_since is None:
            return False
        # A layer of TLS keeps nothing back and hands these two through; what it has encrypted waits below it.
        transport: Any = self.transport
        unsent = len(getattr(transport, "dataBuffer", b"")) - getattr(transport, "offset", 0)
        if unsent != self._unsent:
            self._unsent = unsent
            self._taken_at = now
        since = max(self.full_since or 0.0, self.closing_since or 0.0, self._taken_at)
        return now - since >= STUCK

    # -- writing

    def send(self, line: bytes) -> None:
        """Write ``line``, which carries its ending, with all others of this turn."""
        if not self._out:
            if self.lost or self.shaking:
                return
            self._turn.at_end(self.flush)
        self._out.append(line)

    def flush(self) -> None:
        """Write what has gathered."""
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            send_now(self.transport, self._socket, data)
            if self._ended:
                self._close_if_done()

    def refuse(self, refusal: Refusal, verb: Verb | None, tags: Tags) -> None:
        """Answer with an ``ERR`` line."""
        self.send(error_line(refusal, verb, tags))

    def ignore(self) -> None:
        """Look at nothing more of what the peer sends; what it has asked for is still answered."""
        self._closing = True

    def close(self) -> None:
        """Write what has gathered, then end the connection; a peer that takes nothing is cut off in time."""
        self.ignore()
        if self.shaking:
            self.abort()
        elif self.closing_since is None and not self.lost:
            self.closing_since = self.clock.seconds()
            self.flush()
            # With a producer, a transport waits for its end before it closes.
            self.transport.unregisterProducer()  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]

    def abort(self) -> None:
        """End the connection at once: whatever is in the buffer is of no use to a peer that does not read."""
        self._closing = True
        self._out.clear()
        if not self.lost:
            self.transport.abortConnection()  # type: ignore[union-attr]
