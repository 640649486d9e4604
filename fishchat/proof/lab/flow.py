"""One direction of a connection through the proxy: the bytes that wait, and the faults that delay or stop them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from random import Random
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

#: Bytes that may wait before the sending side is paused.
FULL = 1 << 16
#: Seconds of data in the largest piece of a slow flow.
PIECE = 0.05


@implementer(IPushProducer)
class Flow:
    """Passes bytes from ``source`` to ``target``; both are transports and may be set later.

    :ivar held: whether nothing passes now; ``dead``: whether nothing passes ever again, without notice.
    :ivar delay: seconds that everything takes, plus or minus ``jitter``.
    :ivar speed: the greatest number of bytes a second.
    :ivar left: the number of bytes that still pass before ``torn`` is called.
    :ivar edit: changes what comes, before anything else.
    :ivar size: the number of bytes that wait; ``paused``: whether the source is paused until some have passed.
    """

    def __init__(self, reactor: Any, random: Random, source: Any) -> None:
        self.source = source
        self.target: Any = None
        self.held = self.dead = self.paused = False
        self.size = 0
        self.edit: Callable[[bytes], bytes] | None = None
        self.torn: Callable[[], None] = lambda: None
        self._reactor = reactor
        self._random = random
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._ended = self._full = False
        self._timer: Any = None
        self.heal()

    def give_to(self, target: Any) -> None:
        """Write everything to this transport, as fast as it takes it."""
        self.target = target
        target.registerProducer(self, True)
        self.pump()

    def pauseProducing(self) -> None:
        """Stop, since the target is full."""
        self._full = True
        self._throttle()

    def resumeProducing(self) -> None:
        """Continue, since the target takes more."""
        self._full = False
        self.pump()

    def stopProducing(self) -> None:
        """End, since the target has ended."""
        self.kill()

    def finish(self) -> None:
        """Close the target when everything was written."""
        self.target.unregisterProducer()
        self.target.loseConnection()

    def heal(self) -> None:
        """Remove all faults, so that waiting bytes pass at once; a dead flow stays dead."""
        self.held, self.delay, self.jitter, self.speed = False, 0.0, 0.0, inf
        self.left: float = inf
        self._next = 0.0
        self._waiting = deque((0.0, data) for _, data in self._waiting)
        self.pump()

    def kill(self) -> None:
        """Let nothing pass any more: waiting and later bytes are discarded."""
        self.dead = True
        self._waiting.clear()
        self.size = 0
        self.pump()

    def take(self, data: bytes) -> None:
        """Take bytes from the source."""
        if self.edit is not None:
            data = self.edit(data)
        if not data or self.dead:
            return
        if not self._waiting and not self._is_stopped() and self._is_free():
            self.target.write(data)
        else:
            self._put(data)

    def end(self) -> None:
        """Handle the end of the source: the target ends when everything has passed."""
        self._ended = True
        # The end is delayed as bytes are.
        if not self.dead:
            self._put(b"")

    def pump(self) -> None:
        """Let pass all bytes that are due, and set a timer for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._is_stopped():
            self._let_pass(self._reactor.seconds())
        self._throttle()
        if self._is_stopped():
            return
        if self._waiting:
            wait = max(self._waiting[0][0], self._next) - self._reactor.seconds()
            self._timer = self._reactor.callLater(max(0.0, wait), self._again)
        elif self._ended:
            self.finish()

    def _again(self) -> None:
        self._timer = None
        self.pump()

    def _is_stopped(self) -> bool:
        return self.target is None or self.held or self.dead or self._full

    def _is_free(self) -> bool:
        return not (self.delay or self.jitter) and self.speed == inf and self.left == inf

    def _put(self, data: bytes) -> None:
        due = self._reactor.seconds() + max(0.0, self.delay + self._random.uniform(-self.jitter, self.jitter))
        # Bytes that are due before earlier ones wait for them: everything passes in order.
        self._waiting.append((due, data))
        self.size += len(data)
        self.pump()

    def _let_pass(self, now: float) -> None:
        piece = max(1.0, self.speed * PIECE)
        while self._waiting and max(self._waiting[0][0], self._next) <= now and self.left > 0 and not self._full:
            due, data = self._waiting.popleft()
            count = int(min(len(data), piece, self.left))
            if count < len(data):
                self._waiting.appendleft((due, data[count:]))
            self.size -= count
            self.left -= count
            # From the time that it was due, not from its arrival: many small pieces are no faster than a large one.
            self._next = max(self._next, now) + count / self.speed
            self.target.write(data[:count])
        if self.left <= 0:
            self.kill()
            self.torn()

    def _throttle(self) -> None:
        """Read the source no faster than bytes pass; a dead flow reads and discards."""
        full = (self.size >= FULL or self._full) and not self.dead and self.source is not None
        if full != self.paused:
            self.paused = full
            (self.source.pauseProducing if full else self.source.resumeProducing)()
