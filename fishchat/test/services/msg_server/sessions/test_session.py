"""A session on a peer that is neither a transport nor Twisted's: it needs nothing else."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from fishchat.model.device import WINDOW
from fishchat.protocols.flow import WAITING
from fishchat.protocols.rows import State
from fishchat.test.support import memory_peer
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.memory_peer import MemoryPeer
from fishchat.test.support.waiting import until


class MemoryCase(ClusterCase):
    """One msg_server over a real store, whose clients are in memory."""

    def connect(self, cluster: Cluster) -> MemoryPeer:
        """A client that has heard the greeting."""
        server = cluster.server("ms1")
        peer = MemoryPeer(server.sessions.open, lambda call: server.clock.callLater(0, call))
        [greeting] = peer.take()
        self.assertTrue(greeting.startswith("HELLO fishchat/1 server=ms1 "), greeting)
        return peer

    async def hear(self, peer: MemoryPeer, *wanted: str) -> None:
        """The next lines begin like these."""
        await until(lambda: len(peer.heard) >= len(wanted) or bool(peer.closed))
        heard, peer.heard = peer.heard[: len(wanted)], peer.heard[len(wanted) :]
        for line, start in zip(heard, wanted, strict=True):
            self.assertTrue(line.startswith(start), f"{line!r}, wanted {start!r}")

    async def login(self, cluster: Cluster, name: str, acks: bool = False) -> MemoryPeer:
        """A client that is logged in."""
        peer = self.connect(cluster)
        if acks:
            peer.say("HELLO 1 caps=ack")
            await self.hear(peer, "OK HELLO fishchat/1 caps=ack")
        peer.say(f"SEND_CLIENT_ID {name}")
        await self.hear(peer, f"OK SEND_CLIENT_ID {name}", "RESP_SYNCED")
        return peer

    async def begin(self, **settings: Any) -> Cluster:
        """One msg_server."""
        return await self.cluster(servers=1, routers=0, **settings)


class InMemory(MemoryCase):
    """What a client does."""

    def test_nothing_of_twisted(self) -> None:
        """The peer imports nothing of Twisted."""
        tree = ast.parse(Path(memory_peer.__file__).read_text("utf-8"))
        modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        modules += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
        self.assertEqual([module for module in modules if module.startswith(("twisted", "zope"))], [])
        self.assertIn("fishchat.protocols.flow", modules)

    async def test_messages(self) -> None:
        """Two clients log in and talk, one of them by lines on a transport."""
        cluster = await self.begin(limits__flood=False)
        alice = await self.login(cluster, "alice")
        bob = await cluster.login("bob")
        alice.say("@id=1;cseq=1 SEND_MESSAGE_P2P bob hello", "@id=2 NONSENSE", "SEND_PING")
        await self.hear(alice, "@id=1 OK SEND_MESSAGE_P2P alice+bob:", "@id=2 ERR - UNKNOWN_VERB ", "OK SEND_PING")
        self.assertEqual(await bob.texts(1), ["hello"])
        await bob.ask("MSG alice hi", "OK …")
        await self.hear(alice, "RESP_MESSAGE_P2P bob alice+bob:")
        alice.say("REQ_HISTORY alice+bob")
        await self.hear(alice, "BEGIN REQ_HISTORY 2", "ITEM alice+bob:", "ITEM alice+bob:", "END REQ_HISTORY")

    async def test_before_login(self) -> None:
        """A verb that needs an account is refused before the login; after QUIT nothing is processed."""
        cluster = await self.begin()
        peer = self.connect(cluster)
        peer.say("REQ_TOPICS", "QUIT", "SEND_PING")
        await self.hear(peer, "ERR REQ_TOPICS STATE ", "OK QUIT")
        self.assertEqual((peer.closed, peer.heard), ("closed", []))
        peer.leave()
        self.assertEqual(list(cluster.server("ms1").connections), [])

    async def test_order_and_bound(self) -> None:
        """Commands behind a login wait for it; of many at most 64 wait for the store, and all are answered in order."""
        cluster = await self.begin(limits__flood=False)
        peer = self.connect(cluster)
        peer.say("SEND_CLIENT_ID alice", *[f"@id={n} SEND_MESSAGE_P2P bob {n}" for n in range(300)])
        self.assertEqual(peer.heard, [])
        most = 0
        while len(peer.heard) < 302:
            before = len(peer.heard)
            await until(lambda before=before: len(peer.heard) > before)  # type: ignore[misc]
            most = max(most, peer.flow.pending)
        self.assertLessEqual(most, WAITING)
        heard = [line for line in peer.take() if line != "RESP_SYNCED"]
        self.assertEqual(heard.pop(0), "OK SEND_CLIENT_ID alice")
        self.assertEqual([line.split()[0] for line in heard], [f"@id={n}" for n in range(300)])

    async def test_takes_nothing(self) -> None:
        """A client that takes nothing is given nothing more, and what it missed when it takes again."""
        cluster = await self.begin(limits__flood=False)
        alice, bob = await self.login(cluster, "alice"), await self.login(cluster, "bob")
        bob.stop_reading()
        bob.say("SEND_PING")
        alice.say(*[f"SEND_MESSAGE_P2P bob {n}" for n in range(40)])
        await self.hear(alice, *["OK SEND_MESSAGE_P2P"] * 40)
        self.assertEqual(bob.heard, [])
        bob.start_reading()
        await until(lambda: len(bob.heard) == 41)
        heard = bob.take()
        heard.remove("OK SEND_PING")
        self.assertEqual([line.split()[-1] for line in heard], [str(n) for n in range(40)])

    async def test_signals_to_nobody(self) -> None:
        """A client that takes nothing is sent no signals, and misses them."""
        cluster = await self.begin(limits__flood=False)
        alice, bob = await self.login(cluster, "alice"), await self.login(cluster, "bob")
        push = cluster.server("ms1").delivery.signals.push
        bob.stop_reading()
        for _ in range(1000):
            push([b"alice", b"bob"], b"RESP_READ carol bob+carol:7-1")
        self.assertEqual((len(alice.take()), bob.take()), (1000, []))
        bob.start_reading()
        push([b"bob"], b"RESP_READ carol bob+carol:7-2")
        self.assertEqual(bob.take(), ["RESP_READ carol bob+carol:7-2"])

    async def test_welcome_fails(self) -> None:
        """A login that fails at its last step is no longer counted as under way."""
        cluster = await self.begin()
        server = cluster.server("ms1")
        ended: list[str] = []
        login_ends = server.delivery.rooms.login_ends

        def noted() -> None:
            ended.append("rooms")
            login_ends()

        def broken(*_: Any) -> None:
            raise RuntimeError("broken")

        self.patch(server.delivery.rooms, "login_ends", noted)
        self.patch(server.delivery, "add", broken)
        peer = self.connect(cluster)
        peer.say("SEND_CLIENT_ID alice")
        await until(lambda: bool(ended))
        self.assertEqual(ended, ["rooms"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    async def test_window(self) -> None:
        """A client that acknowledges is given 256 messages ahead of its acknowledgements."""
        cluster = await self.begin(limits__flood=False)
        alice, bob = await self.login(cluster, "alice"), await self.login(cluster, "bob", acks=True)
        alice.say(*[f"SEND_MESSAGE_P2P bob {n}" for n in range(WINDOW + 20)])
        await self.hear(alice, *["OK SEND_MESSAGE_P2P"] * (WINDOW + 20))
        self.assertEqual(len(bob.heard), WINDOW)
        bob.say(f"SEND_ACK {bob.heard[-1].split()[2]}")
        await until(lambda: len(bob.heard) == WINDOW + 20)

    async def test_flood(self) -> None:
        """A program that is too fast is refused once, and read again after a second."""
        cluster = await self.begin(limits__rate=5.0, limits__burst=4)
        peer = self.connect(cluster)
        peer.say("HELLO 1")
        await self.hear(peer, "OK HELLO fishchat/1")
        peer.say(*["SEND_PING"] * 5)
        await self.hear(peer, *["OK SEND_PING"] * 3, "ERR SEND_PING FLOOD retry=1 ")
        self.assertEqual(peer.heard, [])
        await self.hear(peer, "OK SEND_PING")

    async def test_revoked(self) -> None:
        """A client whose right to be here was taken back is told why and closed; its session is gone."""
        cluster = await self.begin()
        alice = await self.login(cluster, "alice")
        await self.login(cluster, "bob")
        alice.say("REVOKE_DEVICE main")
        await self.hear(alice, "OK REVOKE_DEVICE main", "RESP_REVOKED revoked")
        self.assertEqual(alice.closed, "closed")
        server = cluster.server("ms1")
        self.assertEqual([alice.session.state, server.sessions.count], [State.CLOSING, 1])  # type: ignore[attr-defined]
        await cluster.settled()
        self.assertEqual(cluster.redis.command("EXISTS", "at:alice"), 0)

    async def test_replaced(self) -> None:
        """The same device on another connection takes the place of the first."""
        cluster = await self.begin()
        first = await self.login(cluster, "alice")
        second = await cluster.login("alice")
        await self.hear(first, "RESP_REPLACED")
        self.assertEqual(first.closed, "closed")
        await second.quiet()

    async def test_scram(self) -> None:
        """A peer with a channel binding is offered the mechanisms that use it."""
        cluster = await self.begin(accounts__mode="signup")
        server = cluster.server("ms1")
        for secure, offered in ((False, "sasl=SCRAM-SHA-256"), (True, "sasl=SCRAM-SHA-256,SCRAM-SHA-256-PLUS")):
            peer = MemoryPeer(server.sessions.open, lambda call: server.clock.callLater(0, call), secure=secure)
            self.assertIn(offered, peer.heard[0].split())
