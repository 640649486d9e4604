"""Presence, typing and read marks, on several servers and through their failures."""

from __future__ import annotations

import re
from collections.abc import Iterable

from twisted.internet.task import Clock

from fishchat.bus import channels
from fishchat.features.watching.rows import OPENED, WATCHED
from fishchat.services.msg_server.delivery.status_news import GRACE, LOOKED_AT
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.waiting import until


def presence(account: str, is_online: bool) -> str:
    """Return the pattern of a push."""
    return f"RESP_PRESENCE {account} {'online' if is_online else 'offline'} …"


async def watch(client: Client, account: str, is_online: bool) -> None:
    """Begin to watch an account, which is online or not."""
    client.send(f"WATCH {account}")
    await client.expect(presence(account, is_online), f"OK WATCH_CLIENT {account}")


async def passing(cluster: Cluster, clients: Iterable[Client], seconds: float) -> None:
    """Check that nothing is pushed to these clients within this time."""
    await cluster.advance(seconds)
    for client in clients:
        await client.quiet()


class Presence(ClusterCase):
    """What watchers hear of an account."""

    async def test_coming_and_going(self) -> None:
        """Watchers on each server hear once that an account is online, and after the grace that it is not."""
        cluster = await self.cluster(servers=3, routers=0, clock=Clock())
        watchers = [await cluster.login("alice", f"ms{number}", f"d{number}") for number in (1, 2, 3)]
        for each in watchers:
            await watch(each, "bob", False)
        bob = await cluster.login("bob", "ms2")
        phone = await cluster.login("bob", "ms3", "phone")
        await cluster.advance(1)
        for each in watchers:
            await each.expect(presence("bob", True))
        bob.drop()
        await passing(cluster, watchers, GRACE + 2)
        phone.drop()
        await passing(cluster, watchers, GRACE - 2)
        await cluster.advance(3)
        seen = cluster.redis.command("HGET", "seen:bob", "phone").decode()
        for each in watchers:
            await each.expect(f"RESP_PRESENCE bob offline {seen}")
        await passing(cluster, watchers, GRACE + 2)

    async def test_back_within_the_grace(self) -> None:
        """An account that only changes its network, or flaps, was never away; at most one push a second."""
        cluster = await self.cluster(servers=2, routers=0, clock=Clock())
        alice = await cluster.login("alice")
        bob = await cluster.login("bob", "ms2")
        await watch(alice, "bob", True)
        for server in ("ms1", "ms2") * 3:
            bob.drop()
            await passing(cluster, [alice], GRACE - 2)
            bob = await cluster.login("bob", server)
            await passing(cluster, [alice], 2)
        for _ in range(5):
            bob.drop()
            bob = await cluster.login("bob", "ms1")
        bob.drop()
        await passing(cluster, [alice], GRACE - 2)
        await cluster.advance(3)
        await alice.expect(presence("bob", False))

    async def test_unwatched(self) -> None:
        """After UNWATCH, and on the next connection, nothing is heard; watching does not outlive the connection."""
        cluster = await self.cluster(servers=1, routers=0, clock=Clock())
        alice, carol = await cluster.login("alice"), await cluster.login("carol")
        await watch(alice, "bob", False)
        await watch(carol, "bob", False)
        await alice.ask("UNWATCH bob", "OK UNWATCH_CLIENT bob")
        carol.drop()
        again = await cluster.login("carol")
        await cluster.login("bob")
        await passing(cluster, [alice, again], 3)
        watchers = cluster.server("ms1").delivery.watchers
        self.assertEqual((watchers.accounts, watchers._accounts_of), ({}, {}))

    async def test_pipelined(self) -> None:
        """Of WATCH and UNWATCH in one piece, the last one counts."""
        cluster = await self.cluster(servers=1, routers=0, clock=Clock())
        alice = await cluster.login("alice")
        alice.send("WATCH bob", "UNWATCH bob", "WATCH carol", "UNWATCH carol", "WATCH carol")
        await alice.expect("OK WATCH_CLIENT bob", "OK UNWATCH_CLIENT bob")
        lines = [await alice.take() for _ in range(5)]
        oks = [line for line in lines if line.startswith("OK")]
        self.assertEqual(oks, ["OK WATCH_CLIENT carol", "OK UNWATCH_CLIENT carol", "OK WATCH_CLIENT carol"])
        self.assertEqual([line for line in lines if line not in oks], ["RESP_PRESENCE carol offline 0"] * 2)
        await cluster.login("bob")
        await passing(cluster, [alice], 2)
        await cluster.login("carol")
        await cluster.advance(2)
        await alice.expect(presence("carol", True))

    async def test_limit(self) -> None:
        """So many accounts and conversations and no more; one that is watched already takes no further place."""
        cluster = await self.cluster(servers=1, routers=0, limits__flood=False)
        alice = await cluster.login("alice")
        for number in range(WATCHED):
            await watch(alice, f"p{number}", False)
        await alice.ask("WATCH one-more", f"ERR WATCH_CLIENT FULL limit={WATCHED} …")
        await watch(alice, "p7", False)
        await alice.ask("UNWATCH p7", "OK …")
        await watch(alice, "one-more", False)
        for number in range(OPENED):
            await alice.ask(f"OPEN p{number}", f"OK WATCH_CONVERSATION alice+p{number}")
        await alice.ask("OPEN bob", f"ERR WATCH_CONVERSATION FULL limit={OPENED} …")
        await alice.ask("OPEN p3", "OK …")
        await alice.ask("CLOSE p3", "OK UNWATCH_CONVERSATION alice+p3")
        # A topic that is refused takes no place.
        await alice.ask("OPEN #nowhere", "ERR WATCH_CONVERSATION NOTFOUND …")
        await alice.ask("OPEN bob", "OK …")

    async def test_oneself(self) -> None:
        """One's own account is online while one asks, and stays so."""
        cluster = await self.cluster(servers=1, routers=0, clock=Clock())
        alice = await cluster.login("alice")
        await watch(alice, "alice", True)
        phone = await cluster.login("alice", device="phone")
        phone.drop()
        await passing(cluster, [alice], GRACE + 2)

    async def test_blocked(self) -> None:
        """A block ends presence with the next change; then the account seems to stay away."""
        cluster = await self.cluster(routers=0, clock=Clock())
        alice, carol = await cluster.login("alice"), await cluster.login("carol")
        bob = await cluster.login("bob", "ms2")
        await watch(alice, "bob", True)
        await watch(carol, "bob", True)
        await bob.ask("BLOCK alice", "OK …")
        await passing(cluster, [alice, carol], 3)
        bob.drop()
        await cluster.advance(GRACE + 2)
        await alice.expect("RESP_PRESENCE bob offline 0")
        [line] = [await carol.take()]
        self.assertRegex(line, r"^RESP_PRESENCE bob offline \d{13}$")
        bob = await cluster.login("bob", "ms2")
        await cluster.advance(2)
        await carol.expect(presence("bob", True))
        await alice.quiet()
        await watch(alice, "bob", False)
        await bob.ask("UNBLOCK alice", "OK …")
        await watch(alice, "bob", True)


