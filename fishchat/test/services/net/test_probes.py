"""Connections on which nobody speaks are looked after by the kernel."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.services.net.keepalive import GONE_AFTER
from fishchat.services.net.listen import Listener
from fishchat.services.net.probes import BETWEEN, IDLE, PROBES, UNACKNOWLEDGED, probe
from fishchat.test.support.waiting import until

NAMES = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")


class Inherited(TestCase):
    """A real listener."""

    if not all(hasattr(socket, name) for name in NAMES):
        skip = "this system lacks some of the options"

    async def test_inherited(self) -> None:
        """An accepted connection has the options: a dead peer is found in the time in which a silent program is."""
        accepted: list[Protocol] = []

        class Kept(Protocol):
            def connectionMade(self) -> None:
                accepted.append(self)

        listener = Listener("127.0.0.1:0", Factory.forProtocol(Kept), "msg_server.listen", reactor)
        listener.startService()
        self.addCleanup(listener.stopService)
        with socket.create_connection(("127.0.0.1", listener.port)):
            await until(lambda: accepted)
            transport: Any = accepted[0].transport
            inner = transport.socket
            self.assertEqual(inner.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)
            found = [inner.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in NAMES]
        self.assertEqual(found, [IDLE, BETWEEN, PROBES, UNACKNOWLEDGED])
        self.assertEqual((IDLE + BETWEEN * PROBES, UNACKNOWLEDGED), (GONE_AFTER, GONE_AFTER * 1000))
        await until(lambda: transport.disconnected)


class Systems(SynchronousTestCase):
    """Other systems than this one."""

    def probe(self, **options: int) -> tuple[list[str], list[tuple[int, int, int]]]:
        """What a system with these options lacks, and what was set."""
        asked: list[tuple[int, int, int]] = []
        system = SimpleNamespace(SOL_SOCKET=1, SO_KEEPALIVE=9, IPPROTO_TCP=6, **options)
        listening: Any = SimpleNamespace(setsockopt=lambda *args: asked.append(args))
        return probe(listening, system), asked

    def test_macos(self) -> None:
        """The time until the first probe has another name there."""
        missing, asked = self.probe(TCP_KEEPALIVE=16, TCP_KEEPINTVL=257, TCP_KEEPCNT=258)
        self.assertEqual(missing, ["TCP_USER_TIMEOUT"])
        self.assertEqual(asked, [(1, 9, 1), (6, 16, IDLE), (6, 257, BETWEEN), (6, 258, PROBES)])

    def test_nothing(self) -> None:
        """Where there is nothing to set, the system's own times hold, and the caller can say so."""
        missing, asked = self.probe()
        self.assertEqual((missing, asked), (list(NAMES), [(1, 9, 1)]))
