"""Slow hashes of passwords beside the reactor: few at a time, and few that wait.

A hash takes some 30 ms and 19 MB; whoever could ask for any number of them could stop the server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore, fail
from twisted.internet.threads import deferToThreadPool

from fishchat.errors import Refusal

#: Hashes that are made at the same time, and that wait for their turn.
THREADS, WAITING = 2, 32

Result = TypeVar("Result")


class Hashing:
    """Hashes in some of the reactor's own threads."""

    def __init__(self, reactor: Any = None) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self._reactor = reactor
        self._turns = DeferredSemaphore(THREADS)
        self._busy = 0
        #: How many were asked for: a figure of the heartbeat, and what tests count.
        self.made = 0

    def run(self, function: Callable[..., Result], *args: Any) -> Deferred[Result]:
        """Call ``function`` in a thread. Fails with Refusal ``TRYAGAIN``, at once, when too many wait."""
        if self._busy >= THREADS + WAITING:
            return fail(Refusal("TRYAGAIN", "too many are logging in by password; send it again", retry=1))
        self._busy += 1
        self.made += 1
        pool = self._reactor.getThreadPool()
        done: Deferred[Result] = self._turns.run(deferToThreadPool, self._reactor, pool, function, *args)
        return done.addBoth(self._done)

    def _done(self, result: Any) -> Any:
        self._busy -= 1
        return result
