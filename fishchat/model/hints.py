"""Detection of lost hints by their numbers. No I/O.

The router of a shard numbers its hints to each msg_server, and stores the last number once a second. The server
compares both. A generation is the period for which one router holds a shard. The next one continues with the stored
numbers, so that it may repeat numbers but never skips one.
"""

from __future__ import annotations


class HintNumbers:
    """The hints of one shard that one msg_server has received. Initially none, so that any number reveals a loss."""

    def __init__(self) -> None:
        self._generation = 0
        self._number = 0

    def start(self, generation: int, number: int) -> None:
        """Take the stored state when the server begins to listen: nothing before it is missed."""
        self._generation, self._number = generation, number

    def hint(self, generation: int, number: int) -> bool:
        """Record a hint. Return False when one before it was lost."""
        fits = number == self._number + 1
        if generation != self._generation:
            fits = number <= self._number + 1
        self.start(generation, number)
        return fits

    def stored(self, generation: int, number: int) -> bool:
        """Compare the router's last stored number. Return False when that hint was never received."""
        if generation < self._generation:
            return True
        fits = number <= self._number
        if not fits:
            self.start(generation, number)
        return fits
