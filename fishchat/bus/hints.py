"""The batches of messages on ``/msg_server/<id>``: MessagePack, a flat array for speed.

``[shard, generation, number, epoch, conversation, seq, body, version, time, conversation, …]``. With seq 0 it is a
signal, which is stored nowhere: ``conversation`` names its recipients, ``body`` is the push line for them. A batch
that ends after the epoch is a sweep order: the router lost its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgpack

#: Values before the messages, and of each message.
_HEAD, EACH = 4, 5


@dataclass(slots=True)
class Hints:
    """One batch for one msg_server."""

    shard: int
    generation: int
    number: int
    epoch: int
    flat: list[Any]

    def encode(self) -> bytes:
        """Return the payload."""
        packed: bytes = msgpack.packb(
            [self.shard, self.generation, self.number, self.epoch, *self.flat], use_bin_type=True
        )
        return packed

    @classmethod
    def decode(cls, payload: bytes) -> Hints:
        """Return the batch of a payload. Raises ValueError for anything that no router sends."""
        try:
            values = msgpack.unpackb(payload, raw=True)
        except (msgpack.UnpackException, TypeError, ValueError) as error:
            raise ValueError(f"no batch of hints: {error}") from None
        if type(values) is not list or len(values) < _HEAD or (len(values) - _HEAD) % EACH:
            raise ValueError("no batch of hints, or one that is cut off")
        head, flat = values[:_HEAD], values[_HEAD:]
        # Checked in one pass per column: a batch may hold hundreds of messages.
        numbers = {*map(type, head), *map(type, flat[1::EACH]), *map(type, flat[3::EACH]), *map(type, flat[4::EACH])}
        if numbers != {int} or not {*map(type, flat[::EACH]), *map(type, flat[2::EACH])} <= {bytes} or min(head) < 0:
            raise ValueError("something in a batch of hints is of another type")
        shard, generation, number, epoch = head
        return cls(shard, generation, number, epoch, flat)

    @property
    def sweep(self) -> bool:
        """Whether this batch orders a sweep."""
        return not self.flat

    def messages(self) -> Iterator[tuple[bytes, int, bytes, int, int]]:
        """Return conversation, number, body, membership version and time in ms of each message."""
        values = iter(self.flat)
        return zip(values, values, values, values, values, strict=True)
