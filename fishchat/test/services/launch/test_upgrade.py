"""An earlier store under ``fishchat up``, and ``fishchat migrate``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from twisted.trial.unittest import TestCase

import fishchat
from fishchat.services.launch.commands import fishchat as command
from fishchat.services.launch.upgrade import copy_before
from fishchat.services.running.errors import StartError
from fishchat.storage.format import FORMAT
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

    def test_kept(self) -> None:
        """The copy of an upgrade that was interrupted is kept: the files may have changed since."""
        put_format_1(self.data)
        config = configured({"data": str(self.data)})
        copy = copy_before(config)
        assert copy is not None
        first = (copy / "appendonly.aof").read_bytes()
        (self.data / "appendonly.aof").write_bytes(b"half migrated")
        self.assertEqual(copy_before(config), copy)
        self.assertEqual((copy / "appendonly.aof").read_bytes(), first)

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
            self.assertEqual((code, output.strip()), (0, told))
