"""Feed a stream of bytes in every way that a network may split it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from unittest import TestCase

from fishchat.protocols.lines import LineSplitter

TAIL = b"TAIL"


def lines_of(pieces: Iterable[bytes]) -> list[bytes]:
    """Return the lines that result from feeding the pieces one after the other."""
    splitter = LineSplitter()
    return [line for piece in pieces for line in splitter.feed(piece)]


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut ``stream`` into pieces at ``places``."""
    edges = [0, *sorted(place for place in places if place <= len(stream)), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def fed(case: TestCase, stream: bytes, end: bytes = b"") -> list[bytes]:
    """Return the lines of ``stream``; check that they are equal if fed whole, by bytes and with a line after it.

    :param end: the bytes that complete the last line of ``stream``, if it is incomplete.
    """
    lines = lines_of([stream + end])
    case.assertEqual(lines_of(cut(stream + end, range(len(stream + end)))), lines, "byte by byte")
    case.assertEqual(lines_of([stream + end + TAIL + b"\n"]), [*lines, TAIL], "with a tail")
    return lines
