"""The embedded Redis as a service: one of the roles that share a data directory runs it, the others use it.

``running.program`` keeps it running; this module adds the parts that are special to Redis. ``program`` has the
executable and the files.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

import hiredis
from twisted.application.service import Service
from twisted.internet.defer import Deferred, TimeoutError, ensureDeferred, succeed
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.task import deferLater

from fishchat.config.paths import data_path, is_too_long, socket_path
from fishchat.config.schema import Config
from fishchat.services.redis import program
from fishchat.services.redis.probe import ask
from fishchat.services.running.directory import private_directory
from fishchat.services.running.errors import ProgramError
from fishchat.services.running.program import Adopted, Child, Program


class EmbeddedRedis(Program):
    """Keeps the Redis of the data directory running.

    Does nothing when the configuration names an external one. ``clock`` times the waiting; the default is the reactor.
    ``ends_adopted=False`` is for a visitor: a Redis that it did not start outlives it.
    """

    def __init__(self, config: Config, reactor: Any = None, clock: Any = None, *, ends_adopted: bool = True) -> None:
        super().__init__("Redis", data_path(config), reactor, clock, ends_adopted=ends_adopted)
        self._external = bool(config.redis.url)
        self._durability = config.redis.durability
        self.path = socket_path(self.directory)
        self._starting = program.starting_path(self.directory)
        #: The length of Redis' log file at its start.
        self._log_size = 0

    def startService(self) -> None:
        """Start Redis, unless another role runs it. ProgramError when it is clear at once that it cannot."""
        if self._external:
            Service.startService(self)
        else:
            super().startService()

    def ready(self) -> Deferred[None]:
        """Fires when Redis answers with all of its data loaded; at once for an external one. Never fails."""
        return succeed(None) if self._external else ensureDeferred(self._wait_until_ready())

    async def _wait_until_ready(self) -> None:
        while await self._ask("PING") != [b"PONG"]:
            await deferLater(self._clock, 0.02)

    def prepare(self) -> None:
        """Make the directories of the data and of the socket."""
        private_directory(str(self.directory))
        if is_too_long(self.path):
            raise ProgramError(
                f"the path {self.directory} is too long for a socket in it, and no link to it can be made in /tmp; "
                "choose a shorter one with --data or the key `data`"
            )
        private_directory(os.path.dirname(self.path))

    def check(self) -> None:
        """Raise ProgramError when there is no server for these data."""
        self._executable()

    def _executable(self) -> str:
        executable = program.find_executable()
        program.check_data(self.directory, executable)
        return executable

    def command(self) -> list[str]:
        """Return the command line of a Redis on a socket that nobody uses until its files are loaded."""
        command = program.command(self._executable(), self.directory, self._durability, self._starting)
        self._log_size = program.log_size(self.directory)
        return command

    async def until_usable(self, child: Child) -> None:
        """Publish the socket of a Redis that has loaded its files and need not load them again; see ``is_torn``."""
        while child.reason is None:
            if await self._ask("PING", path=self._starting) != [b"PONG"]:
                await deferLater(self._clock, 0.02)
            elif program.is_torn(self.directory, self._log_size):
                self.log.warn("the end of Redis' log was torn; loading it again, so that nothing of it comes back")
                child.signal(signal.SIGKILL)
                await child.ended()
                child = self.start()
            else:
                os.rename(self._starting, self.path)
                return

    async def leftover(self) -> Adopted | None:
        """Return a Redis that runs here although this process did not start it, even one that was started by hand."""
        while (holder := program.running_process(self.directory)) == 0:
            await deferLater(self._clock, 0.02)
        if holder is not None and os.path.exists(self._starting):
            # It may still be loading, and nobody has used it.
            os.kill(holder, signal.SIGKILL)
            return None
        return self.adopt(holder) if holder is not None else await self._started_by_hand()

    async def _started_by_hand(self) -> Adopted | None:
        answer = await self._ask("INFO server", "CONFIG GET dir")
        if answer is None:
            return None
        directory = os.fsencode(os.path.realpath(self.directory))
        if not isinstance(answer[1], list) or os.path.realpath(answer[1][1]) != directory:
            raise ProgramError(f"another Redis than that of {self.directory} answers on {self.path}; stop it")
        pid = int(answer[0].split(b"process_id:")[1].split()[0])
        self.log.warn("adopting a Redis that was started by hand, process {pid}", pid=pid)
        return Adopted(pid, lambda: _exists(pid), self._clock)

    def clean_up(self) -> None:
        """Remove the socket. Redis itself removes only the first name that it used."""
        with suppress(OSError):
            os.unlink(self.path)

    async def _ask(self, *commands: str, path: str = "") -> list[Any] | None:
        """Return the replies, or None when Redis does not answer."""
        words = [tuple(command.split()) for command in commands]
        try:
            replies = await ask(self._reactor, self._clock, path or self.path, *words)
        except (OSError, ConnectError, ConnectionClosed, TimeoutError, hiredis.ProtocolError):
            return None
        return replies


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
