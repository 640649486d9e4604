"""Long lists: conversations page by page, contacts and names."""

from __future__ import annotations

from fishchat.features.accounts.rows import NAMES
from fishchat.storage.profiles.calls import NAMED
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import ClusterCase

#: More than a hash of one piece holds, so that reading it takes several steps.
MANY = 1200


class Conversations(ClusterCase):
    """An account with many conversations."""

    async def test_pages(self) -> None:
        """Every conversation is in the whole list once, by name, and in the pages once, newest first."""
        cluster = await self.cluster(limits__flood=False)
        alice = await cluster.login("alice")
        names = [f"p{number:04}" for number in range(MANY)]
        for number, name in enumerate(names):
            talk = f"alice+{name}"
            cluster.redis.command("HSET", "talks:alice", talk, "0-0:")
            # Some of the same time.
            cluster.redis.command("HSET", f"meta:{talk}", "n", 3, "e", 7, "time", 1000 + number // 7)
            cluster.redis.command("XADD", f"log:{talk}", "7-3", "t", "1", "m", f"{name} main -1 - hello")
        alice.send("CONVERSATIONS")
        await alice.expect(f"BEGIN REQ_CONVERSATIONS {MANY}")
        await alice.expect(*[f"ITEM alice+{name} 3 0 1" for name in names], "END REQ_CONVERSATIONS")
        found: list[str] = []
        tags = "@preview;limit=100"
        while page := await self.page(alice, tags):
            self.assertEqual(len(page), 100)
            found += [name for _, name in page]
            tags = f"@preview;limit=100;before={page[-1][0]}-{page[-1][1]}"
        wanted = sorted(((1000 + number // 7, f"alice+{name}") for number, name in enumerate(names)), reverse=True)
        self.assertEqual(found, [name for _, name in wanted])

    async def page(self, client: Client, tags: str) -> list[tuple[str, str]]:
        """Return time and conversation of each item of a page."""
        client.send(f"{tags} CONVERSATIONS")
        await client.expect("BEGIN REQ_CONVERSATIONS …")
        found: list[tuple[str, str]] = []
        while (line := await client.take()) != "END REQ_CONVERSATIONS":
            mark, _, name, *counts = line.split()
            self.assertEqual(counts, ["3", "0", "1", f"{name}:7-3", "hello"])
            found.append((mark.removeprefix("@time=").partition(";")[0], name))
        return found

    async def test_default_page(self) -> None:
        """A page has 50 conversations unless the client asks for more."""
        cluster = await self.cluster(limits__flood=False)
        alice = await cluster.login("alice")
        for number in range(51):
            cluster.redis.command("HSET", "talks:alice", f"#t{number}", "0-0:")
        await alice.ask("@preview CONVERSATIONS", "BEGIN REQ_CONVERSATIONS 50")
        await alice.expect(*["@time=0 ITEM … 0 0 0 -"] * 50, "END …")


class Names(ClusterCase):
    """Display names of many accounts."""

    async def test_limit(self) -> None:
        """So many accounts can be asked for at once; repeated names count once."""
        cluster = await self.cluster(limits__flood=False)
        alice = await cluster.login("alice")
        names = [f"p{number}" for number in range(NAMES)]
        alice.send("NAMES " + " ".join([*names, *names]))
        await alice.expect(f"BEGIN REQ_NAMES {NAMES}", *[f"ITEM {name}" for name in names], "END REQ_NAMES")
        await alice.ask("NAMES more " + " ".join(names), f"ERR REQ_NAMES FIELDS limit={NAMES} …")
        await alice.ask("NAMES \t ", "ERR REQ_NAMES FIELDS …")

    async def test_contacts(self) -> None:
        """A list of contacts that takes several steps has every name at its account."""
        cluster = await self.cluster(limits__flood=False)
        alice = await cluster.login("alice")
        names = [f"p{number:04}" for number in range(NAMED * 2 + 1)]
        for name in names:
            cluster.redis.command("HSET", "relations:alice", name, "c")
            cluster.redis.command("HSET", f"account:{name}", "created", 1, "name", f"Number {name}")
        alice.send("CONTACTS")
        await alice.expect(f"BEGIN REQ_CONTACTS {len(names)}")
        await alice.expect(*[f"ITEM {name} Number {name}" for name in names], "END REQ_CONTACTS")
