"""Numbered hints: whether one was lost. No I/O.

The router of a shard numbers what it sends to each msg_server, and stores the last number once a second; the server
compares both. A generation is one router's time at a shard; the next one goes on with the stored numbers, so
that it may repeat numbers but never leave one out.
"""

from __future__ import annotations


class HintNumbers:
    """What one msg_server has seen of one shard. At first that is nothing, so that any number tells of a loss."""

    def __init__(self) -> None:
        self._generation = 0
        self._number = 0

    def start(self, generation: int, number: int) -> None:
        """What the store says when the server begins to listen: nothing before it is missed."""
        self._generation, self._number = generation, number

    def hint(self, generation: int, number: int) -> bool:
        """A hint came. False when one before it was lost."""
        fits = number == self._number + 1
        if generation != self._generation:
            fits = number <= self._number + 1
        self.start(generation, number)
        return fits

    def stored(self, generation: int, number: int) -> bool:
        """What the router has stored as its last number. False when that never came here."""
        if generation < self._generation:
            return True
        fits = number <= self._number
        if not fits:
            self.start(generation, number)
        return fits
