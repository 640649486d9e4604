"""Work that is done once at the end of a turn of the reactor."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger


class Turn:
    """Calls that run at the end of this turn of the reactor.

    Twisted runs a call that is due "now" before it waits for events again, so this costs no additional turn.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: list[Callable[[], None]] = []

    def at_end(self, call: Callable[[], None]) -> None:
        """Run ``call`` at the end of the turn, once for each call of this method."""
        if not self._calls:
            self._clock.callLater(0, self._end)
        self._calls.append(call)

    def _end(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            try:
                call()
            except Exception:
                # A failure must not affect the other calls.
                self.log.failure("something at the end of a turn failed")
