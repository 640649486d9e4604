"""The cost of a message, counted: script calls, commands of Redis, writes, Deferreds, objects.

A change of a time may be lost in the noise of a machine; these numbers are the same in every run. Each bound is the
count at the time of writing. A test that fails has found work added by a change. A change that lowers a count also
lowers the bound.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

import fishchat
from fishchat.model.secrets.tokens import fingerprint, is_token
from fishchat.protocols.table import Command, Table
from fishchat.services.router.service import ShardReader
from fishchat.storage.packing import pack
from fishchat.storage.script import script
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.waiting import until

HERE = str(Path(fishchat.__file__).parent)
TEST = str(Path(HERE, "test"))
TEXT = "x" * 100
#: Commands of the test itself, and of idle connections.
OURS = {"info", "config", "ping", "xlen", "keys"}
STREAM = "/sysctrl/send"


def commands(cluster: Cluster) -> Counter[str]:
    """Redis' own count of commands, including those of scripts."""
    told = cluster.redis.command("INFO", "commandstats").decode()
    rows = [row.removeprefix("cmdstat_").split(":calls=") for row in told.splitlines() if ":calls=" in row]
    found = Counter({name: int(rest.partition(",")[0]) for name, rest in rows})
    return Counter({name: count for name, count in found.items() if name.partition("|")[0] not in OURS})


