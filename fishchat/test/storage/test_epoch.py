"""What a connection is told of the store's epoch."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.storage.epoch import Epoch, run_id
from fishchat.storage.redis import Connection, StoreError
from fishchat.storage.script import script
from fishchat.test.storage.test_redis import ConnectionCase
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.waiting import until

#: 2026-01-01 and a thousand minutes.
NOW = 1767225600 + 60 * 1000


class RunId(SynchronousTestCase):
    """By what a new start of Redis is known."""

    def test_found(self) -> None:
        """It is one line of many."""
        info = b"# Server\r\nredis_version:7.0.15\r\nrun_id:0123abcd\r\ntcp_port:0\r\n"
        self.assertEqual(run_id(info), b"0123abcd")

    def test_missing(self) -> None:
        """Without it nothing may be written."""
        self.assertRaises(StoreError, run_id, b"# Server\r\nredis_version:7.0.15\r\n")


class Epochs(ConnectionCase):
    """A process and its connections."""

    def connect(self, server: RedisServer, epoch: Epoch) -> Connection:
        """A connection that asks before anything else is done on it."""
        connection = self.start(server.url, scripts=(script("servers/epoch"), script("servers/register")))
        connection.prepare.append(epoch.hook)
        return connection

    async def test_known_once_connected(self) -> None:
        """A connection that may be used knows the epoch; in an empty store it is the minutes since 2026."""
        epoch = Epoch(lambda: NOW)
        self.assertEqual(epoch.current, 0)
        await self.connect(self.own_redis(), epoch).when_connected()
        self.assertEqual(epoch.current, 1000)

    async def test_all_are_told_the_same(self) -> None:
        """Processes of one Redis agree, whatever their clocks say."""
        server = self.own_redis()
        one, other = Epoch(lambda: NOW), Epoch(lambda: NOW + 600)
        for epoch in (one, other):
            await self.connect(server, epoch).when_connected()
        self.assertEqual((one.current, other.current), (1000, 1000))

    async def test_grows_with_a_restart(self) -> None:
        """A restart of Redis gives the next one, also within a minute and with a clock that went back."""
        server = self.own_redis()
        times = [NOW, NOW + 1, NOW - 600]
        epoch = Epoch(lambda: times.pop(0))
        connection = self.connect(server, epoch)
        await connection.when_connected()
        for expected in (1001, 1002):
            server.kill()
            await until(lambda: not connection.connected)
            server.start()
            await until(lambda: connection.connected)
            self.assertEqual(epoch.current, expected)

    async def test_stays_over_a_break(self) -> None:
        """A connection that was merely lost changes nothing."""
        epoch = Epoch(lambda: NOW)
        connection = self.connect(self.own_redis(), epoch)
        await connection.when_connected()
        connection.drop("test")
        await until(lambda: connection.connected)
        self.assertEqual(epoch.current, 1000)

    async def test_emptied_store(self) -> None:
        """A store that was emptied while it ran goes above what this process has seen."""
        server = self.own_redis()
        epoch = Epoch(lambda: NOW)
        connection = self.connect(server, epoch)
        await connection.when_connected()
        server.command("FLUSHALL")
        connection.drop("test")
        await until(lambda: connection.connected)
        self.assertEqual(epoch.current, 1001)

    async def test_clock_before_2026(self) -> None:
        """A machine without a clock begins at 1."""
        epoch = Epoch(lambda: 0.0)
        await self.connect(self.own_redis(), epoch).when_connected()
        self.assertEqual(epoch.current, 1)
