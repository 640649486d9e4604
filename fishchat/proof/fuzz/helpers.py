"""The common parts of targets: check a claim, make values from bytes, cut a stream, detect logged failures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import provider

T = TypeVar("T")

#: Letters that may do harm where they are not expected; all are allowed in a text or a display name.
HOSTILE = (
    " ",
    "=",
    "@",
    ";",
    "\\",
    "%",
    "\u202e",
    "\u2028",
    "\u00a0",
    "\ufeff",
    "\U0001f41f",
    "é",
    '"',
    "{",
    "$",
    "token=",
)
#: Characters that no line may hold.
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_CONTROLS = dict.fromkeys([*range(9), *range(10, 32), *range(127, 160)])


class Violation(AssertionError):
    """A property that is promised for all inputs does not hold for this one."""


def claim(holds: object, text: str, *values: object) -> None:
    """Raise Violation, with ``text`` and the values, unless it ``holds``."""
    if not holds:
        fail(text, *values)


def fail(text: str, *values: object) -> NoReturn:
    """Raise Violation with ``text`` and the values."""
    raise Violation(": ".join([text, *(repr(value)[:2000] for value in values)]))


class Dice:
    """Makes values of bytes, in order; when they are used up, every value is the smallest one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Return the number of bytes that are left."""
        return max(0, len(self._data) - self._at)

    def byte(self) -> int:
        """Return a value from 0 to 255."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def flag(self) -> bool:
        """Return a truth value."""
        return self.byte() % 2 == 1

    def pick(self, values: Sequence[T]) -> T:
        """Return one of at most 256 values."""
        return values[self.byte() % len(values)]

    def raw(self, most: int = 255) -> bytes:
        """Return up to ``most`` (at most 255) bytes unchanged; their number precedes them."""
        size = self.byte() % (most + 1)
        taken = self._data[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        taken = self._data[self._at :]
        self._at = len(self._data)
        return taken

    def number(self, digits: int = 15) -> int:
        """Return a number that is as often small as large."""
        number: int = int.from_bytes(self.raw(7), "big") % 10**digits
        return number

    def name(self) -> bytes:
        """Return the name of an account, a topic or a device."""
        letters = b"abcdefghijklmnopqrstuvwxyz0123456789._-"
        return bytes(letters[one % len(letters)] for one in self.raw(32)) or b"a"

    def text(self, most: int = 255) -> bytes:
        """Return text that is allowed in a line: UTF-8 without control characters."""
        text = self.raw(most).decode("utf-8", "ignore").translate(_CONTROLS)
        if self.flag():
            text = self.pick(HOSTILE) + text
        return text.encode() or b"x"


def pieces(stream: bytes, seed: int) -> list[bytes]:
    """Cut ``stream`` into pieces of 1 to 23 bytes; ``seed`` decides where."""
    cut = []
    at = 0
    while at < len(stream):
        seed = (seed * 1103515245 + 12345) % 2**31
        size = 1 + (seed >> 16) % 23
        cut.append(stream[at : at + size])
        at += size
    return cut


class Transport(StringTransport):
    """A transport in memory with two abilities of real ones: resume reading, and forget its producer when closed."""

    @property
    def ended(self) -> bool:
        """Whether our side has ended the connection."""
        return bool(self.disconnecting or self.disconnected)

    def pauseProducing(self) -> None:
        if not self.ended:
            super().pauseProducing()

    def resumeProducing(self) -> None:
        if not self.ended:
            super().resumeProducing()

    def unregisterProducer(self) -> None:
        self.producer = None


@contextmanager
def quiet() -> Iterator[None]:
    """Treat every failure that is logged meanwhile as a violation."""
    heard: list[LogEvent] = []

    @provider(ILogObserver)
    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            heard.append(event)

    globalLogPublisher.addObserver(observe)
    try:
        yield
    finally:
        globalLogPublisher.removeObserver(observe)
    if heard:
        failure: Any = heard[0]["log_failure"]
        raise Violation(f"logged: {failure.getErrorMessage()}\n{failure.getTraceback()}")
