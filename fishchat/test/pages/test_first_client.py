"""The program of ``doc/first-client.md`` does what its page says."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

import fishchat
from fishchat.client import Client, RefusedError
from fishchat.test.support.waiting import until
from fishchat.testing import Server

reactor: Any = the_reactor
PAGE = Path(fishchat.__file__).parent.parent / "doc" / "first-client.md"


class Bot(ProcessProtocol):
    """The program as a process."""

    def __init__(self, directory: Path, address: str) -> None:
        self.ended: Deferred[None] = Deferred()
        self.said = b""
        arguments = [sys.executable, "-u", "echo.py", address, "echo"]
        self.process = reactor.spawnProcess(self, sys.executable, arguments, env={}, path=str(directory))

    def errReceived(self, data: bytes) -> None:
        self.said += data

    def processEnded(self, reason: object) -> None:
        self.ended.callback(None)

    async def kill(self) -> None:
        """Kill the process and wait for its end."""
        self.process.signalProcess("KILL")
        await self.ended


class FirstClientTests(TestCase):
    """It is killed while it answers, and each message is answered once."""

    if not PAGE.exists():
        skip = "the documents are not installed with the package"
    timeout = 60

    async def test_killed_while_it_answers(self) -> None:
        """Three lives of the bot give every answer once, in order."""
        (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        directory = Path(self.mktemp())
        directory.mkdir()
        (directory / "echo.py").write_text(program, "utf-8")
        async with Server() as server:
            alice = Client("alice", servers=[server.address], reactor=reactor)
            self.addCleanup(alice.stop)
            answers: list[str] = []
            alice.on_message = lambda message: answers.append(message.text) if message.from_ == "echo" else None
            await alice.start()
            bot = Bot(directory, server.address)
            self.addCleanup(lambda: bot.process.pid and bot.process.signalProcess("KILL"))
            await self._send_the_first(alice)
            expected = ["start"]
            for life in range(3):
                for n in range(20):
                    expected.append(f"{life}.{n} – héllo")
                    alice.send("echo", expected[-1])
                await until(lambda: len(answers) >= len(expected) - 15)
                await bot.kill()
                bot = Bot(directory, server.address)
            await until(lambda: len(answers) >= len(expected))
            alice.send("echo", "end")
            await until(lambda: answers[-1:] == ["end"])
            self.assertEqual(answers, [*expected, "end"], bot.said.decode())
            await bot.kill()
            await alice.stop()

    async def _send_the_first(self, alice: Client) -> None:
        """Send the first message once the bot has an account."""
        while True:
            with contextlib.suppress(RefusedError):
                await alice.send("echo", "start")
                return
            await deferLater(reactor, 0.05)
