from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.bucket import Bucket


class Tokens(SynchronousTestCase):
    """How fast a connection may send."""

    def test_burst_then_rate(self) -> None:
        """So many at once, then one each tenth of a second; the wait that is named is enough."""
        bucket = Bucket(10, 3, 100.0)
        self.assertEqual([bucket.take(100.0) for _ in range(4)], [0, 0, 0, 0.1])
        wait = bucket.take(100.05)
        self.assertAlmostEqual(wait, 0.05)
        self.assertEqual(bucket.take(100.05 + wait + 1e-9), 0)

    def test_refused_costs_nothing(self) -> None:
        """Asking in vain does not lengthen the wait."""
        bucket = Bucket(1, 1, 0)
        bucket.take(0)
        self.assertEqual([bucket.take(0.5) for _ in range(5)], [0.5] * 5)

    def test_given_back(self) -> None:
        """A token that was not used can be taken again; there are never more than the burst."""
        bucket = Bucket(1, 2, 0)
        bucket.give_back()
        self.assertEqual([bucket.take(0) for _ in range(3)], [0, 0, 1])
        bucket.give_back()
        self.assertEqual([bucket.take(0) for _ in range(2)], [0, 1])

    def test_full(self) -> None:
        """An hour of silence gives the burst, not more."""
        bucket = Bucket(10, 3, 0)
        self.assertEqual(sum(bucket.take(3600) == 0 for _ in range(10)), 3)

    @settings(deadline=None)
    @given(st.lists(st.floats(0, 5), max_size=100))
    def test_bound(self, pauses: list[float]) -> None:
        """Never more than the burst and the rate allow."""
        bucket, now, taken = Bucket(4, 8, 0), 0.0, 0
        for pause in pauses:
            now += pause
            taken += bucket.take(now) == 0
            assert taken <= 8 + 4 * now + 1e-6
