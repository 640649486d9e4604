"""A probe complains of an answer that is late, and of none while its msg_server is stopped."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.journal import Answered, Journal
from fishchat.proof.lab.probe import ANSWERED, GRACE, Probe
from fishchat.proof.lab.reading import read
from fishchat.proof.lab.record import Recorder


class ProbeTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A probe with a connection that has logged in."""
        self.clock = Clock()
        self.path = Path(self.mktemp())
        self.recorder = Recorder(self.path, self.clock.seconds)
        self.addCleanup(self.recorder.close)
        self.probe = Probe(self.clock, 1, "ms1", self.recorder)
        self.line = self.probe.connection()
        self.line.makeConnection(StringTransport())
        self.line.dataReceived(b"HELLO fishchat/1\r\nOK SEND_CLIENT_ID probe-ms1\r\nRESP_SYNCED\r\n")
        self.pass_time(0.25)

    def pass_time(self, seconds: float) -> None:
        """Move the clock in small steps."""
        self.clock.pump([0.25] * round(seconds / 0.25))

    def journal(self) -> Journal:
        """Return what it has recorded so far."""
        self.recorder.flush()
        return read(self.path)

    def test_stored(self) -> None:
        """Each message that is acknowledged is recorded, with the time of its sending."""
        self.clock.advance(1.0)
        self.line.dataReceived(b"OK SEND_MESSAGE_P2P probe-ms1+probe-ms1:1-1\r\n")
        self.assertEqual(self.journal().probed, {"ms1": [Answered(0.25, 1.25)]})
        self.assertEqual((self.probe.stored, self.probe.longest), (1, 1.0))

    def test_late(self) -> None:
        """An answer that does not come in time is a complaint, and the connection is given up."""
        self.pass_time(ANSWERED + GRACE + 0.05)
        self.assertEqual(len(self.journal().complaints["slow"]), 1)

    def test_paused(self) -> None:
        """While its msg_server is stopped nothing is due; afterwards the time begins anew."""
        self.probe.pause()
        self.pass_time(20.0)
        self.probe.resume()
        self.pass_time(ANSWERED)
        self.assertEqual(self.journal().complaints, {})
        self.pass_time(GRACE + 0.05)
        self.assertEqual(len(self.journal().complaints["slow"]), 1)
