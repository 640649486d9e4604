"""SIGHUP: read the certificate again. It also says that a terminal was closed, and then it means the end, as ever."""

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
    """Calls ``reload`` on SIGHUP; or stops the reactor when its terminal is gone.

    A process that was told to outlive its terminal, by ``nohup``, does. Once stopped, this ignores the signal: a
    terminal that is closed sends more than one, and none of them may interrupt the stopping.
    """

    log = Logger()

    def __init__(self, reload: Callable[[], object], reactor: Any = None) -> None:
        self._reload = reload
        self._reactor = reactor
        self._terminal: int | None = None

    def startService(self) -> None:
        """Listen to the signal."""
        super().startService()
        if self._reactor is None:
            from twisted.internet import reactor

            self._reactor = reactor
        before = signal.signal(signal.SIGHUP, self._received)
        self._terminal = None if before is signal.SIG_IGN else _terminal()

    def _received(self, *_: object) -> None:
        # In the middle of anything; from here on in its turn.
        self._reactor.callFromThread(self._hung_up)

    def _hung_up(self) -> None:
        if not self.running:
            return
        # A terminal that is gone answers nothing any more.
        if self._terminal is None or os.isatty(self._terminal):
            self._reload()
            return
        self.log.info("the terminal is gone: stopping")
        with suppress(ReactorNotRunning):
            self._reactor.stop()


def _terminal() -> int | None:
    """The first of the standard streams that is a terminal."""
    return next((stream for stream in range(3) if os.isatty(stream)), None)
