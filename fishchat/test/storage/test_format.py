"""The format of the store: checked, migrated forward, never backward."""

from __future__ import annotations

import shutil
import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from fishchat.services.redis.access import Access
from fishchat.services.role import Parts
from fishchat.storage import format as module
from fishchat.storage.format import FORMAT, MigrationError, check_format, migrate, stored_format
from fishchat.storage.migrations.calls import begin, finish, to_2
from fishchat.storage.redis import Connection
from fishchat.test.support.old_stores import ACCOUNTS_MODE, format_1, seen_in_format_1
from fishchat.test.support.redis_fixture import RedisServer, shared_redis
from fishchat.test.support.waiting import until
from fishchat.testing.server import Server
from fishchat.testing.settings import configured


class FormatCase(TestCase):
    """A connection to a store."""

    timeout = 60

    async def connected(self, server: RedisServer) -> Connection:
        """A connection to this Redis, for the length of the test."""
        connection = Access(configured({"redis.url": server.url}), reactor).connection()
        connection.startService()
        self.addCleanup(connection.stopService)
        await connection.when_connected()
        return connection


class Checking(FormatCase):
    """What a role does with a store of another format."""

    async def test_new(self) -> None:
        """An empty store is as good as one of this format, also when accounts were made before the first server."""
        store = await self.connected(shared_redis())
        await store.run("HSET", "account:alice", "created", 1)
        self.assertEqual((await stored_format(store), await check_format(store)), (FORMAT, []))

    async def test_own(self) -> None:
        """A store of this format is used."""
        store = await self.connected(shared_redis())
        await store.run("MSET", "epoch", 7, "format", FORMAT)
        self.assertEqual(await check_format(store), [])

    async def test_newer(self) -> None:
        """A newer store is refused, with both numbers, and left alone."""
        store = await self.connected(shared_redis())
        await store.run("MSET", "epoch", 7, "format", FORMAT + 3)
        [problem] = await check_format(store)
        self.assertRegex(problem, rf"has format {FORMAT + 3}, .* up to {FORMAT}: ")
        with self.assertRaises(MigrationError):
            await migrate(store)
        self.assertEqual(await store.run("GET", "format"), b"%d" % (FORMAT + 3))

    async def test_garbage(self) -> None:
        """A format that is not a number above 0 is a refusal, and left alone."""
        store = await self.connected(shared_redis())
        for garbage in ("two", "0", "-1", "", "1.5", "\xff"):
            await store.run("MSET", "epoch", 7, "format", garbage)
            [problem] = await check_format(store)
            self.assertIn("not a number", problem)
            with self.assertRaises(MigrationError):
                await migrate(store)
            self.assertEqual(await store.run("GET", "format"), garbage.encode())

    async def test_roles_refuse(self) -> None:
        """A role never connects to a store of an earlier or a newer format, and the log says what to do."""
        for found, remedy in ((None, "fishchat migrate"), (FORMAT + 1, "use a newer version")):
            server = shared_redis()
            server.command("SET", "epoch", 7)
            if found:
                server.command("SET", "format", found)
            parts = Parts(configured({"redis.url": server.url}), embedded=False)
            store = parts.store()
            parts.startService()
            await self.complained(store)
            self.assertIn(remedy, store.complaint)
            self.assertFalse(store.connected)
            await parts.stopService()

    async def complained(self, store: Connection) -> None:
        """Return when the connection was refused."""
        await until(lambda: store.complaint)


