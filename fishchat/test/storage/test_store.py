"""The contract of ``IStore``, for the real connection and for those of tests."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from fishchat.interfaces import IStore
from fishchat.storage.redis import Connection, Unavailable, Unknown, parse_url
from fishchat.storage.script import Script
from fishchat.test.support.redis_fixture import shared_redis
from fishchat.test.support.sync_redis import Network, Store, SyncConnection
from fishchat.test.support.waiting import until
from fishchat.testing.fake_store import FakeStore

ECHO = Script("echo", b"return cmsgpack.unpack(ARGV[1])[1]")


class Contract:
    """What every store does. A subclass makes one, and lets it answer what it was asked."""

    store: Any

    async def made(self) -> None:
        """``store`` is connected."""
        raise NotImplementedError

    async def pump(self) -> None:
        """What was asked is answered, or is about to be."""

    async def connect_again(self) -> None:
        """A lost connection is there again."""
        await until(lambda: self.store.connected)

    async def test_interface(self: Any) -> None:
        """It has all that is promised."""
        await self.made()
        verifyObject(IStore, self.store)
        self.assertTrue(self.store.connected)
        self.assertGreater(self.store.timeout, 0)

    async def test_in_order(self: Any) -> None:
        """Calls and commands are answered in their order."""
        await self.made()
        said: list[Any] = []
        asked = [self.store.call(ECHO, b"one"), self.store.run("ECHO", b"two"), self.store.call(ECHO, b"three")]
        for each in asked:
            each.addCallback(said.append)
        self.assertEqual(said, [])
        await self.pump()
        await until(lambda: len(said) == 3)
        self.assertEqual(said, [b"one", b"two", b"three"])

    async def test_lost(self: Any) -> None:
        """What is in flight is unknown, the listeners learn of it once, and so they do of the next connection."""
        await self.made()
        noted: list[str] = []
        self.store.on_lost.append(lambda: noted.append("lost"))
        self.store.on_connected.append(lambda: noted.append("connected"))
        flying: Deferred[Any] = self.store.call(ECHO, b"x")
        self.store.drop("test")
        await self.assertFailure(flying, Unknown)
        self.assertFalse(self.store.connected)
        self.failureResultOf(self.store.run("PING"), Unavailable)
        self.failureResultOf(self.store.call(ECHO, b"y"), Unavailable)
        self.store.drop("again")
        await self.connect_again()
        self.assertEqual(noted, ["lost", "connected"])


class RealStore(Contract, TestCase):
    """A connection to Redis."""

    timeout = 20

    async def made(self) -> None:
        """To the shared Redis."""
        self.store = Connection(parse_url(shared_redis().url), scripts=[ECHO])
        self.store.startService()
        self.addCleanup(self.store.stopService)
        await self.store.when_connected()


class Fake(Contract, TestCase):
    """The one in memory."""

    async def made(self) -> None:
        """It is connected from the start."""
        self.store = FakeStore()

    async def pump(self) -> None:
        """The test answers."""
        while self.store.asked:
            self.store.answer(self.store.asked[0].values[-1])

    async def connect_again(self) -> None:
        """The test connects."""
        self.store.connect()


class Observer:
    """Looks at nothing."""

    def asks(self, script: str, args: list[Any]) -> tuple[list[Any], list[Any]]:
        """Nothing."""
        return [], []

    def ran(self, script: str, args: list[Any], before: list[Any], reply: Any) -> None:
        """Nothing."""


class Synchronous(Contract, TestCase):
    """The one of the world without a reactor."""

    async def made(self) -> None:
        """On the shared Redis."""
        store = Store(shared_redis())
        self.addCleanup(store.close)
        store.command("SCRIPT", "LOAD", ECHO.source)
        self.clock = Clock()
        self.network = Network(store, Observer(), [ECHO])
        self.store = SyncConnection(self.network, self.clock, "test")
        self.store.start()
        self.clock.advance(0)

    async def pump(self) -> None:
        """The world lets everything pass."""
        while self.store.requests:
            self.store.do()
            self.store.give()

    async def connect_again(self) -> None:
        """The clock goes on."""
        self.clock.advance(0.1)
