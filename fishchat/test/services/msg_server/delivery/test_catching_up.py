"""Answers of the store that are older than a change of the membership."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.device import Device
from fishchat.services.msg_server.delivery.delivery import Delivery
from fishchat.storage.epoch import Epoch
from fishchat.storage.logs.calls import Known
from fishchat.storage.packing import pack
from fishchat.test.support.owners import Unending
from fishchat.testing.fake_store import FakeStore

POND = b"#pond"
JOINED = [b"7-20", b"", b"7-10:", 2]
LEFT = [b"7-20", b"", b"7-10:7-20", 3]


class Stale(SynchronousTestCase):
    """bob is a member from message 11, and leaves after message 20."""

    def setUp(self) -> None:
        """His device is live at the end of the log, with the membership version 2."""
        self.store = FakeStore()
        self.delivery = Delivery(self.store, Epoch(lambda: 0.0), Clock())
        owner = Unending()
        self.lines = owner.lines
        self.device = Device(b"bob", b"bob/main", b"ms1 a 1", owner, frozenset(), set())
        known = Known(POND, (7, 20), b"7-20", [((7, 10), None)], 2)
        self.delivery.add(self.device, [known])
        self.delivery.rooms.conversations[POND].version = 2
        self.lines.clear()

    def next_message(self) -> None:
        """Another server stores message 21 after bob has left."""
        self.delivery.rooms.told(POND, 7, 21, b"alice main -1 - not for bob", 3, 0)

    def test_question(self) -> None:
        """An answer from before the end of a membership does not begin it again."""
        self.delivery.ask(self.device, POND)
        self.delivery.membership.left(b"bob", POND, 3)
        self.assertEqual(len(self.store.asked), 2)
        self.store.answer(JOINED)
        self.next_message()
        self.assertEqual(self.lines, [])
        self.store.answer(LEFT)
        self.assertEqual((self.lines, self.device.readings), ([], {}))

    def test_sweep(self) -> None:
        """A sweep from before the end of a membership does not begin it again."""
        self.delivery.sweep()
        self.delivery.membership.left(b"bob", POND, 3)
        self.store.answer([self.device.session, pack(POND, *JOINED)])
        self.next_message()
        self.assertEqual(self.lines, [])
        self.store.answer(LEFT)
        self.assertEqual((self.lines, self.device.readings), ([], {}))
