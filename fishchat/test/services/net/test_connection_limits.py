"""Connection limits, alone: what is counted, and why a connection is refused."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.services.net.connection_limits import RETRY, Bounds, ConnectionLimits

HERE, THERE = "192.0.2.1", "198.51.100.1"


class Counting(SynchronousTestCase):
    """Connections are anything that can be told apart; here they are numbers."""

    def setUp(self) -> None:
        self.clock = Clock()

    def limits(self, exempt: tuple[str, ...] = (), **bounds: float) -> ConnectionLimits[int]:
        """Limits with these bounds, ten in total unless said otherwise."""
        return ConnectionLimits(Bounds(**{"total": 10, **bounds}), exempt, self.clock)  # type: ignore[arg-type]

    def refused(self, limits: ConnectionLimits[int], host: str = HERE) -> str:
        """The ``limit`` of the refusal, empty when there is none."""
        refusal = limits.refusal(host)
        if refusal is None:
            return ""
        self.assertEqual((refusal.word, refusal.extra["retry"]), ("BUSY", RETRY))
        return str(refusal.extra["limit"])

    def test_total(self) -> None:
        """One that leaves makes room."""
        limits = self.limits(total=2)
        for number in range(2):
            limits.enter(number, HERE)
        self.assertEqual(self.refused(limits, THERE), "2")
        limits.leave(0, HERE)
        self.assertEqual(self.refused(limits, THERE), "")
        self.assertEqual(list(limits.connections), [1])

    def test_source(self) -> None:
        """One source has so many, a network of IPv6 being one; an exempt one has no bound."""
        limits = self.limits(exempt=("198.51.100.0/24",), per_source=1)
        limits.enter(1, HERE)
        limits.enter(2, THERE)
        limits.enter(3, "2001:db8::1")
        self.assertEqual([self.refused(limits, host) for host in (HERE, THERE, "2001:db8::2")], ["1", "", "1"])
        self.assertEqual([limits.source(HERE), limits.source(THERE)], [HERE, ""])

    def test_unauthenticated(self) -> None:
        """Those that log in make room for others, in total and of their source."""
        limits = self.limits(unauthenticated=2, unauthenticated_per_source=1)
        limits.enter(1, HERE)
        self.assertEqual([self.refused(limits, HERE), self.refused(limits, THERE)], ["1", ""])
        limits.enter(2, THERE)
        self.assertEqual(self.refused(limits, "203.0.113.1"), "2")
        limits.authenticated(1)
        limits.authenticated(1)
        self.assertEqual(self.refused(limits, HERE), "")

    def test_accepts(self) -> None:
        """So many a second."""
        limits = self.limits(accepts=2)
        self.assertEqual([self.refused(limits) for _ in range(3)], ["", "", "2/s"])
        self.clock.advance(0.5)
        self.assertEqual(self.refused(limits), "")

    def test_leaving_twice(self) -> None:
        """One that was never counted, or has left, changes nothing."""
        limits = self.limits(per_source=1, unauthenticated=1)
        limits.leave(1, HERE)
        limits.enter(2, HERE)
        limits.leave(2, HERE)
        limits.leave(2, HERE)
        self.assertEqual(self.refused(limits), "")
        self.assertEqual(len(limits.connections), 0)
