"""The numbers of hints (``model.hints``) and their batches (``bus.hints``)."""

from __future__ import annotations

import contextlib

import msgpack
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.bus.hints import Hints
from fishchat.model.hints import HintNumbers


class Numbers(SynchronousTestCase):
    """Whether one was lost."""

    def setUp(self) -> None:
        """Begun at what the store said."""
        self.numbers = HintNumbers()
        self.numbers.start(3, 10)

    def test_in_order(self) -> None:
        """Nothing is missed, and the store's number, which comes later, says so."""
        for number in (11, 12, 13):
            self.assertTrue(self.numbers.hint(3, number))
        self.assertTrue(self.numbers.stored(3, 12))
        self.assertTrue(self.numbers.stored(3, 13))

    def test_lost(self) -> None:
        """The next one tells, once."""
        self.assertFalse(self.numbers.hint(3, 12))
        self.assertTrue(self.numbers.hint(3, 13))

    def test_last_lost(self) -> None:
        """The store's number tells, once."""
        self.assertTrue(self.numbers.hint(3, 11))
        self.assertFalse(self.numbers.stored(3, 12))
        self.assertTrue(self.numbers.stored(3, 12))
        self.assertTrue(self.numbers.hint(3, 13))

    def test_next_router_repeats(self) -> None:
        """A new router begins at what was stored last: repeats are no loss, a hole is."""
        for number in (11, 12, 13):
            self.numbers.hint(3, number)
        self.assertTrue(self.numbers.hint(4, 12))
        self.assertTrue(self.numbers.hint(4, 13))
        self.assertFalse(self.numbers.hint(5, 15))

    def test_old_router(self) -> None:
        """What an earlier router had stored says nothing."""
        self.numbers.hint(4, 11)
        self.assertTrue(self.numbers.stored(3, 99))

    def test_first_ever_lost(self) -> None:
        """Also before the first one came: a server that knows nothing counts everything as missed."""
        fresh = HintNumbers()
        self.assertFalse(fresh.stored(1, 1))
        fresh = HintNumbers()
        self.assertFalse(fresh.hint(1, 2))

    @settings(deadline=None)
    @given(st.lists(st.booleans(), max_size=30))
    def test_no_loss_unnoticed(self, arrived: list[bool]) -> None:
        """Whichever hints of one router are lost, it is noticed by the time its last number is stored."""
        numbers = HintNumbers()
        numbers.start(1, 0)
        noticed = False
        for number, here in enumerate(arrived, 1):
            if here:
                noticed |= not numbers.hint(1, number)
        noticed |= not numbers.stored(1, len(arrived))
        assert noticed == (not all(arrived))


class Batches(SynchronousTestCase):
    """Their form on the channel."""

    def test_round(self) -> None:
        """What is packed is unpacked, bytes as they were."""
        flat = [b"alice+bob", 7, b"alice main -1 - \xe9\xb1\xbc", 0, 1_700_000_000_000, b"#a", 0, b"", 3, 0]
        found = Hints.decode(Hints(2, 5, 9, 471893, flat).encode())
        self.assertEqual((found.shard, found.generation, found.number, found.epoch), (2, 5, 9, 471893))
        self.assertEqual(list(found.messages()), [tuple(flat[:5]), tuple(flat[5:])])
        self.assertFalse(found.sweep)

    def test_sweep(self) -> None:
        """A batch of nothing is the order to sweep."""
        self.assertTrue(Hints.decode(Hints(0, 1, 1, 0, []).encode()).sweep)

    def test_cut_off(self) -> None:
        """Nothing is made of half a message."""
        self.assertRaises(ValueError, Hints.decode, Hints(0, 1, 1, 0, [b"alice+bob", 7]).encode())

    def test_types(self) -> None:
        """Nothing is made of numbers that are none, of bytes that are none, or of what is no array at all."""
        message = [b"alice+bob", 7, b"alice main -1 - x", 0, 5]
        for values in (
            b"\0\1\2\3",
            {0: 1},
            7,
            [None, 1, 1, 7],
            [-1, 1, 1, 7],
            [True, 1, 1, 7],
            [0, 1, 1.5, 7],
            [0, 1, 1, b"7"],
            *([0, 1, 1, 7, *message[:at], None, *message[at + 1 :]] for at in range(5)),
            [0, 1, 1, 7, b"alice+bob", b"7", b"", 0, 5],
        ):
            self.assertRaises(ValueError, Hints.decode, msgpack.packb(values))
        self.assertTrue(Hints.decode(msgpack.packb([0, 1, 1, 7, *message])).flat)

    @settings(deadline=None)
    @given(st.binary(max_size=60))
    def test_anything(self, payload: bytes) -> None:
        """Any payload is decoded to a batch or raises ValueError."""
        with contextlib.suppress(ValueError):
            Hints.decode(payload)
