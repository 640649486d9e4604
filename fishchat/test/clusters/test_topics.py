"""Topics across servers: the messages that members see while memberships change."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.task import deferLater

from fishchat.test.support.client import Client, id_of, text_of
from fishchat.test.support.cluster import ClusterCase
from fishchat.test.support.waiting import until


class Members(ClusterCase):
    """Members see no messages from before their join or after their leave."""

    async def test_everywhere(self) -> None:
        """Members on all servers receive every message, in one order; the sending connection gets no echo."""
        cluster = await self.cluster(servers=3)
        alice = await cluster.login("alice")
        bob, carol = await cluster.login("bob", "ms2"), await cluster.login("carol", "ms3")
        await alice.ask("CREATE fishing", "OK CREATE_TOPIC fishing")
        for client in (bob, carol):
            await client.ask("JOIN fishing", "OK JOIN_TOPIC fishing")
        for n in range(20):
            for client in (alice, bob, carol):
                client.send(f"SAY fishing {client.name} {n}")
        await cluster.settled()
        await until(lambda: all(len(client.lines) == 60 for client in (alice, bob, carol)))
        heard = {one.name: [line for line in one.lines if text_of(line)] for one in (alice, bob, carol)}
        everything = sorted({line for lines in heard.values() for line in lines}, key=number)
        self.assertEqual([number(line) for line in everything], list(range(1, 61)))
        for name, lines in heard.items():
            self.assertEqual(lines, [line for line in everything if line.split()[2] != name])

    async def test_join_and_leave(self) -> None:
        """A member sees exactly the messages between join and leave, live, and later in the history."""
        cluster = await self.cluster(limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("CREATE fishing", "OK …")
        spans: list[int] = []
        said = 0
        for _ in range(4):
            for _ in range(2):
                said += 1
                await alice.ask(f"SAY fishing {said}", "OK …")
            await bob.ask("JOIN fishing", "OK …")
            first = said + 1
            for _ in range(3):
                said += 1
                await alice.ask(f"SAY fishing {said}", "OK …")
            self.assertEqual(await bob.texts(3), [str(n) for n in range(first, said + 1)])
            await bob.ask("LEAVE fishing", "OK …")
            spans += range(first, said + 1)
        await alice.ask("SAY fishing unseen", "OK …")
        await cluster.settled()
        await bob.quiet()
        await bob.ask("HISTORY #fishing", f"BEGIN REQ_HISTORY {len(spans)}")
        await bob.expect(*[f"ITEM #fishing:…-{n} alice … {n}" for n in spans], "END REQ_HISTORY")

    async def test_while_messages_flow(self) -> None:
        """With joins and leaves during messages from another server, the seen part has no hole and no excess."""
        cluster = await self.cluster(limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("CREATE fishing", "OK …")
        said = 0
        for one in range(12):
            for _ in range(20):
                said += 1
                alice.send(f"SAY fishing {said}")
            bob.send("LEAVE fishing" if one % 2 else "JOIN fishing")
            # Sometimes the next change is sent before this one is answered.
            if one % 3 == 0:
                await until(lambda one=one: answered(bob) == one + 1)  # type: ignore[misc]
            else:
                await deferLater(reactor, 0.002)
        await until(lambda: len(alice.lines) == said and answered(bob) == 12)
        await cluster.settled()
        history = await items(bob, "#fishing")
        await until(lambda: len(pushed(bob)) >= len(history), 3)
        self.assertEqual(pushed(bob), history)
        self.assertTrue(0 < len(history) < said, len(history))

    async def test_offline_span(self) -> None:
        """A device that was offline when its account left receives the messages up to the leave, and no more."""
        cluster = await self.cluster()
        alice, phone = await cluster.login("alice"), await cluster.login("bob", "ms2", "phone")
        (await cluster.login("bob", device="desk")).drop()
        await alice.ask("CREATE fishing", "OK …")
        await phone.ask("JOIN fishing", "OK …")
        await alice.ask("SAY fishing one", "OK …")
        await phone.texts(1)
        await phone.ask("LEAVE fishing", "OK …")
        await alice.ask("SAY fishing two", "OK …")
        await cluster.settled()
        desk = await cluster.login("bob", device="desk", synced=False)
        await desk.expect("RESP_MESSAGE_TOPIC fishing alice #fishing:…-1 one", "RESP_SYNCED")
        await desk.quiet()

    async def test_other_devices(self) -> None:
        """A membership is the account's: it begins and ends for devices on other servers too."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        phone, desk = await cluster.login("bob", "ms1", "phone"), await cluster.login("bob", "ms2", "desk")
        await alice.ask("CREATE fishing", "OK …")
        await phone.ask("JOIN fishing", "OK …")
        await alice.ask("SAY fishing one", "OK …")
        self.assertEqual([await phone.texts(1), await desk.texts(1)], [["one"], ["one"]])
        await desk.ask("LEAVE fishing", "OK …")
        await alice.ask("SAY fishing two", "OK …")
        await cluster.settled()
        for client in (phone, desk):
            await client.quiet()

    async def test_lost_word_of_a_change(self) -> None:
        """Servers that missed the news of a join or leave learn it with the next message."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        phone, desk = await cluster.login("bob", "ms1", "phone"), await cluster.login("bob", "ms2", "desk")
        await alice.ask("CREATE fishing", "OK …")
        cluster.bus("ms2").losing = lambda channel, _: not channel.startswith("/msg_server/")
        await phone.ask("JOIN fishing", "OK …")
        await alice.ask("SAY fishing one", "OK …")
        self.assertEqual(await desk.texts(1), ["one"])
        await phone.texts(1)
        await phone.ask("LEAVE fishing", "OK …")
        await alice.ask("SAY fishing two", "OK …")
        await cluster.settled()
        for client in (phone, desk):
            await client.quiet()


class Hanging(ClusterCase):
    """A store that does not answer."""

    async def test_list_of_members(self) -> None:
        """The client is asked to try again on the same connection."""
        redis = self.own_redis()
        cluster = await self.cluster(servers=1, routers=0, redis=redis, redis__timeout=0.5)
        alice = await cluster.login("alice")
        await alice.ask("CREATE fishing", "OK …")
        redis.pause()
        await alice.ask("MEMBERS fishing", "ERR REQ_MEMBERS TRYAGAIN retry=1 …")
        redis.resume()
        while (line := await self._members(alice)).startswith("ERR"):
            self.assertIn(" TRYAGAIN ", line)
        self.assertEqual(line, "BEGIN REQ_MEMBERS 1")

    async def _members(self, client: Client) -> str:
        client.send("MEMBERS fishing")
        return await client.take(8)


class Ending(ClusterCase):
    """Dismissing topics by DISMISS_TOPIC."""

    async def test_dismissed(self) -> None:
        """Every member is notified, on any server, at once or later; then only the history of the topic remains."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        (await cluster.login("carol")).drop()
        await alice.ask("CREATE fishing", "OK …")
        await bob.ask("JOIN fishing", "OK …")
        carol = await cluster.login("carol", "ms2")
        await carol.ask("JOIN fishing", "OK …")
        carol.drop()
        await alice.ask("SAY fishing bye", "OK …")
        await bob.texts(1)
        await bob.ask("DISMISS fishing", "ERR DISMISS_TOPIC OWNER …")
        await alice.ask("LEAVE fishing", "ERR LEAVE_TOPIC OWNER …")
        alice.send("DISMISS fishing")
        await until(lambda: alice.lines)
        await bob.expect("RESP_NOTICE alice #fishing:…-2 DISMISSED fishing")
        await bob.ask("SAY fishing hello?", "ERR SEND_MESSAGE_TOPIC NOTFOUND …")
        await bob.ask("TOPICS", "BEGIN REQ_TOPICS 0")
        carol = await cluster.login("carol", synced=False)
        await carol.expect("RESP_MESSAGE_TOPIC fishing alice …-1 bye", "RESP_NOTICE alice …-2 DISMISSED fishing")
        await carol.expect("RESP_SYNCED")

    async def test_acknowledged_after_leaving(self) -> None:
        """Messages pushed before a leave, or replayed after it, can be acknowledged and are not repeated."""
        cluster = await self.cluster(servers=1, routers=0)
        alice = await cluster.login("alice")
        bob = await cluster.login("bob", acks=True)
        for topic in ("one", "two"):
            await alice.ask(f"CREATE {topic}", "OK …")
            await bob.ask(f"JOIN {topic}", "OK …")
        alice.send("SAY one 1", "SAY one 2")
        ids = [id_of(await bob.take()) for _ in range(2)]
        await bob.ask("LEAVE one", "OK …")
        bob.send(f"ACK {ids[0]}", f"ACK {ids[1]}")
        await bob.quiet()
        bob.drop()
        await alice.expect(*["OK …"] * 2)
        await alice.ask("SAY two 3", "OK …")
        await alice.ask("DISMISS two", "OK …")
        bob = cluster.connect()
        bob.send("HELLO 1 caps=ack", "LOGIN bob")
        await bob.expect("HELLO …", "OK HELLO …", "OK …", "RESP_MESSAGE_TOPIC two alice … 3")
        bob.send(f"ACK {id_of(await bob.take())}")
        await bob.expect("RESP_SYNCED")
        await bob.quiet()
        bob.drop()
        bob = cluster.connect()
        bob.send("HELLO 1 caps=ack", "LOGIN bob")
        await bob.expect("HELLO …", "OK HELLO …", "OK …", "RESP_SYNCED")

    async def test_made_again(self) -> None:
        """A new topic with the same name continues the numbers, and shows nothing of the old one."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("CREATE fishing", "OK …")
        await alice.ask("SAY fishing old", "OK …-1")
        await alice.ask("DISMISS fishing", "OK …")
        await bob.ask("CREATE fishing", "OK …")
        await bob.ask("SAY fishing new", "OK …-3")
        self.assertEqual(await items(bob, "#fishing"), ["new"])
        await alice.ask("JOIN fishing", "OK …")
        await bob.ask("SAY fishing newer", "OK …-4")
        self.assertEqual(await alice.texts(1), ["newer"])


class Invitations(ClusterCase):
    """Invitations by INVITE_TOPIC."""

    async def test_across(self) -> None:
        """The guest is notified on all devices, on every server, and may join; others may not."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        carol = await cluster.login("carol")
        (await cluster.login("bob", device="desk")).drop()
        await alice.ask("@kind=invitation CREATE fishing", "OK …")
        await bob.ask("JOIN fishing", "ERR JOIN_TOPIC INVITEONLY …")
        await alice.ask("INVITE fishing bob", "OK INVITE_TOPIC fishing bob")
        await bob.expect("RESP_NOTICE alice @bob:…-1 INVITED fishing")
        await carol.ask("JOIN fishing", "ERR JOIN_TOPIC INVITEONLY …")
        await bob.ask("JOIN fishing", "OK …")
        await alice.ask("SAY fishing welcome", "OK …")
        self.assertEqual(await bob.texts(1), ["welcome"])
        desk = await cluster.login("bob", "ms1", "desk", synced=False)
        await until(lambda: "RESP_SYNCED" in desk.lines)
        self.assertEqual(len(desk.lines), 3)
        self.assertEqual(sum("INVITED fishing" in line for line in desk.lines), 1)

    async def test_once(self) -> None:
        """A second invitation before the guest has joined sends no second notice."""
        cluster = await self.cluster(servers=1, routers=0)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        await alice.ask("@kind=invitation CREATE fishing", "OK …")
        for _ in range(2):
            await alice.ask("INVITE fishing bob", "OK INVITE_TOPIC fishing bob")
        await bob.expect("RESP_NOTICE …")
        await bob.quiet()
        await bob.ask("JOIN fishing", "OK …")
        await alice.ask("INVITE fishing bob", "ERR INVITE_TOPIC EXISTS …")
        await alice.ask("INVITE fishing nobody", "ERR INVITE_TOPIC NOTFOUND …")
        await alice.ask("INVITE nothing bob", "ERR INVITE_TOPIC NOTFOUND …")


def number(line: str) -> int:
    """Return the number of a pushed topic message."""
    return int(line.split(" ")[3].rpartition("-")[2])


def answered(client: Client) -> int:
    """Return how many commands were carried out."""
    return sum(line.startswith("OK") for line in client.lines)


def pushed(client: Client) -> list[str]:
    """Return the texts of the messages that wait in a client's lines."""
    return [text for line in client.lines if (text := text_of(line)) is not None]


async def items(client: Client, conversation: str) -> list[str]:
    """Return the texts of a conversation's history; other received lines stay in the client's lines."""
    texts: list[str] = []
    before = ""
    while True:
        client.send(f"@id=items{before} HISTORY {conversation}")
        await until(lambda: any(line.startswith("@id=items END") for line in client.lines))
        mine = [line for line in client.lines if line.startswith("@id=items ")]
        client.lines = [line for line in client.lines if not line.startswith("@id=items ")]
        page = [line.split(" ", 5) for line in mine if " ITEM " in line]
        texts[:0] = [words[5] for words in page]
        if len(page) < 50:
            return texts
        before = f";before={page[0][2]}"
