"""The manager: ends the sessions of msg_servers that died, trims what is too old, counts clients and topics."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.bus import channels
from fishchat.config.schema import Keep, Retention
from fishchat.interfaces import IBus, IStore
from fishchat.model.names import kind
from fishchat.services.role import Parts
from fishchat.services.running.heartbeat import Load
from fishchat.storage.logs.calls import trim
from fishchat.storage.redis import StoreError
from fishchat.storage.script import script
from fishchat.storage.servers.calls import reap

#: Seconds between two looks for the dead, and sessions ended in one step.
REAP_EVERY = 2.0
REAP_STEP = 500
#: After a break of the connection nobody is declared dead for so long: the others come back as well.
GRACE = 5.0
#: Entries that one step of retention looks at.
TRIM_STEP = 1000


class Reaper(Service):
    """Finds msg_servers whose lease has ended, and ends their sessions."""

    log = Logger()

    def __init__(self, store: IStore, bus: IBus, clock: IReactorTime) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        #: When the connection to Redis was last made.
        self.since = 0.0
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock
        self.ended = 0
        store.on_connected.append(self._connected)

    def startService(self) -> None:
        """Begin to look."""
        super().startService()
        self._loop.start(REAP_EVERY, now=False)

    def stopService(self) -> None:
        """Stop looking."""
        super().stopService()
        self._loop.stop()

    def _connected(self) -> None:
        self.since = self._clock.seconds()

    def _look(self) -> Deferred[Any] | None:
        if not self._store.connected or self._clock.seconds() - self.since < GRACE:
            return None
        return ensureDeferred(self.reap()).addErrback(_failed, self.log)

    async def reap(self) -> None:
        """One round; fails with StoreError when the store goes away."""
        more = True
        while more:
            ended, more, dead = await reap(REAP_STEP).of(self._store)
            self.ended += ended
            for server in dead:
                self.log.warn("msg_server {server} is gone, its sessions end", server=server.decode())


class Trimmer(Service):
    """Retention: goes round all conversations, age first, then count."""

    log = Logger()

    def __init__(
        self, store: IStore, retention: Retention, clock: IReactorTime, wall: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._retention = retention
        self._wall = wall
        self._loop = LoopingCall(self._round)
        self._loop.clock = clock
        self.removed = 0

    def startService(self) -> None:
        """Begin the rounds."""
        super().startService()
        self._loop.start(self._retention.every, now=False)

    def stopService(self) -> None:
        """No more rounds."""
        super().stopService()
        self._loop.stop()

    def _round(self) -> Deferred[Any] | None:
        if not self._store.connected:
            return None
        return ensureDeferred(self.trim()).addErrback(_failed, self.log)

    async def trim(self) -> None:
        """One round; fails with StoreError when the store goes away."""
        cursor = b"0"
        while True:
            cursor, keys = await self._store.run("SCAN", cursor, "MATCH", "log:*", "COUNT", 100)
            for key in keys:
                await self._trim_one(key[4:])
            if cursor == b"0":
                return

    async def _trim_one(self, conversation: bytes) -> None:
        keep: Keep = getattr(self._retention, kind(conversation))
        oldest = int((self._wall() - keep.days * 86400) * 1000)
        more = True
        while more and self.running:
            removed, more = await trim(conversation, oldest, keep.count, TRIM_STEP).of(self._store)
            self.removed += removed


class Census(Service):
    """Counts from the status channels; a restarted manager counts from then on."""

    def __init__(self, bus: IBus) -> None:
        self._bus = bus
        self.came = self.went = 0
        self.topics: dict[str, int] = {}

    def startService(self) -> None:
        """Begin to listen."""
        super().startService()
        self._bus.subscribe(channels.CLIENT_STATUS, self._client, None)
        self._bus.subscribe(channels.TOPIC_STATUS, self._topic, None)

    def _client(self, payload: bytes) -> None:
        status = channels.ClientStatus.decode(payload)
        self.came += len(status.came)
        self.went += len(status.went)

    def _topic(self, payload: bytes) -> None:
        event = channels.TopicStatus.decode(payload).event
        self.topics[event] = self.topics.get(event, 0) + 1


def _failed(failure: Failure, log: Logger) -> None:
    # The store is away; the next round finds it.
    if failure.check(StoreError) is None:
        log.failure("a round of the manager failed", failure)


def build(parts: Parts) -> Sequence[IService]:
    """The services of the manager. Two managers do no harm: every step is one of the store's own."""
    store = parts.store((script("servers/reap"), script("logs/trim")))
    reaper = Reaper(store, parts.bus, parts.clock)
    trimmer = Trimmer(store, parts.config.retention, parts.clock)
    census = Census(parts.bus)

    def load() -> Load:
        topics = {f"topics_{event}": float(count) for event, count in census.topics.items()}
        figures = {"came": census.came, "went": census.went, "reaped": reaper.ended, "trimmed": trimmer.removed}
        return Load(figures={**figures, **topics})

    return [reaper, trimmer, census, parts.heartbeat("manager", load)]
