"""Topics that are run, across servers: what kicked, banned and muted members read and write on open connections."""

from __future__ import annotations

from typing import Any

from fishchat.client.events import Ban
from fishchat.features.moderation import client as requests
from fishchat.features.moderation.administration import Operator
from fishchat.features.requests import RefusedError, Reply
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.waiting import until


class RunCase(ClusterCase):
    """Alice owns fishing on ms1, bob is an admin on ms2, carol a member with a device on each."""

    async def begin(self, **settings: Any) -> Cluster:
        """Return the cluster; every client has read the notice of bob's role."""
        cluster = await self.cluster(**settings)
        self.alice, self.bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        self.desk = await cluster.login("carol", "ms1", "desk")
        self.phone = await cluster.login("carol", "ms2", "phone", acks=True)
        self.carol = (self.desk, self.phone)
        await self.alice.ask("CREATE fishing", "OK …")
        await self.bob.ask("JOIN fishing", "OK …")
        await self.desk.ask("JOIN fishing", "OK …")
        await self.alice.ask("ROLE fishing bob admin", "OK …")
        for client in (self.bob, *self.carol):
            await client.expect("RESP_NOTICE alice #fishing:…-1 ROLE bob admin")
        return cluster

    async def out(self, cluster: Cluster, event: str, number: int = 2, by: str = "bob") -> None:
        """Check that every device of carol reads this event last."""
        for client in self.carol:
            await client.expect(f"RESP_NOTICE {by} #fishing:…-{number} {event}")
            await client.ask("SAY fishing hello?", "ERR SEND_MESSAGE_TOPIC NOTMEMBER …")
        await self.alice.ask("SAY fishing she is gone", "OK …")
        await self.bob.expect("RESP_MESSAGE_TOPIC fishing alice …")
        await self.bob.ask("SAY fishing she is gone", "OK …")
        await cluster.settled()
        for client in self.carol:
            await client.quiet()
            await client.ask("HISTORY #fishing", "BEGIN REQ_HISTORY 2")
            await client.expect("@notice ITEM …", f"@notice ITEM #fishing:…-{number} {by} … {event}", "END REQ_HISTORY")


