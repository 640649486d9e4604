"""Limits, and the stop of a server."""

from __future__ import annotations

import re

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred

from fishchat.protocols.flow import WAITING
from fishchat.services.running.lease import Lease
from fishchat.test.support.client import id_of
from fishchat.test.support.cluster import ClusterCase
from fishchat.test.support.waiting import until


class Waiting(ClusterCase):
    """Limits of commands without an answer."""

    async def test_bounded(self) -> None:
        """With 64 unanswered commands the connection is not read; nothing is lost, and all answers are in order."""
        cluster = await self.cluster(servers=1, routers=0, limits__flood=False)
        alice = await cluster.login("alice")
        server = cluster.server("ms1")
        (session,) = server.connections
        # Without the right to write every command waits.
        fenced = self.patch(Lease, "fence", None)
        alice.send(*[f"@id={n} MSG alice {n}" for n in range(WAITING)])
        self.assertEqual(session.peer.flow.pending, WAITING)
        alice.send(*[f"@id={n} MSG alice {n}" for n in range(WAITING, 500)])
        assert alice.wire is not None
        self.assertTrue(alice.wire.paused)
        self.assertGreater(len(alice.wire.inbox), 0)
        self.assertEqual(session.peer.flow.pending, WAITING)
        fenced.restore()
        server.commits.go_on()
        await alice.expect(*[f"@id={n} OK SEND_MESSAGE_P2P alice+alice:…-{n + 1}" for n in range(500)])
        self.assertFalse(alice.wire.paused)

    async def test_one_piece(self) -> None:
        """A thousand commands that arrive at once are answered in order, never more than 64 waiting."""
        cluster = await self.cluster(servers=1, routers=0, limits__flood=False)
        alice = await cluster.login("alice")
        (session,) = cluster.server("ms1").connections
        alice.send(*[f"@id={n} MSG alice {n}" for n in range(1000)])
        while len(alice.lines) < 1000:
            before = len(alice.lines)
            self.assertLessEqual(session.peer.flow.pending, WAITING)
            await until(lambda before=before: len(alice.lines) > before)  # type: ignore[misc]
        await alice.expect(*[f"@id={n} OK …" for n in range(1000)])

    async def test_one_does_not_block_others(self) -> None:
        """While one connection is not read, another one is answered."""
        cluster = await self.cluster(servers=1, routers=0, limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        alice.stop_reading()
        alice.send(*["HELP"] * 200)
        assert alice.wire is not None
        await until(lambda: alice.wire is not None and alice.wire.paused)
        await bob.ask("MSG alice hi", "OK …")
        alice.read_on()
        await until(lambda: sum(line == "END HELP" for line in alice.lines) == 200)


class Flood(ClusterCase):
    """Limits of rates and counts."""

    async def test_commands(self) -> None:
        """Above the burst a program's command is refused with the time to wait; after that time it is accepted."""
        cluster = await self.cluster(servers=1, routers=0, limits__rate=2, limits__burst=12)
        alice, bob = await cluster.login("alice", acks=True), await cluster.login("bob")
        alice.send(*[f"@cseq={n} MSG bob {n}" for n in range(1, 11)])
        await alice.expect(*["OK …"] * 10)
        await alice.ask("@cseq=11 MSG bob 11", "ERR SEND_MESSAGE_P2P FLOOD retry=1 …")
        began = reactor.seconds()
        while True:
            alice.send("@cseq=11 MSG bob 11")
            if (await alice.take()).startswith("OK"):
                break
        self.assertLess(reactor.seconds() - began, 2.5)
        # Every account has its own limit.
        await bob.ask("MSG alice hi", "…")

    async def test_pasted(self) -> None:
        """Of the lines that a person pastes none is refused, and all are stored in their order."""
        cluster = await self.cluster(servers=1, routers=0, limits__rate=200, limits__burst=100)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        alice.send(*[f"MSG bob {n}" for n in range(300)])
        await until(lambda: len(alice.lines) == 300, 10)
        self.assertEqual([line[:20] for line in alice.lines], ["OK SEND_MESSAGE_P2P "] * 300)
        self.assertEqual(await bob.texts(300), [str(n) for n in range(300)])

    async def test_acknowledging(self) -> None:
        """Acknowledgements are never refused, because their number depends on other accounts."""
        cluster = await self.cluster(servers=1, routers=0, limits__rate=1, limits__burst=40)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", acks=True)
        alice.send(*[f"MSG bob {n}" for n in range(30)])
        ids = [id_of(await bob.take()) for _ in range(30)]
        bob.send(*[f"ACK {one}" for one in ids * 10])
        await bob.quiet()

    async def test_lifted(self) -> None:
        """``limits.flood = false`` lifts rates and counts."""
        cluster = await self.cluster(servers=1, routers=0, limits__flood=False, limits__burst=1, limits__per_address=1)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        alice.send(*["MSG bob x"] * 100)
        await bob.texts(100)


class Doors(ClusterCase):
    """Connection limits of a server."""

    async def test_per_address(self) -> None:
        """Connections of one source above the limit are refused; others are accepted, and later ones again."""
        cluster = await self.cluster(servers=1, routers=0, limits__per_address=2)
        first, second = [cluster.connect(host="192.0.2.7") for _ in range(2)]
        third = cluster.connect(host="192.0.2.7")
        await third.expect("ERR - BUSY limit=2 retry=5 …")
        await third.gone()
        await cluster.connect(host="192.0.2.8").expect("HELLO …")
        first.drop()
        await cluster.connect(host="192.0.2.7").expect("HELLO …")
        await second.expect("HELLO …")

    async def test_before_login(self) -> None:
        """Unauthenticated connections are limited; a login makes room."""
        cluster = await self.cluster(servers=1, routers=0, limits__before_login=2)
        alice, bob = await cluster.login("alice"), cluster.connect()
        cluster.connect()
        await cluster.connect().expect("ERR - BUSY limit=2 …")
        bob.send("LOGIN bob")
        await bob.expect("HELLO …", "OK …", "RESP_SYNCED")
        await cluster.connect().expect("HELLO …")
        await alice.quiet()

    async def test_capacity(self) -> None:
        """All connections of a server are limited, also without ``limits.flood``."""
        cluster = await self.cluster(servers=1, routers=0, msg_server__capacity=1, limits__flood=False)
        alice = await cluster.login("alice")
        await cluster.connect().expect("ERR - BUSY limit=1 …")
        await alice.quiet()


class Drain(ClusterCase):
    """The orderly stop of a server."""

    async def test_stop(self) -> None:
        """Clients are notified, commands, cursors and sessions are stored, answers sent; then the connections close."""
        cluster = await self.cluster(limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2", acks=True)
        carol = await cluster.login("carol", "ms2")
        await alice.ask("MSG bob 1", "OK …")
        found = await bob.expect("RESP_MESSAGE_P2P alice $id 1")
        bob.send(f"ACK {found['id']}", *[f"@cseq={n} MSG alice {n}" for n in range(1, 21)])
        await cluster.stop("ms2")
        self.assertTrue(bob.closed)
        moves = [line for line in bob.lines if line.startswith("RESP_MOVE")]
        self.assertEqual(len(moves), 1)
        self.assertRegex(moves[0], re.compile(r"^RESP_MOVE (127\.0\.0\.1:19000|-) within=1$"))
        self.assertEqual(sum(line.startswith("OK SEND_MESSAGE_P2P") for line in bob.lines), 20)
        self.assertEqual(carol.lines, moves)
        self.assertEqual(await alice.texts(20), [str(n) for n in range(1, 21)])
        for key in ("at:bob", "at:carol", "lease:ms2"):
            self.assertEqual(cluster.redis.command("EXISTS", key), 0, key)
        await cluster.login("bob", acks=True)

    async def test_no_more_clients(self) -> None:
        """Unauthenticated clients are notified, and cannot log in any more."""
        cluster = await self.cluster(servers=1, routers=0)
        role = cluster.roles["ms1"]
        late = cluster.connect()
        stopping = Deferred.fromCoroutine(role.stop())
        late.send("LOGIN bob")
        await stopping
        await late.expect("HELLO …", "RESP_MOVE - within=1")
        await late.gone()

    async def test_flooding_client(self) -> None:
        """A client that keeps sending does not prevent the stop."""
        cluster = await self.cluster(servers=1, routers=0, limits__flood=False)
        alice = await cluster.login("alice")
        alice.send(*[f"MSG alice {n}" for n in range(20000)])
        await cluster.stop("ms1")
        self.assertTrue(alice.closed)
        answered = sum(line.startswith("OK") for line in alice.lines)
        self.assertLess(answered, 20000)
        stored = cluster.redis.command("XLEN", "log:alice+alice")
        self.assertEqual(stored, answered)

    async def test_without_redis(self) -> None:
        """The server stops also while Redis hangs; all commands are answered."""
        redis = self.own_redis()
        cluster = await self.cluster(servers=1, routers=0, redis=redis)
        alice = await cluster.login("alice")
        redis.pause()
        alice.send("MSG alice x")
        # Not the whole role: each of its connections would wait for Redis once more.
        await maybeDeferred(cluster.server("ms1").stopService)
        redis.resume()
        self.assertTrue(alice.closed)
        self.assertRegex(" ".join(alice.lines), "TRYAGAIN|UNKNOWN")
