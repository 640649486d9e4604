"""An earlier store under ``fishchat up``, and ``fishchat migrate``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

import fishchat
from fishchat.services.launch import upgrade as module
from fishchat.services.launch.commands import fishchat as command
from fishchat.services.launch.upgrade import copy_before, upgrade
from fishchat.services.running.errors import StartError
from fishchat.storage import format as formats
from fishchat.storage.format import FORMAT
from fishchat.storage.redis import Unavailable
from fishchat.test.support.old_stores import format_1, put_format_1
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.waiting import until
from fishchat.testing.settings import configured

HERE = str(Path(fishchat.__file__).parent.parent)
SETTINGS = {
    "FISHCHAT__ACCOUNTS__MODE": "signup",
    "FISHCHAT__GATEWAY__LISTEN": "127.0.0.1:0",
    "FISHCHAT__MSG_SERVER__LISTEN": "127.0.0.1:0",
    "FISHCHAT__MONITOR__LISTEN": "127.0.0.1:0",
}


class UpgradeCase(TestCase):
    timeout = 60

    def setUp(self) -> None:
        """A data directory."""
        self.server = RedisServer(start=False)
        self.addCleanup(self.server.close)
        self.data = self.server.data

    def run_command(self, *arguments: str, **settings: str) -> tuple[int, str]:
        """The exit code of a command, and all that it printed."""
        environment = {**os.environ, "PYTHONPATH": HERE, **SETTINGS, **settings}
        done = subprocess.run(
            command(*arguments), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=50
        )
        return done.returncode, done.stdout.decode()


class Up(UpgradeCase):
    """``fishchat up`` with the Redis of the data directory."""

    async def test_old_store(self) -> None:
        """The files are copied, the store is migrated, and the next start copies nothing."""
        put_format_1(self.data)
        before = (self.data / "appendonly.aof").read_bytes()
        output = await self.up()
        self.assertIn(f"Upgrading the store from format 1 to {FORMAT}", output)
        # No role connects before the upgrade is complete.
        self.assertNotIn("backup-taken", output + (self.data / "fishchat.log").read_text())
        copy = self.data / f"before-format-{FORMAT}"
        self.assertEqual((copy / "appendonly.aof").read_bytes(), before)
        self.assertEqual((self.data / "format").read_text(), f"{FORMAT}\n")
        self.server.start()
        self.assertEqual(self.server.command("GET", "format"), b"%d" % FORMAT)
        self.server.stop()
        (copy / "appendonly.aof").unlink()
        self.assertNotIn("Upgrading", await self.up())
        self.assertEqual(list(copy.iterdir()), [])

    async def test_new_store(self) -> None:
        """A new store is not copied, also when its first start was by a command."""
        self.assertNotIn("Upgrading", await self.up())
        self.assertFalse((self.data / f"before-format-{FORMAT}").exists())

    async def test_newer_store(self) -> None:
        """A store of a newer version ends the start, with both numbers."""
        self.server.start()
        self.server.command("MSET", "epoch", 7, "format", FORMAT + 1)
        self.server.stop()
        code, output = self.run_command("up", "--data", str(self.data))
        self.assertEqual(code, 1, output)
        self.assertIn(f"format {FORMAT + 1}", output)
        self.assertFalse((self.data / "format").exists())

    async def up(self) -> str:
        """Start until it says that it runs, then stop it; returns what it printed."""
        output = self.data / "output"
        with output.open("wb") as file:
            process = subprocess.Popen(
                command("up", "--data", str(self.data)),
                env={**os.environ, "PYTHONPATH": HERE, **SETTINGS},
                stdout=file,
                stderr=file,
            )
        self.addCleanup(process.kill)
        await until(lambda: "FishChat is running" in output.read_text() or process.poll() is not None, 40)
        process.terminate()
        await until(lambda: process.poll() is not None, 20)
        self.assertEqual(process.returncode, 0, output.read_text())
        return output.read_text()


class Copying(UpgradeCase):
    """The copy of the files."""

    def test_made_again(self) -> None:
        """Each start makes a copy of its own, with a temporary name, in place of an interrupted one."""
        put_format_1(self.data)
        config = configured({"data": str(self.data)})
        copy = copy_before(config)
        assert copy is not None
        self.assertFalse((self.data / f"before-format-{FORMAT}").exists())
        (copy / "appendonly.aof").unlink()
        (copy / "dump.rdb").write_bytes(b"of another time")
        self.assertEqual(copy_before(config), copy)
        self.assertEqual([path.name for path in copy.iterdir()], ["appendonly.aof"])
        self.assertEqual((copy / "appendonly.aof").read_bytes(), (self.data / "appendonly.aof").read_bytes())

    def test_running(self) -> None:
        """Files that a Redis is writing are not copied."""
        put_format_1(self.data)
        self.server.start()
        self.assertIsNone(copy_before(configured({"data": str(self.data)})))

    def test_several_problems(self) -> None:
        """The error of a directory is printed although it has no error number."""
        (self.data / "appendonlydir").mkdir()

        def failing(*_: object) -> None:
            raise shutil.Error([("a", "b", "no space left")])

        self.patch(shutil, "copytree", failing)
        with self.assertRaisesRegex(StartError, "no space left"):
            copy_before(configured({"data": str(self.data)}))

    def test_nothing_to_copy(self) -> None:
        """A directory without a store, one that is marked, and an external Redis need no copy."""
        self.assertIsNone(copy_before(configured({"data": str(self.data)})))
        put_format_1(self.data)
        self.assertIsNone(copy_before(configured({"data": str(self.data), "redis.url": "redis://127.0.0.1:6379"})))
        (self.data / "format").write_text(f"{FORMAT}\n")
        self.assertIsNone(copy_before(configured({"data": str(self.data)})))

    def test_no_room(self) -> None:
        """A copy that cannot be made ends the start before anything has changed."""
        put_format_1(self.data)
        (self.data / f"before-format-{FORMAT}.part").write_text("in the way")
        self.assertRaises(StartError, copy_before, configured({"data": str(self.data)}))


class Upgrading(UpgradeCase):
    """Starts after each other on the same files, of which some are interrupted."""

    def setUp(self) -> None:
        """A store of format 1."""
        super().setUp()
        put_format_1(self.data)
        self.original = (self.data / "appendonly.aof").read_bytes()
        self.backup = self.data / f"before-format-{FORMAT}"
        self.said: list[str] = []

    async def start(self) -> None:
        """What ``up`` does for the store, with Redis left running."""
        self.server.stop()
        config = configured({"data": str(self.data)})
        copy = copy_before(config)
        self.server.start()
        await upgrade(config, reactor, copy, self.said.append)

    async def refused(self, reason: str) -> None:
        """Start, which fails for this reason."""
        with self.assertRaisesRegex(StartError, reason):
            await self.start()

    def assert_upgraded(self) -> None:
        """The store has this version's format, and the backup is that of the original files."""
        self.assertEqual(self.server.command("MGET", "format", "migrating"), [b"%d" % FORMAT, None])
        self.assertEqual((self.backup / "appendonly.aof").read_bytes(), self.original)
        self.assertFalse(self.backup.with_suffix(".part").exists())

    async def test_marker_lost(self) -> None:
        """A start that ends before it notes the format, or a lost note, costs no backup."""
        await self.start()
        self.assert_upgraded()
        (self.data / "format").unlink()
        await self.start()
        self.assert_upgraded()
        self.assertEqual(len(self.said), 1)

    async def test_interrupted(self) -> None:
        """An interrupted migration continues at the next start, and the backup stays that of the first."""

        async def failing(_: object) -> None:
            raise Unavailable("Redis was killed")

        migrations = dict(formats._MIGRATIONS)
        self.patch(formats, "_MIGRATIONS", {1: failing})
        await self.refused("start again")
        self.server.command("SET", "changed", "since")
        self.assertEqual(self.server.command("MGET", "format", "migrating"), [None, b"1"])
        self.patch(formats, "_MIGRATIONS", migrations)
        await self.start()
        self.assert_upgraded()
        self.assertEqual([path.name for path in self.data.glob("before-*")], [self.backup.name])

    async def test_restored(self) -> None:
        """Older files in place of upgraded ones are not migrated before they are copied."""
        (self.data / "format").write_text(f"{FORMAT}\n")
        await self.refused("start again")
        self.assertEqual(self.server.command("MGET", "format", "migrating"), [None, None])
        self.server.stop()
        self.original = (self.data / "appendonly.aof").read_bytes()
        await self.start()
        self.assert_upgraded()

    async def test_stale_copy(self) -> None:
        """The backup of an earlier upgrade is not taken for that of this one; it gets another name."""
        for _ in range(2):
            self.backup.mkdir()
            (self.backup / "appendonly.aof").write_bytes(b"a week old")
            self.server.stop()
            for path in self.data.glob("appendonly*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            (self.data / "format").unlink(missing_ok=True)
            put_format_1(self.data)
            await self.start()
            self.assert_upgraded()
            shutil.rmtree(self.backup)
        for number in (1, 2):
            old = self.data / f"before-format-{FORMAT}.{number}"
            self.assertEqual((old / "appendonly.aof").read_bytes(), b"a week old")

    async def test_refused(self) -> None:
        """An attempt that changes nothing leaves no copy."""
        self.patch(module, "PATIENCE", 0)
        self.server.start()
        self.server.command("HSET", "servers", "ms7", "aaaa")
        self.server.command("SET", "lease:ms7", "aaaa.1")
        await self.refused("ms7")
        self.assertEqual(list(self.data.glob("before-*")), [])
        self.assertEqual(self.said, [])

    async def test_marker_not_writable(self) -> None:
        """A format that cannot be noted is a warning only."""
        (self.data / "format").mkdir()
        await self.start()
        self.assert_upgraded()
        self.assertIn("Cannot write", self.said[-1])

    async def test_garbage(self) -> None:
        """A format that is not a number is a refusal."""
        self.server.start()
        self.server.command("SET", "format", "two")
        await self.refused("'two', not a number")
        self.assertEqual(list(self.data.glob("before-*")), [])


class Command(UpgradeCase):
    """``fishchat migrate`` with an external Redis."""

    def test_external(self) -> None:
        """Without a confirmed backup nothing happens; then the store is migrated, once."""
        server = format_1()
        self.addCleanup(server.close)
        settings = {"FISHCHAT__REDIS__URL": server.url}
        code, output = self.run_command("up", "--data", str(self.data), **settings)
        self.assertEqual(code, 1, output)
        self.assertIn("fishchat migrate --backup-taken", output)
        code, output = self.run_command("user", "list", "--data", str(self.data), **settings)
        self.assertEqual(code, 1, output)
        self.assertIn("fishchat migrate --backup-taken", output)
        code, output = self.run_command("migrate", "--data", str(self.data), **settings)
        self.assertEqual(code, 2, output)
        self.assertIn("--backup-taken", output)
        self.assertIsNone(server.command("GET", "format"))
        for told in (f"upgraded the store from format 1 to {FORMAT}", f"nothing to do: the store has format {FORMAT}"):
            code, output = self.run_command("migrate", "--backup-taken", "--data", str(self.data), **settings)
            self.assertEqual((code, output), (0, f"note: the store is {server.url}\n{told}\n"))
