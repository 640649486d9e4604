"""Changes what Redis' channels say to a subscriber: messages are lost, come twice, or behind the next ones."""

from __future__ import annotations

from collections import Counter
from random import Random

#: What a message to a subscriber begins with; its channel is next.
_MESSAGE = b"*3\r\n$7\r\nmessage\r\n$"


class HintFilter:
    """Finds the messages in what Redis sends on a connection of a subscriber; all else passes byte by byte.

    :param prefix: of the channels whose messages are disturbed; everything else passes as it is.
    :param drop: the share that is lost; ``double`` comes twice, ``late`` behind the next message.
    """

    def __init__(self, prefix: bytes, drop: float, double: float, late: float, random: Random) -> None:
        self.counts: Counter[str] = Counter()
        self._random = random
        self._rest = b""
        self._kept: list[bytes] = []
        self.disturb(prefix, drop, double, late)

    def disturb(self, prefix: bytes, drop: float, double: float, late: float) -> None:
        """Do this from now on."""
        self._prefix = prefix
        self._drop, self._double, self._late = drop, double, late

    def heal(self) -> None:
        """Disturb nothing more; what was kept back comes with the next message."""
        self._drop = self._double = self._late = 0.0

    def edit(self, data: bytes) -> bytes:
        """What is to be passed on of all that has come and was not yet. ValueError when Redis does not speak so."""
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
    """Where the reply that begins at ``start`` ends; None when not all of it is there."""
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
            # Nil has no end of its own.
            start += int(value) + 2 if int(value) >= 0 else 0
        elif kind not in b"+-:":
            raise ValueError(f"no reply of Redis begins with {kind!r}")
    return start if start <= len(data) else None
