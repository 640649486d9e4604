from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.routing import Entry, group

#: When the messages of an entry were stored.
TIME = 1_700_000_000_000


def entry(*routes: tuple[int, int, int, bytes], origin: bytes = b"ms1") -> Entry:
    """An entry whose messages are numbered by their place."""
    messages: list[Any] = []
    for n in range(4):
        messages += [b"c%d" % n, b"alice/main", -1, b"body%d" % n, b"alice", b"bob"]
    flat = [value for place, *rest in routes for value in (place * 6, *rest)]
    return Entry.of([origin, b"x", b"7", b"/sysctrl/send", [], messages, []], flat, TIME)


class Grouping(SynchronousTestCase):
    """Each server gets the hints for its own devices."""

    def test_targets(self) -> None:
        """Each server gets its messages, in their order, in one batch."""
        found = group(entry((0, 1, 0, b"ms2"), (1, 5, 3, b"ms2 ms3"), (3, 9, 0, b"ms3")))
        self.assertEqual(
            found,
            {
                b"ms2": [b"c0", 1, b"body0", 0, TIME, b"c1", 5, b"body1", 3, TIME],
                b"ms3": [b"c1", 5, b"body1", 3, TIME, b"c3", 9, b"body3", 0, TIME],
            },
        )

    def test_not_the_sender(self) -> None:
        """The server that stored them knows them."""
        self.assertEqual(list(group(entry((0, 1, 0, b"ms1 ms2")))), [b"ms2"])
        self.assertEqual(group(entry((0, 1, 0, b"ms1"))), {})

    def test_named_twice(self) -> None:
        """Both accounts' devices may be on one server: it gets one hint."""
        self.assertEqual(group(entry((0, 1, 0, b"ms2 ms2"))), {b"ms2": [b"c0", 1, b"body0", 0, TIME]})
