"""What a client warns of: in the log, and on stderr if the program has not begun a log."""

from __future__ import annotations

import sys

from twisted.logger import Logger, globalLogBeginner


class Warnings:
    """The warnings of one client. Each text is given once until ``clear``."""

    _log = Logger()

    def __init__(self) -> None:
        self._given: set[str] = set()

    def warn(self, error: object) -> None:
        """Warn of ``error``, unless that was done before."""
        text = str(error)
        if text in self._given:
            return
        self._given.add(text)
        self._log.warn("{error}", error=error)
        if not _has_log() and sys.stderr is not None:
            print(f"fishchat: {text}", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Warn again of everything that happens from now on."""
        self._given.clear()


def _has_log() -> bool:
    # Twisted keeps events in a buffer until a log begins, prints none but critical ones, and has no public question.
    return getattr(globalLogBeginner, "_temporaryObserver", None) is None
