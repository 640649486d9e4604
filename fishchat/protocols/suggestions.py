"""The known word that a mistyped one is nearest to. No I/O.

A peer may mistype as fast as it can send, so this takes microseconds where difflib takes hundreds of them. It knows one
letter too many, too few, another, or two exchanged; a piece of a longer word; a word that goes wrong towards its end.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from itertools import takewhile
from operator import eq

#: Letters of a word that is looked at at all.
SHORTEST, LONGEST = 3, 40


def _forms(word: bytes) -> list[bytes]:
    """``word``, and what is left of it without one of its letters."""
    return [word, *(word[:at] + word[at + 1 :] for at in range(len(word)))]


class Near:
    """Looks among ``words``."""

    def __init__(self, words: Iterable[bytes]) -> None:
        self._words = sorted(words)
        self._by_form: dict[bytes, bytes] = {}
        for word in self._words:
            for form in _forms(word):
                self._by_form.setdefault(form, word)

    def find(self, word: bytes) -> bytes | None:
        """The nearest word; None when none is near."""
        if not SHORTEST <= len(word) <= LONGEST:
            return None
        for form in _forms(word):
            if (found := self._by_form.get(form)) is not None:
                return found
        return next((known for known in self._words if word in known), None) or self._alike(word)

    def _alike(self, word: bytes) -> bytes | None:
        """The word that begins alike: in their order it is a neighbour."""
        at = bisect(self._words, word)
        neighbours = self._words[max(at - 1, 0) : at + 1]
        alike, best = max((sum(takewhile(bool, map(eq, word, known))), known) for known in neighbours)
        return best if alike * 3 >= len(word) * 2 else None
