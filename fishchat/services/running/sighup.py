"""SIGHUP: read the certificate again; after the terminal was closed, end the process as usual."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.application.service import Service
from twisted.internet.error import ReactorNotRunning
from twisted.logger import Logger


class Hangup(Service):
    """Calls ``reload`` on SIGHUP, or stops the reactor when its terminal is closed.

    A process that ``nohup`` started outlives its terminal. Once stopped, this object ignores the signal: a closed
    terminal sends more than one, and none of them may interrupt the end of the process.
    """

    log = Logger()

    def __init__(self, reload: Callable[[], object], reactor: Any = None) -> None:
        self._reload = reload
        self._reactor = reactor
        self._terminal: int | None = None

    def startService(self) -> None:
        """Handle the signal from now on."""
        super().startService()
        if self._reactor is None:
            from twisted.internet import reactor

            self._reactor = reactor
        before = signal.signal(signal.SIGHUP, self._received)
        self._terminal = None if before is signal.SIG_IGN else _terminal()

    def _received(self, *_: object) -> None:
        # The signal may interrupt any code, so the reactor handles it in its turn.
        self._reactor.callFromThread(self._hung_up)

    def _hung_up(self) -> None:
        if not self.running:
            return
        # A closed terminal answers no call.
        if self._terminal is None or os.isatty(self._terminal):
            self._reload()
            return
        self.log.info("the terminal is gone: stopping")
        with suppress(ReactorNotRunning):
            self._reactor.stop()


def _terminal() -> int | None:
    """Return the first of the standard streams that is a terminal."""
    return next((stream for stream in range(3) if os.isatty(stream)), None)
