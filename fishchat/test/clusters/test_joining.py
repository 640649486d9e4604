"""Ways into a topic across servers: what members and new members are pushed, and what they may read."""

from __future__ import annotations

from twisted.internet.task import Clock

from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase


class Notices(ClusterCase):
    """Members of a small topic are notified of a new one, wherever they are."""

    async def test_joined(self) -> None:
        """Every member has the notice under one id, the new one on its other devices, too; nothing is unread by it."""
        cluster = await self.cluster(limits__join_notices=100)
        alice, carol = await cluster.login("alice"), await cluster.login("carol", "ms2")
        laptop = await cluster.login("bob", "ms1", "laptop")
        phone = await cluster.login("bob", "ms2", "phone")
        await alice.ask("CREATE fishing", "OK …")
        await carol.ask("JOIN fishing", "OK …")
        await alice.expect("RESP_NOTICE carol #fishing:…-1 JOINED carol")
        await laptop.ask("JOIN fishing", "OK JOIN_TOPIC fishing")
        for client in (alice, carol, phone):
            await client.expect("RESP_NOTICE bob #fishing:…-2 JOINED bob")
        await cluster.settled()
        await laptop.quiet()
        await carol.ask("CONVERSATIONS", "BEGIN REQ_CONVERSATIONS 1")
        await carol.expect("ITEM #fishing 2 0 0", "END REQ_CONVERSATIONS")
        for client in (alice, carol, laptop, phone):
            client.send(f"SAY fishing by {client.name}")
            for other in (alice, carol, laptop, phone):
                if other is not client:
                    await other.expect(f"RESP_MESSAGE_TOPIC fishing {client.name} … by {client.name}")
            await client.expect("OK SEND_MESSAGE_TOPIC …")

    async def test_large(self) -> None:
        """The member that makes the topic too large, and all later ones, cause no notice."""
        cluster = await self.cluster(servers=1, routers=0, limits__join_notices=2)
        alice, bob, carol = [await cluster.login(name) for name in ("alice", "bob", "carol")]
        await alice.ask("CREATE fishing", "OK …")
        await bob.ask("JOIN fishing", "OK …")
        await alice.expect("RESP_NOTICE bob … JOINED bob")
        await carol.ask("JOIN fishing", "OK …")
        await alice.ask("SAY fishing all here?", "OK SEND_MESSAGE_TOPIC #fishing:…-2")
        for client in (bob, carol):
            await client.expect("RESP_MESSAGE_TOPIC fishing alice #fishing:…-2 all here?")


