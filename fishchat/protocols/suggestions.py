"""Suggests the known word that is nearest to a mistyped one. No I/O.

A peer may mistype as fast as it can send, so this takes microseconds where difflib takes hundreds. It finds a word with
one letter added, missing, replaced or two swapped; a part of a longer word; and a word that is wrong only at its end.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from itertools import takewhile
from operator import eq

#: Lengths of the words for which there are suggestions.
SHORTEST, LONGEST = 3, 40
#: Words of other protocols, which are no mistyped verbs although some are near.
_FOREIGN = {b"GET", b"PUT", b"HEAD", b"POST"}


def _forms(word: bytes) -> list[bytes]:
    """Return ``word``, and every form of it that lacks one letter."""
    return [word, *(word[:at] + word[at + 1 :] for at in range(len(word)))]


class Near:
    """Finds suggestions among ``words``."""

    def __init__(self, words: Iterable[bytes]) -> None:
        self._words = sorted(words)
        self._by_form: dict[bytes, bytes] = {}
        for word in self._words:
            for form in _forms(word):
                self._by_form.setdefault(form, word)

    def find(self, word: bytes) -> bytes | None:
        """Return the nearest word, or None if no word is near."""
        if not SHORTEST <= len(word) <= LONGEST or word in _FOREIGN:
            return None
        for form in _forms(word):
            if (found := self._by_form.get(form)) is not None:
                return found
        return next((known for known in self._words if word in known), None) or self._alike(word)

    def _alike(self, word: bytes) -> bytes | None:
        """Return the word with the longest common beginning; in sorted order it is a neighbour."""
        at = bisect(self._words, word)
        neighbours = self._words[max(at - 1, 0) : at + 1]
        alike, best = max((sum(takewhile(bool, map(eq, word, known))), known) for known in neighbours)
        return best if alike * 3 >= len(word) * 2 else None
