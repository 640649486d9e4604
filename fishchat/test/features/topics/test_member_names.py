"""The names of members that are kept between two pages."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from fishchat.features.topics.member_names import KEPT, LIFE, MemberNames
from fishchat.storage.ask import Ask


class Paging(SynchronousTestCase):
    """A store in which each topic has two steps of names."""

    def setUp(self) -> None:
        """Nothing is kept yet."""
        self.asked: list[Any] = []
        self.version = 5
        self.steps = 2
        self.growing = False
        self.names = MemberNames(self.call)

    def call(self, ask: Ask[Any]) -> Deferred[Any]:
        """Answer as the script does."""
        _, _, cursor, known = ask.values
        self.asked.append(cursor)
        if self.version == known:
            return succeed(ask.parse([b"OK", b"0", [], self.version]))
        self.version += self.growing
        if cursor == b"0" and self.steps > 1:
            return succeed(ask.parse([b"OK", b"1", [b"c", b"a"], self.version]))
        return succeed(ask.parse([b"OK", b"0", [b"b", b"a"], self.version]))

    def take(self, now: float = 0, topic: bytes = b"pond", account: bytes = b"a") -> int:
        """Return the number of calls that the names took."""
        self.asked.clear()
        names = self.successResultOf(Deferred.fromCoroutine(self.names.of(account, topic, now)))
        self.assertEqual(names, [b"a", b"b", b"c"] if self.steps > 1 else [b"a", b"b"])
        return len(self.asked)

    def test_same_version(self) -> None:
        """The next page takes one call, for any member, until the names are too old."""
        self.assertEqual([self.take(), self.take(1), self.take(LIFE - 1, account=b"b")], [2, 1, 1])
        self.assertEqual([self.take(LIFE), self.take(LIFE + 1)], [2, 1])

    def test_other_version(self) -> None:
        """After a join or leave they are read again."""
        self.take()
        self.version += 1
        self.assertEqual([self.take(), self.take()], [2, 1])

    def test_changed_meanwhile(self) -> None:
        """Names of which some were read before a change are not kept."""
        self.growing = True
        self.take()
        self.growing = False
        self.assertEqual([self.take(), self.take()], [2, 1])

    def test_small(self) -> None:
        """Names that a single step reads are not kept."""
        self.steps = 1
        self.take()
        self.steps = 2
        self.assertEqual(self.take(), 2)

    def test_bounded(self) -> None:
        """The oldest are dropped."""
        for number in range(KEPT + 1):
            self.take(topic=b"t%d" % number)
        self.assertEqual([self.take(topic=b"t%d" % KEPT), self.take(topic=b"t1"), self.take(topic=b"t0")], [1, 1, 2])
