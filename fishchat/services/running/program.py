"""Supervision of a child program: one of the processes that share a directory runs it, the others use it.

The process that holds ``NAME.lock`` in the directory runs the program. It starts it, or adopts one that a killed holder
left. It restarts a program that ended, with growing delays if it ends at once, and stops the program last of all. A
subclass defines the command line, when the program is usable, and which files it leaves.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, ensureDeferred, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.services.running.directory import process_of, take_lock
from fishchat.services.running.errors import ProgramError, StartError

#: Seconds between two attempts to take the lock, and between two checks of an adopted process.
LOCK_EVERY = 0.5
LOOK_EVERY = 0.2
#: Seconds before the restart of a program that ended, first and at most; the lifetime that resets the delay.
FIRST_DELAY, LONGEST_DELAY, GOOD_LIFE = 0.1, 5.0, 10.0
#: Seconds that a program has to end before it is killed.
STOP_PATIENCE = 10.0
#: The most bytes of its output that are kept for the log.
_LAST_OUTPUT = 2000

_CHILD = str(Path(__file__).with_name("child.py"))


def bound_to_us(lock: Path, executable: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line of a program that holds ``lock`` while it runs and ends with this process."""
    return [sys.executable, "-I", "-S", _CHILD, str(os.getpid()), str(lock), executable, *arguments]