class Expelled(RunCase):
    """Kicks and bans on open connections."""

    async def test_kicked(self) -> None:
        """The devices on both servers read the notice, and nothing after it; nothing that they write is stored."""
        cluster = await self.begin()
        await self.bob.ask("KICK fishing carol spam", "OK KICK_MEMBER fishing carol")
        await self.alice.expect("RESP_NOTICE bob #fishing:…-2 KICKED carol spam")
        await self.out(cluster, "KICKED carol spam")

    async def test_banned(self) -> None:
        """The same with a ban."""
        cluster = await self.begin()
        await self.bob.ask("@for=60 BAN fishing carol", "OK BAN_MEMBER fishing carol")
        await self.alice.expect("RESP_NOTICE bob #fishing:…-2 BANNED carol 60")
        await self.out(cluster, "BANNED carol 60")

    async def test_lost_hint(self) -> None:
        """Neither a lost hint nor lost news keeps the notice away, or lets anything after it through."""
        cluster = await self.begin()
        cluster.bus("ms1").losing = lambda channel, _: not channel.startswith("/msg_server/")
        cluster.lose_hints("ms1")
        await self.bob.ask("KICK fishing carol", "OK …")
        await self.bob.ask("SAY fishing next", "OK …")
        await self.alice.expect("RESP_NOTICE bob #fishing:…-2 KICKED carol", "RESP_MESSAGE_TOPIC fishing bob …-3 next")
        for client in self.carol:
            await client.expect("RESP_NOTICE bob #fishing:…-2 KICKED carol")
        await cluster.settled()
        for client in self.carol:
            await client.quiet()

    async def test_by_the_operator(self) -> None:
        """The operator's kicks and bans end what an account watches at once, on every server."""

        async def unrecorded(action: str, account: bytes, **fields: bytes) -> None:
            """Record nothing."""

        cluster = await self.begin()
        operator = Operator(cluster.roles["ms1"].parts.speaker, unrecorded)
        kick, ban = operator.kick(b"fishing", b"carol", b""), operator.ban(b"fishing", b"carol", 0, b"")
        for work, event, typing, other in (
            (kick, "KICKED carol", self.alice, self.bob),
            (ban, "BANNED carol 0", self.bob, self.alice),
        ):
            await self.desk.ask("JOIN fishing", "OK …")
            for client in (other, self.desk):
                await client.ask("OPEN #fishing", "OK …")
            # From now on every server knows the membership, and reads it again only when it hears of a change.
            await self.alice.ask("SAY fishing here?", "OK …")
            for client in (self.bob, *self.carol):
                await client.expect("RESP_MESSAGE_TOPIC fishing alice …")
            await self.phone.ask("OPEN #fishing", "OK …")
            await work
            for client in (self.alice, self.bob, *self.carol):
                await client.expect(f"RESP_NOTICE - #fishing:… {event}")
            await until(lambda: not any(self.reads(cluster, server) for server in ("ms1", "ms2")))
            await typing.ask("TYPING #fishing", "OK …")
            await other.expect(f"RESP_TYPING {typing.name} #fishing")
            for client in self.carol:
                await client.quiet()

    def reads(self, cluster: Cluster, server: str) -> bool:
        """Return whether a device of carol on this server may see new messages of the topic."""
        conversation = cluster.server(server).delivery.rooms.conversations[b"#fishing"]
        readings = [*conversation.live, *conversation.behind]
        return any(reading.open for reading in readings if reading.device.account == b"carol")

    async def test_offline(self) -> None:
        """A device that was away reads up to the notice when it comes back."""
        cluster = await self.begin()
        self.desk.drop()
        await cluster.settled()
        await self.alice.ask("SAY fishing before", "OK …")
        await self.bob.expect("RESP_MESSAGE_TOPIC fishing alice …")
        await self.bob.ask("KICK fishing carol", "OK …")
        await self.bob.ask("SAY fishing after", "OK …")
        desk = await cluster.login("carol", "ms1", "desk", synced=False)
        await desk.expect(
            "RESP_MESSAGE_TOPIC fishing alice …-2 before", "RESP_NOTICE bob #fishing:…-3 KICKED carol", "RESP_SYNCED"
        )
        await desk.quiet()

    async def test_kick_and_join_at_once(self) -> None:
        """However kicks and joins interleave, each device receives what history shows, and membership is one thing."""
        cluster = await self.begin(limits__flood=False)
        for number in range(12):
            self.bob.send(f"KICK fishing carol {number}")
            self.desk.send("JOIN fishing")
            self.phone.send("JOIN fishing")
            self.alice.send(f"SAY fishing {number}")
        await until(lambda: answers(self.bob) == 12 and answers(self.desk) == 12 and answers(self.alice) == 12)
        await cluster.settled()
        members = cluster.redis.command("HEXISTS", "members:#fishing", "carol")
        topics = cluster.redis.command("SISMEMBER", "topics:carol", "fishing")
        spans = cluster.redis.command("HGET", "talks:carol", "#fishing")
        self.assertEqual((members, members), (topics, int(spans.endswith(b":"))))
        history = await self.history(self.desk)
        await until(lambda: len(pushed(self.desk)) >= len(history) - 1, 5)
        self.assertEqual(pushed(self.desk), history[1:])

    async def history(self, client: Client) -> list[str]:
        """Return the ids of everything that the account may read."""
        before = len(client.lines)
        client.send("HISTORY #fishing")
        await until(lambda: "END REQ_HISTORY" in client.lines[before:])
        items = [line.removeprefix("@notice ").split() for line in client.lines[before:]]
        return [words[1] for words in items if words[0] == "ITEM"]