class Faults(ClusterCase):
    """Watchers end with the truth."""

    async def test_killed_server(self) -> None:
        """The accounts of a server that dies are offline after its lease and the grace, unless they are back."""
        cluster = await self.cluster(servers=3, routers=0, managers=1, clock=Clock())
        alice = await cluster.login("alice")
        for account in ("bob", "carol"):
            await cluster.login(account, "ms2")
            await watch(alice, account, True)
        await cluster.kill("ms2")
        await cluster.login("carol", "ms3")
        await passing(cluster, [alice], 3)
        cluster.forget_lease("ms2")
        await cluster.reap()
        await passing(cluster, [alice], GRACE - 2)
        await cluster.advance(4)
        await alice.expect(presence("bob", False))
        await passing(cluster, [alice], GRACE + 2)

    async def test_lost_news(self) -> None:
        """What is not heard on the bus is found in the store."""
        cluster = await self.cluster(routers=0, clock=Clock())
        alice = await cluster.login("alice")
        await watch(alice, "bob", False)
        cluster.bus("ms1").losing = lambda channel, _: channel == channels.CLIENT_STATUS
        bob = await cluster.login("bob", "ms2")
        await cluster.advance(2)
        await alice.expect(presence("bob", True))
        bob.drop()
        await passing(cluster, [alice], GRACE - 2)
        await cluster.advance(4)
        await alice.expect(presence("bob", False))

    async def test_lost_news_of_many(self) -> None:
        """Also when more accounts are watched than are looked at each second."""
        cluster = await self.cluster(routers=0, clock=Clock(), limits__flood=False)
        for part in range(3):
            alice = await cluster.login("alice", device=f"d{part}")
            for number in range(WATCHED):
                await watch(alice, f"p{part}-{number}", False)
        watchers = cluster.server("ms1").delivery.watchers
        self.assertGreater(len(watchers.accounts), 2 * LOOKED_AT)
        cluster.bus("ms1").losing = lambda channel, _: channel == channels.CLIENT_STATUS
        await cluster.login(f"p2-{WATCHED - 1}", "ms2")
        await cluster.advance(4)
        await alice.expect(presence(f"p2-{WATCHED - 1}", True))

    async def test_replaced(self) -> None:
        """A device that logs in again watches nothing yet, here as elsewhere."""
        cluster = await self.cluster(routers=0, clock=Clock())
        for server in ("ms1", "ms1", "ms2"):
            alice = await cluster.login("alice", server)
            await alice.quiet()
            await watch(alice, "bob", False)
            await alice.ask("OPEN bob", "OK …")
        watchers = cluster.server("ms1").delivery.watchers
        await until(lambda: not watchers.accounts)
        self.assertEqual(list(watchers.of(b"alice+bob")), [])
        self.assertEqual(len(list(cluster.server("ms2").delivery.watchers.of(b"alice+bob"))), 1)

    async def test_full_connection(self) -> None:
        """A client that does not read is told the last state when it reads again."""
        cluster = await self.cluster(servers=1, routers=0, clock=Clock())
        alice = await cluster.login("alice")
        await watch(alice, "bob", False)
        alice.stop_reading()
        device = cluster.server("ms1").sessions.find(b"alice/main")
        assert device is not None
        device.choke()
        bob = await cluster.login("bob")
        await cluster.advance(2)
        bob.drop()
        await cluster.advance(2)
        device.unchoke()
        await cluster.login("bob")
        await cluster.advance(2)
        alice.read_on()
        await alice.expect(presence("bob", True))
        await alice.quiet()

    async def test_restart_of_the_store(self) -> None:
        """After a restart without its data the store knows nobody, and says so."""
        redis = self.own_redis()
        cluster = await self.cluster(redis=redis)
        alice = await cluster.login("alice")
        await watch(alice, "bob", False)
        redis.command("SET", "at:bob", "ms2/main")
        redis.command("HSET", "session:bob", "main", "ms2 x 1")
        redis.command("HSET", "account:bob", "created", 1)
        await alice.expect(presence("bob", True))


