"""A role ends with the process that started it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from twisted.application.service import MultiService
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

import fishchat
from fishchat.services.running.lifeline import VARIABLE, Lifeline, with_lifeline

ROLE = """
import os
from twisted.application.service import MultiService
from twisted.internet import reactor
from fishchat.services.running.lifeline import with_lifeline
role = with_lifeline(MultiService())
role.startService()
reactor.addSystemEventTrigger("before", "shutdown", lambda: os.write(1, b"stopping properly"))
reactor.callWhenRunning(os.write, 1, b"group %d;" % os.getpgrp())
reactor.run()
"""


class Recorder:
    """The part of a reactor that a lifeline uses: real readers, and a stop that is only noted."""

    def __init__(self, running: bool = True) -> None:
        self.addReader = reactor.addReader
        self.removeReader = reactor.removeReader
        self.running = running
        self.stopped: Deferred[None] = Deferred()

    def stop(self) -> None:
        self.stopped.callback(None)
        if not self.running:
            raise ReactorNotRunning


class Process(ProcessProtocol):
    """Collects what a role says, and tells of its start and its end."""

    def __init__(self) -> None:
        self.said = b""
        self.began: Deferred[None] = Deferred()
        self.ended: Deferred[Any] = Deferred()

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.said += data
        if not self.began.called:
            self.began.callback(None)

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(reason.value)


class LifelineTests(TestCase):
    def setUp(self) -> None:
        self.reading, self.writing = os.pipe()
        self.addCleanup(os.close, self.reading)

    def watch(self, running: bool = True) -> Recorder:
        """A started lifeline on the pipe."""
        recorder = Recorder(running)
        service = Lifeline(self.reading, recorder)
        service.startService()
        self.addCleanup(service.stopService)
        return recorder

    def test_end_of_the_pipe_stops_the_reactor(self) -> Deferred[None]:
        """When the parent's end is closed, the reactor is stopped."""
        recorder = self.watch()
        os.close(self.writing)
        return recorder.stopped.addTimeout(5, reactor)

    def test_data_is_ignored(self) -> Deferred[None]:
        """What somebody writes there is not an end."""
        recorder = self.watch()
        os.write(self.writing, b"x")
        os.close(self.writing)
        return recorder.stopped.addTimeout(5, reactor)

    def test_already_stopping(self) -> Deferred[None]:
        """A reactor that stops already is left alone."""
        recorder = self.watch(running=False)
        os.close(self.writing)
        return recorder.stopped.addTimeout(5, reactor)

    def test_without_the_variable_there_is_none(self) -> None:
        """A role that a person started does not look at its standard input."""
        self.patch(os, "environ", {key: value for key, value in os.environ.items() if key != VARIABLE})
        role = MultiService()
        self.assertEqual(list(with_lifeline(role)), [role])


class ProcessTests(TestCase):
    def test_real_process(self) -> Deferred[None]:
        """A process stops its services when its standard input ends; it is in a group of its own."""
        environment = {
            **os.environ,
            VARIABLE: "stdin",
            "PYTHONPATH": str(Path(fishchat.__file__).parent.parent),
        }

        async def scenario() -> None:
            process = Process()
            transport = reactor.spawnProcess(process, sys.executable, [sys.executable, "-c", ROLE], env=environment)
            try:
                await process.began.addTimeout(10, reactor)
                pid = transport.pid
                transport.closeStdin()
                reason = await process.ended.addTimeout(10, reactor)
            except BaseException:
                transport.signalProcess(signal.SIGKILL)
                raise
            self.assertEqual(reason.exitCode, 0, process.said)
            self.assertEqual(process.said, b"group %d;stopping properly" % pid)

        return ensureDeferred(scenario())
