"""Slow hashes of passwords in threads: few at a time, and few that wait.

A hash takes some 30 ms and 19 MB. A client that could cause any number of them could stop the server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.threads import deferToThreadPool

from fishchat.errors import Refusal

#: Hashes that are made at the same time, and that wait for their turn.
THREADS, WAITING = 2, 32
#: Seconds that a hash may wait: its client is answered within five seconds, and the store needs a part of them.
PATIENCE = 2.0

Result = TypeVar("Result")


class Hashing:
    """Hash in some of the reactor's own threads. ``clock`` times the waiting; by default it is the reactor."""

    def __init__(self, reactor: Any = None, clock: IReactorTime | None = None) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self._reactor = reactor
        self._clock: IReactorTime = clock or reactor
        self._turns = DeferredSemaphore(THREADS)
        self._busy = 0
        #: How many hashes were begun: a figure of the heartbeat, and what tests count.
        self.made = 0

    def run(self, function: Callable[..., Result], *args: Any) -> Deferred[Result]:
        """Call ``function`` in a thread.

        Fails with Refusal ``TRYAGAIN``: at once when too many calls wait, later when this one has waited too long.
        """
        if self._busy >= THREADS + WAITING:
            return fail(_too_many())
        self._busy += 1
        done: Deferred[Result] = self._turns.run(self._in_turn, self._clock.seconds(), function, *args)
        return done.addBoth(self._done)

    def _in_turn(self, asked: float, function: Callable[..., Result], *args: Any) -> Deferred[Result]:
        if self._clock.seconds() - asked > PATIENCE:
            raise _too_many()
        self.made += 1
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), function, *args)

    def _done(self, result: Any) -> Any:
        self._busy -= 1
        return result


def _too_many() -> Refusal:
    return Refusal("TRYAGAIN", "too many clients are logging in by password; send it again later", retry=1)