class Child(ProcessProtocol):
    """A program that this process started."""

    def __init__(self) -> None:
        self.output = b""
        self.reason: Failure | None = None
        self._waiting: list[Deferred[None]] = []

    @property
    def pid(self) -> int | None:
        """The process number of the program."""
        return None if self.transport is None else self.transport.pid

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.output = (self.output + data)[-_LAST_OUTPUT:]

    def processEnded(self, reason: Failure) -> None:
        self.reason = reason
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    def ended(self) -> Deferred[None]:
        """Fires when the process is gone. Every call returns a Deferred of its own, which may be cancelled."""
        if self.reason is not None:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        return waiter

    def signal(self, signum: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        assert self.transport is not None
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess(signum)


class Adopted:
    """A program that another process started. It is polled, since only a parent is notified of the end."""

    def __init__(self, pid: int, alive: Callable[[], bool], clock: Any) -> None:
        self.pid: int | None = pid
        self._alive = alive
        self._clock = clock

    def ended(self) -> Deferred[None]:
        """Fires when the process is gone."""
        return ensureDeferred(self._watch())

    async def _watch(self) -> None:
        while self._alive():
            await deferLater(self._clock, LOOK_EVERY)

    def signal(self, signum: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.pid and self._alive():
            os.kill(self.pid, signum)


class Program(Service):
    """Keeps one program running in ``directory``.

    :param title: its name for people; in lower case also of its files ``NAME.lock``, ``NAME.pid`` and ``NAME.log``.
    :param clock: times the waiting; the default is the reactor. :param ends_adopted: whether a process that it did not
    start ends with this service.
    """

    log = Logger()

    def __init__(
        self, title: str, directory: Path, reactor: Any = None, clock: Any = None, *, ends_adopted: bool = True
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.title = title
        self.directory = directory
        self._reactor = reactor
        self._clock = clock or reactor
        self._ends_adopted = ends_adopted
        self._lock: int | None = None
        self._process: Child | Adopted | None = None
        self._keeping: Deferred[None] | None = None
        self._trigger: Any = None
        self._closing = False

    # -- defined by a subclass

    def prepare(self) -> None:
        """Create everything that must exist before the lock is taken. Raises ProgramError."""

    def check(self) -> None:
        """Raise ProgramError when the program certainly cannot run."""

    def command(self) -> list[str]:
        """Return the command line; see ``bound_to_us``. Raises ProgramError."""
        raise NotImplementedError

    async def until_usable(self, child: Child) -> None:
        """Return when a program that was just started can be used, or has ended."""

    async def leftover(self) -> Adopted | None:
        """Return a program that runs here although this process did not start it."""
        while (holder := process_of(self.pid_file)) == 0:
            await deferLater(self._clock, 0.02)
        return None if holder is None else self.adopt(holder)

    def clean_up(self) -> None:
        """Remove the files of a program that this service ended."""

    # -- for a subclass

    @property
    def pid_file(self) -> Path:
        """The file that the program holds locked; see ``child.py``."""
        return self._file("pid")

    @property
    def runs_it(self) -> bool:
        """Whether this process runs the program."""
        return self._lock is not None

    @property
    def pid(self) -> int | None:
        """The process number of the program that this process runs; None while it runs none."""
        return None if self._process is None else self._process.pid

    def adopt(self, pid: int) -> Adopted:
        """Return the process that holds the pid file, for watching it."""
        self.log.info("adopting the {title} that runs already, process {pid}", title=self.title, pid=pid)
        return Adopted(pid, lambda: process_of(self.pid_file) == pid, self._clock)

    def start(self) -> Child:
        """Start the program."""
        child = self._process = Child()
        arguments = self.command()
        self._reactor.spawnProcess(child, arguments[0], arguments, env=None)
        title, where = self.title, str(self.directory)
        self.log.info("{title} started, process {pid}, in {where}", title=title, pid=child.pid, where=where)
        return child

    # -- the life of the service

    def startService(self) -> None:
        """Start the program, unless another process runs it. ProgramError when it certainly cannot run."""
        self.prepare()
        if self._take_lock():
            try:
                self.check()
            except ProgramError:
                self._release_lock()
                raise
        self._trigger = self._reactor.addSystemEventTrigger("before", "shutdown", self._close)
        self._keeping = ensureDeferred(self._keep())
        self._keeping.addErrback(self._gave_up)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Fires when the program has ended, if this process ran it."""
        super().stopService()
        if self._trigger is not None and not self._closing:
            self._reactor.removeSystemEventTrigger(self._trigger)
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
        return ensureDeferred(self._end())

    def _close(self) -> None:
        self._closing = True

    async def _keep(self) -> None:
        while not self._take_lock():
            await deferLater(self._clock, LOCK_EVERY)
        delay = FIRST_DELAY
        while True:
            begun = self._clock.seconds()
            text = await self._one_life()
            if self._clock.seconds() - begun >= GOOD_LIFE:
                delay = FIRST_DELAY
            if self._closing:
                # A service manager ends all processes at once. The others still need the program for their last words.
                self.log.info("{text}; starting it again until everything has stopped", text=text)
            else:
                self.log.critical("{text}; starting it again in {delay} s", text=text, delay=delay)
            self._process = None
            await deferLater(self._clock, delay)
            delay = min(delay * 2, LONGEST_DELAY)

    async def _one_life(self) -> str:
        """Run the program once; return how it ended."""
        try:
            self._process = await self.leftover()
            if self._process is None:
                await self.until_usable(self.start())
            # The present program, not the one started above: until_usable may have started another one.
            process: Child | Adopted | None = self._process
            assert process is not None
            await process.ended()
            return self._last_words(process)
        except (StartError, OSError) as error:
            return str(error)

    def _gave_up(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self.log.failure("this process does not look after {title} any more", failure, title=self.title)

    def _last_words(self, process: Child | Adopted) -> str:
        if not isinstance(process, Child) or process.reason is None:
            return f"the adopted {self.title} has ended"
        words = process.output.decode("utf-8", "replace").splitlines()
        log = self._file("log")
        if not words and log.exists():
            words = log.read_text("utf-8", "replace").splitlines()[-3:]
        reason = process.reason.getErrorMessage()
        return f"{self.title} has ended in {self.directory} ({reason}): {' / '.join(words)}"

    async def _end(self) -> None:
        process, self._process = self._process, None
        try:
            if process is not None and (self._ends_adopted or isinstance(process, Child)):
                process.signal(signal.SIGTERM)
                try:
                    await process.ended().addTimeout(STOP_PATIENCE, self._clock)
                except TimeoutError:
                    text = "{title} did not end in {seconds} s: killing it"
                    self.log.critical(text, title=self.title, seconds=STOP_PATIENCE)
                    process.signal(signal.SIGKILL)
                    await process.ended()
                self.clean_up()
        finally:
            self._release_lock()

    def _take_lock(self) -> bool:
        if self._lock is None:
            self._lock = take_lock(self._file("lock"))
        return self._lock is not None

    def _release_lock(self) -> None:
        handle, self._lock = self._lock, None
        if handle is not None:
            os.close(handle)

    def _file(self, ending: str) -> Path:
        return self.directory / f"{self.title.lower()}.{ending}"
