"""The roles as processes of their own, under Twisted's process monitor.

One ``Processes`` is one stage of the start: its processes stop together, and before those of the stage below.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.runner.procmon import ProcessMonitor
from zope.interface import implementer

from fishchat.interfaces import IReloads
from fishchat.services.launch.layout import RoleProcess


class _Lines(Logger):
    """The logger of the process monitor. It keeps the last line that each process printed: the reason of its end."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self.last: dict[str, str] = {}

    def info(self, format: str | None = None, **kwargs: object) -> None:
        """Log an event; the printed lines are events with a tag."""
        super().info(format, **kwargs)
        line = str(kwargs.get("line", "")).strip()
        if line:
            self.last[str(kwargs["tag"])] = line


@implementer(IReloads)
class Processes(ProcessMonitor):
    """Runs the processes of one stage. An ended process is restarted: at once, or with growing delays if it ends at
    once.
    """

    threshold = 1
    minRestartDelay = 0.25  # type: ignore[assignment]
    maxRestartDelay = 5
    killTime: float = 10  # type: ignore[assignment]

    def __init__(self, stage: Sequence[RoleProcess], reactor: Any = None) -> None:
        if reactor is None:
            from twisted.internet import reactor
        super().__init__(reactor)
        self.log = self._lines = _Lines(namespace=__name__)
        self._gone: Deferred[None] | None = None
        self._core: Any = reactor
        self._trigger: Any = None
        self._closing = False
        for one in stage:
            self.addProcess(one.name, list(one.arguments), env={**os.environ, **one.environment})

    def startService(self) -> None:
        """Start all processes of the stage."""
        super().startService()
        self._trigger = self._core.addSystemEventTrigger("before", "shutdown", self._close)

    def _close(self) -> None:
        self._closing = True

    def stopService(self) -> Deferred[None]:  # type: ignore[override]
        """End all by SIGTERM, after ``killTime`` by SIGKILL. Fires when the last one has ended."""
        super().stopService()
        if not self._closing:
            self._core.removeSystemEventTrigger(self._trigger)
        self._gone = Deferred()
        self._tell_if_gone()
        return self._gone

    def pids(self) -> list[int]:
        """Return the process numbers of all; 0 for one that does not run at the moment."""
        running: dict[str, Any] = {name: protocol.transport for name, protocol in self.protocols.items()}
        return [running[name].pid or 0 if name in running else 0 for name in self._processes]

    def reload(self) -> None:
        """Pass SIGHUP on to all of them."""
        for protocol in self.protocols.values():
            transport: Any = protocol.transport
            with suppress(ProcessExitedAlready):
                transport.signalProcess(signal.SIGHUP)

    def _monitoredProcessExited(self, name: str, reason: Failure | None = None) -> None:
        # Private in Twisted, but the only place that reports the end of a process.
        super()._monitoredProcessExited(name, reason)
        said = self._lines.last.pop(name, "")
        if self._closing:
            # A service manager ends all processes at once; the stages above are not stopped yet.
            for one in self.restart.values():
                if one.active():
                    one.cancel()
        elif self.running:
            text = "{name} {how}; restarting it"
            # A process that was killed did not know it, so its last line has nothing to do with that.
            if said and not _killed(reason):
                text += ": {said}"
            self.log.warn(text, name=name, how=_ending(reason), said=said)
        self._tell_if_gone()

    def _tell_if_gone(self) -> None:
        if self._gone is not None and not self.protocols and not self._gone.called:
            self._gone.callback(None)


def _killed(reason: Failure | None) -> bool:
    return reason is not None and isinstance(reason.value, ProcessTerminated) and reason.value.signal is not None


def _ending(reason: Failure | None) -> str:
    ended = None if reason is None else reason.value
    if isinstance(ended, ProcessTerminated):
        return f"was killed by signal {ended.signal}" if ended.signal else f"ended with code {ended.exitCode}"
    return "ended" if isinstance(ended, ProcessDone) or reason is None else reason.getErrorMessage()
