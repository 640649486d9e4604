"""``fishchat scrub``, the erasures of backups, and what a restore erases again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.user_runner import Commands

MARK = b"the-text-that-was-erased"


class ScrubCase(Commands):
    """A data directory with two accounts, a conversation and a topic."""

    words = ()
    timeout = 120

    def setUp(self) -> None:
        """Start its Redis."""
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir()
        self.server = RedisServer()
        self.addCleanup(self.server.close)
        self.data = self.server.data
        command = self.server.command
        command("CONFIG", "SET", "rdbcompression", "no")
        command("MSET", "epoch", 7, "format", 2)
        for name in ("alice", "bob"):
            command("HSET", f"account:{name}", "created", 1)
            command("HSET", f"talks:{name}", "alice+bob", "0-0:")
        for number, author in enumerate((b"alice", b"bob", b"alice"), 1):
            body = b"%s main -1 - %s" % (author, MARK if author == b"alice" else b"stays")
            command("XADD", "log:alice+bob", f"7-{number}", "t", number, "m", body)
        command("HSET", "meta:alice+bob", "n", 3, "e", 7)

    async def erase_one(self) -> None:
        """Erase the first message, and note it as a recall does."""
        self.server.command("XDEL", "log:alice+bob", "7-1")
        self.server.command("ZADD", "erasures", 1, "alice+bob:7-1")
        self.server.command("SADD", "unscrubbed", "alice+bob")

    def numbers(self, server: RedisServer) -> list[bytes]:
        """Return the positions of the messages that are left."""
        return [entry[0] for entry in server.command("XRANGE", "log:alice+bob", "-", "+")]


class Scrubs(ScrubCase):
    """The command alone."""

    async def test_state(self) -> None:
        """Without an option nothing changes: what waits, and when it was done last."""
        await self.erase_one()
        said = await self.good("scrub")
        self.assertIn("waiting              1 conversation\n", said.out)
        self.assertIn("only in Redis' file  0 conversations\n", said.out)
        self.assertIn("last scrub           never\nnightly              04:00\n", said.out)

    async def test_now(self) -> None:
        """--now scrubs what waits, says what it did, and then nothing waits; --all visits every conversation."""
        await self.erase_one()
        self.server.command("XDEL", "log:alice+bob", "7-3")
        said = await self.good("scrub", "--now")
        self.assertIn("scrubbed 1 conversation; 1 entry copied\nRedis has written its file anew.\n", said.out)
        self.assertNotIn(MARK, self.server.command("DUMP", "log:alice+bob"))
        self.assertIn("nothing waits for a scrub\n", (await self.good("scrub", "--now")).out)
        self.assertIn("scrubbed 1 conversation; 1 entry copied\n", (await self.good("scrub", "--all")).out)

    async def test_without_servers(self) -> None:
        """It works on a store that no server uses."""
        await self.erase_one()
        self.server.stop()
        self.assertIn("scrubbed 1 conversation", (await self.good("scrub", "--now")).out)
        self.server.start()
        self.assertEqual(
            (self.numbers(self.server), self.server.command("HGET", "scrub", "written")), ([b"7-2", b"7-3"], b"1")
        )

    async def test_refused(self) -> None:
        """While another process scrubs, without a file to write, and with contradicting options."""
        await self.erase_one()
        self.server.command("SET", "scrubber", "another", "PX", 60_000)
        self.assertIn("another process scrubs this store", await self.refused("scrub", "--now"))
        said = await self.ended("scrub", "--now", "--export", "x")
        self.assertIn("use only one of --now (or --all), --export and --erase", said.err)

    async def test_delete(self) -> None:
        """Deleting an account says what is still there; with --scrub nothing is."""
        said = await self.good("user", "delete", "alice", "--yes")
        self.assertIn("until the next scrub, at 04:00; `fishchat scrub --now` does it at once", said.out)
        self.assertIn(MARK, self.server.command("DUMP", "log:alice+bob"))
        said = await self.good("user", "delete", "bob", "--yes", "--scrub")
        self.assertIn("scrubbed 1 conversation; 0 entries copied\n", said.out)
        self.assertEqual(self.server.command("EXISTS", "log:alice+bob"), 0)


class Restoring(ScrubCase):
    """What was erased after a backup is erased again when it is restored."""

    def setUp(self) -> None:
        """A backup from before the erasures."""
        super().setUp()
        self.early, self.late = self.directory / "early.tar", self.directory / "late.tar"
        self.list = self.directory / "erasures.json"
        self.other = RedisServer(start=False)
        self.addCleanup(self.other.close)

    async def erased(self) -> None:
        """Make the backup, then erase a message and an account."""
        await self.good("backup", str(self.early))
        await self.erase_one()
        await self.good("user", "delete", "bob", "--yes")

    async def restored(self, *options: str) -> Any:
        """Restore the early backup into another directory, and start its Redis."""
        said = await self.good("restore", str(self.early), "--data", str(self.other.data), *options)
        self.other.start()
        return said

    def check_erased(self, server: RedisServer) -> None:
        """Check that the message and the account are gone, in the files as well."""
        self.assertEqual(self.numbers(server), [b"7-3"])
        self.assertEqual(server.command("HEXISTS", "account:bob", "deleted"), 1)
        self.assertEqual(server.command("HEXISTS", "account:alice", "deleted"), 0)
        self.assertNotIn(b"stays", server.command("DUMP", "log:alice+bob"))
        self.assertEqual(server.command("ZRANGE", "erasures", 0, -1), [b"alice+bob:7-1", b"bob"])
        self.assertEqual(server.command("HGET", "scrub", "copied"), server.command("HGET", "scrub", "written"))

    async def test_unknown(self) -> None:
        """Without a list, the command says that it is all back."""
        await self.erased()
        said = await self.restored()
        self.assertIn(
            "Everything that was recalled or erased after the backup is back: no list of it is known (--erasures).",
            said.out,
        )
        self.assertEqual(self.numbers(self.other), [b"7-1", b"7-2", b"7-3"])

    async def test_later_backup(self) -> None:
        """A later backup, made while servers ran, has the list."""
        await self.erased()
        said = await self.good("backup", str(self.late))
        self.assertIn("erasures       yes\n", said.out)
        said = await self.restored("--erasures", str(self.late))
        self.assertIn("erased again: 1 account with everything that they wrote, 1 message\n", said.out)
        self.assertIn("accounts       1\nconversations  1\nmessages       1\n", said.out)
        self.check_erased(self.other)
        self.assertFalse((self.other.data / "erasures.json").exists())

    async def test_exported(self) -> None:
        """A list that was exported names ids only, is private, and does the same, also later."""
        await self.erased()
        said = await self.good("scrub", "--export", str(self.list))
        self.assertIn(f"wrote 2 erasures to {self.list}\n", said.out)
        self.assertEqual(self.list.stat().st_mode & 0o777, 0o600)
        self.assertEqual([what for what, _ in json.loads(self.list.read_text())["erasures"]], ["alice+bob:7-1", "bob"])
        await self.restored()
        there = ("--data", str(self.other.data))
        for expected in ("1 account with everything that they wrote, 1 message\n", "0 accounts with everything"):
            said = await self.good("scrub", "--erase", str(self.list), *there)
            self.assertIn(f"erased again: {expected}", said.out)
            self.check_erased(self.other)

    async def test_replaced(self) -> None:
        """The store that is replaced knows what it has erased."""
        await self.erased()
        self.server.stop()
        said = await self.good("restore", str(self.early), "--data", str(self.data), "--replace")
        self.assertIn("erased again: 1 account with everything that they wrote, 1 message\n", said.out)
        self.server.start()
        self.check_erased(self.server)

    async def test_nothing_erased(self) -> None:
        """The backup itself knows what was erased before it was made."""
        await self.erase_one()
        await self.good("backup", str(self.early))
        said = await self.restored("--erasures", str(self.early))
        self.assertIn("erased again: 0 accounts with everything that they wrote, 0 messages\n", said.out)
        self.assertEqual(self.numbers(self.other), [b"7-2", b"7-3"])

    async def test_no_list(self) -> None:
        """A file that is no list is refused before anything is made; so is a backup without one."""
        await self.erased()
        self.server.stop()
        self.assertIn("erasures       no\n", (await self.good("backup", str(self.late))).out)
        (self.directory / "x.json").write_text('{"other": 1}')
        cases = (
            (self.late, "late.tar has no list of erasures, because it was made while no server ran"),
            (self.directory / "x.json", "x.json is not a list of erasures"),
            (self.directory / "none", "cannot read"),
        )
        for path, expected in cases:
            to = ("--data", str(self.other.data), "--erasures", str(path))
            self.assertIn(expected, await self.refused("restore", str(self.early), *to))
            self.assertFalse((self.other.data / "appendonlydir").exists())
