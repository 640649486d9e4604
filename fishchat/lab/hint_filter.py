"""Changes what Redis' channels say to a subscriber: messages are lost, come twice, or behind the next ones."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import hiredis


class HintFilter:
    """Takes apart what Redis sends on a connection of a subscriber, and puts it together again.

    :param prefix: of the channels whose messages are disturbed; everything else passes as it is.
    :param drop: the share that is lost; ``double`` comes twice, ``late`` behind the next message.
    """

    def __init__(self, prefix: bytes, drop: float, double: float, late: float, random: Random) -> None:
        self.counts: Counter[str] = Counter()
        self._random = random
        self._reader = hiredis.Reader()
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
        """What is to be passed on of all that has come and was not yet."""
        self._reader.feed(data)
        out: list[bytes] = []
        while (reply := self._reader.gets()) is not False:
            raw = _encoded(reply)
            if isinstance(reply, list) and reply[:1] == [b"message"] and reply[1].startswith(self._prefix):
                self._disturb(raw, out)
            else:
                out.append(raw)
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


def _encoded(reply: Any) -> bytes:
    """A reply as Redis writes it: a subscriber hears arrays of words and numbers, and short answers."""
    if isinstance(reply, list):
        return b"*%d\r\n%b" % (len(reply), b"".join(map(_encoded, reply)))
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, hiredis.ReplyError):
        return b"-%b\r\n" % str(reply).encode()
    if reply is None:
        return b"$-1\r\n"
    return b"$%d\r\n%b\r\n" % (len(reply), reply)
