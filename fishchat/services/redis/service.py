"""The embedded Redis as a service: one of the roles that share a data directory runs it, the others use it.

Who holds the lock on ``redis.lock`` is the one that runs it. It starts Redis, or adopts one that a killed
holder left behind; starts it again when it dies; and ends it last of all. ``redis_server`` says what is run
and where.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import hiredis
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, ensureDeferred, succeed
from twisted.internet.error import ConnectError, ConnectionClosed, ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.config.schema import Config
from fishchat.services.redis import program
from fishchat.services.redis.probe import ask
from fishchat.services.redis.program import EmbeddedError, data_path, redis_url, socket_path

__all__ = ["EmbeddedError", "EmbeddedRedis", "data_path", "redis_url", "socket_path"]

#: Seconds between two tries to become the one that runs Redis, and between two looks at an adopted one.
LOCK_EVERY = 0.5
LOOK_EVERY = 0.2
#: Seconds before a Redis that died is started again, first and at most; a life that makes the next one first.
FIRST_DELAY, LONGEST_DELAY, GOOD_LIFE = 0.1, 5.0, 10.0
#: Seconds that Redis has to write everything out before it is killed.
STOP_PATIENCE = 10.0


class _Child(ProcessProtocol):
    """The Redis that this process started."""

    def __init__(self) -> None:
        self.told = b""
        self.reason: Failure | None = None
        self._waiting: list[Deferred[None]] = []

    @property
    def pid(self) -> int | None:
        return None if self.transport is None else self.transport.pid

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.told = (self.told + data)[-2000:]

    def processEnded(self, reason: Failure) -> None:
        self.reason = reason
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    def ended(self) -> Deferred[None]:
        """Fires when the process is gone; may be asked for, and cancelled, any number of times."""
        if self.reason is not None:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        return waiter

    def signal(self, signum: signal.Signals) -> None:
        assert self.transport is not None
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess(signum)


class _Adopted:
    """A Redis that another process started; it is looked at, since its end is told to nobody here."""

    def __init__(self, pid: int, alive: Callable[[], bool], clock: Any) -> None:
        self.pid: int | None = pid
        self._alive = alive
        self._clock = clock

    def ended(self) -> Deferred[None]:
        return ensureDeferred(self._watch())

    async def _watch(self) -> None:
        while self._alive():
            await deferLater(self._clock, LOOK_EVERY)

    def signal(self, signum: signal.Signals) -> None:
        if self.pid and self._alive():
            os.kill(self.pid, signum)


class EmbeddedRedis(Service):
    """Sees to it that the Redis of the data directory runs.

    Does nothing when the configuration names an external one. ``clock`` times the waiting; it is the reactor
    if not given. ``ends_adopted=False`` for a visitor: what it did not start goes on running when it goes.
    """

    log = Logger()

    def __init__(self, config: Config, reactor: Any = None, clock: Any = None, *, ends_adopted: bool = True) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self._reactor = reactor
        self._clock = clock or reactor
        self._external = bool(config.redis.url)
        self._durability = config.redis.durability
        self._ends_adopted = ends_adopted
        self.data: Path = data_path(config)
        self.path = socket_path(self.data)
        self._starting = program.starting_path(self.data)
        #: How long the log of Redis was when it was started.
        self._told = 0
        self._lock: int | None = None
        self._redis: _Child | _Adopted | None = None
        self._keeping: Deferred[None] | None = None

    @property
    def runs_it(self) -> bool:
        """Whether it is this process that runs Redis."""
        return self._lock is not None

    @property
    def pid(self) -> int | None:
        """The number of the Redis process that this one runs; None when there is none at the moment."""
        return None if self._redis is None else self._redis.pid

    def startService(self) -> None:
        """Start Redis, unless another role runs it. EmbeddedError when it is clear at once that it cannot."""
        if not self._external:
            program.private_directory(str(self.data))
            program.private_directory(os.path.dirname(self.path))
            if self._take_lock():
                try:
                    self._executable()
                except EmbeddedError:
                    self._release_lock()
                    raise
            self._keeping = ensureDeferred(self._keep())
            self._keeping.addErrback(self._gave_up)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Fires when Redis has written everything and ended, if it was this process that ran it."""
        super().stopService()
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
        return ensureDeferred(self._end())

    def ready(self) -> Deferred[None]:
        """Fires when Redis answers with all of its data loaded; at once for an external one. Never fails."""
        return succeed(None) if self._external else ensureDeferred(self._wait_until_ready())

    async def _wait_until_ready(self) -> None:
        while await self._ask("PING") != [b"PONG"]:
            await deferLater(self._clock, 0.02)

    async def _keep(self) -> None:
        while not self._take_lock():
            await deferLater(self._clock, LOCK_EVERY)
        delay = FIRST_DELAY
        while True:
            begun = self._clock.seconds()
            try:
                self._redis = await self._leftover() or self._start()
                if isinstance(self._redis, _Child):
                    await self._publish(self._redis)
                await self._redis.ended()
                text = self._last_words()
            except (EmbeddedError, OSError) as error:
                text = str(error)
            if self._clock.seconds() - begun >= GOOD_LIFE:
                delay = FIRST_DELAY
            self.log.critical("{text}; starting it again in {delay} s", text=text, delay=delay)
            self._redis = None
            await deferLater(self._clock, delay)
            delay = min(delay * 2, LONGEST_DELAY)

    def _gave_up(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self.log.failure("this process does not look after Redis any more", failure)

    def _executable(self) -> str:
        executable = program.find_executable()
        program.check_data(self.data, executable)
        return executable

    def _start(self) -> _Child:
        child = _Child()
        arguments = program.command(self._executable(), self.data, self._durability, self._starting)
        self._told = program.log_size(self.data)
        self._reactor.spawnProcess(child, arguments[0], arguments, env=None)
        self.log.info("Redis started, process {pid}, in {data}", pid=child.pid, data=str(self.data))
        return child

    async def _publish(self, child: _Child) -> None:
        """Let others use a Redis that has loaded its files and need not do so again; see ``is_torn``."""
        while child.reason is None:
            if await self._ask("PING", path=self._starting) != [b"PONG"]:
                await deferLater(self._clock, 0.02)
            elif program.is_torn(self.data, self._told):
                self.log.warn("the end of Redis' log was torn; loading it again, so that nothing of it comes back")
                child.signal(signal.SIGKILL)
                await child.ended()
                child = self._redis = self._start()
            else:
                os.rename(self._starting, self.path)
                return

    async def _leftover(self) -> _Adopted | None:
        """The Redis that runs here although this process did not start it."""
        while (holder := program.running_process(self.data)) == 0:
            await deferLater(self._clock, 0.02)
        if holder is not None and os.path.exists(self._starting):
            # It may still be loading, and nobody has used it.
            os.kill(holder, signal.SIGKILL)
            return None
        if holder is not None:
            self.log.info("adopting the Redis that runs already, process {pid}", pid=holder)
            return _Adopted(holder, lambda: program.running_process(self.data) == holder, self._clock)
        answer = await self._ask("INFO server", "CONFIG GET dir")
        if answer is None:
            return None
        if not isinstance(answer[1], list) or os.path.realpath(answer[1][1]) != os.fsencode(
            os.path.realpath(self.data)
        ):
            raise EmbeddedError(f"what answers on {self.path} is not the Redis of {self.data}; stop it")
        pid = int(answer[0].split(b"process_id:")[1].split()[0])
        self.log.warn("adopting a Redis that was started by hand, process {pid}", pid=pid)
        return _Adopted(pid, lambda: _exists(pid), self._clock)

    async def _ask(self, *commands: str, path: str = "") -> list[Any] | None:
        """The replies, or None when nobody answers."""
        words = [tuple(command.split()) for command in commands]
        try:
            replies = await ask(self._reactor, self._clock, path or self.path, *words)
        except (OSError, ConnectError, ConnectionClosed, TimeoutError, hiredis.ProtocolError):
            return None
        return replies

    def _last_words(self) -> str:
        if not isinstance(self._redis, _Child) or self._redis.reason is None:
            return "the adopted Redis has ended"
        reason = self._redis.reason.getErrorMessage()
        told = self._redis.told.decode("utf-8", "replace").splitlines()
        log = self.data / "redis.log"
        if not told and log.exists():
            told = log.read_text("utf-8", "replace").splitlines()[-3:]
        return f"Redis has ended in {self.data} ({reason}): {' / '.join(told)}"

    async def _end(self) -> None:
        redis, self._redis = self._redis, None
        try:
            if redis is not None and (self._ends_adopted or isinstance(redis, _Child)):
                redis.signal(signal.SIGTERM)
                try:
                    await redis.ended().addTimeout(STOP_PATIENCE, self._clock)
                except TimeoutError:
                    self.log.critical("Redis did not end in {seconds} s: killing it", seconds=STOP_PATIENCE)
                    redis.signal(signal.SIGKILL)
                    await redis.ended()
                # Redis itself removes only the name that it gave to its socket.
                with suppress(OSError):
                    os.unlink(self.path)
        finally:
            self._release_lock()

    def _take_lock(self) -> bool:
        if self._lock is not None:
            return True
        self._lock = program.take_lock(self.data / "redis.lock")
        return self._lock is not None

    def _release_lock(self) -> None:
        handle, self._lock = self._lock, None
        if handle is not None:
            os.close(handle)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
