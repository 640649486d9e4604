"""The care of a child program, with a small program in the place of Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from fishchat.services.running.directory import process_of, take_lock
from fishchat.services.running.errors import ProgramError
from fishchat.services.running.program import Child, Program, bound_to_us
from fishchat.test.support.waiting import until

#: Runs until it gets SIGTERM; writes a file when it is usable.
GOOD = "import pathlib, signal; pathlib.Path('usable').touch(); signal.pause()"
#: Ends at once, with a reason.
BAD = "import sys; print('no such port'); sys.exit(3)"
#: Does not end on SIGTERM.
STUBBORN = "import pathlib, signal; signal.signal(15, signal.SIG_IGN); pathlib.Path('usable').touch(); signal.pause()"


class Small(Program):
    """Such a program, in the directory of a test."""

    def __init__(self, directory: Path, script: str = GOOD, clock: Any = None, ends_adopted: bool = True) -> None:
        super().__init__("Small", directory, reactor, clock, ends_adopted=ends_adopted)
        self.script = script
        self.missing = False
        self.cleaned = False

    def check(self) -> None:
        if self.missing:
            raise ProgramError("there is no such program")

    def command(self) -> list[str]:
        script = f"import os; os.chdir({str(self.directory)!r}); {self.script}"
        return bound_to_us(self.pid_file, sys.executable, ["-c", script])

    async def until_usable(self, child: Child) -> None:
        await until(lambda: self.usable or child.reason is not None)

    @property
    def usable(self) -> bool:
        """Whether the program has reported that it is usable."""
        return (self.directory / "usable").exists()

    def clean_up(self) -> None:
        self.cleaned = True
        (self.directory / "usable").unlink(missing_ok=True)


class Case(TestCase):
    timeout = 30

    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir()

    def small(self, *arguments: Any, **options: Any) -> Small:
        """One that is not started; it is stopped with the test."""
        made = Small(self.directory, *arguments, **options)
        self.addCleanup(lambda: made.stopService() if made.running else None)
        return made

    async def started(self, *arguments: Any, **options: Any) -> Small:
        """One that runs."""
        made = self.small(*arguments, **options)
        made.startService()
        await until(lambda: made.pid is not None and made.usable and process_of(made.pid_file) == made.pid)
        return made

    def critical(self) -> list[str]:
        """What is logged as critical from now on."""
        texts: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            if event.get("log_level") is not None and event["log_level"].name == "critical":
                texts.append(event["log_format"].format(**event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        return texts


class Running(Case):
    """One process runs it."""

    async def test_start_and_stop(self) -> None:
        """It runs, and is gone when stopService has fired; what it left is removed."""
        small = await self.started()
        self.assertTrue(small.runs_it)
        await small.stopService()
        self.assertIsNone(process_of(small.pid_file))
        self.assertTrue(small.cleaned)
        self.assertFalse(small.runs_it)

    async def test_killed_while_all_stops(self) -> None:
        """A service manager ends all processes at once: the program comes back, and nobody complains."""
        texts = self.critical()
        small = await self.started()
        small._close()
        first = small.pid
        assert first is not None
        os.kill(first, signal.SIGTERM)
        await until(lambda: small.pid not in (None, first) and process_of(small.pid_file) == small.pid)
        self.assertEqual(texts, [])

    async def test_killed(self) -> None:
        """It is started again."""
        texts = self.critical()
        small = await self.started()
        before = small.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await until(lambda: small.pid not in (None, before))
        self.assertIn(f"Small has ended in {self.directory}", texts[0])

    async def test_ends_at_once(self) -> None:
        """The log has its last words; the delay grows."""
        texts = self.critical()
        small = self.small(BAD)
        small.startService()
        await until(lambda: len(texts) >= 3)
        self.assertIn("no such port", texts[0])
        self.assertEqual([text.rsplit(" in ", 1)[1] for text in texts[:3]], ["0.1 s", "0.2 s", "0.4 s"])

    async def test_killed_in_the_end(self) -> None:
        """One that does not end is killed, by the clock that was passed in."""
        clock = Clock()
        small = await self.started(STUBBORN, clock)
        stopped: Deferred[None] = small.stopService()
        clock.advance(9)
        self.assertNoResult(stopped)
        clock.advance(2)
        await stopped
        self.assertIsNone(process_of(small.pid_file))

    def test_refused(self) -> None:
        """What is clear at once refuses the start and holds no lock."""
        small = self.small()
        small.missing = True
        self.assertRaises(ProgramError, small.startService)
        lock = take_lock(self.directory / "small.lock")
        assert lock is not None
        os.close(lock)


class Sharing(Case):
    """Several processes, or services, in one directory."""

    async def test_takes_over(self) -> None:
        """The second one runs it when the first one stops."""
        first, second = await self.started(), self.small()
        second.startService()
        self.assertFalse(second.runs_it)
        await first.stopService()
        await until(lambda: second.pid is not None)
        self.assertTrue(second.runs_it)

    async def left(self) -> subprocess.Popen[bytes]:
        """One that a killed holder left behind."""
        small = self.small()
        process = subprocess.Popen(small.command())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        await until(lambda: process_of(small.pid_file) == process.pid)
        return process

    async def test_adopted(self) -> None:
        """It is watched, and ends with the service."""
        process = await self.left()
        small = await self.started()
        self.assertEqual(small.pid, process.pid)
        stopped = small.stopService()
        await until(lambda: process.poll() is not None)
        await stopped

    async def test_visited(self) -> None:
        """A visitor ends nothing that it did not start."""
        process = await self.left()
        small = await self.started(ends_adopted=False)
        await small.stopService()
        self.assertIsNone(process.poll())
