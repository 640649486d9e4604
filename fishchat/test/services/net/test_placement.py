"""A placement that hears heartbeats."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.bus import channels
from fishchat.model.placement import Placement, Way
from fishchat.services.net.placement import follow
from fishchat.testing.memory_bus import MemoryBus


class Following(SynchronousTestCase):
    """What a heartbeat changes."""

    def setUp(self) -> None:
        self.bus = MemoryBus()
        self.clock = Clock()
        self.placement = Placement([], Random(7))
        follow(self.placement, self.bus, self.clock, but="own")

    def beat(self, **values: Any) -> None:
        """A heartbeat of a msg_server, unless said otherwise."""
        beat = channels.Heartbeat(**{"role": "msg_server", "id": "ms1", "pid": 7, "address": "192.0.2.1:1", **values})
        self.bus.publish(channels.MONITOR, beat.encode())

    def chosen(self, secure: bool = False, web: bool = False) -> list[str]:
        """What is offered now."""
        return self.placement.choose(self.clock.seconds(), Way(secure, web))

    def test_heard(self) -> None:
        """A msg_server is offered, with TLS where it says so, until it stops."""
        self.beat(capacity=10, clients=3, address_tls="192.0.2.1:2")
        self.assertEqual((self.chosen(), self.chosen(secure=True)), (["192.0.2.1:1"], ["192.0.2.1:2"]))
        self.assertEqual((self.chosen(web=True), self.chosen(True, web=True)), ([], []))
        self.beat(capacity=10, clients=3, address_web="192.0.2.1:3", address_web_tls="192.0.2.1:4")
        self.assertEqual((self.chosen(web=True), self.chosen(True, web=True)), (["192.0.2.1:3"], ["192.0.2.1:4"]))
        self.beat(stopping=True, pid=8)
        self.assertEqual(self.chosen(), ["192.0.2.1:1"])
        self.beat(stopping=True)
        self.assertEqual(self.chosen(), [])

    def test_left_out(self) -> None:
        """Other roles, the server itself, and addresses that are none are not."""
        self.beat(role="gateway")
        self.beat(id="own")
        self.beat(address="somewhere")
        self.beat(address_tls="somewhere")
        self.assertEqual(self.chosen(), [])