class Migrating(FormatCase):
    """A store of the first versions, full of conversations."""

    async def begin(self) -> tuple[RedisServer, Connection]:
        """The store, running."""
        server = format_1()
        self.addCleanup(server.close)
        return server, await self.connected(server)

    async def test_in_steps(self) -> None:
        """Each step takes some conversations; afterwards the last number that retention took is known of each."""
        server, store = await self.begin()
        self.patch(module, "STEP", 20)
        self.assertEqual(await stored_format(store), 1)
        before = server.command("DBSIZE")
        steps: list[int] = []
        call = store.call

        def counted(script: Any, *values: Any) -> Any:
            if isinstance(values[0], list):
                steps.append(len(values[0]))
            return call(script, *values)

        self.patch(store, "call", counted)
        self.assertEqual(await migrate(store), 1)
        self.assertGreater(len(steps), 5)
        self.assertEqual(await stored_format(store), FORMAT)
        cut = 0
        for key in server.command("KEYS", "meta:*"):
            number, taken = server.command("HMGET", key, "n", "t")
            entries = server.command("XRANGE", b"log:" + key[5:], "-", "+", "COUNT", 1)
            gone = int(entries[0][0].split(b"-")[1]) - 1 if entries else int(number or 0)
            self.assertEqual(int(taken or 0), gone, key)
            cut += gone > 0
        self.assertGreater(cut, 5)
        self.assertEqual(server.command("DBSIZE"), before + 1)
        self.assertEqual(await migrate(store), FORMAT)

    async def test_interrupted(self) -> None:
        """A migration that broke off is repeated; the format is written last."""
        server, store = await self.begin()
        self.patch(module, "STEP", 50)
        call, calls = store.call, 0

        def failing(script: Any, *values: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 3:
                raise ConnectionError("the process was killed")
            return call(script, *values)

        self.patch(store, "call", failing)
        with self.assertRaises(ConnectionError):
            await migrate(store)
        self.assertEqual(await stored_format(store), 1)
        self.assertEqual(await migrate(store), 1)
        self.assertEqual(server.command("GET", "format"), b"%d" % FORMAT)

    async def test_two_at_once(self) -> None:
        """Two processes migrate at once; each is content."""
        server, store = await self.begin()
        other = await self.connected(server)
        self.patch(module, "STEP", 20)
        found = await gatherResults([ensureDeferred(migrate(each)) for each in (store, other)])
        self.assertEqual(found, [1, 1])
        self.assertEqual(server.command("MGET", "format", "migrating"), [b"%d" % FORMAT, None])

    async def test_late_step(self) -> None:
        """The steps of a migrator that was overtaken change nothing in the new store."""
        server, store = await self.begin()
        await migrate(store)
        server.command("HSET", "meta:alice+zoe", "n", 5)
        server.command("SET", "format", FORMAT + 1)
        self.assertEqual(await to_2([b"alice+zoe"]).of(store), 0)
        await begin(1).of(store)
        await finish(1, 2).of(store)
        self.assertEqual(server.command("HGETALL", "meta:alice+zoe"), [b"n", b"5"])
        self.assertEqual(server.command("MGET", "format", "migrating"), [b"%d" % (FORMAT + 1), None])

    async def test_while_servers_run(self) -> None:
        """A msg_server that may still write is named, and nothing is changed."""
        server, store = await self.begin()
        server.command("HSET", "servers", "ms7", "aaaa")
        server.command("SET", "lease:ms7", "aaaa.1")
        with self.assertRaisesRegex(MigrationError, "ms7"):
            await migrate(store)
        self.assertEqual(await stored_format(store), 1)

    async def test_clients_see_the_same(self) -> None:
        """After the migration every client has the same conversations, topics, read numbers and histories."""
        server, store = await self.begin()
        await migrate(store)
        server.stop()
        seen = seen_in_format_1()
        there = Server({"accounts.mode": ACCOUNTS_MODE, "monitor.listen": "127.0.0.1:0"})
        self.addCleanup(there.stop)
        for path in server.data.glob("appendonly*"):
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, there.data / path.name)
        await there.start()
        for account, shown in seen.items():
            found = await deferToThread(_everything, there.address, account, shown["token"], list(shown["history"]))
            self.assertEqual(found["topics"], sorted(shown["topics"]), account)
            # Since then, what the servers said is marked.
            unmarked = {name: [_unmarked(item) for item in items] for name, items in found["history"].items()}
            self.assertEqual(unmarked, shown["history"], account)
            self.assertEqual(
                [item.rsplit(" ", 1)[0] for item in found["conversations"]],
                sorted(item.rsplit(" ", 1)[0] for item in shown["conversations"]),
                account,
            )
            unread = [int(item.rsplit(" ", 1)[1]) for item in found["conversations"]]
            self.assertTrue(0 < sum(unread) <= sum(int(item.rsplit(" ", 1)[1]) for item in shown["conversations"]))


def _unmarked(item: str) -> str:
    return item.removeprefix("@notice ")


def _everything(address: str, account: str, token: str, conversations: list[str]) -> dict[str, Any]:
    """What a client is shown; to be called in a thread."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), 20) as link, link.makefile("rb") as lines:

        def ask(command: str) -> list[str]:
            link.sendall(command.encode() + b"\r\n")
            items: list[str] = []
            while True:
                line = lines.readline().decode().rstrip("\r\n")
                word = line.split(" ")[1 if line.startswith("@") else 0]
                if word == "ITEM":
                    items.append(line)
                elif word in ("OK", "END", ""):
                    return items
                elif word == "ERR":
                    raise AssertionError(line)

        lines.readline()
        ask(f"@device=phone LOGIN {account} {token}")
        return {
            "conversations": sorted(ask("CONVERSATIONS")),
            "topics": sorted(ask("TOPICS")),
            "history": {name: ask(f"@limit=100 HISTORY {name}") for name in conversations},
        }
