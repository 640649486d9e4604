"""When everything can be used, and what a person is told until then."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import TestCase

from fishchat.proof.processes import free_ports
from fishchat.proof.site import Place, Up
from fishchat.services.launch.readiness import knows_a_server
from fishchat.test.support.waiting import until


class Gateway(LineReceiver):
    """A gateway that knows no server at first; it closes the first connection."""

    factory: Any

    def connectionMade(self) -> None:
        self.factory.asked.append(b"")
        self.sendLine(b"HELLO fishchat/1 server=gateway maxline=8192")
        if len(self.factory.asked) == 1:
            self.sendLine(b"ERR - BUSY retry=2 the gateway is full")
            assert self.transport is not None
            self.transport.loseConnection()

    def lineReceived(self, line: bytes) -> None:
        asked = self.factory.asked
        asked.append(line)
        count = len([one for one in asked if one])
        self.sendLine(
            b"SELECT_MSG_SERVER_FOR_CLIENT 127.0.0.1:1" if count > 3 else b"ERR REQ_MSG_SERVER TRYAGAIN retry=2 later"
        )


class GatewayTests(TestCase):
    timeout = 20

    def test_knows_a_server(self) -> Deferred[None]:
        """The gateway is asked until it offers a msg_server, and the connection ends."""
        return ensureDeferred(self._knows_a_server())

    async def _knows_a_server(self) -> None:
        factory: Any = Factory.forProtocol(Gateway)
        factory.asked = []
        port: Any = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        await knows_a_server(reactor, f"127.0.0.1:{port.getHost().port}")
        self.assertEqual(factory.asked.count(b"REQ_MSG_SERVER"), 4)

    def test_unknown_port(self) -> Deferred[None]:
        """A gateway on any free port cannot be asked, which prevents nothing."""
        return ensureDeferred(knows_a_server(reactor, "127.0.0.1:0"))


class UpTests(TestCase):
    timeout = 90

    def up(self, processes: bool, **settings: str) -> Up:
        """``fishchat up`` as a person starts it."""
        place = Place()
        self.addCleanup(place.close)
        environment = place.environment(PYTHONPATH=os.pathsep.join(sys.path), **settings)
        up = Up(place, environment=environment, processes=processes)
        self.addCleanup(up.kill)
        return up

    def test_interrupted(self) -> Deferred[None]:
        """Ctrl+C during the start ends everything at any moment, with a sentence and without a defect."""
        return ensureDeferred(self._interrupted())

    async def _interrupted(self) -> None:
        moments: tuple[Callable[[Up], bool], ...] = (
            lambda up: "Starting FishChat in" in up.output(),
            lambda up: (up.place.data / "redis.log").exists(),
            lambda up: (up.place.data / "redis.sock").exists(),
        )
        for processes in (False, True):
            for moment in moments:
                up = self.up(processes)
                await until(partial(moment, up), seconds=20)
                up.process.send_signal(signal.SIGINT)
                await until(partial(_has_ended, up), seconds=20)
                last = up.output().splitlines()[-1]
                self.assertIn(last, ("FishChat has stopped.", "FishChat was stopped before it had started."))
                for word in ("Traceback", "cannot tell", "Aborted"):
                    self.assertNotIn(word, up.output())
                self.assertNotIn("redis", up.running())

    def test_ports_of_processes(self) -> Deferred[None]:
        """A start that could not work is refused at once, with both keys."""
        return ensureDeferred(self._ports_of_processes())

    async def _ports_of_processes(self) -> None:
        port = free_ports(1)[0]
        up = self.up(
            True,
            FISHCHAT__MSG_SERVER__LISTEN=f"127.0.0.1:{port}",
            FISHCHAT__MONITOR__LISTEN=f"127.0.0.1:{port + 1}",
        )
        await until(partial(_has_ended, up), seconds=20)
        self.assertEqual(up.process.returncode, 1)
        self.assertIn("monitor.listen: --processes with 2 msg_servers", up.output())
        self.assertNotIn("Traceback", up.output())

    def test_running(self) -> Deferred[None]:
        """As soon as it says that FishChat is running, every role answers: the gateway names a msg_server."""
        return ensureDeferred(self._running())

    async def _running(self) -> None:
        for processes in (False, True):
            up = self.up(processes)
            await until(partial(_is_running, up), seconds=30)
            if processes:
                self.assertEqual(len(up.running()), 7)
            answer = await _asked(up.place.gateway)
            self.assertIn(b"SELECT_MSG_SERVER_FOR_CLIENT", answer)
            self.assertEqual(await up.stop(reactor), 0)

    def test_all_ended_at_once(self) -> Deferred[None]:
        """When a service manager ends all processes at once, everything stops in order, and nothing is a defect."""
        return ensureDeferred(self._all_ended_at_once())

    async def _all_ended_at_once(self) -> None:
        for processes in (False, True):
            up = self.up(processes)
            await until(partial(_is_running, up), seconds=30)
            for pid in (up.process.pid, *up.running().values()):
                os.kill(pid, signal.SIGTERM)
            await until(partial(_has_ended, up), seconds=20)
            self.assertEqual(up.process.returncode, 0)
            self.assertEqual(up.output().splitlines()[-1], "FishChat has stopped.")
            for word in ("restarting", "starting it again", "Traceback"):
                self.assertNotIn(word, up.output())


async def _asked(port: int) -> bytes:
    """Return what a gateway answers to its first question."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.settimeout(5)
        client.sendall(b"REQ_MSG_SERVER\r\nQUIT\r\n")
        return b"".join(iter(lambda: client.recv(1000), b""))


def _has_ended(up: Up) -> bool:
    return up.process.poll() is not None


def _is_running(up: Up) -> bool:
    return "FishChat is running" in up.output()
