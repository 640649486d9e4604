from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from fishchat.bus.redis import RedisBus
from fishchat.interfaces import IBus
from fishchat.storage.redis import Connection, Subscriber, parse_url
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.waiting import until
from fishchat.testing.memory_bus import Medium, MemoryBus


class Contract:
    """What every bus does.

    ``make`` gives connected ones that hear each other; ``interrupt`` cuts them all off for a while, calls
    ``meanwhile`` when they are away, and returns when they are back.
    """

    assertEqual: Callable[..., None]
    flushLoggedErrors: Callable[..., list[Any]]

    async def make(self, count: int) -> list[IBus]:
        """So many buses, connected."""
        raise NotImplementedError

    async def interrupt(self, meanwhile: Callable[[], None]) -> None:
        """Away for a while."""
        raise NotImplementedError

    async def listen(self, bus: IBus, channel: str) -> list[bytes]:
        """Subscribed; the list fills with what is heard."""
        got: list[bytes] = []
        ready: list[None] = []
        bus.subscribe(channel, got.append, lambda: ready.append(None))
        await until(lambda: ready)
        return got

    async def test_interface(self) -> None:
        """It is a bus."""
        (bus,) = await self.make(1)
        verifyObject(IBus, bus)

    async def test_heard_in_order(self) -> None:
        """Every subscriber receives every payload unchanged and in order, the publisher too."""
        first, second = await self.make(2)
        got = [await self.listen(first, "/c"), await self.listen(second, "/c")]
        sent = [b"\xff\x00\r\n", b"007", b"", *(b"%d" % n for n in range(500))]
        for payload in sent:
            first.publish("/c", payload)
        await until(lambda: len(got[0]) == len(got[1]) == len(sent))
        self.assertEqual(got, [sent, sent])

    async def test_channels(self) -> None:
        """A channel's payloads go to its receivers only, and to each of them."""
        (bus,) = await self.make(1)
        first, other, again = [await self.listen(bus, channel) for channel in ("/c", "/d", "/c")]
        bus.publish("/c", b"1")
        bus.publish("/d", b"2")
        bus.publish("/nobody", b"3")
        bus.publish("/c", b"4")
        await until(lambda: len(again) == 2)
        self.assertEqual((first, other, again), ([b"1", b"4"], [b"2"], [b"1", b"4"]))

    async def test_ready_then_heard(self) -> None:
        """What is said from ready on is heard."""
        (bus,) = await self.make(1)
        got: list[bytes] = []
        bus.subscribe("/c", got.append, lambda: bus.publish("/c", b"x"))
        await until(lambda: got)

    async def test_failing_receiver(self) -> None:
        """Its mistake is logged; it hears the next payload, and so do others."""
        (bus,) = await self.make(1)

        def failing(payload: bytes) -> None:
            raise ValueError(payload)

        bus.subscribe("/c", failing)
        got = await self.listen(bus, "/c")
        bus.publish("/c", b"1")
        bus.publish("/c", b"2")
        await until(lambda: len(got) == 2)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)

    async def test_interrupted(self) -> None:
        """What is said while away is lost; ready is called again, and from then on everything is heard."""
        speaker, listener = await self.make(2)
        got: list[bytes] = []
        ready: list[None] = []
        listener.subscribe("/c", got.append, lambda: ready.append(None))
        listener.subscribe("/d", got.append)
        await until(lambda: ready)
        await self.interrupt(lambda: speaker.publish("/c", b"lost"))
        await until(lambda: len(ready) == 2)
        speaker.publish("/c", b"heard")
        await until(lambda: got)
        self.assertEqual(got, [b"heard"])

    async def test_answers_keep_order(self) -> None:
        """What a receiver says is heard after what it heard, by everybody."""
        first, second = await self.make(2)

        def answer(payload: bytes) -> None:
            if payload == b"x":
                first.publish("/c", payload + b"!")

        first.subscribe("/c", answer)
        got = [await self.listen(first, "/c"), await self.listen(second, "/c")]
        second.publish("/c", b"x")
        await until(lambda: len(got[0]) == len(got[1]) == 2)
        self.assertEqual(got, [[b"x", b"x!"]] * 2)


