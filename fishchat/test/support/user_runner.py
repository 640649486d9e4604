"""``fishchat user`` in separate processes, for tests of its input and output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from fishchat.proof.processes import HERE
from fishchat.test.support.waiting import until

#: The cheapest hashes that the configuration allows.
CHEAP = {
    "FISHCHAT__ACCOUNTS__ARGON2_MEMORY": "8192",
    "FISHCHAT__ACCOUNTS__ARGON2_PASSES": "1",
    "FISHCHAT__ACCOUNTS__SCRAM_ROUNDS": "4096",
}

Environment = Mapping[str, str]
NOTHING: Environment = {}


@dataclass(frozen=True)
class Said:
    """The result of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document that the command has printed."""
        return json.loads(self.out)


class Running(ProcessProtocol):
    """A running command. At a terminal all its output is in ``out``."""

    transport: Any

    def __init__(self, stdin: bytes | None) -> None:
        self._stdin = stdin
        self.out = self.err = b""
        self.ended: Deferred[Said] = Deferred()

    def connectionMade(self) -> None:
        """Write its whole standard input, and close it."""
        if self._stdin is not None:
            self.transport.write(self._stdin)
            self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        """Take bytes of standard output, or of the terminal."""
        self.out += data

    def errReceived(self, data: bytes) -> None:
        """Take bytes of standard error."""
        self.err += data

    def processEnded(self, reason: Failure) -> None:
        """Take note that the process has ended."""
        value: Any = reason.value
        status = -value.signal if value.signal else value.exitCode or 0
        self.ended.callback(Said(status, self.out.decode(), self.err.decode()))

    async def type(self, question: bytes, answer: str) -> None:
        """Wait until the terminal ends with a question, and answer it."""
        await until(lambda: self.out.endswith(question))
        self.transport.write(answer.encode() + b"\n")

    def signal(self, signum: int) -> None:
        """Send the process a signal."""
        self.transport.signalProcess(signum)

    def kill(self) -> Deferred[Any] | None:
        """Kill the process if it still runs."""
        if self.ended.called:
            return None
        self.transport.signalProcess("KILL")
        return self.ended.addBoth(lambda _: None)


class Commands(TestCase):
    """Run ``fishchat user`` with the data directory ``data``; kill at the end of a test what still runs."""

    timeout = 60
    data: Path
    #: The words before the arguments.
    words: tuple[str, ...] = ("user",)

    def start(self, *arguments: str, stdin: bytes = b"", terminal: bool = False, env: Environment = NOTHING) -> Running:
        """Start the command."""
        told = {key: value for key, value in os.environ.items() if not key.startswith("FISHCHAT")}
        told.update(CHEAP, FISHCHAT__DATA=str(self.data), PYTHONPATH=HERE)
        told.update(env)
        command = [sys.executable, "-c", "from fishchat.cli import main; main()", *self.words, *arguments]
        running = Running(None if terminal else stdin)
        processes: IReactorProcess = reactor
        processes.spawnProcess(running, sys.executable, command, env=told, path="/", usePTY=terminal)
        self.addCleanup(running.kill)
        return running

    async def ended(self, *arguments: str, stdin: bytes = b"", env: Environment = NOTHING) -> Said:
        """Run the command. Returns its result."""
        return await self.start(*arguments, stdin=stdin, env=env).ended

    async def good(self, *arguments: str, stdin: bytes = b"", env: Environment = NOTHING) -> Said:
        """Run the command, which must succeed."""
        said = await self.ended(*arguments, stdin=stdin, env=env)
        self.assertEqual(said.status, 0, said)
        return said

    async def refused(self, *arguments: str, env: Environment = NOTHING) -> str:
        """Return its error, after a check that it is one line, with exit status 1 and no standard output."""
        said = await self.ended(*arguments, env=env)
        complaints = [line for line in said.err.splitlines() if not line.startswith("note: ")]
        self.assertEqual((said.status, said.out, len(complaints)), (1, "", 1), said)
        return complaints[0]


async def at_once(*calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run several commands at the same time. Returns their results in order."""
    begun = [ensureDeferred(call) for call in calls]
    return [await one for one in begun]
