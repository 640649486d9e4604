"""What a device learns when it comes back: times for people, read marks of other devices, the newest messages."""

from __future__ import annotations

import re
from time import localtime, strftime, time
from typing import Any

from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase


async def log_in(
    cluster: Cluster, account: str, caps: str, server: str = "ms1", device: str = "main", synced: bool = True
) -> Client:
    """Return a client with these capabilities that is logged in; with ``synced`` it must have missed nothing."""
    client = cluster.connect(server, account)
    await client.expect("HELLO …")
    await client.ask(f"HELLO 1 caps={caps}", f"OK HELLO fishchat/1 caps={caps}")
    await client.ask(f"@device={device} LOGIN {account}", "OK …")
    if synced:
        await client.expect("RESP_SYNCED")
    return client


class People(ClusterCase):
    """Times of missed messages, for a client that never said HELLO."""

    async def begin(self, seconds: float) -> Cluster:
        """Start a server on which it is this much later than in the store; bob is away and misses two messages."""
        cluster = await self.cluster(servers=1, routers=0)
        cluster.server("ms1").delivery.feeder.times.wall = lambda: time() + seconds
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        await bob.ask("QUIT", "OK QUIT")
        for text in ("are you there?", "hello?"):
            await alice.ask(f"MSG bob {text}", "OK …")
        return cluster

    async def test_missed(self) -> None:
        """Missed messages follow a line with their time; what is said after the login has none."""
        cluster = await self.begin(7200)
        alice = await cluster.login("alice")
        await alice.ask("@limit=1 HISTORY alice+bob", "BEGIN …")
        stored = await alice.expect("ITEM $id alice $time …", "END …")
        bob = await cluster.login("bob", synced=False)
        found = await bob.expect("RESP_TIME $date $minute $zone", "RESP_MESSAGE_P2P alice …-1 are you there?")
        shown = [found["date"], found["minute"], found["zone"]]
        sent = int(stored["time"]) / 1000
        # The first one may have been stored a minute before the second one.
        near = [strftime("%Y-%m-%d %H:%M %z", localtime(sent - back)).split() for back in (0, 60)]
        self.assertIn(shown, near)
        if shown != near[0]:
            await bob.expect("RESP_TIME …")
        await bob.expect("RESP_MESSAGE_P2P alice …-2 hello?", "RESP_SYNCED")
        await alice.ask("MSG bob now", "OK …")
        await bob.expect("RESP_MESSAGE_P2P alice …-3 now")

    async def test_just_now(self) -> None:
        """A message of the last minute has none."""
        cluster = await self.begin(0)
        bob = await cluster.login("bob", synced=False)
        await bob.expect("RESP_MESSAGE_P2P …-1 are you there?", "RESP_MESSAGE_P2P …-2 hello?", "RESP_SYNCED")

    async def test_programs(self) -> None:
        """A client that has said HELLO is never sent such a line, whether it acknowledges or not."""
        cluster = await self.begin(7200)
        for line in ("HELLO 1", "HELLO 1 caps=ack"):
            bob = cluster.connect()
            await bob.expect("HELLO …")
            await bob.ask(line, "OK HELLO …")
            await bob.ask("LOGIN bob", "OK …")
            await bob.expect("RESP_MESSAGE_P2P …-1 are you there?", "RESP_MESSAGE_P2P …-2 hello?", "RESP_SYNCED")


