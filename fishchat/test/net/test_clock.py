"""The reactor counts by the monotonic clock."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.net.clock import use_monotonic


class UseMonotonicTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = Clock()

    def test_before_the_first_timer(self) -> None:
        """Without timers the clock is replaced, and a second call changes nothing."""
        self.assertTrue(use_monotonic(self.reactor))
        self.assertIs(self.reactor.seconds, time.monotonic)
        self.reactor.callLater(1, self.fail)
        self.assertTrue(use_monotonic(self.reactor))

    def test_with_a_timer(self) -> None:
        """A timer counted from the other origin would never fire, so nothing is changed."""
        self.reactor.callLater(1, self.fail)
        self.assertFalse(use_monotonic(self.reactor))
        self.assertEqual(self.reactor.seconds(), 0)
