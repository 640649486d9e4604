"""Sums of reactions for who watches a large topic, where reactions are not pushed one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from twisted.internet.defer import ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.features.operations.calls import sums
from fishchat.features.operations.rows import RESP_REACTIONS
from fishchat.interfaces import IStore
from fishchat.model.device import Device
from fishchat.model.names import Position
from fishchat.model.operations import CAPABILITY
from fishchat.storage.redis import StoreError

#: Seconds between two pushes of the sums of a message, and the messages of one call.
EVERY = 5.0
STEP = 100


class IOpeners(Protocol):
    """Who watches a conversation."""

    def of(self, conversation: bytes) -> Iterable[Device]:
        """Return the devices that watch a conversation and may still see it."""


class ReactionSums:
    """Collect the messages whose reactions have changed, and push their sums after a while."""

    log = Logger()

    def __init__(self, store: IStore, openers: IOpeners, clock: IReactorTime) -> None:
        self._store = store
        self._openers = openers
        self._clock = clock
        self._changed: dict[bytes, set[Position]] = {}

    def changed(self, conversation: bytes, of: Position) -> None:
        """Take note that the reactions to a message have changed, if somebody watches its conversation here."""
        waiting = self._changed.get(conversation)
        if waiting is not None:
            waiting.add(of)
        elif any(True for _ in self._openers.of(conversation)):
            self._changed[conversation] = {of}
            self._clock.callLater(EVERY, self._push, conversation)

    def _push(self, conversation: bytes) -> None:
        ensureDeferred(self._pushed(conversation)).addErrback(self._failed)

    async def _pushed(self, conversation: bytes) -> None:
        positions = sorted(self._changed.pop(conversation))
        for start in range(0, len(positions), STEP):
            step = positions[start : start + STEP]
            found = await sums(conversation, step).of(self._store)
            for device in list(self._openers.of(conversation)):
                self._tell(device, conversation, step, found)

    def _tell(self, device: Device, conversation: bytes, positions: list[Position], found: list[bytes]) -> None:
        reading = device.readings.get(conversation)
        if reading is None or CAPABILITY not in device.given or device.choked:
            return
        for position, written in zip(positions, found, strict=True):
            if reading.sees(position):
                device.push(RESP_REACTIONS.line((conversation, *position), written) + b"\r\n")

    def _failed(self, failure: Failure) -> None:
        # The store is unavailable: the next reaction brings the sums again.
        if failure.check(StoreError) is None:
            self.log.failure("the sums of reactions could not be read", failure)