class Conversations(ClusterCase):
    """Typing and read marks."""

    async def topic(self, cluster: Cluster, second: str = "ms2") -> dict[str, Client]:
        """Return the members of a topic, on two servers; carol has not opened it."""
        found = {
            "alice": await cluster.login("alice"),
            "bob": await cluster.login("bob", second),
            "phone": await cluster.login("bob", "ms1", "phone"),
            "carol": await cluster.login("carol"),
        }
        await found["alice"].ask("CREATE fishing", "OK …")
        for name in ("bob", "carol"):
            await found[name].ask("JOIN fishing", "OK …")
        await found["alice"].ask("SAY fishing hello", "OK …")
        for name in ("bob", "phone", "carol"):
            await found[name].expect("RESP_MESSAGE_TOPIC fishing alice …")
        for name in ("alice", "bob", "phone"):
            await found[name].ask("OPEN #fishing", "OK WATCH_CONVERSATION #fishing")
        return found

    async def test_typing(self) -> None:
        """Typing reaches those who have the topic open, on all servers, and no device of the same account."""
        cluster = await self.cluster()
        people = await self.topic(cluster)
        await people["carol"].ask("TYPING #fishing", "OK SEND_TYPING #fishing")
        for name in ("alice", "bob", "phone"):
            await people[name].expect("RESP_TYPING carol #fishing")
        await people["bob"].ask("TYPING #fishing", "OK SEND_TYPING #fishing")
        await people["alice"].expect("RESP_TYPING bob #fishing")
        await cluster.settled()
        for each in people.values():
            await each.quiet()

    async def test_pace(self) -> None:
        """One typing in three seconds counts, for each connection and conversation."""
        cluster = await self.cluster(servers=1, routers=0, clock=Clock())
        people = await self.topic(cluster, "ms1")
        alice, bob, phone = people["alice"], people["bob"], people["phone"]
        await alice.ask("OPEN bob", "OK …")
        for _ in range(5):
            await bob.ask("TYPING #fishing", "OK …")
        await alice.expect("RESP_TYPING bob #fishing")
        await phone.ask("TYPING #fishing", "OK …")
        await bob.ask("TYPING alice", "OK SEND_TYPING alice+bob")
        lines = sorted([await alice.take(), await alice.take()])
        self.assertEqual(lines, ["RESP_TYPING bob #fishing", "RESP_TYPING bob alice+bob"])
        await cluster.advance(2.5)
        await bob.ask("TYPING #fishing", "OK …")
        await cluster.settled()
        await alice.quiet()
        await cluster.advance(1)
        await bob.ask("TYPING #fishing", "OK …")
        await alice.expect("RESP_TYPING bob #fishing")

    async def test_large(self) -> None:
        """Typing is shown in a topic of at most 100 members."""
        cluster = await self.cluster()
        people = await self.topic(cluster)
        for number in range(97):
            cluster.redis.command("HSET", "members:#fishing", f"p{number}", "0-0")
        await people["carol"].ask("TYPING #fishing", "OK SEND_TYPING #fishing")
        for name in ("alice", "bob", "phone"):
            await people[name].expect("RESP_TYPING carol #fishing")
        cluster.redis.command("HSET", "members:#fishing", "one-more", "0-0")
        await people["bob"].ask("TYPING #fishing", "OK SEND_TYPING #fishing")
        await cluster.settled()
        await people["alice"].quiet()

    async def test_not_for_everybody(self) -> None:
        """A member that leaves hears no more typing, though it has the topic open; nor does one that it closes."""
        cluster = await self.cluster()
        people = await self.topic(cluster)
        await people["bob"].ask("LEAVE fishing", "OK …")
        await people["alice"].ask("CLOSE #fishing", "OK …")
        await people["carol"].ask("OPEN #fishing", "OK …")
        await people["alice"].ask("TYPING #fishing", "OK …")
        await people["carol"].expect("RESP_TYPING alice #fishing")
        await people["bob"].ask("TYPING #fishing", "OK SEND_TYPING #fishing")
        await cluster.settled()
        for each in people.values():
            await each.quiet()
        await people["alice"].ask("SAY fishing back", "OK …")
        await people["carol"].expect("RESP_MESSAGE_TOPIC …")
        await people["bob"].ask("JOIN fishing", "OK …")

    async def test_blocked(self) -> None:
        """Neither side of a block sees the other one type; the answer is the same."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        for client, other in ((alice, "bob"), (bob, "alice")):
            await client.ask(f"OPEN {other}", "OK WATCH_CONVERSATION alice+bob")
        await bob.ask("BLOCK alice", "OK …")
        for client, other in ((alice, "bob"), (bob, "alice"), (alice, "nobody"), (alice, "alice")):
            await client.ask(f"TYPING {other}", "OK SEND_TYPING …")
        await alice.ask("TYPING @alice", "OK SEND_TYPING @alice")
        await alice.ask("TYPING bob+carol", "ERR SEND_TYPING NOTFOUND …")
        await cluster.settled()
        for client in (alice, bob):
            await client.quiet()

    async def test_read_marks(self) -> None:
        """Those who have a small topic open hear who reads; the account itself is told by ``ops`` alone."""
        cluster = await self.cluster()
        people = await self.topic(cluster)
        await people["bob"].ask("READ #fishing", "OK SEND_READ …")
        await people["alice"].expect("RESP_READ bob #fishing:…-1")
        await people["carol"].ask("READ #fishing", "OK SEND_READ …")
        for name in ("alice", "bob", "phone"):
            await people[name].expect("RESP_READ carol #fishing:…-1")
        await cluster.settled()
        for each in people.values():
            await each.quiet()

    async def test_readers(self) -> None:
        """The number of readers counts all; the names end at the limit."""
        cluster = await self.cluster(servers=1, routers=0)
        alice = await cluster.login("alice")
        await alice.ask("CREATE fishing", "OK …")
        found = await alice.ask("SAY fishing hello", "OK SEND_MESSAGE_TOPIC $id")
        for number in range(120):
            cluster.redis.command("HSET", "members:#fishing", f"p{number:03}", "0-0")
            cluster.redis.command("HSET", "meta:#fishing", f"r:p{number:03}", 1)
        alice.send(f"READERS {found['id']}")
        await alice.expect("BEGIN REQ_READERS 101", "ITEM 121 121", "ITEM alice")
        await alice.expect(*[f"ITEM p{number:03}" for number in range(99)], "END REQ_READERS")
        for number in range(379):
            cluster.redis.command("HSET", "members:#fishing", f"q{number:03}", "0-0")
        alice.send(f"READERS {found['id']}")
        await alice.expect("BEGIN REQ_READERS 101", "ITEM 121 500", *["ITEM …"] * 100, "END REQ_READERS")
        cluster.redis.command("HSET", "members:#fishing", "one-more", "0-0")
        await alice.ask(f"READERS {found['id']}", "ERR REQ_READERS FULL limit=500 a topic of more than 500 members …")
        await alice.ask("READERS bob+carol:7-1", "ERR REQ_READERS NOTFOUND …")
        last = re.sub(r"-1$", "-2", found["id"])
        await alice.ask(f"READERS {last}", "ERR REQ_READERS NOTFOUND …")
