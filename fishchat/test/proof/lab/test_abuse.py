"""The measurements of abuse, with few of those who abuse: they come to an end, and the limits are kept."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.proof.lab.abuse import LONGEST, PER_CONNECTION, slope, slow_handshakes, stuck_readers, visits
from fishchat.proof.lab.rude import Reader
from fishchat.proof.processes import MISSING
from fishchat.test.support.waiting import until


class Measured(TestCase):
    """Each of them, small."""

    timeout = 150
    if MISSING:
        skip = MISSING

    async def test_stuck_readers(self) -> None:
        """Who does not read takes little, and nobody else has to wait; that they are cut off takes half a minute."""
        figures = await stuck_readers(reactor, readers=3, patience=0)
        self.assertEqual((figures["left"], figures["kept"]), (3, False), figures)
        self.assertLess(figures["kib_per_reader"], PER_CONNECTION)
        self.assertLess(figures["others"]["meanwhile"]["longest_ms"], LONGEST * 1000)

    async def test_half_logins(self) -> None:
        """Many come and go in the midst of a login, and memory does not grow with them."""
        figures = await visits(reactor, count=1000, seconds=60, kind="half-logins")
        self.assertEqual((figures["visits"], figures["refused"]), (1000, 0))
        self.assertTrue(figures["kept"], figures)

    async def test_half_handshakes(self) -> None:
        """The same in the midst of a TLS handshake."""
        figures = await visits(reactor, count=500, seconds=60, kind="half-handshakes")
        self.assertEqual((figures["visits"], figures["refused"]), (500, 0))
        self.assertTrue(figures["kept"], figures)

    async def test_slow_handshakes(self) -> None:
        """Handshakes that do not end are ended, and others get in."""
        figures = await slow_handshakes(reactor, count=10, rounds=1)
        self.assertEqual(figures["left"], 0)
        self.assertTrue(figures["kept"], figures)


class Readers(TestCase):
    """One that does not read."""

    timeout = 20

    async def test_cut_off(self) -> None:
        """It finds out that the other side has ended the connection, although it reads nothing."""
        accepted: list[Any] = []

        class Server(Protocol):
            def connectionMade(self) -> None:
                accepted.append(self)

        serving: Any = Factory.forProtocol(Server)
        listening: Any = reactor.listenTCP(0, serving, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", listening.getHost().port)
        factory: Any = Factory.forProtocol(lambda: Reader("alice", "loud"))
        reader: Any = await endpoint.connect(factory)
        self.addCleanup(reader.leave)
        reader.stop_reading()
        await until(lambda: accepted)
        self.assertFalse(reader.cut_off)
        accepted[0].transport.abortConnection()
        await until(lambda: reader.cut_off)


class Slopes(SynchronousTestCase):
    """The line through samples."""

    def test_line(self) -> None:
        """Of a straight line it is its own, of one place none."""
        self.assertAlmostEqual(slope([(x, 3 * x + 7) for x in range(10)]), 3.0)
        self.assertEqual(slope([(5, 1), (5, 9)]), 0.0)