class Reads(ClusterCase):
    """What one device marks as read, told to the account's other devices."""

    async def test_other_devices(self) -> None:
        """They are told on every server, in any conversation; neither the device itself nor a plain one is."""
        cluster = await self.cluster()
        alice = await log_in(cluster, "alice", "ack,ops")
        phone = await log_in(cluster, "bob", "ack,ops", device="phone")
        desk, laptop = [await log_in(cluster, "bob", "ops", server, server) for server in ("ms1", "ms2")]
        plain = [await cluster.login("bob", server, "plain" + server) for server in ("ms1", "ms2")]
        program = await cluster.login("bob", "ms2", "program", acks=True)
        await alice.ask("CREATE fishing", "OK …")
        await phone.ask("JOIN fishing", "OK …")
        pushes = {"MSG bob hi": "RESP_MESSAGE_P2P alice", "SAY fishing hi": "RESP_MESSAGE_TOPIC fishing alice"}
        for line, push in pushes.items():
            found = await alice.ask(line, "OK … $id")
            for client in (phone, desk, laptop, *plain, program):
                await client.expect(f"{push} {found['id']} hi")
            await phone.ask(f"READ {found['id']}", f"OK SEND_READ {found['id']}")
            for client in (desk, laptop):
                await client.expect(f"RESP_READ bob {found['id']}")
            if line.startswith("MSG"):
                await alice.expect(f"RESP_READ bob {found['id']}")
        await cluster.settled()
        for client in (alice, phone, desk, laptop, *plain, program):
            await client.quiet()

    async def test_notes_and_notices(self) -> None:
        """Notes to oneself and notices are told as well; what was read before is not."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        phone, desk = await log_in(cluster, "bob", "ops"), await log_in(cluster, "bob", "ops", "ms2", "desk")
        note = await phone.ask("MSG bob milk", "OK SEND_MESSAGE_P2P $id")
        await desk.expect("RESP_MESSAGE_P2P bob … milk")
        await alice.ask("CREATE fishing", "OK …")
        await alice.ask("INVITE fishing bob", "OK …")
        notice = await phone.expect("RESP_NOTICE alice $id INVITED fishing")
        await desk.expect("RESP_NOTICE …")
        for _ in range(2):
            await desk.ask(f"READ {notice['id']}", "OK …")
        await phone.expect(f"RESP_READ bob {notice['id']}")
        # Sending has marked it as read already, and the push of it says so.
        await desk.ask(f"READ {note['id']}", "OK …")
        await cluster.settled()
        for client in (phone, desk):
            await client.quiet()

    async def test_blocked(self) -> None:
        """An account that has blocked the other one still learns what its own devices read."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        phone, desk = await log_in(cluster, "bob", "ops"), await log_in(cluster, "bob", "ops", "ms2", "desk")
        found = await alice.ask("MSG bob hi", "OK SEND_MESSAGE_P2P $id")
        for client in (phone, desk):
            await client.expect("RESP_MESSAGE_P2P …")
        await phone.ask("BLOCK alice", "OK …")
        await phone.ask(f"READ {found['id']}", "OK …")
        await desk.expect(f"RESP_READ bob {found['id']}")
        await cluster.settled()
        await alice.quiet()


