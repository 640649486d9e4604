"""The embedded Redis for a command that needs it for a moment.

When servers run, Redis is theirs and is left alone. Otherwise the first visitor starts Redis and the last one stops it:
visitors share a lock, and stopping takes it exclusively, so nobody can enter while Redis shuts down.
"""

from __future__ import annotations

import fcntl
import os
from typing import Any

import hiredis
from twisted.internet.defer import TimeoutError
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.task import deferLater

from fishchat.config.schema import Config
from fishchat.services.redis.probe import ask
from fishchat.services.redis.service import EmbeddedRedis
from fishchat.services.running.directory import private_directory
from fishchat.services.running.errors import StartError
from fishchat.services.running.program import STOP_PATIENCE

#: Seconds between two checks of a condition.
LOOK_EVERY = 0.02


class RedisVisit:
    """One visit. Call ``end`` after ``begin`` in any case. Neither does anything for an external Redis.

    :param patience: seconds that Redis may be away.
    """

    def __init__(self, config: Config, reactor: Any, patience: float) -> None:
        self._external = bool(config.redis.url)
        self._reactor = reactor
        self._patience = patience
        self._redis = EmbeddedRedis(config, reactor, ends_adopted=False)
        self._visitors: int | None = None

    async def begin(self) -> None:
        """Return when Redis answers. StartError when it cannot be run, TimeoutError when it is away for too long.

        A Redis that is loading its data is waited for, however long that takes.
        """
        if self._external:
            return
        data = self._redis.directory
        private_directory(str(data))
        path = data / "visitors.lock"
        try:
            self._visitors = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StartError(f"cannot open {path}: {error.strerror}") from error
        deadline = self._reactor.seconds() + STOP_PATIENCE + self._patience
        while not self._locked(fcntl.LOCK_SH):
            await self._pause(deadline)
        self._redis.startService()
        await self.until_loaded()

    async def end(self) -> None:
        """Return when Redis has ended, if this process started it and no other visitor uses it."""
        try:
            if self._redis.running:
                while self._redis.runs_it and not self._locked(fcntl.LOCK_EX):
                    await deferLater(self._reactor, LOOK_EVERY)
                await self._redis.stopService()
        finally:
            if self._visitors is not None:
                os.close(self._visitors)
                self._visitors = None

    async def until_loaded(self) -> None:
        """Return when Redis has loaded its data and answers; TimeoutError when it is away for too long."""
        deadline = self._reactor.seconds() + self._patience
        while (answer := await self._ping()) != b"PONG":
            if str(answer).startswith("LOADING"):
                deadline = self._reactor.seconds() + self._patience
            await self._pause(deadline)

    async def _ping(self) -> Any:
        try:
            [answer] = await ask(self._reactor, self._reactor, self._redis.path, ("PING",))
        except (OSError, ConnectError, ConnectionClosed, TimeoutError, hiredis.ProtocolError):
            return None
        return answer

    async def _pause(self, deadline: float) -> None:
        if self._reactor.seconds() >= deadline:
            raise TimeoutError
        await deferLater(self._reactor, LOOK_EVERY)

    def _locked(self, kind: int) -> bool:
        assert self._visitors is not None
        try:
            fcntl.flock(self._visitors, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
