"""The batches of messages on ``/msg_server/<id>``: MessagePack, a flat array for speed.

``[shard, generation, number, epoch, conversation, seq, body, version, conversation, …]``; a receipt has seq 0. A batch
with nothing behind the epoch is a sweep order: the router lost its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgpack

#: Values in front of the messages, and of each message.
_HEAD, _EACH = 4, 4


@dataclass(slots=True)
class Hints:
    """One batch for one msg_server."""

    shard: int
    generation: int
    number: int
    epoch: int
    flat: list[Any]

    def encode(self) -> bytes:
        """As it travels."""
        packed: bytes = msgpack.packb(
            [self.shard, self.generation, self.number, self.epoch, *self.flat], use_bin_type=True
        )
        return packed

    @classmethod
    def decode(cls, payload: bytes) -> Hints:
        """Raises ValueError for anything that no router sends."""
        try:
            values = msgpack.unpackb(payload, raw=True)
            shard, generation, number, epoch = values[:_HEAD]
        except (msgpack.UnpackException, TypeError, ValueError) as error:
            raise ValueError(f"no batch of hints: {error}") from None
        if (len(values) - _HEAD) % _EACH:
            raise ValueError("a batch of hints is cut off")
        return cls(shard, generation, number, epoch, values[_HEAD:])

    @property
    def sweep(self) -> bool:
        """Whether this orders a sweep."""
        return not self.flat

    def messages(self) -> Iterator[tuple[bytes, int, bytes, int]]:
        """Conversation, number, body and membership version of each message."""
        values = iter(self.flat)
        return zip(values, values, values, values, strict=True)
