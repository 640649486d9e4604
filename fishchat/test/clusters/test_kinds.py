"""Times, attributes and kinds of messages, and messages that roles store."""

from __future__ import annotations

import re
from typing import Any

from fishchat.features.registry import VERBS
from fishchat.protocols.fields import Tag, same
from fishchat.services.running.lease import Lease, RoleNames
from fishchat.storage.epoch import Epoch
from fishchat.storage.logs import calls
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.waiting import until


class Times(ClusterCase):
    """Times of messages, by the capability ``time``."""

    async def test_everywhere(self) -> None:
        """The sender and devices here, elsewhere and offline see the same time; without ``time`` none is sent."""
        cluster = await self.cluster()
        alice = await self.timed(cluster, "alice", "ms1")
        here, there = await self.timed(cluster, "bob", "ms1"), await self.timed(cluster, "bob", "ms2", "phone")
        plain = await cluster.login("bob", "ms2", device="plain")
        alice.send("@cseq=1;id=q MSG bob hi")
        [ok] = await self.heard(alice, 1)
        found = re.fullmatch(r"@time=(\d{13});id=q OK SEND_MESSAGE_P2P (\S+)", ok)
        assert found is not None, ok
        push = f"@time={found[1]} RESP_MESSAGE_P2P alice {found[2]} hi"
        for client in (here, there):
            self.assertEqual(await self.heard(client, 1), [push])
        await plain.expect(f"RESP_MESSAGE_P2P alice {found[2]} hi")
        later = await self.timed(cluster, "bob", "ms1", "later", synced=False)
        self.assertEqual(await self.heard(later, 2), [push, "RESP_SYNCED"])
        alice.send("@cseq=1 MSG bob hi")
        self.assertEqual(await self.heard(alice, 1), [f"@time={found[1]} OK SEND_MESSAGE_P2P {found[2]}"])

    async def test_topics_and_notices(self) -> None:
        """A message of a topic and a notice have their times, here, elsewhere and in replay; so has its sender's OK."""
        cluster = await self.cluster()
        alice = await self.timed(cluster, "alice", "ms1")
        here, there = await self.timed(cluster, "bob", "ms1"), await self.timed(cluster, "bob", "ms2", "phone")
        alice.send("CREATE fishing", "INVITE fishing bob")
        await self.heard(alice, 2)
        here.send("JOIN fishing")
        [notice, joined] = await self.heard(here, 2)
        self.assertRegex(notice, r"^@time=\d{13} RESP_NOTICE alice @bob:\S+ INVITED fishing$")
        self.assertEqual(joined, "OK JOIN_TOPIC fishing")
        self.assertEqual(await self.heard(there, 1), [notice])
        for _ in range(2):
            alice.send("@cseq=1 SAY fishing hi")
        oks = await self.heard(alice, 2)
        found = re.fullmatch(r"@time=(\d{13}) OK SEND_MESSAGE_TOPIC (\S+)", oks[0])
        assert found is not None, oks
        self.assertEqual(oks[1], oks[0])
        push = f"@time={found[1]} RESP_MESSAGE_TOPIC fishing alice {found[2]} hi"
        for client in (here, there):
            self.assertEqual(await self.heard(client, 1), [push])
        later = await self.timed(cluster, "bob", "ms2", "later", synced=False)
        self.assertEqual(sorted(await self.heard(later, 3)), sorted([notice, push, "RESP_SYNCED"]))

    async def test_beside_other_tags(self) -> None:
        """The tags of time and of escapes appear together."""
        cluster = await self.cluster(servers=1, routers=0)
        alice, bob = await self.timed(cluster, "alice", "ms1"), await self.timed(cluster, "bob", "ms1")
        alice.send(r"@esc MSG bob a\nb")
        await self.heard(alice, 1)
        [push] = await self.heard(bob, 1)
        self.assertRegex(push, r"^@time=\d{13};esc RESP_MESSAGE_P2P alice \S+ a\\nb$")

    async def timed(
        self, cluster: Cluster, account: str, server: str, device: str = "main", synced: bool = True
    ) -> Client:
        """Return a client with the capability ``time``."""
        client = cluster.connect(server)
        await client.expect("HELLO …")
        await client.ask("HELLO 1 caps=teleport,time", "OK HELLO fishchat/1 caps=time")
        await client.ask(f"@device={device} LOGIN {account}", "OK …")
        if synced:
            await client.expect("RESP_SYNCED")
        return client

    async def heard(self, client: Client, count: int) -> list[str]:
        """Return the next lines unchanged."""
        await until(lambda: len(client.lines) >= count)
        lines, client.lines[:] = client.lines[:count], client.lines[count:]
        return lines


