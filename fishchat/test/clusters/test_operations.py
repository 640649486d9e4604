"""Operations on messages in a cluster of two servers: which devices receive them, live and after an absence."""

from __future__ import annotations

from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase


async def entered(cluster: Cluster, device: str, server: str, caps: str, account: str = "bob") -> Client:
    """Return a client with these capabilities, before its first push."""
    client = cluster.connect(server, f"{account}/{device}")
    await client.expect("HELLO fishchat/1 …")
    if caps:
        await client.ask(f"HELLO 1 caps={caps}", f"OK HELLO fishchat/1 caps={caps}")
    await client.ask(f"@device={device} LOGIN {account}", f"OK SEND_CLIENT_ID {account}")
    return client


class OperationCase(ClusterCase):
    """A cluster without notices of members that join."""

    async def begin(self) -> Cluster:
        """Start two servers and a router."""
        return await self.cluster(limits__join_notices=0)

    def cursor(self, cluster: Cluster, device: str, conversation: str = "alice+bob") -> str:
        """Return the number up to which a device of bob has acknowledged, as it is stored."""
        stored: bytes = cluster.redis.command("HGET", f"cursor:bob/{device}", conversation) or b"0-0"
        return stored.decode().partition("-")[2]


class Live(OperationCase):
    """Devices that are connected."""

    async def test_each_kind(self) -> None:
        """All devices with ``ops`` and all people are told, on both servers, and also the author's other devices."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        desk = await entered(cluster, "desk", "ms2", "ack,ops", "alice")
        told = [desk]
        for device, server, caps in (
            ("here", "ms1", "ack,ops"),
            ("there", "ms2", "ack,ops"),
            ("telnet", "ms1", ""),
            ("nc", "ms2", ""),
        ):
            told.append(await entered(cluster, device, server, caps))
        for client in told:
            await client.expect("RESP_SYNCED")
        found = await alice.ask("MSG bob hello", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        of = f"alice+bob:{found['epoch']}"
        for client in told:
            await client.expect(f"RESP_MESSAGE_P2P alice {of}-1 hello")
        for number, (line, ok, push) in enumerate(
            [
                (f"@esc EDIT {of}-1 a\\nb", "SEND_EDIT", f"@esc RESP_EDIT alice {{}} {of}-1 a\\nb"),
                (f"REACT {of}-1 +1", "SEND_REACTION", f"RESP_REACTION alice {{}} {of}-1 + +1"),
                (f"UNREACT {of}-1 +1", "REMOVE_REACTION", f"RESP_REACTION alice {{}} {of}-1 - +1"),
                (f"PIN {of}-1", "SEND_PIN", f"RESP_PIN alice {{}} {of}-1 +"),
                (f"UNPIN {of}-1", "REMOVE_PIN", f"RESP_PIN alice {{}} {of}-1 -"),
                (f"RECALL {of}-1 sorry", "SEND_RECALL", f"RESP_RECALL alice {{}} {of}-1 sorry"),
            ],
            2,
        ):
            await alice.ask(line, f"OK {ok} {of}-{number}")
            for client in told:
                await client.expect(push.format(f"{of}-{number}"))
        await alice.quiet()

    async def test_without_the_capability(self) -> None:
        """A program that acknowledges and does not know operations gets none, and its cursor passes them by itself."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        old = [await entered(cluster, device, server, "ack") for device, server in (("one", "ms1"), ("two", "ms2"))]
        found = await alice.ask("MSG bob hello", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        of = f"alice+bob:{found['epoch']}"
        for client in old:
            await client.expect("RESP_SYNCED", f"RESP_MESSAGE_P2P alice {of}-1 hello")
        for line in (f"EDIT {of}-1 x", f"REACT {of}-1 +1", f"PIN {of}-1"):
            await alice.ask(line, "OK …")
        await alice.ask("MSG bob more", f"OK SEND_MESSAGE_P2P {of}-5")
        for client in old:
            await client.expect(f"RESP_MESSAGE_P2P alice {of}-5 more")
            client.send(f"ACK {of}-5")
        await alice.ask(f"RECALL {of}-5", f"OK SEND_RECALL {of}-6")
        await cluster.settled()
        for client, device in zip(old, ("one", "two"), strict=True):
            await client.quiet()
            self.assertEqual(self.cursor(cluster, device), "6")

    async def test_more_than_a_window(self) -> None:
        """More operations than a device may leave unacknowledged do not stop one that is not given them."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        old = await entered(cluster, "old", "ms2", "ack")
        found = await alice.ask("MSG bob hello", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        of = f"alice+bob:{found['epoch']}"
        await old.expect("RESP_SYNCED", f"RESP_MESSAGE_P2P alice {of}-1 hello")
        for number in range(150):
            alice.send(f"REACT {of}-1 +1", f"UNREACT {of}-1 +1")
            await alice.expect(f"OK SEND_REACTION {of}-{2 + 2 * number}", f"OK REMOVE_REACTION {of}-{3 + 2 * number}")
        await alice.ask("MSG bob more", f"OK SEND_MESSAGE_P2P {of}-302")
        await old.expect(f"RESP_MESSAGE_P2P alice {of}-302 more")

    async def test_acknowledged(self) -> None:
        """An operation is acknowledged as a message is, and is then not repeated."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        phone = await entered(cluster, "phone", "ms2", "ack,ops")
        found = await alice.ask("MSG bob hello", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        of = f"alice+bob:{found['epoch']}"
        await alice.ask(f"EDIT {of}-1 x", f"OK SEND_EDIT {of}-2")
        edit = f"RESP_EDIT alice {of}-2 {of}-1 x"
        await phone.expect("RESP_SYNCED", f"RESP_MESSAGE_P2P alice {of}-1 hello", edit)
        phone.send(f"ACK {of}-1")
        phone.drop()
        await cluster.settled()
        phone = await entered(cluster, "phone", "ms1", "ack,ops")
        await phone.expect(edit, "RESP_SYNCED")
        await phone.ask(f"ACK {of}-3", "ERR SEND_ACK AHEAD …")
        phone.send(f"ACK {of}-2")
        phone.drop()
        await cluster.settled()
        phone = await entered(cluster, "phone", "ms2", "ack,ops")
        await phone.expect("RESP_SYNCED")

    async def test_joined_later(self) -> None:
        """A member that cannot see a message is not told what happens to it; its cursor passes that by itself."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        await alice.ask("CREATE fishing", "OK …")
        found = await alice.ask("SAY fishing old", "OK SEND_MESSAGE_TOPIC #fishing:$epoch-1")
        of = f"#fishing:{found['epoch']}"
        bobs = [await entered(cluster, "one", "ms1", "ack,ops"), await entered(cluster, "two", "ms2", "ack,ops")]
        for bob in bobs:
            await bob.expect("RESP_SYNCED")
        await bobs[0].ask("JOIN fishing", "OK …")
        await alice.ask(f"EDIT {of}-1 older", f"OK SEND_EDIT {of}-2")
        await alice.ask("SAY fishing new", f"OK SEND_MESSAGE_TOPIC {of}-3")
        await alice.ask(f"RECALL {of}-1", f"OK SEND_RECALL {of}-4")
        await alice.ask(f"EDIT {of}-3 newer", f"OK SEND_EDIT {of}-5")
        for bob in bobs:
            await bob.expect(f"RESP_MESSAGE_TOPIC fishing alice {of}-3 new", f"RESP_EDIT alice {of}-5 {of}-3 newer")
        await bobs[0].ask("@with=ops HISTORY #fishing", "BEGIN REQ_HISTORY 2")
        await bobs[0].expect(
            f"@edited={of}-5 ITEM {of}-3 alice … newer", f"@op=edit ITEM {of}-5 alice … {of}-3 newer", "END REQ_HISTORY"
        )

    async def test_large_topic(self) -> None:
        """With more than 500 members reactions are neither pushed nor replayed, edits are; history has the counts."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        await alice.ask("CREATE fishing", "OK …")
        bob = await entered(cluster, "main", "ms2", "ack,ops")
        await bob.expect("RESP_SYNCED")
        await bob.ask("JOIN fishing", "OK …")
        crowd = [word for number in range(499) for word in (f"m{number}", "0-0")]
        cluster.redis.command("HSET", "members:#fishing", *crowd)
        found = await alice.ask("SAY fishing hello", "OK SEND_MESSAGE_TOPIC #fishing:$epoch-1")
        of = f"#fishing:{found['epoch']}"
        await bob.expect(f"RESP_MESSAGE_TOPIC fishing alice {of}-1 hello")
        await alice.ask(f"REACT {of}-1 +1", f"OK SEND_REACTION {of}-2")
        await alice.ask(f"EDIT {of}-1 hi", f"OK SEND_EDIT {of}-3")
        edit = f"RESP_EDIT alice {of}-3 {of}-1 hi"
        await bob.expect(edit)
        await bob.ask("HISTORY #fishing", "BEGIN REQ_HISTORY 1")
        await bob.expect(f"@edited={of}-3;react=+1:1 ITEM {of}-1 alice … hi", "END REQ_HISTORY")
        late = await entered(cluster, "late", "ms1", "ack,ops")
        await late.expect(f"@edited={of}-3 RESP_MESSAGE_TOPIC fishing alice {of}-1 hi", edit, "RESP_SYNCED")


class Replayed(OperationCase):
    """Devices that were away."""

    async def test_final(self) -> None:
        """They get what stands now and the operations at their places, and never what was replaced or recalled."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        bob = await entered(cluster, "main", "ms2", "ack,ops")
        await bob.expect("RESP_SYNCED")
        bob.drop()
        found = await alice.ask("MSG bob first", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        of = f"alice+bob:{found['epoch']}"
        lines = ["MSG bob secret", f"EDIT {of}-1 second", f"EDIT {of}-1 third", f"EDIT {of}-2 secret too"]
        lines += [f"RECALL {of}-2", f"REACT {of}-1 +1", "MSG bob last"]
        for number, line in enumerate(lines, 2):
            await alice.ask(line, f"OK … {of}-{number}")
        for server, caps in (("ms1", "ack,ops"), ("ms2", "ack,ops"), ("ms2", "")):
            bob = await entered(cluster, "main", server, caps)
            missed = [
                f"@edited={of}-4 RESP_MESSAGE_P2P alice {of}-1 third",
                f"RESP_EDIT alice {of}-4 {of}-1 third",
                f"RESP_RECALL alice {of}-6 {of}-2",
                f"RESP_REACTION alice {of}-7 {of}-1 + +1",
                f"RESP_MESSAGE_P2P alice {of}-8 last",
                "RESP_SYNCED",
            ]
            for line in missed:
                heard = await bob.take()
                if heard.startswith("RESP_TIME "):  # a minute has passed meanwhile
                    heard = await bob.take()
                self.assertEqual(heard, line)
            bob.drop()
            await cluster.settled()

    async def test_without_the_capability(self) -> None:
        """Without ``ops`` they get the messages alone, as these stand now."""
        cluster = await self.begin()
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        bob.drop()
        found = await alice.ask("MSG bob first", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        of = f"alice+bob:{found['epoch']}"
        for number, line in enumerate((f"EDIT {of}-1 second", "MSG bob secret", f"RECALL {of}-3", "MSG bob last"), 2):
            await alice.ask(line, f"OK … {of}-{number}")
        old = await entered(cluster, "main", "ms2", "ack")
        await old.expect(
            f"@edited={of}-2 RESP_MESSAGE_P2P alice {of}-1 second", f"RESP_MESSAGE_P2P alice {of}-5 last", "RESP_SYNCED"
        )

    async def test_missed_hint(self) -> None:
        """A server that misses the router's news of an operation reads it from the log."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        bob = await entered(cluster, "main", "ms2", "ack,ops")
        await bob.expect("RESP_SYNCED")
        found = await alice.ask("MSG bob hello", "OK SEND_MESSAGE_P2P alice+bob:$epoch-1")
        of = f"alice+bob:{found['epoch']}"
        await bob.expect(f"RESP_MESSAGE_P2P alice {of}-1 hello")
        cluster.lose_hints("ms2")
        await alice.ask(f"EDIT {of}-1 hi", f"OK SEND_EDIT {of}-2")
        await cluster.settled()
        await alice.ask(f"REACT {of}-1 +1", f"OK SEND_REACTION {of}-3")
        await bob.expect(f"RESP_EDIT alice {of}-2 {of}-1 hi", f"RESP_REACTION alice {of}-3 {of}-1 + +1")
