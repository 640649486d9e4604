"""Feeding a stream of bytes in every way that a network may."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from unittest import TestCase

from fishchat.protocols.lines import LineSplitter

TAIL = b"TAIL"


def lines_of(pieces: Iterable[bytes]) -> list[bytes]:
    """What comes out when the pieces go in one after the other."""
    splitter = LineSplitter()
    return [line for piece in pieces for line in splitter.feed(piece)]


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    """``stream`` in pieces, cut at ``places``."""
    edges = [0, *sorted(place for place in places if place <= len(stream)), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def fed(case: TestCase, stream: bytes, end: bytes = b"") -> list[bytes]:
    """The lines of ``stream``: the same when fed whole, byte by byte, and with another line behind it.

    :param end: what it takes to end the last line of ``stream``, when it is not complete.
    """
    lines = lines_of([stream + end])
    case.assertEqual(lines_of(cut(stream + end, range(len(stream + end)))), lines, "byte by byte")
    case.assertEqual(lines_of([stream + end + TAIL + b"\n"]), [*lines, TAIL], "with a tail")
    return lines