class Attributes(ClusterCase):
    """Tags that are kept as attributes."""

    def setUp(self) -> None:
        """Let the rows of messages keep two tags more."""
        super().setUp()
        tags = [Tag(name, "of a test", same, b"x", kept=True) for name in (b"mood", b"flag")]
        for verb in VERBS:
            if verb.name in (b"SEND_MESSAGE_P2P", b"SEND_MESSAGE_TOPIC"):
                for name, value in (
                    ("tags", (*verb.tags, *tags)),
                    ("tag_rows", {**verb.tag_rows, **{tag.name: tag for tag in tags}}),
                    ("tag_readers", {**verb.tag_readers, **{tag.name: same for tag in tags}}),
                    ("kept", tuple(tags)),
                    ("kept_names", frozenset(tag.name for tag in tags)),
                ):
                    self.addCleanup(object.__setattr__, verb, name, getattr(verb, name))
                    object.__setattr__(verb, name, value)

    async def test_repeated_as_they_are(self) -> None:
        """Kept tags are on pushes on all servers and on items, and a repeated message must match them."""
        cluster = await self.cluster()
        alice = await cluster.login("alice")
        here, there = await cluster.login("bob"), await cluster.login("bob", "ms2", device="phone")
        alice.send(r"@mood=a\sb;flag;cseq=1;esc MSG bob one\ntwo")
        await alice.expect("OK …-1")
        tagged = r"@flag;mood=a\sb;esc "
        for client in (here, there):
            await client.expect(tagged + r"RESP_MESSAGE_P2P alice …-1 one\ntwo")
        await here.ask("HISTORY alice+bob", "BEGIN …")
        await here.expect(tagged + r"ITEM …-1 alice … one\ntwo", "END …")
        await alice.ask(r"@cseq=1;esc;flag;mood=a\sb MSG bob one\ntwo", "OK …-1")
        await alice.ask(r"@cseq=1;esc;flag MSG bob one\ntwo", "ERR SEND_MESSAGE_P2P CONFLICT expected=2 …")


class Kinds(ClusterCase):
    """Kinds unknown to this version."""

    async def test_unknown(self) -> None:
        """Devices are not given it, and their cursors move by themselves, live and in replay."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2", acks=True)
        await alice.ask("MSG bob one", "OK …-1")
        await self.stored(cluster, "teleport", "alice", "strange")
        await alice.ask("MSG bob three", "OK …-3")
        self.assertEqual(await bob.texts(2), ["one", "three"])
        later = await cluster.login("bob", device="later", synced=False)
        await later.expect("RESP_MESSAGE_P2P alice …-1 one", "RESP_MESSAGE_P2P alice …-3 three", "RESP_SYNCED")

    async def test_notices_are_marked(self) -> None:
        """In a history, messages from the server have a tag that no client can send."""
        cluster = await self.cluster(servers=1, routers=0)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        await alice.ask("CREATE pond", "OK …")
        await alice.ask("INVITE pond bob", "OK …")
        await bob.expect("RESP_NOTICE alice …-1 INVITED pond")
        await bob.ask("HISTORY @bob", "BEGIN …")
        await bob.expect("@notice ITEM …-1 alice … INVITED pond", "END …")
        await alice.ask("@notice MSG bob x", "ERR SEND_MESSAGE_P2P BADTAG …")

    async def stored(self, cluster: Cluster, kind: str, account: str, text: str) -> None:
        """Store a message of this kind, as a role does."""
        role = await HeldRole.begin(cluster)
        await role.append("alice+bob", account, kind, text)
        role.end()


class HeldRole:
    """A role without clients that holds a lease and stores messages."""

    def __init__(self, cluster: Cluster) -> None:
        parts = cluster.roles["ms1"].parts
        self.store = parts.speaker
        epoch = Epoch(lambda: 0.0)
        epoch.current = int(cluster.redis.command("GET", "epoch"))
        self.lease = Lease(self.store, epoch, b"file-1", parts.clock, lambda: None, lambda: None, RoleNames())

    @classmethod
    async def begin(cls, cluster: Cluster) -> HeldRole:
        """Return a role that holds its lease."""
        role = cls(cluster)
        role.lease.startService()
        role.lease.renew()
        await until(lambda: role.lease.fence is not None)
        return role

    async def append(self, conversation: str, account: str, form: str, text: str) -> Any:
        """Store a message."""
        assert self.lease.fence is not None
        ask = calls.append(b"/sysctrl/send", conversation.encode(), account.encode(), form.encode(), text.encode())
        return ask.parse(await self.store.call(ask.script, *self.lease.fence.args, *ask.values))

    def end(self) -> None:
        """Release the lease."""
        self.lease.stopService()


class Roles(ClusterCase):
    """Messages that roles store reach the clients of all msg_servers."""

    async def test_every_device(self) -> None:
        """All devices of both sides receive the message, also the requesting one; it is unread until it is read."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("MSG bob hi", "OK …-1")
        await bob.expect("RESP_MESSAGE_P2P alice …-1 hi")
        role = await HeldRole.begin(cluster)
        await role.append("alice+bob", "alice", "-", "a picture")
        for client in (alice, bob):
            await client.expect("RESP_MESSAGE_P2P alice …-2 a picture")
        await bob.ask("CONVERSATIONS", "BEGIN …")
        await bob.expect("ITEM alice+bob 2 0 2", "END …")
        role.end()
