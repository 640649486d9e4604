"""SIGHUP: read the certificate again. A closed terminal, with or without that signal: end the process as usual."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.application.service import Service
from twisted.internet.error import ReactorNotRunning
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

#: Seconds between two looks at the terminal.
EVERY = 2.0


class Hangup(Service):
    """Calls ``reload`` on SIGHUP, and stops the reactor when its terminal is closed.

    Of a closed terminal the system notifies the leader of the session only. A shell ends then, which notifies us. But
    `make` and others wait for us instead, so the terminal is watched, too, while we are in its foreground.

    A process that ``nohup`` started outlives its terminal. Once stopped, this object ignores the signal: a closed
    terminal sends more than one, and none of them may interrupt the end of the process.
    """

    log = Logger()

    def __init__(self, reload: Callable[[], object], reactor: Any = None) -> None:
        self._reload = reload
        self._reactor = reactor
        self._terminal: int | None = None
        self._foreground = False
        self._looks = LoopingCall(self._look)

    def startService(self) -> None:
        """Handle the signal from now on."""
        super().startService()
        if self._reactor is None:
            from twisted.internet import reactor

            self._reactor = reactor
        before = signal.signal(signal.SIGHUP, self._received)
        self._terminal = None if before is signal.SIG_IGN else _terminal()
        if self._terminal is not None:
            self._looks.clock = self._reactor
            self._looks.start(EVERY)

    def stopService(self) -> None:
        """Stop watching the terminal."""
        super().stopService()
        if self._looks.running:
            self._looks.stop()

    def _received(self, *_: object) -> None:
        # The signal may interrupt any code, so the reactor handles it in its turn.
        self._reactor.callFromThread(self._hung_up)

    def _hung_up(self) -> None:
        if not self.running:
            return
        if self._terminal is None or _foreground_group(self._terminal) is not None:
            self._reload()
        else:
            self._stop()

    def _look(self) -> None:
        assert self._terminal is not None
        group = _foreground_group(self._terminal)
        if group is not None:
            # One that was put into the background (`&`, `disown`) outlives its terminal.
            self._foreground = group == os.getpgrp()
        elif self._foreground:
            self._stop()

    def _stop(self) -> None:
        self.log.info("the terminal is gone: stopping")
        with suppress(ReactorNotRunning):
            self._reactor.stop()


def _terminal() -> int | None:
    """Return the first of the standard streams that is the terminal of this session. A daemon has none."""
    return next((stream for stream in range(3) if _foreground_group(stream) is not None), None)


def _foreground_group(terminal: int) -> int | None:
    """Return the process group in the foreground; None if this is no terminal of ours, or is closed."""
    try:
        return os.tcgetpgrp(terminal)
    except OSError:
        return None
