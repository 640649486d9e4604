"""``fishchat backup`` and ``fishchat restore``: nothing with an OK is lost, and a damaged backup is never used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred

from fishchat.client import Client, Gap
from fishchat.proof.processes import HERE
from fishchat.proof.site import Place, Up
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.user_runner import Commands
from fishchat.test.support.waiting import until

# Its interfaces promise less than it does.
reactor: Any = the_reactor


class BackupCase(Commands):
    """Commands on a data directory, and a directory for backups."""

    words = ()

    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir()
        self.file = self.directory / "one.tar"
        # The path of a socket must be short.
        self.server = RedisServer(start=False)
        self.addCleanup(self.server.close)
        self.data = self.server.data

    def to(self, data: Path) -> tuple[str, ...]:
        """The arguments that restore the backup."""
        return ("restore", str(self.file), "--data", str(data))


class Running(BackupCase):
    """While servers run."""

    timeout = 120

    def client(self, account: str, *places: Place) -> Client:
        """A client that uses the server of either place, whichever runs."""
        addresses = [place.addresses[0] for place in places]
        client = Client(account, servers=addresses, reactor=reactor)
        self.addCleanup(client.stop)
        return client

    async def up(self, place: Place) -> Up:
        """Everything in one process."""
        up = Up(place, processes=False, environment=place.environment(PYTHONPATH=HERE))
        self.addCleanup(up.kill)
        await until(lambda: "FishChat is running" in up.output(), 30)
        return up

    async def test_writes_meanwhile(self) -> None:
        """A backup has every message that had its OK before; after a restore, clients go on and hear what is lost."""
        first, second = Place(), Place()
        for place in (first, second):
            self.addCleanup(place.close)
        up = await self.up(first)
        alice, bob = self.client("alice", first, second), self.client("bob", first, second)
        received: list[str] = []
        gaps: list[Gap] = []
        bob.on_message = lambda message: received.append(message.text)
        bob.on_gap = gaps.append
        await bob.start()
        await alice.start()
        ids: list[str] = []
        talking = True

        async def talk() -> None:
            while talking:
                ids.append(await alice.send("bob", f"message {len(ids) + 1}"))

        over = ensureDeferred(talk())
        await until(lambda: len(ids) > 50)
        before = len(ids)
        await self.good("backup", str(self.file), "--data", str(first.data))
        after = len(ids)
        await until(lambda: len(ids) > after)
        talking = False
        await over
        await until(lambda: len(received) == len(ids))
        self.assertEqual(await up.stop(reactor), 0)

        said = await self.good(*self.to(second.data))
        kept = int(re.findall(r"^messages +([0-9]+)$", said.out, re.MULTILINE)[0])
        self.assertTrue(before <= kept < len(ids), (before, kept, len(ids)))
        self.assertIn("accounts       2\nconversations  1\n", said.out)
        await self.up(second)
        again = await alice.send("bob", "again")
        epoch, number = (int(part) for part in again.rpartition(":")[2].split("-"))
        self.assertEqual(number, kept + 1)
        self.assertGreater(epoch, int(ids[-1].rpartition(":")[2].split("-")[0]))
        await until(lambda: received[-1:] == ["again"])
        self.assertEqual((gaps[0].conversation, gaps[0].first, gaps[-1].last), ("alice+bob", kept + 1, len(ids)))
        page = await bob.history("alice+bob", limit=5)
        self.assertEqual([item.text for item in page][-2:], [f"message {kept}", "again"])


class Alone(BackupCase):
    """Without servers."""

    def fill(self) -> None:
        """A store with a message, certificates and a configuration."""
        self.server.start()
        self.server.command("XADD", "log:alice+bob", "1-1", "t", 1, "m", "alice main -1 - x")
        self.server.command("SET", "epoch", 7)
        self.server.stop()
        (self.data / "tls").mkdir()
        (self.data / "tls" / "ca.pem").write_text("certificate")
        (self.data / "fishchat.toml").write_text("limits.rate = 33\n")

    async def test_all_of_it(self) -> None:
        """Store, certificates and configuration are back; only the owner may read the backup; the epoch has grown."""
        self.fill()
        (self.data / "fishchat.log").write_text("a log")
        said = await self.good("backup", str(self.directory))
        [made] = self.directory.iterdir()
        self.assertIn(f"wrote {made}: {made.stat().st_size} bytes\n", said.out)
        self.assertEqual(made.stat().st_mode & 0o777, 0o600)
        made.rename(self.file)
        self.assertIn("is complete and undamaged", (await self.good("backup", "--check", str(self.file))).out)
        self.other = RedisServer(start=False)
        self.addCleanup(self.other.close)
        said = await self.good(*self.to(self.other.data))
        self.assertIn("conversations  1\nmessages       1\n", said.out)
        self.assertEqual((self.other.data / "tls" / "ca.pem").read_text(), "certificate")
        self.assertEqual((self.other.data / "fishchat.toml").read_text(), "limits.rate = 33\n")
        self.assertFalse((self.other.data / "fishchat.log").exists())
        self.other.start()
        self.assertGreater(int(self.other.command("GET", "epoch")), 7)

    async def test_without_keys(self) -> None:
        """--no-tls leaves the private keys out."""
        self.fill()
        await self.good("backup", "--no-tls", str(self.file))
        self.assertNotIn(b"certificate", self.file.read_bytes())

    async def test_no_store(self) -> None:
        """Nothing is made where no FishChat is, and no backup of an external Redis; an existing file stays."""
        error = await self.refused("backup", str(self.file), "--data", str(self.directory / "none"))
        self.assertIn(f"there is no FishChat in {self.directory / 'none'}", error)
        error = await self.refused("backup", str(self.file), env={"FISHCHAT__REDIS__URL": "redis://127.0.0.1:1"})
        self.assertIn("external Redis", error)
        self.assertEqual(list(self.directory.iterdir()), [])
        self.fill()
        self.file.write_text("precious")
        self.assertIn("exists already", await self.refused("backup", str(self.file)))
        self.assertEqual(self.file.read_text(), "precious")

    async def test_damaged(self) -> None:
        """A changed byte, a missing end and any other file are found by --check and by a restore."""
        self.fill()
        await self.good("backup", str(self.file))
        good = self.file.read_bytes()
        at = good.index(b"alice main")
        target = self.directory / "target"
        end = good.index(b"backup.json")
        for bad in (good[:at] + b"A" + good[at + 1 :], good[: at + 100], good[:end], b"", b"text\n" * 1000):
            self.file.write_bytes(bad)
            self.assertIn(str(self.file), await self.refused("backup", "--check", str(self.file)))
            self.assertIn(str(self.file), await self.refused(*self.to(target)))
            self.assertFalse((target / "appendonly.aof").exists() or (target / "appendonlydir").exists())
        self.file.unlink()
        self.assertIn("cannot read", await self.refused(*self.to(target)))

    async def test_in_use(self) -> None:
        """A directory whose Redis runs is left alone; a store that is there is moved aside only when told to."""
        self.fill()
        await self.good("backup", str(self.file))
        self.server.start()
        self.assertIn("stop FishChat first", await self.refused(*self.to(self.data)))
        self.server.command("XADD", "log:alice+bob", "1-2", "t", 1, "m", "alice main -1 - y")
        self.server.stop()
        self.assertIn("add --replace", await self.refused(*self.to(self.data)))
        self.assertFalse((self.data / "before-restore").exists())
        said = await self.good(*self.to(self.data), "--replace")
        self.assertIn("messages       1\n", said.out)
        self.assertIn(f"are in {self.data / 'before-restore'};", said.out)
        kept = {path.name for path in (self.data / "before-restore").iterdir()}
        self.assertLess({"tls", "fishchat.toml"}, kept)
        self.server.start()
        self.assertEqual(self.server.command("XLEN", "log:alice+bob"), 1)
