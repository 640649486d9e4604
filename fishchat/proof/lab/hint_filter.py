"""Changes the messages from Redis to a subscriber: they are lost, arrive twice, or arrive after the next ones."""

from __future__ import annotations

from collections import Counter
from random import Random

#: The beginning of a message to a subscriber; its channel follows.
_MESSAGE = b"*3\r\n$7\r\nmessage\r\n$"


class HintFilter:
    """Finds the messages that Redis sends on a connection of a subscriber; everything else passes unchanged.

    :param prefix: the prefix of the channels whose messages are disturbed. :param drop: the share that is lost; the
    share ``double`` arrives twice, ``late`` arrives after the next message.
    """

    def __init__(self, prefix: bytes, drop: float, double: float, late: float, random: Random) -> None:
        self.counts: Counter[str] = Counter()
        self._random = random
        self._rest = b""
        self._kept: list[bytes] = []
        self.disturb(prefix, drop, double, late)

    def disturb(self, prefix: bytes, drop: float, double: float, late: float) -> None:
        """Use these values from now on."""
        self._prefix = prefix
        self._drop, self._double, self._late = drop, double, late

    def heal(self) -> None:
        """Disturb nothing from now on; delayed messages follow with the next one."""
        self._drop = self._double = self._late = 0.0

    def edit(self, data: bytes) -> bytes:
        """Take bytes, and return those that pass. ValueError when they are not of Redis' protocol."""
        self._rest += data
        out: list[bytes] = []
        start = 0
        while (end := _end(self._rest, start)) is not None:
            raw = self._rest[start:end]
            start = end
            if raw.startswith(_MESSAGE) and raw.split(b"\r\n", 4)[4].startswith(self._prefix):
                self._disturb(raw, out)
            else:
                out.append(raw)
        self._rest = self._rest[start:]
        return b"".join(out)

    def _disturb(self, raw: bytes, out: list[bytes]) -> None:
        chance = self._random.random()
        kept, self._kept = self._kept, []
        if chance < self._drop:
            self.counts["dropped"] += 1
        elif chance < self._drop + self._double:
            self.counts["doubled"] += 1
            out += [raw, raw]
        elif chance < self._drop + self._double + self._late:
            self.counts["late"] += 1
            self._kept.append(raw)
        else:
            out.append(raw)
        out += kept


def _end(data: bytes, start: int) -> int | None:
    """Return the end of the reply that begins at ``start``; None if it is not complete."""
    replies = 1
    while replies:
        line = data.find(b"\r\n", start)
        if line < 0:
            return None
        kind, value = data[start : start + 1], data[start + 1 : line]
        start = line + 2
        replies -= 1
        if kind == b"*":
            replies += max(0, int(value))
        elif kind == b"$":
            # A nil has no data.
            start += int(value) + 2 if int(value) >= 0 else 0
        elif kind not in b"+-:":
            raise ValueError(f"a reply of Redis cannot begin with {kind!r}")
    return start if start <= len(data) else None
