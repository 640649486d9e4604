"""Whether a peer is read: reasons against it, the backlog, and commands that wait for their answers."""

from __future__ import annotations

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.trial.unittest import SynchronousTestCase

from fishchat.protocols.flow import BACKLOG, FLOOD, FULL, LIST, LOGIN, PENDING, SHARE, STOPPING, WAITING, Flow

REASONS = (FULL, FLOOD, LOGIN, LIST, SHARE, STOPPING)


class Reasons(SynchronousTestCase):
    """Reasons come and go."""

    def test_first_and_last(self) -> None:
        """The first reason stops the reading, the last one that goes lets the backlog be processed."""
        flow = Flow()
        self.assertEqual((flow.reasons, flow.held), (0, False))
        self.assertTrue(flow.hold(FULL))
        self.assertFalse(flow.hold(LOGIN))
        self.assertFalse(flow.release(FULL))
        self.assertTrue(flow.held)
        self.assertTrue(flow.release(LOGIN))
        self.assertFalse(flow.held)
        self.assertTrue(flow.resume())
        flow.drained()
        self.assertEqual(flow.reasons, 0)

    def test_distinct(self) -> None:
        """Each reason is one of its own, and the backlog is the smallest: ``held`` compares with it."""
        reasons = (BACKLOG, *REASONS, PENDING)
        self.assertEqual(len(set(reasons)), len(reasons))
        for reason in reasons:
            self.assertEqual(reason & (reason - 1), 0)
            self.assertGreaterEqual(reason, BACKLOG)

    def test_twice(self) -> None:
        """The same reason twice is one reason, and what goes without having come changes nothing."""
        flow = Flow()
        self.assertFalse(flow.release(FULL))
        flow.hold(LIST)
        flow.hold(LIST)
        self.assertFalse(flow.release(FULL))
        self.assertTrue(flow.release(LIST))

    def test_once_a_turn(self) -> None:
        """However often the last reason goes in one turn, the backlog is processed once at its end."""
        flow = Flow()
        flow.hold(LIST)
        self.assertTrue(flow.release(LIST))
        self.assertFalse(flow.hold(LIST))
        self.assertFalse(flow.release(LIST))
        self.assertTrue(flow.resume())
        flow.hold(LIST)
        self.assertTrue(flow.release(LIST))

    def test_held_again(self) -> None:
        """A peer that is held in the turn in which it was to be read is not read."""
        flow = Flow()
        flow.hold(LIST)
        flow.release(LIST)
        flow.hold(FULL)
        self.assertFalse(flow.resume())
        self.assertTrue(flow.release(FULL))
        self.assertTrue(flow.resume())


class Pending(SynchronousTestCase):
    """Commands that wait for their answers."""

    def ask(self, flow: Flow, count: int) -> list[bool]:
        """So many commands."""
        return [flow.asked() for _ in range(count)]

    def test_bounded(self) -> None:
        """With 64 of them the peer is held; it is read when half of them are answered."""
        flow = Flow()
        self.assertEqual(self.ask(flow, WAITING), [False] * (WAITING - 1) + [True])
        flow.hold(PENDING)
        for left in range(WAITING - 1, WAITING // 2, -1):
            self.assertFalse(flow.answered(), left)
        self.assertTrue(flow.answered())
        self.assertEqual(flow.pending, WAITING // 2)
        self.assertTrue(flow.release(PENDING))

    def test_with_another_reason(self) -> None:
        """A peer that is held for any reason is not read either before at most half of its commands wait."""
        for held_first in (False, True):
            flow = Flow()
            self.ask(flow, WAITING // 2)
            if held_first:
                flow.hold(FLOOD)
                self.assertEqual(self.ask(flow, 1), [True])
                flow.hold(PENDING)
            else:
                self.assertEqual(self.ask(flow, 1), [False])
                flow.hold(FLOOD)
            self.assertFalse(flow.release(FLOOD))
            self.assertTrue(flow.answered())
            self.assertTrue(flow.release(PENDING))

    def test_few(self) -> None:
        """Answers to a peer that is not held for their number change nothing."""
        flow = Flow()
        self.ask(flow, 3)
        flow.hold(LIST)
        self.assertFalse(flow.answered())
        self.assertTrue(flow.release(LIST))


class Model(RuleBasedStateMachine):
    """A peer beside a plain statement of the rules: lines are processed in order, and none while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = Flow()
        self.reasons: set[int] = set()
        self.paused = False
        self.planned = 0
        self.arrived = 0
        self.backlog: deque[int] = deque()
        self.processed: list[int] = []

    @rule(reason=st.sampled_from(REASONS))
    def hold(self, reason: int) -> None:
        """A reason comes."""
        self.reasons.add(reason)
        if self.flow.hold(reason):
            assert not self.paused
            self.paused = True

    @rule(reason=st.sampled_from(REASONS))
    def release(self, reason: int) -> None:
        """A reason goes."""
        self.reasons.discard(reason)
        self.planned += self.flow.release(reason)

    @rule()
    def ask(self) -> None:
        """A command waits for its answer."""
        if self.flow.asked():
            self.paused |= self.flow.hold(PENDING)

    @precondition(lambda self: self.flow.pending)
    @rule()
    def answer(self) -> None:
        """One is answered."""
        if self.flow.answered():
            self.planned += self.flow.release(PENDING)

    @rule()
    def arrive(self) -> None:
        """A line arrives that was sent before the transport was paused."""
        self.arrived += 1
        (self.backlog if self.flow.reasons else self.processed).append(self.arrived)

    @rule()
    def end_turn(self) -> None:
        """What was planned is done."""
        planned, self.planned = self.planned, 0
        for _ in range(planned):
            if self.flow.resume():
                assert not self.reasons
                while self.backlog:
                    self.processed.append(self.backlog.popleft())
                self.flow.drained()
                self.paused = False

    @invariant()
    def right(self) -> None:
        """It is read if nothing is against it, or will be at the end of the turn."""
        assert self.planned <= 1
        assert self.paused == bool(self.flow.reasons)
        assert self.processed == list(range(1, len(self.processed) + 1))
        if self.paused and not self.reasons and not self.flow.reasons & PENDING:
            assert self.planned == 1
        if self.reasons:
            assert self.flow.held


class ModelTests(SynchronousTestCase):
    def test_any_order(self) -> None:
        """For every order of events, each line is processed in order and not too early."""
        Model.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, database=None)
        case = Model.TestCase()
        case.runTest()
