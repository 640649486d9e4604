"""Work that the manager repeats while the store is available."""

from __future__ import annotations

from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.interfaces import IStore
from fishchat.storage.redis import StoreError


class Rounds(Service):
    """Runs ``round`` every ``seconds``, one round at a time."""

    log = Logger()

    def __init__(self, store: IStore, seconds: float, clock: IReactorTime) -> None:
        self._store = store
        self._clock = clock
        self._seconds = seconds
        self._loop = LoopingCall(self._begin)
        self._loop.clock = clock

    async def round(self) -> None:
        """Do one round. Fails with StoreError when the store goes away."""
        raise NotImplementedError

    def is_due(self) -> bool:
        """Return whether a round may begin now."""
        return self._store.connected

    def startService(self) -> None:
        """Begin the rounds."""
        super().startService()
        self._loop.start(self._seconds, now=False)

    def stopService(self) -> None:
        """Stop the rounds."""
        super().stopService()
        self._loop.stop()

    def _begin(self) -> Deferred[Any] | None:
        return ensureDeferred(self.round()).addErrback(self._failed) if self.is_due() else None

    def _failed(self, failure: Failure) -> None:
        # When the store is away, the next round continues the work.
        if failure.check(StoreError) is None:
            self.log.failure("a round of the manager failed", failure)