class Commands:
    """The count of commands from now on: ``since()`` returns it by name."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._before = commands(cluster)

    def since(self) -> dict[str, int]:
        """Return the count by name, without zeros."""
        return dict(sorted((commands(self._cluster) - self._before).items()))


class Pair:
    """Two accounts, one of which sends to the other; the number is that of the last message."""

    def __init__(self, sender: Client, receiver: Client) -> None:
        self.sender, self.receiver = sender, receiver
        self.said = 0

    def say(self, count: int, topic: str = "") -> None:
        """Send ``count`` messages in one piece."""
        verb = f"SEND_MESSAGE_TOPIC {topic}" if topic else f"SEND_MESSAGE_P2P {self.receiver.name}"
        first, self.said = self.said + 1, self.said + count
        self.sender.send(*[f"@cseq={n} {verb} {TEXT}" for n in range(first, self.said + 1)])

    def heard(self, count: int) -> bool:
        """Return whether ``count`` messages and as many answers were received."""
        return len(self.receiver.lines) == count and len(self.sender.lines) == count

    def acknowledge(self, every: bool = False) -> None:
        """Acknowledge the received messages, the last one or each."""
        ids = [line.split(" ")[2] for line in self.receiver.lines]
        self.receiver.send(*[f"SEND_ACK {message_id}" for message_id in (ids if every else ids[-1:])])

    def forget(self) -> None:
        """Drop all lines received so far."""
        self.sender.lines.clear()
        self.receiver.lines.clear()


class CountCase(ClusterCase):
    """A test with a cluster whose clock is stopped, so that only the test causes work."""

    async def still(self, servers: int = 1, **options: Any) -> Cluster:
        """Start such a cluster, by default without a router."""
        return await self.cluster(servers=servers, clock=Clock(), limits__flood=False, **{"routers": 0, **options})

    async def pairs(self, cluster: Cluster, count: int, receivers: str = "ms1") -> list[Pair]:
        """Return pairs that have exchanged a message before, because a conversation begins only once."""
        found = []
        for number in range(count):
            sender = await cluster.login(f"a{number}", acks=True)
            pair = Pair(sender, await cluster.login(f"b{number}", receivers, acks=True))
            pair.say(1)
            await sender.expect("OK …")
            found.append(pair)
        await cluster.settled()
        for pair in found:
            await until(lambda pair=pair: pair.receiver.lines)  # type: ignore[misc]
            pair.acknowledge()
            pair.forget()
        await cluster.settled()
        return found

    async def members(self, cluster: Cluster, count: int) -> list[Client]:
        """Return members of topic ``fishing`` that do not acknowledge; the first created it and sent a message."""
        found = [await cluster.login(f"m{number}") for number in range(count)]
        for number, client in enumerate(found):
            await client.ask("JOIN fishing" if number else "CREATE fishing", "OK …")
        await found[0].ask("SAY fishing hello", "OK …")
        for client in found[1:]:
            await client.expect("RESP_MESSAGE_TOPIC …")
        await cluster.settled()
        return found

    def at_most(self, bounds: dict[str, int], counted: dict[str, int]) -> None:
        """Check that each command is within its bound, and that no other command was run."""
        more = {name: count for name, count in counted.items() if count > bounds.get(name, 0)}
        self.assertFalse(more, f"more than {bounds}: counted {counted}")


@contextmanager
def writes(*clients: Client) -> Iterator[Counter[str]]:
    """Count the server's writes to each of these clients."""
    counted: Counter[str] = Counter()

    def counting(client: Client, write: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def counted_write(data: bytes) -> None:
            counted[client.name] += 1
            write(data)

        return counted_write

    wires: list[Any] = [client.wire for client in clients]
    for client, wire in zip(clients, wires, strict=True):
        wire.write = counting(client, wire.write)
    yield counted
    for wire in wires:
        del wire.write


class Batches(CountCase):
    """Messages of one turn share their cost, except for the part of each message."""

    async def test_script_calls(self) -> None:
        """Up to 500 messages of a turn are one script call; of one connection at most 64 lines are read in a turn."""
        cluster = await self.still()
        pairs = await self.pairs(cluster, 10)
        for each, calls in ((1, 1), (50, 1), (60, 2)):
            counted = Commands(cluster)
            for pair in pairs:
                pair.say(each)
            await until(lambda each=each: all(pair.heard(each) for pair in pairs))  # type: ignore[misc]
            made = counted.since()["evalsha"]
            self.assertEqual(made, calls, f"{made} script calls for {len(pairs) * each} messages of one turn")
            for pair in pairs:
                pair.forget()

    async def test_p2p(self) -> None:
        """1,000 messages between accounts of one server: the commands of Redis."""
        cluster = await self.still()
        pairs = await self.pairs(cluster, 20)
        counted = Commands(cluster)
        for pair in pairs:
            pair.say(50)
        await until(lambda: all(pair.heard(50) for pair in pairs))
        # Two batches, each of ten conversations; the XADD is the message.
        bounds = {"evalsha": 2, "mget": 2, "time": 2, "hmget": 20, "hset": 20, "xadd": 1000}
        self.at_most(bounds, counted.since())

    async def test_crossing(self) -> None:
        """1,000 messages to another server: an entry for the router and a hint for each batch, no further reading."""
        cluster = await self.still(servers=2, routers=1)
        reader: ShardReader = cluster.roles["router1"].find(ShardReader)
        pairs = await self.pairs(cluster, 20, "ms2")
        # Once a second it stores its place, by a clock that goes on.
        cluster.roles["router1"].clock.end()
        hints = reader.batches
        counted = Commands(cluster)
        for pair in pairs:
            pair.say(50)
        await until(lambda: all(pair.heard(50) for pair in pairs))
        bounds = {"evalsha": 2, "mget": 2, "time": 2, "hmget": 20, "hset": 20, "xadd": 1002, "incr": 2}
        # A read that waits is answered with what is there; a further one waits for what comes then, or was in vain.
        counts = counted.since()
        self.assertLessEqual(counts.pop("xread", 0), 12, "reads of the router")
        self.at_most(bounds, counts)
        self.assertEqual(reader.batches - hints, 2, "hints for two batches")

    async def test_topic(self) -> None:
        """1,000 messages of 20 members: who is a member is asked once for each batch and sender."""
        cluster = await self.still()
        pairs = [Pair(client, client) for client in await self.members(cluster, 20)]
        counted = Commands(cluster)
        for pair in pairs:
            pair.say(50, "fishing")
        # Each member receives all messages except its own, which are answered.
        await until(lambda: all(len(pair.sender.lines) == 1000 for pair in pairs))
        bounds = {"evalsha": 2, "mget": 2, "time": 2, "hmget": 20, "hexists": 20, "hkeys": 2, "hset": 2, "xadd": 1000}
        self.at_most(bounds, counted.since())

    async def test_entries(self) -> None:
        """A batch leaves one entry for the router if a message in it is for another server, else none."""
        cluster = await self.still(servers=2)
        near, far = await self.pairs(cluster, 2), [Pair(client, client) for client in await self.members(cluster, 2)]
        for pairs, topic, entries in ((near, "", 0), (far, "fishing", 1)):
            before = cluster.redis.command("XLEN", STREAM)
            for pair in pairs:
                pair.say(30, topic)
            await until(lambda pairs=pairs: all(len(pair.sender.lines) >= 30 for pair in pairs))  # type: ignore[misc]
            await cluster.server("ms1").commits.when_idle()
            left = cluster.redis.command("XLEN", STREAM) - before
            self.assertEqual(left, entries, f"{left} entries of one batch, {topic or 'p2p'}")


class Clients(CountCase):
    """The cost of pushes and acknowledgements."""

    async def test_writes(self) -> None:
        """The lines to one connection in one turn are one write: 50 answers, or 50 messages."""
        cluster = await self.still()
        pairs = await self.pairs(cluster, 10)
        with writes(*[client for pair in pairs for client in (pair.sender, pair.receiver)]) as counted:
            for pair in pairs:
                pair.say(50)
            await until(lambda: all(pair.heard(50) for pair in pairs))
        self.assertEqual(set(counted.values()), {1}, f"writes to each for 50 lines: {dict(counted)}")

    async def test_writes_to_members(self) -> None:
        """60 messages of one turn are one write to each member."""
        cluster = await self.still()
        members = await self.members(cluster, 30)
        with writes(*members) as counted:
            Pair(members[0], members[1]).say(60, "fishing")
            await until(lambda: all(len(client.lines) == 60 for client in members))
        self.assertEqual(set(counted.values()), {1}, f"writes to each for 60 messages: {dict(counted)}")

    async def test_nothing_is_registered(self) -> None:
        """The script call of a lone message is sent at once: nothing waits until a socket can be written to."""
        cluster = await self.still()
        (pair,) = await self.pairs(cluster, 1)
        registered = []
        real: Any = reactor
        add_writer = real.addWriter

        def counting(writer: Any) -> None:
            registered.append(writer)
            add_writer(writer)

        self.patch(real, "addWriter", counting)
        pair.say(1)
        await until(lambda: pair.heard(1))
        self.assertEqual(registered, [])

    async def test_acknowledgements(self) -> None:
        """Any number of acknowledgements is one script call a second, with a command for each cursor."""
        cluster = await self.still()
        pairs = await self.pairs(cluster, 20)
        for pair in pairs:
            pair.say(40)
        await until(lambda: all(pair.heard(40) for pair in pairs))
        # Those who have sent are past their own messages: their cursors are stored now.
        await self._second(cluster)
        quiet = await self._second(cluster)
        counted = Commands(cluster)
        for pair in pairs:
            pair.acknowledge(every=True)
        self.at_most({}, counted.since())
        second = Counter(await self._second(cluster)) - Counter(quiet)
        self.at_most({"evalsha": 1, "mget": 1, "del": 1, "hget": 40, "hset": 40}, dict(second))

    async def _second(self, cluster: Cluster) -> dict[str, int]:
        counted = Commands(cluster)
        await cluster.advance(1)
        await cluster.server("ms1").commits.when_idle()
        return counted.since()

    async def test_login_by_token(self) -> None:
        """A login by token is one script call and no hash; if nothing was missed, no log is read."""
        cluster = await self.still(accounts__mode="closed")
        tokens = [make_account(cluster, f"c{number}") for number in range(10)]
        for client in await self._come(cluster, tokens):
            client.drop()
        await cluster.settled()
        counted = Commands(cluster)
        await self._come(cluster, tokens)
        each = {"evalsha": 1, "mget": 1, "time": 1, "hmget": 1, "hget": 2, "hexists": 1, "del": 1, "hset": 3}
        each |= {"hgetall": 3, "sadd": 1, "set": 1}
        self.at_most({name: count * len(tokens) for name, count in each.items()}, counted.since())
        self.assertEqual(cluster.server("ms1").hashing.made, 0, "hashes of passwords")

    async def _come(self, cluster: Cluster, tokens: list[str]) -> list[Client]:
        clients = [cluster.connect() for _ in tokens]
        for number, (client, token) in enumerate(zip(clients, tokens, strict=True)):
            await client.expect("HELLO …")
            client.send(f"SEND_CLIENT_ID c{number} {token}")
        for client in clients:
            await client.expect("OK …", "RESP_SYNCED")
        return clients

    async def test_idle(self) -> None:
        """A server with 20 idle clients reads two values a second, and renews its lease every five."""
        cluster = await self.still()
        await self.pairs(cluster, 10)
        await cluster.advance(2)
        counted = Commands(cluster)
        await cluster.advance(10)
        renewals = {"evalsha": 2, "hget": 2, "set": 2, "del": 2}
        self.at_most(dict(Counter({"hget": 10, "get": 10}) + Counter(renewals)), counted.since())


def make_account(cluster: Cluster, name: str) -> str:
    """Create an account that logs in by token. Returns the token."""
    token = "fct_" + name
    assert is_token(token.encode())
    made, issued = (name, "", "", "", "", "", False), (name, "main", fingerprint(token.encode()), 10)
    for path, arguments in (("accounts/create", made), ("accounts/issue_token", issued)):
        cluster.redis.command("EVAL", script(path).source, 0, pack(*arguments))
    return token


class Objects(CountCase):
    """The Python objects of a message."""

    async def test_deferreds(self) -> None:
        """A message makes no Deferred; a batch makes two, of the script call and of the command."""
        cluster = await self.still()
        pairs = await self.pairs(cluster, 10)
        counts = []
        for each in (1, 50):
            with made_here(self) as made:
                for pair in pairs:
                    pair.say(each)
                await until(lambda each=each: all(pair.heard(each) for pair in pairs))  # type: ignore[misc]
            counts.append(sum(made.values()))
            for pair in pairs:
                pair.forget()
        self.assertEqual(counts, [2, 2], f"Deferreds for 10 and for 500 messages; the last ones: {dict(made)}")

    async def test_deferreds_of_hints(self) -> None:
        """A message from a router makes no Deferred either."""
        cluster = await self.still(servers=2, routers=1)
        pairs = await self.pairs(cluster, 10, "ms2")
        told = str(Path("msg_server", "delivery"))
        with made_here(self) as made:
            for pair in pairs:
                pair.say(50)
            await until(lambda: all(pair.heard(50) for pair in pairs))
        there = {where: count for where, count in made.items() if told in where}
        self.assertEqual(there, {}, "Deferreds where hints are heard")

    async def test_parsing(self) -> None:
        """Plain messages and acknowledgements take the short way of the parser, every one of them."""
        cluster = await self.still()
        pairs = await self.pairs(cluster, 10)
        long_way: list[bytes] = []
        parse_any = Table.parse_any

        def counted(table: Table, line: bytes) -> Command:
            long_way.append(line)
            return parse_any(table, line)

        self.patch(Table, "parse_any", counted)
        for pair in pairs:
            pair.say(50)
        await until(lambda: all(pair.heard(50) for pair in pairs))
        for pair in pairs:
            pair.acknowledge(every=True)
        self.assertEqual(long_way, [], f"{len(long_way)} of 1,000 lines went the long way")

    async def test_waiting(self) -> None:
        """A message in the queue has a bounded number of objects: the line's parts, the command, the body."""
        cluster = await self.still()
        pairs = await self.pairs(cluster, 10)
        for each in (40, 50):
            # The first time fills permanent memory: free lists, tables that grow.
            lines = _counted_lines(pairs, each)
            before = blocks()
            for pair, data in zip(pairs, lines, strict=True):
                assert pair.sender.wire is not None
                pair.sender.wire.protocol.dataReceived(data)
            waiting = (blocks() - before) / (each * len(pairs))
            await until(lambda each=each: all(pair.heard(each) for pair in pairs))  # type: ignore[misc]
            for pair in pairs:
                pair.forget()
        self.assertLessEqual(waiting, WAITING_BLOCKS, f"{waiting:.2f} objects for each message that waits")

    async def test_kept(self) -> None:
        """After 1,000 messages are delivered and acknowledged, none of their objects is left in the server."""
        cluster = await self.still()
        pairs = await self.pairs(cluster, 20)
        found = []
        for _ in range(3):
            before = blocks()
            for pair in pairs:
                pair.say(50)
            await until(lambda: all(pair.heard(50) for pair in pairs))
            for pair in pairs:
                pair.acknowledge()
                pair.forget()
            await cluster.settled()
            found.append(blocks() - before)
        self.assertLessEqual(min(found), 10, f"objects left of 1,000 messages, three times: {found}")


#: Objects of a message in the queue.
WAITING_BLOCKS = 10.5


def _counted_lines(pairs: list[Pair], each: int) -> list[bytes]:
    found = []
    for pair in pairs:
        first, pair.said = pair.said + 1, pair.said + each
        texts = [f"@cseq={n} SEND_MESSAGE_P2P {pair.receiver.name} {TEXT}\r\n" for n in range(first, pair.said + 1)]
        found.append("".join(texts).encode())
    return found


def blocks() -> int:
    """Count the live objects by Python's allocator, after a collection of cycles."""
    gc.collect()
    return sys.getallocatedblocks()


@contextmanager
def made_here(test: ClusterCase) -> Iterator[Counter[str]]:
    """Count the Deferreds that FishChat makes, itself or by its calls of Twisted, by file."""
    made: Counter[str] = Counter()
    begin = Deferred.__init__

    def counting(self: Deferred[Any], *args: Any, **kw: Any) -> None:
        frame = sys._getframe(1)
        while "twisted" in frame.f_code.co_filename and frame.f_back is not None:
            frame = frame.f_back
        where = frame.f_code.co_filename
        if where.startswith(HERE) and not where.startswith(TEST):
            made[where] += 1
        begin(self, *args, **kw)

    patch = test.patch(Deferred, "__init__", counting)
    yield made
    patch.restore()
