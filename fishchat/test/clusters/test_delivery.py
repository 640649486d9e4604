"""Delivery of messages through all roles, without failures."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.task import deferLater

from fishchat.test.support.client import Client, id_of, text_of
from fishchat.test.support.cluster import ClusterCase
from fishchat.test.support.waiting import until


class BetweenServers(ClusterCase):
    """Delivery is independent of the server to which a client is connected."""

    async def test_across(self) -> None:
        """A message reaches the other server's client, with its sender, its id and its text, in order."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        found = await alice.ask("SEND_MESSAGE_P2P bob hello  there", "OK SEND_MESSAGE_P2P $id")
        self.assertRegex(found["id"], r"^alice\+bob:[0-9]+-1$")
        await bob.expect("RESP_MESSAGE_P2P alice $id hello  there", captures=found)
        alice.send(*[f"SEND_MESSAGE_P2P bob {n}" for n in range(50)])
        self.assertEqual(await bob.texts(50), [str(n) for n in range(50)])
        await bob.ask("MSG alice hi", "OK SEND_MESSAGE_P2P alice+bob:…-52")
        await alice.expect(*["OK SEND_MESSAGE_P2P …"] * 50, "RESP_MESSAGE_P2P bob alice+bob:…-52 hi")

    async def test_one_order(self) -> None:
        """Both sides write at once, from two servers: every client sees the conversation in the order of its ids."""
        cluster = await self.cluster(limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        carol = await cluster.login("alice", "ms2", "tablet")
        for n in range(100):
            alice.send(f"MSG bob a{n}")
            bob.send(f"MSG alice b{n}")
            if n % 10 == 0:
                await until(lambda n=n: len(carol.lines) > n)  # type: ignore[misc]
        await until(lambda: len(carol.lines) == 200)
        self.assertEqual([int(id_of(line).rpartition("-")[2]) for line in carol.lines], list(range(1, 201)))
        seen = [text_of(line) for line in carol.lines]
        for client, mine in ((alice, "a"), (bob, "b")):
            await until(lambda client=client: len(client.lines) == 200)  # type: ignore[misc]
            heard = [text_of(line) for line in client.lines if text_of(line)]
            self.assertEqual(heard, [text for text in seen if text and text[0] != mine])

    async def test_to_oneself(self) -> None:
        """A message to the own account reaches its other devices only, on every server."""
        cluster = await self.cluster()
        phone = await cluster.login("alice", device="phone")
        desk = await cluster.login("alice", "ms2", "desk")
        await phone.ask("MSG alice milk", "OK SEND_MESSAGE_P2P alice+alice:…-1")
        await desk.expect("RESP_MESSAGE_P2P alice alice+alice:…-1 milk")
        await phone.quiet()


class Offline(ClusterCase):
    """Replay for devices that were offline."""

    async def test_missed_then_live(self) -> None:
        """A login pushes missed messages in order, then RESP_SYNCED, then newer messages."""
        cluster = await self.cluster(limits__flood=False)
        alice = await cluster.login("alice")
        (await cluster.login("bob", "ms2")).drop()
        alice.send(*[f"@cseq={n} MSG bob {n}" for n in range(1, 251)])
        await alice.expect(*["OK SEND_MESSAGE_P2P …"] * 250)
        for server in ("ms2", "ms1"):
            bob = await cluster.login("bob", server, synced=False)
            if server == "ms2":
                self.assertEqual(await bob.texts(250), [str(n) for n in range(1, 251)])
            await bob.expect("RESP_SYNCED")
            await alice.ask("MSG bob live", "OK …-25…")
            self.assertEqual(await bob.texts(1), ["live"])
            bob.drop()
            await cluster.settled()

    async def test_live_ones_wait(self) -> None:
        """New messages during the replay are pushed after RESP_SYNCED."""
        cluster = await self.cluster(limits__flood=False)
        alice = await cluster.login("alice")
        (await cluster.login("bob", "ms2")).drop()
        alice.send(*[f"MSG bob {n}" for n in range(1000)])
        await until(lambda: len(alice.lines) == 1000)
        bob = cluster.connect("ms2", "bob")
        bob.send("LOGIN bob")
        alice.send(*[f"MSG bob {n}" for n in range(1000, 1500)])
        await until(lambda: sum(text_of(line) is not None for line in bob.lines) == 1500)
        at = bob.lines.index("RESP_SYNCED")
        self.assertGreaterEqual(at, 1002)
        self.assertEqual([text for line in bob.lines if (text := text_of(line))], [str(n) for n in range(1500)])

    async def test_never_seen(self) -> None:
        """A message to an unknown account is refused; after its first login it is accepted."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        await alice.ask("MSG bob hi", "ERR SEND_MESSAGE_P2P NOTFOUND …")
        (await cluster.login("bob", "ms2")).drop()
        await alice.ask("MSG bob hi", "OK SEND_MESSAGE_P2P …-1")

    async def test_plain_profile(self) -> None:
        """Messages written to a client that does not acknowledge count as received."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("MSG bob one", "OK …")
        self.assertEqual(await bob.texts(1), ["one"])
        bob.drop()
        await cluster.settled()
        await alice.ask("MSG bob two", "OK …")
        bob = await cluster.login("bob", synced=False)
        await bob.expect("RESP_MESSAGE_P2P alice …-2 two", "RESP_SYNCED")


class Devices(ClusterCase):
    """Several devices of one account."""

    async def test_own_messages(self) -> None:
        """Messages of one device are pushed to the account's others; the sender gets no echo, in topics neither."""
        cluster = await self.cluster()
        bob = await cluster.login("bob")
        phone = await cluster.login("alice", device="phone")
        desk = await cluster.login("alice", "ms2", "desk")
        await phone.ask("MSG bob hi", "OK …")
        await desk.expect("RESP_MESSAGE_P2P alice alice+bob:…-1 hi")
        await bob.expect("RESP_MESSAGE_P2P alice alice+bob:…-1 hi")
        await desk.ask("CREATE fishing", "OK CREATE_TOPIC fishing")
        await desk.ask("SAY fishing one", "OK …")
        await phone.expect("RESP_MESSAGE_TOPIC fishing alice #fishing:…-1 one")
        await phone.ask("SAY fishing two", "OK …")
        await desk.expect("RESP_MESSAGE_TOPIC fishing alice #fishing:…-2 two")
        await phone.quiet()
        await desk.quiet()

    async def test_own_messages_offline(self) -> None:
        """Messages of one device are replayed to the account's other device later, never to itself."""
        cluster = await self.cluster()
        (await cluster.login("bob")).drop()
        (await cluster.login("alice", device="desk")).drop()
        phone = await cluster.login("alice", device="phone")
        await phone.ask("MSG bob hi", "OK …")
        phone.drop()
        await cluster.settled()
        await cluster.login("alice", "ms2", "phone")
        desk = await cluster.login("alice", "ms2", "desk", synced=False)
        await desk.expect("RESP_MESSAGE_P2P alice …-1 hi", "RESP_SYNCED")

    async def test_new_device(self) -> None:
        """A new device starts at the furthest cursor of the account's devices."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", device="phone", acks=True)
        await alice.ask("MSG bob one", "OK …")
        found = await bob.expect("RESP_MESSAGE_P2P alice $id one")
        await alice.ask("MSG bob two", "OK …")
        await bob.expect("…two")
        bob.send(f"SEND_ACK {found['id']}")
        await cluster.settled()
        desk = await cluster.login("bob", "ms2", "desk", synced=False)
        await desk.expect("RESP_MESSAGE_P2P alice …-2 two", "RESP_SYNCED")

    async def test_replaced(self) -> None:
        """If a device logs in again, on any server, its old connection is notified and closed."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        first = await cluster.login("bob")
        for server in ("ms1", "ms2", "ms1"):
            second = await cluster.login("bob", server)
            await first.expect("RESP_REPLACED")
            await first.gone()
            await alice.ask(f"MSG bob {server}", "OK …")
            self.assertEqual(await second.texts(1), [server])
            # A cursor is stored within a second; only then a login elsewhere sees it.
            await cluster.settled()
            first = second
        await alice.ask("STATUS bob", "OK REQ_CLIENT_STATUS bob online …")
        first.drop()
        await cluster.settled()
        await alice.ask("STATUS bob", "OK REQ_CLIENT_STATUS bob offline …")

    async def test_replaced_then_gone(self) -> None:
        """A login replaces the old one even if its connection is lost before the answer."""
        cluster = await self.cluster(servers=1)
        first = await cluster.login("bob")
        second = cluster.connect()
        second.send("LOGIN bob")
        second.drop()
        await first.expect("RESP_REPLACED")
        await first.gone()
        await until(lambda: not cluster.redis.command("EXISTS", "at:bob"))
        self.assertEqual(list(cluster.server("ms1").delivery.presence), [])


class Acknowledging(ClusterCase):
    """The full guarantee, for clients with ``caps=ack``."""

    async def login(self, server: str = "ms1") -> Client:
        """Return bob, who acknowledges."""
        return await self.there.login("bob", server, acks=True, synced=False)

    async def test_until_acknowledged(self) -> None:
        """Messages are delivered again at each login until they are acknowledged; an acknowledgement is cumulative."""
        self.there = cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await self.login()
        await bob.expect("RESP_SYNCED")
        alice.send(*[f"MSG bob {n}" for n in range(1, 6)])
        ids = [id_of(await bob.take()) for _ in range(5)]
        for server, acked, left in (("ms2", 3, ["4", "5"]), ("ms1", 4, ["5"]), ("ms2", 5, [])):
            bob.send(f"SEND_ACK {ids[acked - 1]}")
            bob.drop()
            await cluster.settled()
            bob = await self.login(server)
            self.assertEqual(await bob.texts(len(left)), left)
            await bob.expect("RESP_SYNCED")

    async def test_never_back(self) -> None:
        """An older acknowledgement changes nothing."""
        self.there = cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await self.login()
        await bob.expect("RESP_SYNCED")
        alice.send("MSG bob 1", "MSG bob 2")
        ids = [id_of(await bob.take()) for _ in range(2)]
        bob.send(f"ACK {ids[1]}", f"ACK {ids[0]}")
        await bob.quiet()
        bob.drop()
        await cluster.settled()
        await (await self.login("ms2")).expect("RESP_SYNCED")

    async def test_window(self) -> None:
        """At most 256 pushes are unacknowledged, in replay and live; an acknowledgement releases the rest."""
        self.there = cluster = await self.cluster(limits__flood=False)
        alice, bob = await cluster.login("alice"), await self.login("ms2")
        await bob.expect("RESP_SYNCED")
        alice.send(*[f"MSG bob {n}" for n in range(600)])
        await until(lambda: len(alice.lines) == 600)
        await cluster.settled()
        await until(lambda: len(bob.lines) == 256)
        await bob_is_full(bob)
        self.assertEqual([text_of(line) for line in bob.lines], [str(n) for n in range(256)])
        bob.drop()
        await cluster.settled()
        bob = await self.login()
        await until(lambda: len(bob.lines) == 256)
        await bob_is_full(bob)
        seen: list[str] = []
        while len(seen) < 600:
            await until(lambda: bob.lines)
            line = bob.lines.pop(0)
            text = text_of(line)
            if text is None:
                continue
            seen.append(text)
            if len(seen) % 100 == 0 or len(seen) == 600:
                bob.send(f"ACK {id_of(line)}")
        self.assertEqual(seen, [str(n) for n in range(600)])
        await bob.expect("RESP_SYNCED")
        await bob.quiet()

    async def test_window_of_several(self) -> None:
        """The limit of 256 is for all conversations together, also when some are fed and others are live."""
        self.there = cluster = await self.cluster(servers=1, limits__flood=False)
        alice, carol = await cluster.login("alice"), await cluster.login("carol")
        bob = await self.login()
        await bob.expect("RESP_SYNCED")
        most = 0
        unacked: list[str] = []
        for one in range(30):
            alice.send(*[f"MSG bob a{n}" for n in range(20)])
            carol.send(*[f"MSG bob c{n}" for n in range(20)])
            await until(lambda one=one: len(alice.lines) + len(carol.lines) == 40 * (one + 1))  # type: ignore[misc]
            unacked += bob.lines
            bob.lines.clear()
            most = max(most, len(unacked))
            if len(unacked) > 180:
                for name in ("alice", "carol"):
                    mine = [line for line in unacked[:170] if line.split()[1] == name]
                    if mine:
                        bob.send(f"ACK {id_of(mine[-1])}")
                unacked = unacked[170:]
        self.assertLessEqual(most, 256)

    async def test_refused(self) -> None:
        """An acknowledgement above the last push, in a conversation of others or with a bad id is refused."""
        self.there = cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await self.login("ms2")
        carol = await cluster.login("carol", acks=True)
        await bob.expect("RESP_SYNCED")
        await alice.ask("MSG bob 1", "OK …")
        found = await bob.expect("RESP_MESSAGE_P2P alice alice+bob:$epoch-1 1")
        epoch = found["epoch"]
        await bob.ask(f"@id=x ACK alice+bob:{epoch}-2", f"@id=x ERR SEND_ACK AHEAD last={epoch}-1 …")
        await carol.ask(f"ACK alice+bob:{epoch}-1", "ERR SEND_ACK NOTFOUND …")
        await bob.ask(f"ACK bob+carol:{epoch}-1", "ERR SEND_ACK NOTFOUND …")
        await bob.ask("ACK nonsense", "ERR SEND_ACK BADID …")
        bob.drop()
        await cluster.settled()
        bob = await self.login("ms1")
        await bob.expect("RESP_MESSAGE_P2P alice …-1 1", "RESP_SYNCED")


class Receipts(ClusterCase):
    """Read receipts by SEND_READ."""

    async def test_across(self) -> None:
        """All devices of the other side receive the receipt, on every server; a repetition sends none."""
        cluster = await self.cluster()
        phone, desk = await cluster.login("alice", device="phone"), await cluster.login("alice", "ms2", "desk")
        bob = await cluster.login("bob", "ms2")
        found = await phone.ask("MSG bob hi", "OK SEND_MESSAGE_P2P $id")
        await bob.expect("RESP_MESSAGE_P2P …")
        await desk.expect("RESP_MESSAGE_P2P …")
        await bob.ask(f"SEND_READ {found['id']}", f"OK SEND_READ {found['id']}")
        await phone.expect(f"RESP_READ bob {found['id']}")
        await desk.expect(f"RESP_READ bob {found['id']}")
        await bob.ask(f"READ {found['id']}", "OK …")
        await cluster.settled()
        for client in (phone, desk, bob):
            await client.quiet()

    async def test_refused(self) -> None:
        """Only existing messages can be marked as read, and only by accounts that can see them."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        found = await alice.ask("MSG bob hi", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        await bob.expect("RESP_MESSAGE_P2P …")
        await bob.ask(f"READ alice+bob:{found['epoch']}-2", "ERR SEND_READ AHEAD …")
        await (await cluster.login("carol")).ask(f"READ alice+bob:{found['epoch']}-1", "ERR SEND_READ NOTFOUND …")


class Order(ClusterCase):
    """Each command has one answer, in the order of the commands."""

    async def test_pipelined_login(self) -> None:
        """Commands may be sent directly after the login, without waiting."""
        cluster = await self.cluster()
        (await cluster.login("bob")).drop()
        alice = cluster.connect("ms2", "alice")
        alice.send(
            "HELLO 1 caps=ack",
            "SEND_CLIENT_ID alice",
            "@id=1 SEND_MESSAGE_P2P bob hi",
            "@id=2 SEND_PING",
            "@id=3 NONSENSE",
            "@id=4 CREATE_TOPIC fishing",
            "@id=5 SEND_MESSAGE_TOPIC fishing yes",
            "@id=6 REQ_HISTORY #fishing",
            "@id=7 SEND_MESSAGE_P2P nobody hi",
            "@id=8 HELP QUIT",
            "@id=9 QUIT",
        )
        await until(lambda: alice.closed)
        answers = [line for line in alice.lines if not line.startswith("RESP_")]
        self.assertTrue(answers[2].startswith("OK SEND_CLIENT_ID"), answers)
        seen = [line.split()[0][4:] if line[0] == "@" else line.split()[1] for line in answers[3:]]
        self.assertEqual(list(dict.fromkeys(seen)), [str(n) for n in range(1, 10)])
        self.assertEqual(alice.lines[-1], "@id=9 OK QUIT")

    async def test_ping_behind_a_message(self) -> None:
        """A command that does not need the store never overtakes one that does, not even as the store answers."""
        cluster = await self.cluster(servers=1, limits__flood=False)
        (await cluster.login("bob")).drop()
        alice = await cluster.login("alice")
        sent: list[str] = []
        for n in range(200):
            sent += [f"@id=m{n}", f"@id=p{n}"]
            alice.send(f"@id=m{n} MSG bob {n}")
            # In a later turn, while the message is in flight.
            await deferLater(reactor, 0)
            alice.send(f"@id=p{n} PING")
            if n % 3 == 0:
                await until(lambda n=n: len(alice.lines) == 2 * n + 2)  # type: ignore[misc]
        await until(lambda: len(alice.lines) == len(sent))
        self.assertEqual([line.split()[0] for line in alice.lines], sent)

    async def test_login_then_quit(self) -> None:
        """A login and QUIT in one piece leave nothing in the server."""
        cluster = await self.cluster(servers=1)
        bob = cluster.connect()
        bob.send("LOGIN bob", "QUIT")
        await until(lambda: bob.closed)
        await cluster.settled()
        server = cluster.server("ms1")
        self.assertEqual(
            (list(server.delivery.presence), server.sessions.find(b"bob/main"), server.sessions.count), ([], None, 0)
        )
        self.assertEqual(cluster.redis.command("EXISTS", "at:bob"), 0)

    async def test_acknowledge_behind_the_login(self) -> None:
        """A client that saved its last id may acknowledge it with the login."""
        cluster = await self.cluster(servers=1)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", acks=True)
        await alice.ask("MSG bob hi", "OK …")
        found = await bob.expect("RESP_MESSAGE_P2P alice $id hi")
        bob.send(f"ACK {found['id']}")
        bob.drop()
        await cluster.settled()
        bob = cluster.connect(name="bob")
        bob.send("HELLO 1 caps=ack", "LOGIN bob", f"ACK {found['id']}", "PING")
        await bob.expect("HELLO …", "OK HELLO …", "OK SEND_CLIENT_ID bob", "RESP_SYNCED", "OK SEND_PING")

    async def test_quit(self) -> None:
        """QUIT is answered after all commands before it, which are carried out."""
        cluster = await self.cluster()
        bob = await cluster.login("bob", "ms2")
        alice = await cluster.login("alice")
        alice.send(*[f"MSG bob {n}" for n in range(20)], "QUIT")
        await alice.expect(*["OK SEND_MESSAGE_P2P …"] * 20, "OK QUIT")
        await alice.gone()
        self.assertEqual(await bob.texts(20), [str(n) for n in range(20)])


class Numbered(ClusterCase):
    """Detection of duplicates by ``@cseq``: each message is stored exactly once."""

    async def test_once(self) -> None:
        """A message sent again, on any server, is stored once, under its first id."""
        cluster = await self.cluster()
        bob = await cluster.login("bob")
        alice = await cluster.login("alice")
        found = await alice.ask("@cseq=1 MSG bob one", "OK SEND_MESSAGE_P2P $first")
        alice.send("@cseq=1 MSG bob one", "@cseq=2 MSG bob two", "@cseq=2 MSG bob two")
        found = await alice.expect(
            "OK SEND_MESSAGE_P2P $first", "OK SEND_MESSAGE_P2P $second", "OK SEND_MESSAGE_P2P $second", captures=found
        )
        alice.drop()
        await cluster.settled()
        alice = await cluster.login("alice", "ms2")
        alice.send("@cseq=2 MSG bob two", "@cseq=3 MSG bob three")
        await alice.expect("OK SEND_MESSAGE_P2P $second", "OK SEND_MESSAGE_P2P …-3", captures=found)
        self.assertEqual(await bob.texts(3), ["one", "two", "three"])
        await bob.quiet()

    async def test_refused(self) -> None:
        """A number ahead, zero, or seen with another text is refused with the expected one, and is not used up."""
        cluster = await self.cluster(servers=1)
        (await cluster.login("bob")).drop()
        alice = await cluster.login("alice")
        await alice.ask("@cseq=2 MSG bob x", "ERR SEND_MESSAGE_P2P GAP expected=1 …")
        await alice.ask("@cseq=0 MSG bob x", "ERR SEND_MESSAGE_P2P GAP expected=1 …")
        await alice.ask("@cseq=1 MSG bob x", "OK …")
        await alice.ask("@cseq=1 MSG bob y", "ERR SEND_MESSAGE_P2P CONFLICT expected=2 …")
        await alice.ask("@cseq=2 MSG bob y", "OK …-2")


async def bob_is_full(client: Client) -> None:
    """Check that a ping is answered, without another push before."""
    before = len(client.lines)
    client.send("PING")
    await until(lambda: len(client.lines) > before)
    assert client.lines.pop() == "OK SEND_PING"
