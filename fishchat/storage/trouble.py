"""What is wrong with Redis, for the log: once for all connections of a process, and again each minute."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

#: Seconds until the same text is logged again.
AGAIN = 60.0


class Trouble:
    """Logs warnings, each text once a minute however many connections have it."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._logged: dict[str, float] = {}

    def report(self, log: Logger, text: str, **values: Any) -> None:
        """Log the warning ``text``, a format of ``values``, unless it was logged within the last minute."""
        now = self._clock.seconds()
        self._logged = {known: at for known, at in self._logged.items() if now - at < AGAIN}
        whole = text.format(**values)
        if whole not in self._logged:
            self._logged[whole] = now
            log.warn(text, **values)
