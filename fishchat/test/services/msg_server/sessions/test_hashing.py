"""Slow work beside the reactor: few at a time, few that wait."""

from __future__ import annotations

import threading
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from fishchat.errors import Refusal
from fishchat.services.msg_server.sessions.hashing import PATIENCE, THREADS, WAITING, Hashing
from fishchat.test.support.waiting import until


class HashingTests(TestCase):
    """The pool."""

    async def test_bounded(self) -> None:
        """Two run, so many wait, one more is refused at once; and when all are done there is room again."""
        hashing, go_on = Hashing(reactor), threading.Event()
        self.addCleanup(go_on.set)
        running: list[int] = []

        def slow(number: int) -> int:
            running.append(number)
            assert go_on.wait(10)
            return number

        asked = [hashing.run(slow, number) for number in range(THREADS + WAITING)]
        await until(lambda: len(running) == THREADS)
        refused: Any = await self.assertFailure(hashing.run(slow, 99), Refusal)
        self.assertEqual((refused.word, refused.extra), ("TRYAGAIN", {"retry": 1}))
        self.assertEqual(len(running), THREADS)
        go_on.set()
        self.assertEqual([await each for each in asked], list(range(THREADS + WAITING)))
        self.assertEqual(await hashing.run(slow, 7), 7)
        self.assertEqual(hashing.made, THREADS + WAITING + 1)

    async def test_late(self) -> None:
        """A caller that has waited too long when its turn comes is refused without a hash; a later one is served."""
        clock, go_on = Clock(), threading.Event()
        self.addCleanup(go_on.set)
        hashing = Hashing(reactor, clock)
        slow = [hashing.run(go_on.wait, 10) for _ in range(THREADS)]
        late = [hashing.run(int) for _ in range(5)]
        clock.advance(PATIENCE + 0.1)
        fresh = hashing.run(int, "7")
        go_on.set()
        for each in late:
            refused: Any = await self.assertFailure(each, Refusal)
            self.assertEqual(refused.word, "TRYAGAIN")
        self.assertEqual([await each for each in slow], [True, True])
        self.assertEqual(await fresh, 7)
        self.assertEqual(hashing.made, THREADS + 1)

    async def test_failing(self) -> None:
        """What fails in its thread fails here, and leaves its place to the next."""
        hashing = Hashing(reactor)

        def broken() -> None:
            raise Refusal("PASSWORD")

        for _ in range(THREADS + WAITING + 1):
            failing: Deferred[None] = hashing.run(broken)
            await self.assertFailure(failing, Refusal)
