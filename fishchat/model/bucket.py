"""A token bucket: how fast one connection may send. No clock of its own."""

from __future__ import annotations


class Bucket:
    """Holds ``burst`` tokens at most and fills at ``rate`` a second."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float) -> float:
        """0 when a token was there; else the seconds until the next one, and nothing is taken."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0

    def give_back(self) -> None:
        """The last token was not used after all."""
        self._left = min(self._burst, self._left + 1)
