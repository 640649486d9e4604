"""Waiting in tests: for a condition, never for a time."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet import reactor
from twisted.internet.task import deferLater


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Return once ``condition()`` is true. Raises AssertionError after ``seconds``."""
    deadline = reactor.seconds() + seconds
    while not condition():
        assert reactor.seconds() < deadline, f"not within {seconds} s"
        await deferLater(reactor, 0.003)
