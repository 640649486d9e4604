"""Failures, and the promises that are kept in spite of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet import reactor

from fishchat.bus import channels
from fishchat.model.message import PLAIN, pack_body
from fishchat.services.router.service import ShardReader
from fishchat.services.running.lease import LEASE
from fishchat.storage.logs.calls import SEND
from fishchat.test.support.client import Client, id_of, text_of
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.waiting import until

#: P7: seconds within which every command is answered.
ANSWERED = 5.0


class StoredUnseen(ClusterCase):
    """A message may be stored with an unknown outcome: Redis runs the waiting requests after it resumes."""

    async def stored(self, cluster: Cluster, text: str, cseq: int) -> None:
        """Store a message as if the server had sent it, given up waiting, and Redis had stored it afterwards."""
        server = cluster.server("ms1")
        assert server.lease.fence is not None
        body = pack_body(b"alice", b"main", cseq, PLAIN, text.encode())
        message = [b"alice+bob", b"alice/main", cseq, body, b"alice", b"bob"]
        marked: list[int] = []
        values = (*server.lease.fence.args, server.stream, [b"alice", b"bob"], message, marked)
        writer: Any = cluster.roles["ms1"].writer
        await writer.call(SEND, *values)

    async def test_repeated(self) -> None:
        """The sender repeats the message, gets OK, and the recipient here receives it."""
        cluster = await self.cluster(servers=1, routers=0)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        await self.stored(cluster, "first", 1)
        await alice.ask("@cseq=1 MSG bob first", "OK SEND_MESSAGE_P2P alice+bob:…-1")
        self.assertEqual(await bob.texts(1), ["first"])
        await self.stored(cluster, "second", 2)
        await alice.ask("@cseq=2 MSG bob second", "OK SEND_MESSAGE_P2P alice+bob:…-2")
        self.assertEqual(await bob.texts(1), ["second"])

    async def test_doubted(self) -> None:
        """Without a repetition, the sweep after the writing connection is made again finds the message."""
        cluster = await self.cluster(servers=1, routers=0)
        await cluster.login("alice")
        bob = await cluster.login("bob")
        server = cluster.server("ms1")
        server._doubt()
        await cluster.settled()
        await self.stored(cluster, "late", 1)
        cluster.roles["ms1"].writer.drop("as after a missed deadline")
        self.assertEqual(await bob.texts(1), ["late"])


class LostHints(ClusterCase):
    """Hints may be lost, doubled or late: the log decides."""

    async def pair(self, redis: RedisServer | None = None) -> tuple[Cluster, Client, Client]:
        """Start with alice on one server and bob on the other."""
        cluster = await self.cluster(redis=redis, limits__flood=False)
        return cluster, await cluster.login("alice"), await cluster.login("bob", "ms2")

    async def test_first(self) -> None:
        """The first hint to a server is lost."""
        cluster, alice, bob = await self.pair()
        cluster.lose_hints("ms2")
        await alice.ask("MSG bob one", "OK …")
        self.assertEqual(await bob.texts(1), ["one"])

    async def test_middle(self) -> None:
        """The next hint reveals a lost one, and both messages are delivered in order."""
        cluster, alice, bob = await self.pair()
        await alice.ask("MSG bob 1", "OK …")
        self.assertEqual(await bob.texts(1), ["1"])
        cluster.lose_hints("ms2")
        for n in (2, 3, 4):
            await alice.ask(f"MSG bob {n}", "OK …")
            await cluster.settled()
        self.assertEqual(await bob.texts(3), ["2", "3", "4"])

    async def test_another_conversation(self) -> None:
        """The numbers reveal a lost hint of a conversation without further messages."""
        cluster, alice, bob = await self.pair()
        carol = await cluster.login("carol")
        for client in (alice, carol):
            await client.ask("MSG bob 1", "OK …")
        await bob.texts(2)
        cluster.lose_hints("ms2")
        await carol.ask("MSG bob lost", "OK …")
        await cluster.settled()
        await alice.ask("MSG bob 2", "OK …")
        self.assertEqual(sorted(await bob.texts(2)), ["2", "lost"])

    async def test_last(self) -> None:
        """The number in the store reveals a lost last hint, within about two seconds."""
        cluster, alice, bob = await self.pair()
        await alice.ask("MSG bob 1", "OK …")
        await bob.texts(1)
        cluster.lose_hints("ms2")
        await alice.ask("MSG bob 2", "OK …")
        self.assertEqual(await bob.texts(1, seconds=4), ["2"])

    async def test_reordered(self) -> None:
        """Hints arrive late and in the wrong order."""
        cluster, alice, bob = await self.pair()
        cluster.bus("ms2").hold()
        for n in range(10):
            await alice.ask(f"MSG bob {n}", "OK …")
            await cluster.settled()
        cluster.bus("ms2").release(reversed)
        self.assertEqual(await bob.texts(10), [str(n) for n in range(10)])
        await cluster.settled()
        await bob.quiet()

    async def test_bus_away(self) -> None:
        """A server without its bus for a while misses nothing after it reconnects."""
        cluster, alice, bob = await self.pair()
        cluster.bus("ms2").disconnect()
        for n in range(10):
            await alice.ask(f"MSG bob {n}", "OK …")
        await cluster.settled()
        await bob.quiet()
        cluster.bus("ms2").reconnect()
        self.assertEqual(await bob.texts(10), [str(n) for n in range(10)])

    async def test_session_gone(self) -> None:
        """A session that the store has lost was not replaced by a login: its client is moved, and may log in again."""
        cluster = await self.cluster(servers=1, routers=0)
        alice = await cluster.login("alice")
        cluster.redis.command("DEL", "session:alice", "at:alice")
        cluster.server("ms1").delivery.sweep()
        await alice.expect("RESP_MOVE - within=0")
        await alice.gone()
        await cluster.login("alice")

    async def test_replaced_unheard(self) -> None:
        """A server that missed the login of a device elsewhere learns it with its next sweep."""
        cluster, _, bob = await self.pair()
        cluster.bus("ms2").disconnect()
        again = await cluster.login("bob")
        cluster.bus("ms2").reconnect()
        await bob.expect("RESP_REPLACED")
        await bob.gone()
        await again.quiet()


class Routers(ClusterCase):
    """The router dies, is missing, or loses its place."""

    async def test_killed(self) -> None:
        """Another router takes over when the lease has ended; nothing is lost or doubled."""
        cluster = await self.cluster(routers=2, limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        alice.send(*[f"MSG bob {n}" for n in range(50)])
        await until(lambda: len(bob.lines) > 10)
        holder = next(name for name in ("router1", "router2") if cluster.roles[name].find(ShardReader).holds)
        await cluster.kill(holder)
        alice.send(*[f"MSG bob {n}" for n in range(50, 100)])
        self.assertEqual(await bob.texts(100), [str(n) for n in range(100)])
        await bob.quiet()

    async def test_none_for_a_while(self) -> None:
        """Without any router everything is stored; the first one delivers it."""
        cluster = await self.cluster(routers=0, limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        alice.send(*[f"MSG bob {n}" for n in range(200)])
        await alice.expect(*["OK …"] * 200)
        await bob.quiet()
        cluster.add("router1")
        self.assertEqual(await bob.texts(200), [str(n) for n in range(200)])

    async def test_stopped(self) -> None:
        """A router that is stopped releases its shard at once."""
        cluster = await self.cluster(routers=1)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("MSG bob 1", "OK …")
        await bob.texts(1)
        await cluster.stop("router1")
        self.assertEqual(cluster.redis.command("EXISTS", f"router:{channels.SEND}"), 0)
        cluster.add("router1")
        await alice.ask("MSG bob 2", "OK …")
        self.assertEqual(await bob.texts(1), ["2"])

    async def test_cut(self) -> None:
        """If the stream was trimmed while no router read it, every server sweeps."""
        cluster = await self.cluster(limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("MSG bob 0", "OK …")
        await bob.texts(1)
        await cluster.stop("router1")
        for n in range(1, 6):
            await alice.ask(f"MSG bob {n}", "OK …")
        cluster.redis.command("XTRIM", channels.SEND, "MAXLEN", 1)
        cluster.redis.command("XDEL", channels.SEND, *self.entries(cluster))
        carol = await cluster.login("carol")
        await carol.ask("MSG bob now", "OK …")
        cluster.add("router1")
        self.assertEqual(sorted(await bob.texts(6)), ["1", "2", "3", "4", "5", "now"])

    async def test_cut_before_the_first(self) -> None:
        """Every server sweeps, also if no router ran before."""
        cluster = await self.cluster(routers=0, limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        carol = await cluster.login("carol")
        dave = await cluster.login("dave", "ms2")
        await alice.ask("MSG bob cut", "OK …")
        cluster.redis.command("XDEL", channels.SEND, *self.entries(cluster))
        await carol.ask("MSG dave now", "OK …")
        cluster.add("router1")
        self.assertEqual(await dave.texts(1), ["now"])
        self.assertEqual(await bob.texts(1), ["cut"])

    def entries(self, cluster: Cluster) -> list[bytes]:
        """Return the ids in the stream."""
        return [entry[0] for entry in cluster.redis.command("XRANGE", channels.SEND, "-", "+")]


class Deaths(ClusterCase):
    """A msg_server dies."""

    async def test_killed(self) -> None:
        """Its clients' sessions end with its lease; what was sent to them meanwhile is there at their next login."""
        cluster = await self.cluster(managers=1)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2", acks=True)
        await alice.ask("MSG bob 1", "OK …")
        await bob.texts(1)
        await cluster.kill("ms2")
        self.assertTrue(bob.closed)
        await alice.ask("MSG bob 2", "OK …")
        await alice.ask("STATUS bob", "OK REQ_CLIENT_STATUS bob online …")
        cluster.forget_lease("ms2")
        await cluster.reap()
        await alice.ask("STATUS bob", "OK REQ_CLIENT_STATUS bob offline …")
        await alice.ask("MSG bob 3", "OK …")
        bob = await cluster.login("bob", "ms1", acks=True, synced=False)
        self.assertEqual(await bob.texts(3), ["1", "2", "3"])
        await bob.expect("RESP_SYNCED")

    async def test_login_before_the_reaper(self) -> None:
        """A client that logs in elsewhere before that keeps the new session."""
        cluster = await self.cluster(managers=1)
        alice = await cluster.login("alice")
        await cluster.login("bob", "ms2")
        await cluster.kill("ms2")
        bob = await cluster.login("bob")
        cluster.forget_lease("ms2")
        await cluster.reap()
        await alice.ask("STATUS bob", "OK REQ_CLIENT_STATUS bob online …")
        await alice.ask("MSG bob 1", "OK …")
        self.assertEqual(await bob.texts(1), ["1"])

    async def test_again_under_its_name(self) -> None:
        """A restarted server takes its name at once; its former sessions end, and its stored messages are delivered."""
        cluster = await self.cluster(managers=1)
        alice, _ = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await cluster.login("carol", "ms2")
        await cluster.kill("ms2")
        await alice.ask("MSG bob 1", "OK …")
        cluster.add("ms2")
        await cluster.ready()
        bob = await cluster.login("bob", "ms2", synced=False)
        self.assertEqual(await bob.texts(1), ["1"])
        await cluster.reap()
        await alice.ask("STATUS carol", "OK REQ_CLIENT_STATUS carol offline …")
        await alice.ask("STATUS bob", "OK REQ_CLIENT_STATUS bob online …")
        await alice.ask("MSG bob 2", "OK …")
        self.assertEqual(await bob.texts(1), ["2"])

    async def test_two_under_one_name(self) -> None:
        """The first of two servers with one name loses its lease, moves its clients, and cannot store any more (P6)."""
        cluster = await self.cluster(servers=1, routers=0)
        alice = await cluster.login("alice")
        (await cluster.login("bob")).drop()
        first = cluster.roles.pop("ms1")
        self.addCleanup(first.kill)
        cluster.add("ms1")
        await cluster.ready()
        alice.send("@cseq=1 MSG bob x")
        await until(lambda: alice.closed)
        self.assertIn("RESP_MOVE - within=0", alice.lines)
        self.assertEqual(cluster.redis.command("EXISTS", "log:alice+bob"), 0)
        self.assertFalse(any(line.startswith("OK") for line in alice.lines), alice.lines)