class Lazy(ClusterCase):
    """A device with the capability ``lazy``."""

    async def begin(self, newest: int = 3, **settings: Any) -> Cluster:
        """Start two servers."""
        return await self.cluster(limits__flood=False, limits__lazy=newest, **settings)

    async def say(self, client: Client, to: str, *texts: object) -> str:
        """Send messages; return the epoch."""
        client.send(*[f"{to} {text}" for text in texts])
        for _ in texts:
            found = await client.expect("OK … $head-$seq")
        return found["head"].rpartition(":")[2]

    async def test_newest(self) -> None:
        """It is pushed the newest messages and told the rest, again at each login, until it acknowledges above that."""
        cluster = await self.begin()
        alice, bob = await cluster.login("alice"), await log_in(cluster, "bob", "ack,lazy")
        bob.drop()
        epoch = await self.say(alice, "MSG bob", *range(1, 10))
        for server in ("ms2", "ms1"):
            bob = await log_in(cluster, "bob", "ack,lazy", server, synced=False)
            await bob.expect("RESP_BEHIND alice+bob 1 6")
            await bob.expect(*[f"RESP_MESSAGE_P2P alice alice+bob:{epoch}-{n} {n}" for n in (7, 8, 9)], "RESP_SYNCED")
            bob.drop()
            await cluster.settled()
        bob = await log_in(cluster, "bob", "ack,lazy", synced=False)
        await bob.expect("RESP_BEHIND alice+bob 1 6", *["RESP_MESSAGE_P2P …"] * 3, "RESP_SYNCED")
        await bob.ask(f"@before=alice+bob:{epoch}-7 HISTORY alice+bob", "BEGIN REQ_HISTORY 6")
        await bob.expect(*["ITEM …"] * 6, "END …")
        bob.send(f"ACK alice+bob:{epoch}-7")
        await bob.quiet()
        bob.drop()
        await cluster.settled()
        bob = await log_in(cluster, "bob", "ack,lazy", "ms2", synced=False)
        await bob.expect("RESP_MESSAGE_P2P …-8 8", "RESP_MESSAGE_P2P …-9 9", "RESP_SYNCED")

    async def test_operations(self) -> None:
        """It is pushed what changes messages that it has, also inside the range, before the newest messages."""
        cluster = await self.begin(newest=2)
        alice, bob = await cluster.login("alice"), await log_in(cluster, "bob", "ack,lazy,ops")
        epoch = await self.say(alice, "MSG bob", 1, 2, 3)
        of = f"alice+bob:{epoch}"
        await bob.texts(3)
        bob.send(f"ACK {of}-3")
        await bob.quiet()
        bob.drop()
        await cluster.settled()
        lines = [f"EDIT {of}-1 one", "MSG bob 5", f"REACT {of}-3 ok", "MSG bob 7", "MSG bob 8", f"REACT {of}-5 ok"]
        for number, line in enumerate([*lines, f"EDIT {of}-2 two", "MSG bob 11"], 4):
            await alice.ask(line, f"OK … {of}-{number}")
        wanted = [
            "RESP_BEHIND alice+bob 5 7",
            f"RESP_EDIT alice {of}-4 {of}-1 one",
            f"RESP_REACTION alice {of}-6 {of}-3 + ok",
            f"RESP_MESSAGE_P2P alice {of}-8 8",
            f"RESP_REACTION alice {of}-9 {of}-5 + ok",
            f"RESP_EDIT alice {of}-10 {of}-2 two",
            f"RESP_MESSAGE_P2P alice {of}-11 11",
            "RESP_SYNCED",
        ]
        for server in ("ms1", "ms2"):
            bob = await log_in(cluster, "bob", "ack,lazy,ops", server, synced=False)
            await bob.expect(*wanted)
            bob.drop()
            await cluster.settled()

    async def test_limit_lazy(self) -> None:
        """At the limit everything is pushed; one message more is told. Other devices are pushed all."""
        cluster = await self.begin(newest=2)
        alice = await cluster.login("alice")
        bobs = [(await log_in(cluster, "bob", caps, device=name)) for caps, name in (("ack,lazy", "a"), ("ack", "b"))]
        for bob in bobs:
            bob.drop()
        await self.say(alice, "MSG bob", 1, 2)
        lines = ["RESP_MESSAGE_P2P …-1 1", "RESP_MESSAGE_P2P …-2 2"]
        bob = await log_in(cluster, "bob", "ack,lazy", device="a", synced=False)
        await bob.expect(*lines, "RESP_SYNCED")
        bob.drop()
        await self.say(alice, "MSG bob", 3)
        bob = await log_in(cluster, "bob", "ack,lazy", device="a", synced=False)
        await bob.expect("RESP_BEHIND alice+bob 1 1", lines[1], "RESP_MESSAGE_P2P …-3 3", "RESP_SYNCED")
        other = await log_in(cluster, "bob", "ack", device="b", synced=False)
        await other.expect(*lines, "RESP_MESSAGE_P2P …-3 3", "RESP_SYNCED")

    async def test_without_acknowledgements(self) -> None:
        """Without ``ack``, a written range counts as kept."""
        cluster = await self.begin(newest=1)
        alice, bob = await cluster.login("alice"), await log_in(cluster, "bob", "lazy")
        bob.drop()
        await self.say(alice, "MSG bob", 1, 2, 3)
        bob = await log_in(cluster, "bob", "lazy", synced=False)
        await bob.expect("RESP_BEHIND alice+bob 1 2", "RESP_MESSAGE_P2P …-3 3", "RESP_SYNCED")
        bob.drop()
        await cluster.settled()
        await log_in(cluster, "bob", "lazy", "ms2")

    async def test_conversations(self) -> None:
        """Each conversation counts alone; in a topic only messages that the account may see are told, by membership."""
        cluster = await self.begin(newest=2)
        alice, bob = await cluster.login("alice"), await log_in(cluster, "bob", "ack,lazy")
        await alice.ask("CREATE fishing", "OK …")
        other = await cluster.login("bob", "ms2", "other")
        await self.say(alice, "SAY fishing", 1, 2)
        await other.ask("JOIN fishing", "OK …")
        await bob.quiet()
        bob.drop()
        await self.say(alice, "SAY fishing", 3, 4)
        await other.expect(*["RESP_MESSAGE_TOPIC …"] * 2)
        await other.ask("LEAVE fishing", "OK …")
        await self.say(alice, "SAY fishing", 5, 6, 7)
        await other.ask("JOIN fishing", "OK …")
        await self.say(alice, "SAY fishing", 8, 9, 10)
        await self.say(alice, "MSG bob", "one", "two", "three")
        bob = await log_in(cluster, "bob", "ack,lazy", synced=False)
        lines = [re.sub(r":\d+-", ":", await bob.take()) for _ in range(8)]
        topic = [line for line in lines if "fishing" in line]
        self.assertEqual(
            topic,
            [
                "RESP_BEHIND #fishing 3 4",
                "RESP_BEHIND #fishing 8 8",
                "RESP_MESSAGE_TOPIC fishing alice #fishing:9 9",
                "RESP_MESSAGE_TOPIC fishing alice #fishing:10 10",
            ],
        )
        p2p = ["RESP_BEHIND alice+bob 1 1", *(f"RESP_MESSAGE_P2P alice alice+bob:{n}" for n in ("2 two", "3 three"))]
        self.assertEqual([line for line in lines if line not in topic], [*p2p, "RESP_SYNCED"])

    async def test_gaps(self) -> None:
        """What retention took is a gap, before the range of what is left."""
        cluster = await self.begin(newest=1, managers=1, retention__p2p__count=3)
        alice, bob = await cluster.login("alice"), await log_in(cluster, "bob", "ack,lazy")
        bob.drop()
        await self.say(alice, "MSG bob", *range(1, 8))
        await cluster.trim()
        bob = await log_in(cluster, "bob", "ack,lazy", synced=False)
        await bob.expect("RESP_GAP alice+bob 1 4", "RESP_BEHIND alice+bob 5 6", "RESP_MESSAGE_P2P …-7 7", "RESP_SYNCED")

    async def test_goes_on_live(self) -> None:
        """After the newest messages it receives new ones as they come, also those of other servers."""
        cluster = await self.begin(newest=1)
        alice, bob = await cluster.login("alice"), await log_in(cluster, "bob", "ack,lazy", "ms2")
        bob.drop()
        await self.say(alice, "MSG bob", 1, 2)
        bob = await log_in(cluster, "bob", "ack,lazy", "ms2", synced=False)
        await bob.expect("RESP_BEHIND alice+bob 1 1", "RESP_MESSAGE_P2P …-2 2", "RESP_SYNCED")
        await self.say(alice, "MSG bob", 3, 4, 5)
        await bob.expect(*[f"RESP_MESSAGE_P2P …-{n} {n}" for n in (3, 4, 5)])