class Silenced(RunCase):
    """Mutes, slow mode and topics in which only admins write."""

    async def test_muted(self) -> None:
        """Every device is silent at once, and its next text is not stored when the mute has ended."""
        cluster = await self.begin()
        await self.bob.ask("MUTE fishing carol", "OK …")
        for client in self.carol:
            await client.expect("RESP_NOTICE bob #fishing:…-2 MUTED carol …")
            await client.ask("@cseq=1 SAY fishing x", "ERR SEND_MESSAGE_TOPIC MUTED until=…")
        await self.bob.ask("UNMUTE fishing carol", "OK …")
        for client in self.carol:
            await client.expect("RESP_NOTICE bob #fishing:…-3 UNMUTED carol")
        await self.desk.ask("@cseq=1 SAY fishing y", "OK SEND_MESSAGE_TOPIC #fishing:…-4")
        await self.phone.expect("RESP_MESSAGE_TOPIC fishing carol …-4 y")
        self.assertEqual(cluster.redis.command("HEXISTS", "meta:#fishing", "b"), 0)

    async def test_same_batch(self) -> None:
        """A mute in the middle of a member's messages divides them: those before it are stored, the others are not."""
        await self.begin(limits__flood=False)
        for number in range(30):
            self.desk.send(f"SAY fishing {number}")
            if number == 15:
                self.bob.send("MUTE fishing carol")
        await until(lambda: answers(self.desk) == 30 and answers(self.bob) == 1)
        said = [line.split()[0] for line in self.desk.lines if line.startswith(("OK ", "ERR "))]
        self.assertEqual(said, sorted(said, reverse=True))

    async def test_two_owners(self) -> None:
        """Two transfers at once, of the owner's two devices on two servers: there is one owner afterwards."""
        cluster = await self.begin()
        tablet = await cluster.login("alice", "ms2", "tablet", synced=False)
        self.alice.send("TRANSFER fishing bob")
        tablet.send("TRANSFER fishing carol")
        await until(lambda: answers(self.alice) + answers(tablet) == 2)
        said = [line for client in (self.alice, tablet) for line in client.lines if "TRANSFER_TOPIC" in line]
        self.assertEqual(sorted(line.split()[0] for line in said), ["ERR", "OK"])
        [won] = [line.split()[-1] for line in said if line.startswith("OK")]
        self.assertEqual(cluster.redis.command("HGET", "topic:#fishing", "owner"), won.encode())

    async def test_announcement(self) -> None:
        """All members receive each change at once; only the announcement counts as unread."""
        await self.begin()
        await self.alice.ask("SET fishing announcement 我们星期天见", "OK …")
        for client in (self.bob, *self.carol):
            await client.expect("RESP_NOTICE alice #fishing:…-2 SET announcement 我们星期天见")
        await self.bob.ask("SET fishing write admins", "OK …")
        for client in (self.alice, *self.carol):
            await client.expect("RESP_NOTICE bob #fishing:…-3 SET write admins")
        await self.desk.ask("SAY fishing x", "ERR SEND_MESSAGE_TOPIC RIGHTS needs=admin …")
        await self.desk.ask("CONVERSATIONS", "BEGIN REQ_CONVERSATIONS 1")
        await self.desk.expect("ITEM #fishing 3 0 1", "END REQ_CONVERSATIONS")

    async def test_refused_values(self) -> None:
        """Nothing of a refused value is stored."""
        await self.begin()
        for value in ("about a\u202eb", "announcement " + "x" * 1025, "name " + "x" * 65, "slow 21601", "listed maybe"):
            await self.alice.ask(f"SET fishing {value}", "ERR SET_TOPIC FIELDS …")
        for line in ("KICK fishing carol a\u202eb", "BAN fishing carol " + "x" * 257, "MUTE fishing carol a\u2066"):
            await self.alice.ask(line, "ERR …_MEMBER FIELDS …")
        await self.bob.ask("INFO fishing", "BEGIN REQ_TOPIC 13")

    async def test_left(self) -> None:
        """In a small topic the other members are told who left; in a larger one nobody is. The leaver is not told."""
        for most, told in ((2, True), (1, False)):
            cluster = await self.cluster(limits__join_notices=most)
            alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
            desk, phone = await cluster.login("carol", "ms1", "desk"), await cluster.login("carol", "ms2", "phone")
            topic = f"topic{most}"
            await alice.ask(f"CREATE {topic}", "OK …")
            for client in (bob, desk):
                client.send(f"JOIN {topic}")
                await until(lambda client=client: answers(client) == 1)  # type: ignore[misc]
            desk.send(f"LEAVE {topic}")
            await until(lambda: answers(desk) == 2)  # noqa: B023
            desk.send(f"SAY {topic} x")
            await until(lambda: answers(desk) == 3)  # noqa: B023
            alice.send(f"SAY {topic} after")
            await until(lambda: any(line.endswith(" after") for line in bob.lines))  # noqa: B023
            heard = [any(line.endswith(" LEFT carol") for line in one.lines) for one in (alice, bob, desk, phone)]
            self.assertEqual(heard, [told, told, False, False])
            await cluster.end()