class WholeHistory(ClusterCase):
    """In a topic with ``history=all`` new members read what was said before, and are not pushed it."""

    async def begin(self) -> tuple[Cluster, Client]:
        """Alice has said three things."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        await alice.ask("@history=all CREATE fishing", "OK …")
        for number in range(1, 4):
            await alice.ask(f"SAY fishing {number}", "OK …")
        return cluster, alice

    async def check(self, client: Client, numbers: range) -> None:
        """The client reads these in the history."""
        await client.ask("HISTORY #fishing", f"BEGIN REQ_HISTORY {len(numbers)}")
        await client.expect(*[f"ITEM #fishing:…-{n} alice … {n}" for n in numbers], "END REQ_HISTORY")

    async def test_every_device(self) -> None:
        """On all servers, online or not, now or later: only what is said from the join on is pushed."""
        cluster, alice = await self.begin()
        away = await cluster.login("bob", "ms2", "tablet")
        away.drop()
        laptop, phone = await cluster.login("bob", "ms1", "laptop"), await cluster.login("bob", "ms2", "phone")
        await laptop.ask("JOIN fishing", "OK …")
        await alice.ask("SAY fishing 4", "OK …")
        for client in (laptop, phone):
            await client.expect("RESP_MESSAGE_TOPIC fishing alice #fishing:…-4 4")
            await self.check(client, range(1, 5))
        await cluster.settled()
        tablet = await cluster.login("bob", "ms1", "tablet", synced=False)
        await tablet.expect("RESP_MESSAGE_TOPIC fishing alice #fishing:…-4 4", "RESP_SYNCED")
        await self.check(tablet, range(1, 5))
        newest = await cluster.login("bob", "ms2", "watch")
        await self.check(newest, range(1, 5))
        await laptop.ask("CONVERSATIONS", "BEGIN REQ_CONVERSATIONS 1")
        await laptop.expect("ITEM #fishing 4 3 1", "END REQ_CONVERSATIONS")

    async def test_refreshed(self) -> None:
        """A server that reads the membership again pushes nothing again, and loses nothing."""
        cluster, alice = await self.begin()
        bob, carol = await cluster.login("bob", "ms2"), await cluster.login("carol")
        await bob.ask("JOIN fishing", "OK …")
        for number in range(4, 8):
            await carol.ask("JOIN fishing" if number % 2 else "LEAVE fishing", "… … …")
            await alice.ask(f"SAY fishing {number}", "OK …")
            await bob.expect(f"RESP_MESSAGE_TOPIC fishing alice #fishing:…-{number} {number}")
        await cluster.settled()
        await bob.quiet()

    async def test_rejoined(self) -> None:
        """An account that comes back may read what it has missed, and goes on at the end."""
        cluster, alice = await self.begin()
        bob = await cluster.login("bob", "ms2")
        await bob.ask("JOIN fishing", "OK …")
        await alice.ask("SAY fishing 4", "OK …")
        await bob.expect("RESP_MESSAGE_TOPIC fishing alice #fishing:…-4 4")
        await bob.ask("LEAVE fishing", "OK …")
        await alice.ask("SAY fishing 5", "OK …")
        await self.check(bob, range(1, 5))
        await bob.ask("JOIN fishing", "OK …")
        await alice.ask("SAY fishing 6", "OK …")
        await bob.expect("RESP_MESSAGE_TOPIC fishing alice #fishing:…-6 6")
        await self.check(bob, range(1, 7))

    async def test_rejoined_before_acknowledging(self) -> None:
        """Messages that were missed are in history alone, also on a device that has not acknowledged earlier ones."""
        cluster, alice = await self.begin()
        for server in ("ms1", "ms2"):
            bob = await cluster.login("bob", server, server, acks=True)
            await bob.ask("JOIN fishing", "OK …")
            pushed = await alice.ask("SAY fishing seen", "OK SEND_MESSAGE_TOPIC $id")
            await bob.expect("RESP_MESSAGE_TOPIC fishing alice … seen")
            await bob.ask("LEAVE fishing", "OK …")
            await alice.ask("SAY fishing missed", "OK …")
            await cluster.settled()
            await bob.ask("JOIN fishing", "OK …")
            after = await alice.ask("SAY fishing after", "OK SEND_MESSAGE_TOPIC $id")
            await bob.expect("RESP_MESSAGE_TOPIC fishing alice … after")
            for id in (pushed["id"], after["id"]):
                bob.send(f"ACK {id}")
            await cluster.settled()
            self.assertEqual(self.cursor(cluster, server), after["id"].partition(":")[2])
            await bob.quiet()
            bob.drop()
            again = await cluster.login("bob", server, server, acks=True)
            await again.ask("LEAVE fishing", "OK …")
            again.drop()

    def cursor(self, cluster: Cluster, device: str) -> str:
        """Return the stored place of a device of bob."""
        found: bytes = cluster.redis.command("HGET", f"cursor:bob/{device}", "#fishing")
        return found.decode()

    async def test_topic_of_the_same_name(self) -> None:
        """What was said in an earlier topic of this name stays with its members."""
        cluster, alice = await self.begin()
        await alice.ask("DISMISS fishing", "OK …")
        await alice.ask("@history=all CREATE fishing", "OK …")
        await alice.ask("SAY fishing 5", "OK …")
        bob = await cluster.login("bob", "ms2")
        await bob.ask("JOIN fishing", "OK …")
        await self.check(bob, range(5, 6))


class Requests(ClusterCase):
    """A request that is decided on another server than that of the account."""

    async def test_accepted(self) -> None:
        """All devices of the account read the topic at once."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        laptop, phone = await cluster.login("bob", "ms1", "laptop"), await cluster.login("bob", "ms2", "phone")
        await alice.ask("@kind=approval CREATE fishing", "OK …")
        await alice.ask("SAY fishing before", "OK …")
        await phone.ask("JOIN fishing please", "OK JOIN_TOPIC fishing pending")
        await alice.expect("RESP_NOTICE bob @alice:…-1 REQUESTED fishing bob please")
        await alice.ask("ACCEPT fishing bob", "OK ACCEPT_MEMBER fishing bob")
        await alice.ask("SAY fishing welcome", "OK …")
        for client in (laptop, phone):
            heard = [await client.take(), await client.take()]
            self.assertEqual([line.split(" ", 1)[0] for line in sorted(heard)], ["RESP_MESSAGE_TOPIC", "RESP_NOTICE"])
        await cluster.settled()
        await phone.ask("SAY fishing thanks", "OK …")
        await alice.expect("RESP_MESSAGE_TOPIC fishing bob … thanks")

    async def test_texts(self) -> None:
        """A text is short and has no letters that change the direction of writing; blanks around it are removed."""
        cluster = await self.cluster(servers=1, routers=0)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        await alice.ask("@kind=approval CREATE fishing", "OK …")
        await bob.ask("JOIN fishing " + "x" * 257, "ERR JOIN_TOPIC TEXTTOOLONG limit=256 …")
        for verb in ("JOIN fishing", "ENTER fcj_x"):
            name = "JOIN_TOPIC" if verb.startswith("JOIN") else "JOIN_LINK"
            for letter in "\u202e\u2066\u200f\t":
                await bob.ask(f"{verb} a{letter}b", f"ERR {name} FIELDS …")
        await alice.ask("REFUSE fishing bob a\u202eb", "ERR REFUSE_MEMBER FIELDS …")
        await bob.ask("JOIN fishing   鱼 🐟  ", "OK JOIN_TOPIC fishing pending")
        await alice.expect("RESP_NOTICE bob … REQUESTED fishing bob 鱼 🐟")

    async def test_banned(self) -> None:
        """Each way is closed to a banned account, and a member that invites it learns why."""
        cluster = await self.cluster(servers=1, routers=0)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        await alice.ask("@kind=approval CREATE fishing", "OK …")
        await bob.ask("JOIN fishing", "OK …")
        alice.send("LINK fishing")
        await alice.expect("RESP_NOTICE …")
        code = (await alice.take()).split()[2]
        cluster.redis.command("HSET", "banned:#fishing", "bob", "0 alice spam")
        await alice.ask("INVITE fishing bob", "ERR INVITE_TOPIC BANNED the account is banned …")
        await alice.ask("ACCEPT fishing bob", "ERR ACCEPT_MEMBER BANNED the account is banned …")
        await bob.ask("JOIN fishing", "ERR JOIN_TOPIC BANNED you are banned …")
        await bob.ask(f"ENTER {code}", "ERR JOIN_LINK BANNED you are banned …")


