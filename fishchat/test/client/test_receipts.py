"""What a device concludes about lost numbers when a store was restored from an earlier state."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.client.receipts import Place

OLD, NEW = 7, 9


def numbers(place: Place, order: list[int]) -> list[int]:
    """Return the numbers of the old epoch that are reported as lost while the new ones become known in this order."""
    lost: list[int] = []
    for number in order:
        if (run := place.overtaken((NEW, number))) is not None:
            lost += range(run[0][1], run[1][1] + 1)
    return lost


class Overtaken(SynchronousTestCase):
    def setUp(self) -> None:
        """The device knows the messages 1 to 9 of the old epoch."""
        self.place = Place((OLD, 9))

    def test_own_first(self) -> None:
        """The answer to an own send may come before earlier messages of others: they reveal the rest of the loss."""
        self.assertEqual(self.place.overtaken((NEW, 7)), ((OLD, 7), (OLD, 9)))
        self.assertEqual(self.place.overtaken((NEW, 4)), ((OLD, 4), (OLD, 6)))
        self.assertIsNone(self.place.overtaken((NEW, 5)))

    def test_own_beyond(self) -> None:
        """An own message above all known numbers reveals nothing, but an earlier one after it does."""
        self.assertIsNone(self.place.overtaken((NEW, 12)))
        self.assertEqual(self.place.overtaken((NEW, 8)), ((OLD, 8), (OLD, 9)))

    def test_announced(self) -> None:
        """What the server has announced is not reported again, by no later message either."""
        self.place.announced = 9
        self.assertEqual(numbers(self.place, [4, 5, 6]), [])

    def test_late(self) -> None:
        """A late message of the old epoch reveals nothing."""
        self.assertIsNone(self.place.overtaken((NEW, 10)))
        self.assertIsNone(self.place.overtaken((OLD, 3)))

    @given(st.permutations(range(4, 13)))
    def test_any_order(self, order: list[int]) -> None:
        """Each lost number is reported exactly once, in whatever order the new messages become known."""
        self.assertEqual(sorted(numbers(Place((OLD, 9)), order)), [4, 5, 6, 7, 8, 9])
