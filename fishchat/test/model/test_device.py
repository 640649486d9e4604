from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.conversation import Conversation
from fishchat.model.device import UNBOUNDED, WINDOW, Device, Reading, Span, parse_spans, start_of
from fishchat.model.names import START, format_position
from fishchat.test.model.test_conversation import Reads
from fishchat.test.support.owners import Owner


def a_device(acks: bool = True) -> Device:
    """Bob's."""
    return Device(b"bob", b"bob/main", b"ms1 x 1", Owner(), frozenset([b"ack"] if acks else []), set())


def a_reading(device: Device, spans: list[Span] | None = None) -> Reading:
    """Behind, at the beginning."""
    return Reading(device, Conversation(b"alice+bob", (1, 50), Reads()), START, spans or [(START, None)])


class Window(SynchronousTestCase):
    """What a device may be given."""

    def test_name(self) -> None:
        """The key holds the account and the name."""
        self.assertEqual(a_device().name, b"main")

    def test_plain(self) -> None:
        """Who does not acknowledge has room for ever, and has read what was written."""
        device = a_device(acks=False)
        reading = a_reading(device)
        for seq in range(1, 1000):
            reading.given((1, seq))
        self.assertEqual((device.room, reading.acked), (UNBOUNDED, (1, 999)))
        self.assertIn(reading, device.dirty)

    def test_room(self) -> None:
        """Each push takes room; acknowledging gives back what it covers, and the cursor moves."""
        device = a_device()
        reading = a_reading(device)
        for seq in range(1, 11):
            reading.given((1, seq))
        self.assertEqual(device.room, WINDOW - 10)
        self.assertEqual(device.dirty, set())
        self.assertTrue(reading.acknowledge((1, 4)))
        self.assertEqual((device.room, reading.unacked, reading.acked), (WINDOW - 6, 6, (1, 4)))
        self.assertEqual(device.dirty, {reading})
        self.assertTrue(reading.acknowledge((1, 10)))
        self.assertEqual((device.room, reading.unacked), (WINDOW, 0))

    def test_back(self) -> None:
        """An older acknowledgement does nothing."""
        device = a_device()
        reading = a_reading(device)
        reading.given((1, 1))
        reading.given((1, 2))
        reading.acknowledge((1, 2))
        device.dirty.clear()
        self.assertTrue(reading.acknowledge((1, 1)))
        self.assertEqual((reading.acked, device.room, device.dirty), ((1, 2), WINDOW, set()))

    def test_ahead(self) -> None:
        """Above the last push, also of a later epoch: refused, and nothing moves."""
        reading = a_reading(a_device())
        reading.given((1, 3))
        for above in ((1, 4), (2, 1)):
            self.assertFalse(reading.acknowledge(above))
        self.assertEqual(reading.acked, START)

    def test_choked(self) -> None:
        """A full transport takes nothing; what is acknowledged meanwhile counts when it takes again."""
        device = a_device()
        reading = a_reading(device)
        for seq in range(1, 11):
            reading.given((1, seq))
        device.choke()
        device.choke()
        self.assertEqual(device.room, 0)
        reading.acknowledge((1, 10))
        self.assertEqual(device.room, 0)
        device.unchoke()
        device.unchoke()
        self.assertEqual(device.room, WINDOW)

    def test_own_passed_over(self) -> None:
        """A message of its own moves the cursor only when nothing before it waits to be acknowledged."""
        reading = a_reading(a_device())
        reading.skip((1, 1))
        self.assertEqual(reading.acked, (1, 1))
        reading.given((1, 2))
        reading.skip((1, 3))
        self.assertEqual((reading.acked, reading.at), ((1, 1), (1, 3)))
        self.assertTrue(reading.acknowledge((1, 3)))

    @settings(deadline=None)
    @given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 40))
    def test_never_too_much_room(self, acks: list[int], given_out: int) -> None:
        """In whatever order acknowledgements come, the room is the window without what is unacknowledged."""
        device = a_device()
        reading = a_reading(device)
        for seq in range(1, given_out + 1):
            reading.given((1, seq))
        for ack in acks:
            reading.acknowledge((1, ack))
            highest = reading.acked[1]
            assert device.room == WINDOW - (given_out - highest)


class Spans(SynchronousTestCase):
    """What an account may see."""

    def test_parse(self) -> None:
        """The store's form."""
        self.assertEqual(parse_spans(b""), [])
        self.assertEqual(parse_spans(b"0-0:"), [((0, 0), None)])
        self.assertEqual(parse_spans(b"0-0:1-5,2-9:"), [((0, 0), (1, 5)), ((2, 9), None)])

    def test_open(self) -> None:
        """Only the last one can be open."""
        device = a_device()
        self.assertTrue(a_reading(device, parse_spans(b"0-0:1-5,2-9:")).open)
        self.assertFalse(a_reading(device, parse_spans(b"0-0:1-5")).open)

    def test_next(self) -> None:
        """First what is left of the span it stands in, then the next one from its beginning, then nothing."""
        reading = a_reading(a_device(), parse_spans(b"0-0:1-5,1-9:1-12"))
        for at, wanted in (
            ((0, 0), ((0, 0), (1, 5))),
            ((1, 3), ((1, 3), (1, 5))),
            ((1, 5), ((1, 9), (1, 12))),
            ((1, 10), ((1, 10), (1, 12))),
            ((1, 12), None),
        ):
            reading.at = at
            self.assertEqual(reading.next_span(), wanted)

    def test_start(self) -> None:
        """At the cursor, but not before the account's sight begins."""
        spans = parse_spans(b"1-5:")
        self.assertEqual(start_of(b"", spans), (1, 5))
        self.assertEqual(start_of(b"1-3", spans), (1, 5))
        self.assertEqual(start_of(b"1-7", spans), (1, 7))
        self.assertEqual(start_of(b"", []), START)

    @settings(deadline=None)
    @given(st.lists(st.integers(0, 30), min_size=2, max_size=8, unique=True), st.integers(0, 30))
    def test_nothing_outside(self, bounds: list[int], at: int) -> None:
        """Going from span to span, exactly the numbers inside them and above the start are read."""
        bounds.sort()
        spans: list[Span] = [((1, low), (1, high)) for low, high in zip(bounds[::2], bounds[1::2], strict=False)]
        reading = a_reading(a_device(), spans)
        reading.at = (1, at)
        seen: list[int] = []
        while (span := reading.next_span()) is not None:
            after, upto = span
            assert upto is not None
            seen += range(after[1] + 1, upto[1] + 1)
            reading.at = upto
        inside = [seq for (_, low), high in spans if high for seq in range(low + 1, high[1] + 1)]
        assert seen == [seq for seq in inside if seq > at]
        assert all(format_position(low) for low, _ in spans)
