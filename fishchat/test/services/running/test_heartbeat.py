from __future__ import annotations

import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat import __version__
from fishchat.bus import channels
from fishchat.services.running.heartbeat import MOST, Heartbeat, Load, listen
from fishchat.testing.memory_bus import MemoryBus


class Beating(SynchronousTestCase):
    """Every role says every two seconds that it is there."""

    def setUp(self) -> None:
        """Somebody listens."""
        self.clock = Clock()
        self.bus = MemoryBus()
        self.heard: list[channels.Heartbeat] = []
        listen(self.bus, self.heard.append)
        self.load = Load("127.0.0.1:19000", clients=3, capacity=10, figures={"messages": 7.0})
        self.heart = Heartbeat(self.bus, "msg_server", lambda: self.load, self.clock, id="ms1", wall=lambda: 1000.5)

    def test_said(self) -> None:
        """Everything that others need to know, at once at the start."""
        self.heart.startService()
        self.assertEqual(
            self.heard,
            [
                channels.Heartbeat(
                    role="msg_server",
                    id="ms1",
                    address="127.0.0.1:19000",
                    pid=os.getpid(),
                    at=1000500,
                    uptime=0,
                    version=__version__,
                    clients=3,
                    capacity=10,
                    figures={"messages": 7.0},
                )
            ],
        )

    def test_every_two_seconds(self) -> None:
        """With the figures of the moment and the time since the start."""
        self.clock.advance(100)
        self.heart.startService()
        self.load = Load(clients=4)
        self.clock.pump([1] * 4)
        self.assertEqual([said.uptime for said in self.heard], [0, 2000, 4000])
        self.assertEqual([said.clients for said in self.heard], [3, 4, 4])

    def test_good_bye(self) -> None:
        """The last one says that it is; then there are no more."""
        self.heart.startService()
        self.heart.stopService()
        self.clock.advance(10)
        self.assertEqual([said.stopping for said in self.heard], [False, True])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_out_of_turn(self) -> None:
        """A change may be told at once."""
        self.heart.startService()
        self.heart.beat()
        self.assertEqual(len(self.heard), 2)

    def test_failing_figures(self) -> None:
        """Figures that fail are logged and left out; the role still lives."""
        heart = Heartbeat(self.bus, "router", lambda: 1 / 0, self.clock)  # type: ignore[arg-type,return-value]
        heart.startService()
        self.clock.advance(2)
        self.assertEqual([said.figures for said in self.heard], [{}, {}])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.assertIn(str(os.getpid()), self.heard[0].id)

    def test_no_heartbeat(self) -> None:
        """What is none, or far too long, is left out; unknown fields of a newer version are not minded."""
        unreadable = b'{"role":"x\xff","id":"y"}'
        endless = b'{"role":"x","id":"' + b"x" * MOST + b'"}'
        for payload in (b"", b"\xff", b"[]", b'{"role":"x"}', unreadable, endless):
            self.bus.publish(channels.MONITOR, payload)
        self.assertEqual(self.heard, [])
        self.bus.publish(channels.MONITOR, b'{"role":"x","id":"y","mood":"fine"}')
        self.assertEqual([said.id for said in self.heard], ["y"])
