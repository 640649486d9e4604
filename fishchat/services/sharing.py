"""Routers share the shards: whoever holds two more than another one gives one back, which is then asked for by all.

They know how many each of them holds from their heartbeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fishchat.bus.channels import Heartbeat
from fishchat.interfaces import IBus
from fishchat.services.heartbeat import listen


class IShared(Protocol):
    """A shard as this router sees it."""

    @property
    def holds(self) -> bool:
        """Whether this router is the one that reads it."""

    def give_up(self) -> None:
        """Leave it to another router, and do not ask for it before that one has had the time to."""


class Sharing:
    """Listens to the other routers. ``id`` is this one's name in its heartbeats."""

    def __init__(self, id: str, shards: Sequence[IShared]) -> None:
        self._id = id
        self._shards = shards

    def listen(self, bus: IBus) -> None:
        """Begin to hear of them."""
        listen(bus, self._heard)

    @property
    def held(self) -> int:
        """How many this router holds."""
        return sum(shard.holds for shard in self._shards)

    def _heard(self, beat: Heartbeat) -> None:
        if beat.role != "router" or beat.id == self._id or beat.stopping:
            return
        # One more would only change places.
        if self.held >= beat.figures.get("shards", 0) + 2:
            next(shard for shard in self._shards if shard.holds).give_up()
