from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from fishchat.storage.redis import Subscriber, parse_url
from fishchat.test.storage.test_redis import ConnectionCase
from fishchat.test.support.fake_redis import FakeConnection
from fishchat.test.support.redis_fixture import shared_redis
from fishchat.test.support.waiting import until


class Subscribing(ConnectionCase):
    """What is subscribed once stays subscribed."""

    def subscriber(self, url: str, **options: Any) -> Subscriber:
        """Running, perhaps not yet connected."""
        subscriber = Subscriber(parse_url(url), **options)
        subscriber.startService()
        self.addCleanup(subscriber.stopService)
        return subscriber

    async def test_payloads(self) -> None:
        """Payloads are bytes as they were sent, in order."""
        server = shared_redis()
        subscriber = self.subscriber(server.url)
        got: list[bytes] = []
        ready: list[None] = []
        subscriber.subscribe("/channel", got.append, lambda: ready.append(None))
        await until(lambda: ready)
        sent = [b"007", b"1.50", b"\xff\x00\r\n", "鱼".encode(), b"", b"subscribe"]
        for payload in sent:
            server.command("PUBLISH", "/channel", payload)
        await until(lambda: len(got) == len(sent))
        self.assertEqual(got, sent)

    async def test_channels_keep_apart(self) -> None:
        """Many channels, before and after the connection: each confirmed once, each with its own receiver."""
        server = shared_redis()
        subscriber = self.subscriber(server.url)
        got: list[tuple[int, bytes]] = []
        ready: list[int] = []

        def subscribe(n: int) -> None:
            subscriber.subscribe(f"/c/{n}", lambda payload: got.append((n, payload)), lambda: ready.append(n))

        for n in range(50):
            subscribe(n)
        await subscriber.when_connected()
        for n in range(50, 100):
            subscribe(n)
        await until(lambda: len(ready) == 100)
        self.assertEqual(ready, list(range(100)))
        for n in range(100):
            server.command("PUBLISH", f"/c/{n}", n)
        await until(lambda: len(got) == 100)
        self.assertEqual(got, [(n, b"%d" % n) for n in range(100)])

    async def test_reconnected(self) -> None:
        """After a restart every channel is subscribed again, and ready says so each time."""
        server = self.own_redis()
        subscriber = self.subscriber(server.url)
        got: list[bytes] = []
        ready: list[str] = []
        subscriber.subscribe("/a", got.append, lambda: ready.append("a"))
        subscriber.subscribe("/b", got.append, lambda: ready.append("b"))
        await until(lambda: len(ready) == 2)
        server.restart()
        await until(lambda: len(ready) == 4)
        self.assertEqual(ready, ["a", "b", "a", "b"])
        # From the confirmation on nothing is missed.
        server.command("PUBLISH", "/a", "1")
        server.command("PUBLISH", "/b", "2")
        await until(lambda: len(got) == 2)
        self.assertEqual(got, [b"1", b"2"])

    async def test_several_receivers(self) -> None:
        """Two parts of one process may listen to one channel; the later one hears when it is ready, too."""
        server = shared_redis()
        subscriber = self.subscriber(server.url)
        got: list[str] = []
        ready: list[str] = []
        subscriber.subscribe("/c", lambda _: got.append("first"), lambda: ready.append("first"))
        await until(lambda: ready)
        subscriber.subscribe("/c", lambda _: got.append("second"), lambda: ready.append("second"))
        await until(lambda: len(ready) == 2)
        self.assertEqual(ready, ["first", "second"])
        server.command("PUBLISH", "/c", "x")
        await until(lambda: len(got) == 2)
        self.assertEqual(got, ["first", "second"])

    async def test_failing_receiver(self) -> None:
        """An exception is logged; the message behind it and the other receivers still get theirs."""
        server = shared_redis()
        subscriber = self.subscriber(server.url)
        got: list[bytes] = []
        lost: list[None] = []

        def failing(payload: bytes) -> None:
            raise ValueError(payload)

        subscriber.on_lost.append(lambda: lost.append(None))
        subscriber.subscribe("/c", failing)
        subscriber.subscribe("/c", got.append)
        await subscriber.when_connected()
        server.command("EVAL", "redis.call('PUBLISH','/c','1') redis.call('PUBLISH','/c','2')", 0)
        await until(lambda: len(got) == 2)
        self.assertEqual((got, lost), ([b"1", b"2"], []))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)

    async def test_failing_ready(self) -> None:
        """So is one in ready."""
        server = shared_redis()
        subscriber = self.subscriber(server.url)
        subscriber.subscribe("/c", lambda _: None, lambda: 1 / 0)  # type: ignore[arg-type]
        await subscriber.when_connected()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_wrong_confirmation(self) -> None:
        """The confirmation of another channel confirms nothing: the connection is made anew."""

        def answer(connection: FakeConnection, number: int, command: list[bytes]) -> None:
            if command[0] == b"PING":
                connection.say(b"+PONG\r\n")
            elif number == 1:
                connection.say(b"*3\r\n$9\r\nsubscribe\r\n$2\r\n/b\r\n:1\r\n")
            else:
                connection.say(b"*3\r\n$9\r\nsubscribe\r\n$2\r\n/a\r\n:1\r\n")

        fake = self.fake_redis(answer)
        subscriber = self.subscriber(fake.url)
        ready: list[int] = []
        subscriber.subscribe("/a", lambda _: None, lambda: ready.append(len(fake.connections)))
        await subscriber.when_connected()
        self.assertEqual(ready, [2])

    async def test_refused_channel(self) -> None:
        """A channel that Redis forbids is tried for ever; it never counts as connected."""
        server = self.own_redis()
        server.command("ACL", "SETUSER", "default", "resetchannels", "&/a")
        subscriber = self.subscriber(server.url)
        ready: list[str] = []
        subscriber.subscribe("/a", lambda _: None)
        await subscriber.when_connected()
        subscriber.subscribe("/b", lambda _: None, lambda: ready.append("b"))
        await until(lambda: subscriber.failures >= 2)
        self.assertEqual((subscriber.connected, ready), (False, []))
        server.command("ACL", "SETUSER", "default", "allchannels")
        await until(lambda: ready)

    async def test_pings_in_subscribe_mode(self) -> None:
        """The answer to a ping is an array there, and is understood."""
        clock = Clock()
        server = shared_redis()
        subscriber = self.subscriber(server.url, clock=clock)
        got: list[bytes] = []
        lost: list[None] = []
        subscriber.on_lost.append(lambda: lost.append(None))
        subscriber.subscribe("/c", got.append)
        await subscriber.when_connected()
        for n in range(3):
            clock.advance(5)
            server.command("PUBLISH", "/c", n)
            await until(lambda n=n: len(got) == n + 1)  # type: ignore[misc]
        clock.advance(2.9)
        self.assertEqual(lost, [])
        self.assertTrue(subscriber.connected)

    async def test_hung(self) -> None:
        """A hung Redis is noticed although nobody waits for anything."""
        clock = Clock()
        server = self.own_redis()
        subscriber = self.subscriber(server.url, clock=clock)
        subscriber.subscribe("/c", lambda _: None)
        await subscriber.when_connected()
        server.pause()
        clock.advance(5)
        clock.advance(3)
        self.assertFalse(subscriber.connected)
        server.resume()
