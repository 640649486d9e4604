"""Hints from the router: numbered batches on this server's channel, and a sweep after a lost one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.bus import channels
from fishchat.bus.hints import Hints
from fishchat.interfaces import IBus, IStore
from fishchat.model.hints import HintNumbers
from fishchat.services.msg_server.delivery.rooms import Rooms
from fishchat.services.msg_server.delivery.signals import Signals
from fishchat.storage.redis import StoreError


class RouterHints:
    """Receive hints on ``/msg_server/<id>`` and compare their numbers with the store's.

    :param sweep: called when something may have been missed.
    """

    log = Logger()

    def __init__(
        self,
        connection: IStore,
        rooms: Rooms,
        signals: Signals,
        sweep: Callable[[], None],
        server: bytes,
        shards: int,
    ) -> None:
        self._connection = connection
        self._rooms = rooms
        self._signals = signals
        self._sweep = sweep
        self._server = server
        self._numbers = [HintNumbers() for _ in range(shards)]
        #: The number of hints received, and of sweeps needed: figures of the heartbeat.
        self.hints = self.sweeps = 0

    def listen(self, bus: IBus) -> None:
        """Subscribe. Every subscription, also a repeated one, is followed by a sweep."""
        bus.subscribe(channels.msg_server(self._server.decode()), self.heard, self.sweep)

    def heard(self, payload: bytes) -> None:
        """Process a batch from a router."""
        try:
            hints = Hints.decode(payload)
            numbers = self._numbers[hints.shard]
        except (ValueError, IndexError, TypeError) as error:
            self.log.error("not understood on the channel of this server: {error}", error=error)
            return
        self.hints += 1
        told, epoch = self._rooms.told, hints.epoch
        for name, seq, body, version, time in hints.messages():
            if seq:
                told(name, epoch, seq, body, version, time)
            else:
                self._signals.heard(name, body)
        if not numbers.hint(hints.generation, hints.number) or hints.sweep:
            self.sweep()

    def sweep(self) -> None:
        """Count a sweep and start it, because a message may have been missed."""
        self.sweeps += 1
        self._sweep()

    def start(self) -> Deferred[Any]:
        """Treat the store's numbers as seen: no client was connected before, so nothing was lost."""
        return ensureDeferred(self._compare(start=True)).addErrback(self._failed)

    def compare(self) -> Deferred[Any]:
        """Compare with the numbers that the routers stored.

        Call this once a second, because no later hint reveals the loss of the last one.
        """
        return ensureDeferred(self._compare(start=False)).addErrback(self._failed)

    async def _compare(self, start: bool) -> None:
        if not self._connection.connected:
            return
        missed = False
        for shard, numbers in enumerate(self._numbers):
            key = b"hints:" + channels.send_stream(shard).encode()
            stored = await self._connection.run("HGET", key, self._server)
            generation, number = map(int, stored.split()) if stored else (0, 0)
            if start:
                numbers.start(generation, number)
            else:
                missed |= not numbers.stored(generation, number)
        if missed:
            self.sweep()

    def _failed(self, failure: Failure) -> None:
        if failure.check(StoreError) is None:
            self.log.failure("the numbers of the hints could not be compared", failure)