class MemoryContract(Contract, TestCase):
    """In one process, at once."""

    medium: Medium

    async def make(self, count: int) -> list[IBus]:
        """On one medium."""
        self.medium = self.make_medium()
        return [MemoryBus(self.medium) for _ in range(count)]

    def make_medium(self) -> Medium:
        """Without a clock."""
        return Medium()

    async def interrupt(self, meanwhile: Callable[[], None]) -> None:
        """All of them."""
        for bus in self.medium.buses:
            bus.disconnect()
        meanwhile()
        for bus in self.medium.buses:
            bus.reconnect()


class MemoryTurnContract(MemoryContract):
    """In one process, a turn later."""

    def make_medium(self) -> Medium:
        """By the reactor's turns."""
        return Medium(reactor)


class RedisContract(Contract, TestCase):
    """Through Redis."""

    async def make(self, count: int) -> list[IBus]:
        """Each with connections of its own."""
        self.server = RedisServer()
        self.addCleanup(self.server.close)
        buses: list[IBus] = []
        self.speakers: list[Connection] = []
        for _ in range(count):
            connection = Connection(parse_url(self.server.url))
            subscriber = Subscriber(parse_url(self.server.url))
            for service in (connection, subscriber):
                service.startService()
                self.addCleanup(service.stopService)
                await service.when_connected()
            buses.append(RedisBus(connection, subscriber))
            self.speakers.append(connection)
        return buses

    async def interrupt(self, meanwhile: Callable[[], None]) -> None:
        """Redis is away."""
        self.server.stop()
        await until(lambda: not any(speaker.connected for speaker in self.speakers))
        meanwhile()
        self.server.start()
        for speaker in self.speakers:
            await speaker.when_connected()


class Faults(SynchronousTestCase):
    """What the bus of tests can do to hints."""

    def setUp(self) -> None:
        """A speaker and a listener."""
        medium = Medium()
        self.speaker, self.bus = MemoryBus(medium), MemoryBus(medium)
        self.got: list[bytes] = []
        self.bus.subscribe("/c", self.got.append)

    def say(self, *payloads: bytes) -> None:
        """One after another."""
        for payload in payloads:
            self.speaker.publish("/c", payload)

    def test_drop(self) -> None:
        """The next two are lost, what is on other channels does not count."""
        self.bus.drop_next(2)
        self.speaker.publish("/other", b"")
        self.say(b"1", b"2", b"3")
        self.assertEqual(self.got, [b"3"])

    def test_hold(self) -> None:
        """Held until released, then in order."""
        self.bus.hold()
        self.say(b"1", b"2")
        self.assertEqual(self.got, [])
        self.bus.release()
        self.say(b"3")
        self.assertEqual(self.got, [b"1", b"2", b"3"])

    def test_reorder(self) -> None:
        """Released in another order."""
        self.bus.hold()
        self.say(b"1", b"2", b"3")
        self.bus.release(reversed)
        self.assertEqual(self.got, [b"3", b"2", b"1"])

    def test_held_is_lost(self) -> None:
        """A disconnection loses what is held too."""
        self.bus.hold()
        self.say(b"1")
        self.bus.disconnect()
        self.say(b"2")
        self.bus.reconnect()
        self.say(b"3")
        self.bus.release()
        self.assertEqual(self.got, [b"3"])

    def test_on_its_way_is_lost(self) -> None:
        """With a clock there is a time between said and heard."""
        clock = Clock()
        bus = MemoryBus(Medium(clock))
        bus.subscribe("/c", self.got.append)
        bus.publish("/c", b"1")
        self.assertEqual(self.got, [])
        clock.advance(0)
        self.assertEqual(self.got, [b"1"])
        bus.publish("/c", b"2")
        bus.disconnect()
        bus.reconnect()
        bus.publish("/c", b"3")
        clock.advance(0)
        self.assertEqual(self.got, [b"1", b"3"])
