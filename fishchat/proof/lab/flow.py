"""One direction of a connection through the proxy: what waits there, and what is in its way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from random import Random
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

#: Bytes that wait before the side that sends them is not read any more.
FULL = 1 << 16
#: Seconds that the largest piece of a flow that drips stands for.
PIECE = 0.05


@implementer(IPushProducer)
class Flow:
    """Takes bytes from ``source`` and gives them to ``target``, both transports, which may come later.

    :ivar held: nothing passes now. ``dead``: nothing passes ever again, and nobody is told.
    :ivar delay: seconds that everything takes, give or take ``jitter``.
    :ivar speed: bytes a second at most.
    :ivar left: so many more bytes pass, then ``torn`` is called.
    :ivar edit: changes what comes, before anything else.
    :ivar size: the bytes that wait here; ``paused``: the source is not read until some of them have passed.
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
        """Everything goes to this transport, as fast as it takes it."""
        self.target = target
        target.registerProducer(self, True)
        self.pump()

    def pauseProducing(self) -> None:
        """The target is full."""
        self._full = True
        self._throttle()

    def resumeProducing(self) -> None:
        """The target takes more."""
        self._full = False
        self.pump()

    def stopProducing(self) -> None:
        """The target is gone."""
        self.kill()

    def finish(self) -> None:
        """End the target when it has taken what it was given."""
        self.target.unregisterProducer()
        self.target.loseConnection()

    def heal(self) -> None:
        """Nothing is in the way any more, and what waits passes at once; a dead flow stays dead."""
        self.held, self.delay, self.jitter, self.speed = False, 0.0, 0.0, inf
        self.left: float = inf
        self._next = 0.0
        self._waiting = deque((0.0, data) for _, data in self._waiting)
        self.pump()

    def kill(self) -> None:
        """Nothing passes any more: what waits and what still comes is thrown away."""
        self.dead = True
        self._waiting.clear()
        self.size = 0
        self.pump()

    def take(self, data: bytes) -> None:
        """Bytes have come from the source."""
        if self.edit is not None:
            data = self.edit(data)
        if not data or self.dead:
            return
        if not self._waiting and not self._is_stopped() and self._is_free():
            self.target.write(data)
        else:
            self._put(data)

    def end(self) -> None:
        """The source has ended; so does the target when everything has passed."""
        self._ended = True
        # The end takes its time too, as the bytes do.
        if not self.dead:
            self._put(b"")

    def pump(self) -> None:
        """Let pass what may pass now, and come again for the rest."""
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
        # What is due earlier than what is in front of it waits for that: everything passes in order.
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
            # From when it was due, not from when the source spoke: many small pieces are no faster than a large one.
            self._next = max(self._next, now) + count / self.speed
            self.target.write(data[:count])
        if self.left <= 0:
            self.kill()
            self.torn()

    def _throttle(self) -> None:
        """Have the source read no faster than this passes on; what is dead is taken, and thrown away."""
        full = (self.size >= FULL or self._full) and not self.dead and self.source is not None
        if full != self.paused:
            self.paused = full
            (self.source.pauseProducing if full else self.source.resumeProducing)()
