"""``fishchat user`` in processes of its own, for tests: with what it is given, and what it says."""

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

#: Hashes that are as cheap as they may be.
CHEAP = {
    "FISHCHAT__ACCOUNTS__ARGON2_MEMORY": "8192",
    "FISHCHAT__ACCOUNTS__ARGON2_PASSES": "1",
    "FISHCHAT__ACCOUNTS__SCRAM_ROUNDS": "4096",
}

Environment = Mapping[str, str]
NOTHING: Environment = {}


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document that it has printed."""
        return json.loads(self.out)


class Running(ProcessProtocol):
    """A command that runs. At a terminal all that it says is in ``out``."""

    transport: Any

    def __init__(self, stdin: bytes | None) -> None:
        self._stdin = stdin
        self.out = self.err = b""
        self.ended: Deferred[Said] = Deferred()

    def connectionMade(self) -> None:
        """Give it what it may read, and no more."""
        if self._stdin is not None:
            self.transport.write(self._stdin)
            self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        """Standard output, or the terminal."""
        self.out += data

    def errReceived(self, data: bytes) -> None:
        """Standard error."""
        self.err += data

    def processEnded(self, reason: Failure) -> None:
        """It is over."""
        value: Any = reason.value
        status = -value.signal if value.signal else value.exitCode or 0
        self.ended.callback(Said(status, self.out.decode(), self.err.decode()))

    async def type(self, question: bytes, answer: str) -> None:
        """Wait until a question stands at the end of the terminal, and answer it."""
        await until(lambda: self.out.endswith(question))
        self.transport.write(answer.encode() + b"\n")

    def signal(self, signum: int) -> None:
        """Send it a signal."""
        self.transport.signalProcess(signum)

    def kill(self) -> Deferred[Any] | None:
        """End it, if it still runs."""
        if self.ended.called:
            return None
        self.transport.signalProcess("KILL")
        return self.ended.addBoth(lambda _: None)


class Commands(TestCase):
    """Runs ``fishchat user`` with the data directory ``data``; what still runs at the end of a test is killed."""

    timeout = 60
    data: Path

    def start(self, *arguments: str, stdin: bytes = b"", terminal: bool = False, env: Environment = NOTHING) -> Running:
        """Begin to."""
        told = {key: value for key, value in os.environ.items() if not key.startswith("FISHCHAT")}
        told.update(CHEAP, FISHCHAT__DATA=str(self.data), PYTHONPATH=HERE)
        told.update(env)
        command = [sys.executable, "-c", "from fishchat.cli import main; main()", "user", *arguments]
        running = Running(None if terminal else stdin)
        processes: IReactorProcess = reactor
        processes.spawnProcess(running, sys.executable, command, env=told, path="/", usePTY=terminal)
        self.addCleanup(running.kill)
        return running

    async def ended(self, *arguments: str, stdin: bytes = b"", env: Environment = NOTHING) -> Said:
        """How it ended."""
        return await self.start(*arguments, stdin=stdin, env=env).ended

    async def good(self, *arguments: str, stdin: bytes = b"", env: Environment = NOTHING) -> Said:
        """The same; it has to end well."""
        said = await self.ended(*arguments, stdin=stdin, env=env)
        self.assertEqual(said.status, 0, said)
        return said

    async def refused(self, *arguments: str, env: Environment = NOTHING) -> str:
        """What it complains of, in one line, with exit status 1 and nothing on standard output."""
        said = await self.ended(*arguments, env=env)
        complaints = [line for line in said.err.splitlines() if not line.startswith("note: ")]
        self.assertEqual((said.status, said.out, len(complaints)), (1, "", 1), said)
        return complaints[0]


async def at_once(*calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """What all of them give, in their order; they run at the same time."""
    begun = [ensureDeferred(call) for call in calls]
    return [await one for one in begun]
