"""The driver of a machine: passes lines and the time in, takes events and lines out, and saves the state in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from fishchat.client.events import StateError
from fishchat.client.machine import Machine
from fishchat.client.state import Store
from fishchat.client.warnings import Warnings


class Driver:
    """The driver of one machine. All calls of one turn share one write and one save.

    :param store: the store of the state; None: the state is not saved.
    :param tell: receives an event.
    :param send: writes lines, if there is a connection.
    :param drop: drops the connection.
    """

    def __init__(
        self,
        reactor: Any,
        machine: Machine,
        store: Store | None,
        *,
        tell: Callable[[object], None],
        send: Callable[[list[bytes]], None],
        drop: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._machine = machine
        self._store = store
        self._tell = tell
        self._send = send
        self._drop = drop
        self._warnings = Warnings()
        self._timer: IDelayedCall | None = None
        self._soon: IDelayedCall | None = None
        self._flushing = self._again = self._stopped = False

    def stop(self) -> None:
        """Cancel all timers, and set no new ones."""
        self._stopped = True
        for call in (self._timer, self._soon):
            if call is not None and call.active():
                call.cancel()

    def flush_soon(self) -> None:
        """Call ``flush`` at the end of this turn."""
        if not self._flushing and self._soon is None and not self._stopped:
            self._soon = self._reactor.callLater(0, self._flush_now)

    def _flush_now(self) -> None:
        self._soon = None
        self.flush()

    def flush(self) -> None:
        """Send the queued lines and report the events."""
        if self._flushing:  # a callback called it: repeat after the callback's return
            self._again = True
            return
        self._flushing = self._again = True
        try:
            while self._again:
                self._again = False
                self._turn(self._reactor.seconds())
        finally:
            self._flushing = False
        self._set_timer(self._machine.deadline(self._reactor.seconds()))

    def _turn(self, now: float) -> None:
        self._machine.tick(now)
        while events := self._machine.events():
            for event in events:
                self._tell(event)
        lines = self._machine.lines(now)
        if self._store is not None and self._machine.changed:
            try:
                self.save()
            except StateError as error:
                # Lines must not be sent before their state is saved; the next connection tries again.
                self._warnings.warn(f"{error}; nothing is sent until it can be saved")
                self._drop()
                return
        if lines:
            self._send(lines)
        if self._machine.drained:
            self._drop()

    def save(self) -> None:
        """Save the state, if there is a store. Raises StateError if that fails."""
        if self._store is None:
            return
        try:
            self._store.save(self._machine.snapshot())
        except Exception as error:
            raise StateError(f"the state of the client cannot be saved: {error}") from error
        self._machine.saved()
        self._warnings.clear()

    def _set_timer(self, deadline: float | None) -> None:
        if self._timer is not None and self._timer.active():
            if deadline is not None and self._timer.getTime() <= deadline:
                return
            self._timer.cancel()
        self._timer = None
        if deadline is not None and not self._stopped:
            self._timer = self._reactor.callLater(max(0.0, deadline - self._reactor.seconds()), self.flush)