class Leases(ClusterCase):
    """P6: a server that lost the lease or the epoch stores nothing."""

    async def test_fenced(self) -> None:
        """The script refuses; it does not depend on the server's good will."""
        cluster = await self.cluster(servers=1, routers=0)
        await cluster.login("alice")
        server = cluster.server("ms1")
        fence = server.lease.fence
        assert fence is not None
        wrong = (
            (replace(fence, incarnation=b"other"), b"LEASE"),
            (replace(fence, epoch=fence.epoch - 1), b"EPOCH"),
            (replace(fence, server=b"ms9"), b"LEASE"),
        )
        writer: Any = cluster.roles["ms1"].writer
        message = [b"alice+alice", b"alice/main", -1, b"alice main -1 - x", b"alice", b"alice"]
        for other, word in wrong:
            reply = await writer.call(SEND, *other.args, server.stream, [b"alice"], message, [])
            self.assertEqual(reply[0], word)
        self.assertEqual(cluster.redis.command("EXISTS", "log:alice+alice"), 0)

    async def test_declared_dead(self) -> None:
        """Declared dead while it lived: its clients are sent away, it comes back and serves them again."""
        cluster = await self.cluster(managers=1)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("MSG bob 1", "OK …")
        await bob.texts(1)
        cluster.forget_lease("ms2")
        await cluster.reap()
        await alice.ask("MSG bob 2", "OK …")
        bob.send("@cseq=1 MSG alice once")
        await until(lambda: bob.closed)
        self.assertFalse(any(line.startswith("OK") for line in bob.lines), bob.lines)
        await cluster.ready()
        bob = await cluster.login("bob", "ms2", synced=False)
        await until(lambda: "RESP_SYNCED" in bob.lines)
        self.assertEqual([text for line in bob.lines if (text := text_of(line))][-1:], ["2"])
        bob.lines.clear()
        # Whether the first one was stored when the server was itself again, nobody can say; so it is sent again.
        await bob.ask("@cseq=1 MSG alice once", "OK SEND_MESSAGE_P2P …-3")
        self.assertEqual(await alice.texts(1), ["once"])
        await alice.quiet()

    async def test_expired_unnoticed(self) -> None:
        """A lease that ended without anyone taking notice is taken again; what was asked for meanwhile is stored."""
        cluster = await self.cluster(servers=1, routers=0)
        alice = await cluster.login("alice")
        cluster.forget_lease("ms1")
        await alice.ask("MSG alice x", "OK …-1")
        self.assertTrue(0 < cluster.redis.command("PTTL", "lease:ms1") <= LEASE * 1000)


