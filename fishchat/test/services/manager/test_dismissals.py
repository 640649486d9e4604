"""The dismissals that the manager finishes."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.bus.channels import TopicSync
from fishchat.features.topics.calls import RELEASED
from fishchat.services.manager.dismissals import EVERY, Dismissals
from fishchat.storage.redis import ReplyError, Unknown
from fishchat.testing.fake_store import FakeStore


class Finishing(SynchronousTestCase):
    """Two topics, and a store that answers when the test says so."""

    def setUp(self) -> None:
        """Begin a round."""
        self.clock = Clock()
        self.store = FakeStore()
        self.published: list[str] = []
        bus: Any = self
        store: Any = self.store
        self.dismissals = Dismissals(store, bus, self.clock)
        self.dismissals.startService()
        self.clock.advance(EVERY)
        self.store.answer([b"pond", b"lake"])

    def tearDown(self) -> None:
        """End the rounds."""
        if self.dismissals.running:
            self.dismissals.stopService()

    def publish(self, channel: str, payload: bytes) -> None:
        """See IBus."""
        self.published += TopicSync.decode(payload).topics

    def assert_asked(self, topic: bytes) -> None:
        """A step of this topic waits for its answer."""
        self.assertEqual([asked.values for asked in self.store.asked], [[topic, RELEASED]])

    def test_both(self) -> None:
        """Each is released in steps, then published."""
        self.assert_asked(b"pond")
        self.store.answer(1)
        self.assertEqual(self.published, [])
        self.assert_asked(b"pond")
        self.store.answer(0)
        self.assertEqual(self.published, ["pond"])
        self.assert_asked(b"lake")
        self.store.answer(0)
        self.assertEqual((self.published, self.store.asked), (["pond", "lake"], []))

    def test_one_fails(self) -> None:
        """The other is finished all the same."""
        self.store.answer(ReplyError("WRONGTYPE"))
        self.assert_asked(b"lake")
        self.store.answer(0)
        self.assertEqual(self.published, ["lake"])
        self.assertEqual(len(self.flushLoggedErrors(ReplyError)), 1)

    def test_store_away(self) -> None:
        """The next round continues."""
        self.store.answer(Unknown("no reply"))
        self.assertEqual((self.published, self.store.asked), ([], []))
        self.clock.advance(EVERY)
        self.store.answer([b"lake"])
        self.assert_asked(b"lake")

    def test_stopped(self) -> None:
        """A manager that stops begins no step and publishes nothing unfinished."""
        self.dismissals.stopService()
        self.store.answer(1)
        self.assertEqual((self.published, self.store.asked), ([], []))
