"""Removes old messages: by age, then by count."""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from fishchat.config.schema import Keep, Retention
from fishchat.interfaces import IStore
from fishchat.model.names import kind
from fishchat.services.manager.rounds import Rounds
from fishchat.storage.logs.calls import trim

#: Entries that one step examines.
TRIM_STEP = 1000


class Trimmer(Rounds):
    """Trims all conversations."""

    def __init__(
        self, store: IStore, retention: Retention, clock: IReactorTime, wall: Callable[[], float] = time.time
    ) -> None:
        super().__init__(store, retention.every, clock)
        self._retention = retention
        self._wall = wall
        #: Entries removed since the start.
        self.removed = 0

    async def round(self) -> None:
        """Trim every conversation."""
        cursor = b"0"
        while True:
            cursor, keys = await self._store.run("SCAN", cursor, "MATCH", "log:*", "COUNT", 100)
            for key in keys:
                await self._trim(key[4:])
            if cursor == b"0":
                return

    async def _trim(self, conversation: bytes) -> None:
        keep: Keep = getattr(self._retention, kind(conversation))
        oldest = int((self._wall() - keep.days * 86400) * 1000)
        more = True
        while more and self.running:
            removed, more = await trim(conversation, oldest, keep.count, TRIM_STEP).of(self._store)
            self.removed += removed
