"""A token bucket: the rate limit of one connection. It has no clock."""

from __future__ import annotations


class Bucket:
    """Holds at most ``burst`` tokens and fills at ``rate`` per second."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float) -> float:
        """Take a token and return 0; else return the seconds until the next one, and take nothing."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0

    def owe(self) -> None:
        """Take a token that is not there yet."""
        self._left -= 1

    def give_back(self) -> None:
        """Put the last token back."""
        self._left = min(self._burst, self._left + 1)
