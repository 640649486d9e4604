"""Who is silent, who takes nothing, who does not log in."""

from __future__ import annotations

from twisted.internet.task import Clock

from fishchat.protocols.peer import STUCK
from fishchat.services.net.keepalive import EVERY, GONE_AFTER, PING_AFTER
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.waiting import until


class KeepaliveCase(ClusterCase):
    """One msg_server whose time the test moves."""

    async def alone(self) -> Cluster:
        """No other role."""
        clock = Clock()
        clock.advance(1000)
        return await self.cluster(servers=1, routers=0, clock=clock, limits__flood=False)


class Silence(KeepaliveCase):
    """A client that says nothing."""

    async def test_pinged_then_closed(self) -> None:
        """A program is pinged after 90 s and closed after 120 s, is told why, and then it is offline."""
        cluster = await self.alone()
        alice = await cluster.login("alice", acks=True)
        await cluster.advance(PING_AFTER - 1)
        self.assertEqual(alice.lines, [])
        await cluster.advance(1 + EVERY)
        self.assertEqual(alice.lines, ["RESP_PING"])
        await cluster.advance(GONE_AFTER - PING_AFTER - EVERY - 1)
        self.assertEqual((alice.lines, alice.closed), (["RESP_PING"], False))
        await cluster.advance(1 + EVERY)
        await alice.expect("RESP_PING", "RESP_BYE silence …")
        await alice.gone()
        await cluster.settled()
        self.assertEqual(cluster.redis.command("EXISTS", "at:alice"), 0)

    async def test_answered(self) -> None:
        """Any line is an answer to the ping, even one that is refused; the next silence is pinged again."""
        cluster = await self.alone()
        alice = await cluster.login("alice", acks=True)
        for line, answer in (("SEND_PING", ["OK SEND_PING"]), ("", []), ("NONSENSE", ["ERR - UNKNOWN_VERB …"])):
            await cluster.advance(PING_AFTER + EVERY)
            await alice.expect("RESP_PING")
            alice.send(line)
            await alice.expect(*answer)
        await cluster.advance(PING_AFTER + EVERY)
        await alice.expect("RESP_PING")

    async def test_talking(self) -> None:
        """Who talks is never pinged."""
        cluster = await self.alone()
        alice = await cluster.login("alice", acks=True)
        for _ in range(4):
            await cluster.advance(60)
            await alice.quiet()

    async def test_person(self) -> None:
        """A client that never said HELLO may listen for hours, and is asked nothing."""
        cluster = await self.alone()
        bob = await cluster.login("bob")
        for _ in range(4):
            await cluster.advance(3600)
        self.assertEqual((bob.lines, bob.closed), ([], False))
        alice = await cluster.login("alice")
        await alice.ask("MSG bob are you there?", "OK …")
        await bob.expect("RESP_MESSAGE_P2P alice …")


class Strangers(KeepaliveCase):
    """A client that does not log in."""

    async def test_late(self) -> None:
        """It has a minute, whatever it says meanwhile; then it is told so and closed."""
        cluster = await self.alone()
        stranger = cluster.connect()
        await stranger.expect("HELLO …")
        await cluster.advance(50)
        await stranger.quiet()
        await cluster.advance(10 + EVERY)
        await stranger.expect("ERR - STATE limit=60s …")
        await stranger.gone()


class Stuck(KeepaliveCase):
    """A client that takes nothing of what is written to it."""

    async def test_cut_off(self) -> None:
        """After 30 s it is cut off; what it did not take is there at its next login."""
        cluster = await self.alone()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", acks=True)
        bob.stop_reading()
        text = "x" * 7000
        for n in range(30):
            alice.send(f"MSG bob {n} {text}")
        await until(lambda: len(alice.lines) == 30)
        assert bob.wire is not None
        held = len(bob.wire.buffer)
        self.assertLess(held, 2**16 + 30 * 7100)
        self.assertEqual(len(bob.wire.buffer), held)
        await cluster.advance(STUCK - 1)
        self.assertFalse(bob.closed)
        await cluster.advance(1 + EVERY)
        self.assertTrue(bob.closed)
        bob = await cluster.login("bob", acks=True, synced=False)
        self.assertEqual([one.split()[0] for one in await bob.texts(30)], [str(n) for n in range(30)])

    async def test_bounded(self) -> None:
        """However much comes for it, no more than a full transport and one turn's lines are kept (P8)."""
        cluster = await self.alone()
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        bob.stop_reading()
        text = "x" * 7000
        assert bob.wire is not None
        for one in range(1, 31):
            alice.send(*[f"MSG bob {text}"] * 10)
            await until(lambda one=one: len(alice.lines) == 10 * one)  # type: ignore[misc]
        self.assertLess(len(bob.wire.buffer), 2**16 + 11 * 7100)
        bob.read_on()
        self.assertEqual(len(await bob.texts(300)), 300)

    async def test_in_time(self) -> None:
        """Who takes it within 30 s stays, and gets the rest."""
        cluster = await self.alone()
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        bob.stop_reading()
        text = "x" * 7000
        alice.send(*[f"MSG bob {n} {text}" for n in range(20)])
        await until(lambda: len(alice.lines) == 20)
        await cluster.advance(STUCK - EVERY)
        bob.read_on()
        self.assertEqual([one.split()[0] for one in await bob.texts(20)], [str(n) for n in range(20)])
        await cluster.advance(STUCK)
        await bob.quiet()

    async def test_closing(self) -> None:
        """Also one that is being closed: it cannot hold its connection open by taking nothing."""
        cluster = await self.alone()
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        bob.stop_reading()
        await alice.ask("MSG bob x", "OK …")
        bob.send("QUIT")
        await cluster.advance(STUCK - 1)
        self.assertFalse(bob.closed)
        await cluster.advance(1 + EVERY)
        self.assertTrue(bob.closed)
        self.assertEqual(len(cluster.server("ms1").connections), 1)