class Requests(RunCase):
    """The requests of the client library."""

    async def test_lines(self) -> None:
        """Each request is a line that the server accepts, and its reply is parsed."""
        cluster = await self.begin()
        for request, wanted in (
            (requests.set_topic("fishing", "about", "where they bite"), None),
            (requests.set_topic("fishing", "name", ""), None),
            (requests.set_role("fishing", "carol", "admin"), None),
            (requests.set_role("fishing", "carol", "member"), None),
            (requests.mute("fishing", "carol", "too loud", 60), None),
            (requests.unmute("fishing", "carol"), None),
            (requests.kick("fishing", "carol"), None),
            (requests.ban("fishing", "carol", "spam"), None),
            (requests.ban("fishing", "dave", seconds=60), None),
            (requests.banned("fishing", limit=1), [Ban("carol", 0.0, "alice", "spam")]),
            (requests.unban("fishing", "carol"), None),
            (requests.transfer("fishing", "bob"), None),
        ):
            self.assertEqual(request.result(await self.reply(self.alice, request.line)), wanted, request.verb)
        found = requests.describe("fishing").result(await self.reply(self.alice, b"INFO fishing"))
        self.assertEqual((found["about"], found["owner"], found["role"]), ("where they bite", "bob", "admin"))
        [ban] = requests.banned("fishing", "carol").result(await self.reply(self.alice, b"BANNED fishing"))
        now = int(cluster.redis.command("TIME")[0])
        self.assertTrue(now < ban.until < now + 61, ban)

    async def reply(self, client: Client, line: bytes) -> Reply:
        """Send a line and return its reply; pushes before it are skipped."""
        client.send(line)
        reply = Reply()
        while True:
            heard = (await client.take()).encode()
            if heard.startswith(b"ITEM "):
                reply.items.append((heard[5:], False))
            if heard.startswith((b"OK ", b"END ")):
                return reply
            self.assertFalse(heard.startswith(b"ERR "), heard)

    def test_refused(self) -> None:
        """What no server could accept is refused without one."""
        for make in (
            lambda: requests.set_topic("fishing", "colour", "red"),
            lambda: requests.set_topic("fishing", "slow", "much"),
            lambda: requests.set_role("fishing", "bob", "owner"),  # type: ignore[arg-type]
            lambda: requests.kick("fishing", "bob", "a\nb"),
        ):
            self.assertEqual(self.assertRaises(RefusedError, make).word, "FIELDS")
        self.assertEqual(self.assertRaises(RefusedError, requests.ban, "Fishing", "bob").word, "BADNAME")


def answers(client: Client) -> int:
    """Return how many answers the client has and has not taken."""
    return sum(line.startswith(("OK ", "ERR ")) for line in client.lines)


def pushed(client: Client) -> list[str]:
    """Return the ids of the messages that the client was pushed and has not taken."""
    ids = {"RESP_MESSAGE_TOPIC": 3, "RESP_NOTICE": 2}
    words = [line.split() for line in client.lines]
    return [each[ids[each[0]]] for each in words if each[0] in ids]
