"""Lines in WebSocket frames."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from fishchat.protocols.frames import BROKEN, MAX_MESSAGE, FrameSplitter, frame
from fishchat.protocols.lines import MAX_LINE, OVERLONG


def sent(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(opcode, data, fin).serialize(mask=True)


def received(data: bytes) -> list[bytes]:
    """The payloads of the frames that a client reads."""
    protocol = Protocol(CLIENT, state=OPEN, max_size=None)
    protocol.receive_data(data)
    frames = protocol.events_received()
    assert all(isinstance(one, Frame) and one.opcode is Opcode.TEXT for one in frames), frames
    return [bytes(one.data) for one in frames if isinstance(one, Frame)]


class Reading(SynchronousTestCase):
    """What a client sends."""

    def test_any_cut(self) -> None:
        """The lines are the same however the bytes are cut, whole or in fragments, with pings between."""
        text = st.binary(min_size=1, max_size=300).filter(lambda each: b"\n" not in each and b"\r" not in each)

        @given(st.lists(st.tuples(text, st.integers(0, 3)), max_size=8), st.lists(st.integers(1, 40), min_size=1))
        def holds(lines: list[tuple[bytes, int]], cuts: list[int]) -> None:
            wire = b""
            for line, pieces in lines:
                size = max(1, len(line) // (pieces + 1))
                parts = [line[at : at + size] for at in range(0, len(line), size)]
                for number, part in enumerate(parts):
                    opcode = Opcode.CONT if number else Opcode.TEXT
                    wire += sent(part, opcode, fin=number == len(parts) - 1) + sent(b"x", Opcode.PING)
            splitter = FrameSplitter()
            found: list[bytes] = []
            while wire:
                cut, cuts = cuts[0], [*cuts[1:], cuts[0]]
                found += splitter.feed(wire[:cut])
                wire = wire[cut:]
            self.assertEqual(found, [line for line, _ in lines])
            self.assertFalse(splitter.ended)

        holds()

    def test_any_bytes(self) -> None:
        """Any bytes end in lines or in the end, with a bounded answer, and never in an error."""

        @given(st.lists(st.binary(max_size=200), max_size=10))
        def holds(parts: list[bytes]) -> None:
            splitter = FrameSplitter()
            for part in parts:
                splitter.feed(part)
            self.assertLess(len(splitter.take_refusals()), 4000)

        holds()

    def test_no_lines(self) -> None:
        """A line that is too long and one with an end inside each have one refusal; an empty one is none."""
        splitter = FrameSplitter()
        lines = splitter.feed(sent(b"x" * (MAX_LINE + 1)) + sent(b"a\r\nb") + sent(b"") + sent(b"x" * MAX_LINE))
        self.assertEqual(lines, [OVERLONG, BROKEN, b"x" * MAX_LINE])

    def test_ends(self) -> None:
        """What no client may send ends the connection, with a code; nothing is read any more."""
        cases = {
            1003: sent(b"x", Opcode.BINARY),
            1009: sent(b"x" * (MAX_MESSAGE + 1)),
            1002: Frame(Opcode.TEXT, b"x").serialize(mask=False),
            1000: sent((1000).to_bytes(2, "big"), Opcode.CLOSE),
        }
        for code, wire in cases.items():
            splitter = FrameSplitter()
            self.assertEqual(splitter.feed(sent(b"before") + wire), [b"before"])
            self.assertTrue(splitter.ended)
            self.assertEqual(splitter.take_refusals()[2:4], code.to_bytes(2, "big"))
            self.assertEqual(splitter.feed(sent(b"after")), [])

    def test_endless_fragments(self) -> None:
        """Fragments that never end are bounded in sum."""
        splitter = FrameSplitter()
        splitter.feed(sent(b"x" * 60_000, fin=False))
        splitter.feed(sent(b"x" * 6_000, Opcode.CONT, fin=False))
        self.assertTrue(splitter.ended)

    def test_pong(self) -> None:
        """A ping is answered."""
        splitter = FrameSplitter()
        splitter.feed(sent(b"hello", Opcode.PING))
        self.assertEqual(splitter.take_refusals(), b"\x8a\x05hello")


class Writing(SynchronousTestCase):
    """What a client gets."""

    def test_round_trip(self) -> None:
        """Each line is a frame, of every length; several lines in one piece are several frames."""
        text = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])).map(str.encode)

        @given(st.lists(text, min_size=1, max_size=5))
        def holds(lines: list[bytes]) -> None:
            self.assertEqual(received(frame(b"".join(line + b"\r\n" for line in lines))), lines)

        holds()
        for size in (0, 125, 126, 65535, 65536):
            self.assertEqual(received(frame(b"x" * size + b"\r\n")), [b"x" * size])

    def test_once(self) -> None:
        """The same push is framed once for all of its receivers."""
        line = b"RESP_SYNCED\r\n"
        self.assertIs(frame(line), frame(line))
