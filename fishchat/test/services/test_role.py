from __future__ import annotations

from twisted.application.service import Service
from twisted.logger import capturedLogs
from twisted.trial.unittest import TestCase

from fishchat.bus import channels
from fishchat.config import schema
from fishchat.services.redis.service import EmbeddedRedis
from fishchat.services.role import Parts
from fishchat.services.running.heartbeat import EVERY, Load, listen
from fishchat.storage.redis import Script
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.waiting import until


class Assembling(TestCase):
    """What a role stands on."""

    def setUp(self) -> None:
        """A Redis of its own."""
        self.server = RedisServer()
        self.addCleanup(self.server.close)

    def parts(self, durability: str = "fsync") -> Parts:
        """Parts on that Redis, not started."""
        redis = schema.Redis(url=self.server.url, durability=durability)  # type: ignore[arg-type]
        return Parts(schema.Config(redis=redis))

    def start(self, parts: Parts) -> None:
        """Until the end of the test."""
        parts.startService()
        self.addCleanup(parts.stopService)

    async def test_store(self) -> None:
        """The store's connection has its scripts, and Redis' settings are right."""
        parts = self.parts()
        script = Script("one", b"return 1")
        store = parts.store([script])
        self.start(parts)
        await store.when_connected()
        self.assertEqual(await store.run("SCRIPT", "EXISTS", script.sha), [1])

    async def test_store_refused(self) -> None:
        """With a setting that breaks the promise nothing is stored, until it is mended; the bus goes on."""
        self.server.command("CONFIG", "SET", "appendfsync", "everysec")
        parts = self.parts()
        store = parts.store()
        self.start(parts)
        await parts.speaker.when_connected()
        await until(lambda: store.failures >= 2)
        self.assertFalse(store.connected)
        self.assertIn("appendfsync is everysec, must be always", store.complaint)
        self.server.command("CONFIG", "SET", "appendfsync", "always")
        await store.when_connected()

    async def test_advice(self) -> None:
        """A setting that only costs memory is a warning, once, and no refusal; with the right one there is none."""
        for value, warnings in (("4096", 1), ("1024", 0)):
            self.server.command("CONFIG", "SET", "stream-node-max-bytes", value)
            parts = self.parts()
            stores = parts.store(), parts.store()
            with capturedLogs() as events:
                self.start(parts)
                for store in stores:
                    await store.when_connected()
            texts = [str(event["text"]) for event in events if event["log_level"].name == "warn" and "text" in event]
            self.assertEqual(len(texts), warnings, texts)
            if warnings:
                self.assertIn("stream-node-max-bytes is 4096, should be 1024: CONFIG SET", texts[0])

    async def test_durability(self) -> None:
        """Which settings are right depends on the configured class."""
        self.server.command("CONFIG", "SET", "appendfsync", "everysec")
        parts = self.parts("everysec")
        store = parts.store()
        self.start(parts)
        await store.when_connected()

    async def test_heard_at_once(self) -> None:
        """A heartbeat does not wait for its turn when Redis comes later than the role."""
        self.server.stop()
        parts = self.parts()
        parts.heartbeat("router", Load).setServiceParent(parts)
        self.start(parts)
        self.server.start()
        await until(lambda: b"cmdstat_publish:" in self.server.command("INFO", "commandstats"), EVERY * 0.9)

    async def test_order(self) -> None:
        """A role stops while its connections still work; its last words are heard."""
        parts = self.parts()
        watcher = self.parts()
        heard: list[channels.Heartbeat] = []
        listen(watcher.bus, heard.append)
        self.start(watcher)
        await watcher.listener.when_connected()
        connected: list[bool] = []

        class Role(Service):
            def stopService(self) -> None:
                super().stopService()
                connected.append(parts.speaker.connected)

        Role().setServiceParent(parts)
        parts.heartbeat("router", Load).setServiceParent(parts)
        parts.startService()
        await parts.speaker.when_connected()
        await parts.stopService()
        self.assertEqual(connected, [True])
        self.assertFalse(parts.speaker.connected)
        await until(lambda: heard and heard[-1].stopping)

    def test_embedded(self) -> None:
        """Redis is looked after here, unless somebody else in this process does."""
        config = schema.Config(data="/nowhere")
        for embedded in (True, False):
            kinds = [type(child) for child in Parts(config, embedded=embedded)]
            self.assertEqual(EmbeddedRedis in kinds, embedded)
            self.assertEqual(str(Parts(config).speaker.address), "unix:///nowhere/redis.sock")