class Links(ClusterCase):
    """Links on the wire."""

    async def test_many_at_once(self) -> None:
        """Of twenty accounts on two servers exactly three come in by a link of three uses."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        await alice.ask("@kind=invitation CREATE fishing", "OK …")
        alice.send("@uses=3 LINK fishing")
        code = (await alice.take()).split()[2]
        guests = [await cluster.login(f"guest{number}", f"ms{number % 2 + 1}") for number in range(20)]
        for guest in guests:
            guest.send(f"ENTER {code}")
        answers = [(await guest.take()).split(" ")[:3] for guest in guests]
        self.assertEqual(answers.count(["OK", "JOIN_LINK", "fishing"]), 3)
        self.assertEqual(answers.count(["ERR", "JOIN_LINK", "NOTFOUND"]), 17)
        self.assertEqual(cluster.redis.command("HLEN", "members:#fishing"), 4)

    async def test_revoked_by_code(self) -> None:
        """The code, the id or ``all`` names what is revoked; a word that begins like an id is none."""
        cluster = await self.cluster(servers=1, routers=0)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        await alice.ask("CREATE fishing", "OK …")
        for name in (2, 3):
            alice.send("LINK fishing")
            words = (await alice.take()).split()
            await alice.ask(f"UNLINK fishing {words[3][:4]}", "ERR REVOKE_LINK NOTFOUND …")
            await alice.ask(f"UNLINK fishing {words[name]}", "OK REVOKE_LINK fishing 1")
            await bob.ask(f"ENTER {words[2]}", "ERR JOIN_LINK NOTFOUND …")

    async def test_clock_of_a_server(self) -> None:
        """The clock of a msg_server ends no link."""
        clock = Clock()
        cluster = await self.cluster(servers=1, routers=0, clock=clock)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        await alice.ask("CREATE fishing", "OK …")
        alice.send("@for=60 LINK fishing")
        code = (await alice.take()).split()[2]
        await cluster.advance(70)
        await bob.ask(f"ENTER {code}", "OK JOIN_LINK fishing")

    async def test_directory(self) -> None:
        """Pages by name, with prefixes; topics that are not listed or have ended are left out."""
        cluster = await self.cluster(servers=1, routers=0)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        for name in ("boats", "fish", "fishing", "fishing.sea"):
            await alice.ask(f"@listed CREATE {name}", "OK …")
        await alice.ask("CREATE fishing.secret", "OK …")
        cluster.redis.command("ZADD", "directory", 0, "fish.ended", 0, "fishing.secret")
        await self.check(bob, "DIRECTORY", "boats", "fish", "fishing", "fishing.sea")
        await self.check(bob, "DIRECTORY fish", "fish", "fishing", "fishing.sea")
        await self.check(bob, "@limit=2 DIRECTORY fish", "fish", "fishing")
        await self.check(bob, "@after=fishing;limit=2 DIRECTORY fish", "fishing.sea")
        await self.check(bob, "@after=aaa DIRECTORY fishing", "fishing", "fishing.sea")
        await self.check(bob, "@after=fishing.sea DIRECTORY")
        await self.check(bob, "@after=zebra DIRECTORY fish")
        await bob.ask("DIRECTORY Fish", "ERR REQ_DIRECTORY BADNAME …")
        await bob.ask("DIRECTORY fish [", "ERR REQ_DIRECTORY BADNAME …")

    async def check(self, client: Client, line: str, *topics: str) -> None:
        """Check that these topics are listed."""
        await client.ask(line, f"BEGIN REQ_DIRECTORY {len(topics)}")
        await client.expect(*[f"ITEM {topic} open 1" for topic in topics], "END REQ_DIRECTORY")
