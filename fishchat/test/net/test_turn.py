"""What is done once at the end of a turn of the reactor."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.net.turn import Turn


class TurnTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.turn = Turn(self.clock)
        self.done: list[str] = []

    def test_once(self) -> None:
        """What was asked for happens at the end of the turn, in order, and once."""
        self.turn.at_end(lambda: self.done.append("a"))
        self.turn.at_end(lambda: self.done.append("b"))
        self.assertEqual((self.done, len(self.clock.getDelayedCalls())), ([], 1))
        self.clock.advance(0)
        self.assertEqual(self.done, ["a", "b"])
        self.clock.advance(1)
        self.assertEqual(self.done, ["a", "b"])

    def test_next_turn(self) -> None:
        """What is asked for at the end is done behind all else that is."""
        self.turn.at_end(lambda: self.turn.at_end(lambda: self.done.append("later")))
        self.turn.at_end(lambda: self.done.append("a"))
        self.clock.advance(0)
        self.assertEqual(self.done, ["a", "later"])

    def test_failure(self) -> None:
        """A failure is logged and stops nobody else, now or later."""
        self.turn.at_end(lambda: [][0])
        self.turn.at_end(lambda: self.done.append("a"))
        self.clock.advance(0)
        self.assertEqual(self.done, ["a"])
        self.assertEqual(len(self.flushLoggedErrors(IndexError)), 1)
        self.turn.at_end(lambda: self.done.append("b"))
        self.clock.advance(0)
        self.assertEqual(self.done, ["a", "b"])