class RedisFaults(ClusterCase):
    """P7 and P1, during every failure of Redis."""

    async def answers(self, clients: list[Client], count: int) -> list[str]:
        """The answers to everything asked so far, so many of each client; within five seconds."""
        began = reactor.seconds()
        await until(lambda: all(len(client.lines) >= count for client in clients), ANSWERED)
        self.assertLess(reactor.seconds() - began, ANSWERED)
        return [line for client in clients for line in client.lines]

    async def test_paused(self) -> None:
        """While Redis hangs, every command is answered in time, in order, never with a false OK; then all recovers."""
        redis = self.own_redis()
        cluster = await self.cluster(redis=redis)
        alice, carol = await cluster.login("alice"), await cluster.login("carol")
        bob = await cluster.login("bob", "ms2")
        dave = cluster.connect("ms2", "dave")
        await dave.expect("HELLO …")
        await alice.ask("@cseq=1 MSG bob 1", "OK …")
        self.assertEqual(await bob.texts(1), ["1"])
        redis.pause()
        calls = cluster.server("ms1").commits.calls
        alice.send("@id=a;cseq=2 MSG bob 2")
        await until(lambda: cluster.server("ms1").commits.calls > calls)
        alice.send("@id=b;cseq=3 MSG bob 3", "@id=c CREATE fishing", "@id=d PING", "@id=e HISTORY alice+bob")
        carol.send("@id=a MSG bob x", "@id=b STATUS bob", "@id=c JOIN fishing", "@id=d CONVERSATIONS", "@id=e TOPICS")
        dave.send("LOGIN dave")
        said = await self.answers([alice, carol], 5)
        await self.answers([dave], 1)
        for client in (alice, carol):
            self.assertEqual([line.split()[0] for line in client.lines], [f"@id={one}" for one in "abcde"])
        self.assertEqual(alice.lines[3], "@id=d OK SEND_PING")
        said.remove("@id=d OK SEND_PING")
        for line in said + dave.lines:
            self.assertRegex(line, r"(@id=. )?ERR \S+ (TRYAGAIN|UNKNOWN) retry=[0-9]")
        redis.resume()
        await cluster.ready()
        alice.lines.clear()
        alice.send("@cseq=2 MSG bob 2", "@cseq=3 MSG bob 3")
        await alice.expect("OK …", "OK …")
        self.assertEqual([text for text in await bob.texts(2) if text != "x"][:2], ["2", "3"])
        dave.lines.clear()
        await dave.ask("LOGIN dave", "OK SEND_CLIENT_ID dave")
        alice.send("CREATE fishing")
        await until(lambda: any("CREATE_TOPIC" in line for line in alice.lines))

    async def test_killed(self) -> None:
        """After a crash of Redis the epoch has grown, messages with OK exist, and no client must log in again."""
        redis = self.own_redis()
        cluster = await self.cluster(redis=redis)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2", acks=True)
        first = await alice.ask("@cseq=1 MSG bob 1", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        await bob.texts(1)
        redis.kill()
        await until(lambda: not cluster.roles["ms1"].writer.connected)
        alice.send("@cseq=2 MSG bob 2", "STATUS bob")
        for line in await self.answers([alice], 2):
            self.assertIn("TRYAGAIN", line)
        alice.lines.clear()
        redis.start()
        await cluster.ready()
        second = await alice.ask("@cseq=2 MSG bob 2", "OK SEND_MESSAGE_P2P alice+bob:$epoch-2")
        self.assertGreater(int(second["epoch"]), int(first["epoch"]))
        found = await bob.expect("RESP_MESSAGE_P2P alice $id 2")
        await bob.ask(f"@id=a ACK {found['id'][:-1]}9", "@id=a ERR SEND_ACK AHEAD …")
        bob.send(f"ACK {found['id']}")
        await bob.quiet()
        await cluster.settled()
        bob.drop()
        await cluster.settled()
        await cluster.login("bob", acks=True)

    async def test_killed_in_the_midst(self) -> None:
        """P1 and P2: numbered messages, resent until OK, are each there once, whenever Redis dies."""
        redis = self.own_redis()
        cluster = await self.cluster(redis=redis, limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2", acks=True)
        cseq, told, deaths = 1, 0, 0
        while cseq <= 120:
            alice.send(f"@cseq={cseq} MSG bob {cseq}")
            if cseq % 40 == 0 and told < cseq:
                told, deaths = cseq, deaths + 1
                redis.kill()
                redis.start()
            line = await alice.take()
            if line.startswith("OK"):
                cseq += 1
            else:
                self.assertRegex(line, "TRYAGAIN|UNKNOWN")
                await cluster.ready()
        self.assertEqual(deaths, 3)
        self.assertEqual(await bob.texts(120), [str(n) for n in range(1, 121)])
        await bob.quiet()

    async def test_put_back(self) -> None:
        """An older copy of the store: no id is given twice, and who had seen what is gone is told so."""
        redis = self.own_redis()
        cluster = await self.cluster(redis=redis)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        first = await alice.ask("MSG bob 1", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        await bob.texts(1)
        await cluster.settled()
        copy = self.copy(redis)
        for n in (2, 3):
            await alice.ask(f"MSG bob {n}", "OK …")
        ids = [id_of(await bob.take()) for _ in range(2)]
        await cluster.settled()
        await self.put_back(cluster, redis, copy)
        second = await alice.ask("MSG bob again", "OK SEND_MESSAGE_P2P alice+bob:$epoch-2")
        self.assertGreater(int(second["epoch"]), int(first["epoch"]))
        self.assertNotIn(f"alice+bob:{second['epoch']}-2", ids)
        await bob.expect("RESP_GAP alice+bob 2 3", "RESP_MESSAGE_P2P alice alice+bob:$epoch-2 again", captures=second)
        await bob.ask("CONVERSATIONS", "BEGIN REQ_CONVERSATIONS 1")

    async def test_put_back_behind_a_login(self) -> None:
        """Whom the older copy knows at another server was not replaced: it is sent away, and may come again."""
        redis = self.own_redis()
        cluster = await self.cluster(redis=redis)
        before = await cluster.login("alice")
        copy = self.copy(redis)
        alice = await cluster.login("alice", "ms2")
        await until(lambda: before.closed)
        alice.lines.clear()
        await self.put_back(cluster, redis, copy)
        await until(lambda: alice.closed)
        self.assertEqual([line.split()[0] for line in alice.lines], ["RESP_MOVE"])
        await cluster.login("alice", "ms2")

    def copy(self, redis: RedisServer) -> Path:
        """Copy the current files of Redis."""
        copy = redis.data.with_name(redis.data.name + "-copy")
        shutil.copytree(redis.data, copy, ignore=shutil.ignore_patterns("*.sock"))
        self.addCleanup(shutil.rmtree, copy)
        return copy

    async def put_back(self, cluster: Cluster, redis: RedisServer, copy: Path) -> None:
        """Kill Redis, replace its files by these, and start it."""
        redis.kill()
        for name in ("appendonlydir", "appendonly.aof"):
            there, old = redis.data / name, copy / name
            if there.is_dir():
                shutil.rmtree(there)
                shutil.copytree(old, there)
            elif old.exists():
                shutil.copyfile(old, there)
        await until(lambda: not cluster.roles["ms1"].writer.connected)
        redis.start()
        await cluster.ready()


class Retention(ClusterCase):
    """Gaps of removed messages are announced."""

    async def test_trimmed_unread(self) -> None:
        """After retention removed unread messages, a login receives RESP_GAP, then the remaining messages."""
        cluster = await self.cluster(managers=1, retention__p2p={"days": 365, "count": 3})
        alice = await cluster.login("alice")
        (await cluster.login("bob", "ms2")).drop()
        for n in range(1, 8):
            await alice.ask(f"MSG bob {n}", "OK …")
        await cluster.trim()
        bob = await cluster.login("bob", "ms2", synced=False)
        await bob.expect("RESP_GAP alice+bob 1 4", *[f"RESP_MESSAGE_P2P alice …-{n} {n}" for n in (5, 6, 7)])
        await bob.expect("RESP_SYNCED")
        await bob.ask("HISTORY alice+bob", "BEGIN REQ_HISTORY 3")

    async def test_erased(self) -> None:
        """Messages that were erased with their author are skipped: no device waits for them, live or in replay."""
        cluster = await self.cluster(managers=1)
        alice, carol = await cluster.login("alice"), await cluster.login("carol", "ms2")
        await alice.ask("CREATE pond", "OK …")
        await carol.ask("JOIN pond", "OK …")
        (await cluster.login("bob", "ms2")).send("JOIN pond", "QUIT")
        await cluster.settled()
        for sender, text in ((alice, "1"), (carol, "2"), (alice, "3"), (carol, "4")):
            other = carol if sender is alice else alice
            await sender.ask(f"SAY pond {text}", "OK …")
            await other.expect(f"RESP_MESSAGE_TOPIC pond …-{text} {text}")
        entries = cluster.redis.command("XRANGE", "log:#pond", "-", "+")
        cluster.redis.command("XDEL", "log:#pond", *[position for position, _ in entries[1::2]])
        bob = await cluster.login("bob", "ms2", synced=False)
        await bob.expect(*[f"RESP_MESSAGE_TOPIC pond alice …-{n} {n}" for n in (1, 3)], "RESP_SYNCED")
        await alice.ask("SAY pond 5", "OK …-5")
        self.assertEqual(await bob.texts(1), ["5"])

    async def test_all_trimmed(self) -> None:
        """The gap is announced also if no message is left, and new messages are delivered."""
        cluster = await self.cluster(managers=1)
        alice = await cluster.login("alice")
        (await cluster.login("bob", "ms2")).drop()
        for n in range(1, 4):
            await alice.ask(f"MSG bob {n}", "OK …")
        # As retention does when all of it is too old.
        cluster.redis.command("DEL", "log:alice+bob")
        cluster.redis.command("HSET", "meta:alice+bob", "t", 3)
        bob = await cluster.login("bob", "ms2", synced=False)
        await bob.expect("RESP_GAP alice+bob 1 3", "RESP_SYNCED")
        await alice.ask("MSG bob 4", "OK …-4")
        self.assertEqual(await bob.texts(1), ["4"])
        bob.drop()
        await cluster.settled()
        await cluster.login("bob")
