"""How cost grows: the record of a run, and its tables."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.cli.bench import KINDS as OFFERED
from fishchat.model.message import from_body
from fishchat.proof.bench.crowd import BenchError
from fishchat.proof.bench.growth import LOOKS, POINTS, Look, Record, grow
from fishchat.proof.bench.seeding import EACH, Seeder
from fishchat.proof.bench.store import Store, keep_log, look_at, rewrite
from fishchat.proof.bench.table import BEGIN, END, KINDS, PAGE, tables, write
from fishchat.test.support.script_runner import EPOCH, STREAM, ScriptCase, on_each_redis


class Recording(SynchronousTestCase):
    """A record is complete at every moment, and goes on."""

    def record(self, path: Path) -> Record:
        """With points of two kinds."""
        record = Record(path)
        record.machine = {"cores": 2, "python": "3.11"}
        record.add("clients", 1000, {"µs, all talk": 20.5, "KiB a client": None})
        record.add("clients", 100, {"µs, all talk": 25.0, "KiB a client": 4.0})
        record.add("servers", 1, {"µs, pairs on one server": 20.0, "µs, crossing": None})
        return record

    def test_goes_on(self) -> None:
        """What was measured is not measured again."""
        path = Path(self.mktemp())
        self.record(path)
        again = Record(path)
        self.assertTrue(again.has("clients", 100))
        self.assertFalse(again.has("clients", 10_000))
        self.assertEqual([place for place, _ in again.of("clients")], [100, 1000])
        self.assertEqual(again.machine["cores"], 2)

    def test_something_else(self) -> None:
        """Another file is not taken for a record, and not written over."""
        path = Path(self.mktemp())
        for text in ("no JSON", "[]", '{"results": []}'):
            path.write_text(text)
            self.assertRaises(BenchError, Record, path)
            self.assertEqual(path.read_text(), text)

    def test_points(self) -> None:
        """``--only`` and ``--most`` leave points out."""
        chosen = Look(1.0, lambda _: None, most=1000, only=("clients", "messages"))
        self.assertEqual(list(chosen.points()), [("clients", [100, 1000]), ("messages", [0])])
        self.assertEqual(dict(Look(1.0, lambda _: None).points()).keys(), POINTS.keys())

    def test_kinds(self) -> None:
        """Every growing figure can be requested, is checked, and has a heading."""
        self.assertEqual(set(OFFERED), POINTS.keys())
        self.assertEqual(KINDS.keys(), POINTS.keys())
        self.assertEqual(LOOKS.keys() | {"messages"}, POINTS.keys())

    def test_page(self) -> None:
        """The part of the page between the two marks is made anew, the rest is left as it is."""
        directory = Path(self.mktemp())
        directory.mkdir()
        page = directory / PAGE
        page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
        self.assertEqual(write(self.record(directory / "record.json"), directory), page)
        text = page.read_text(encoding="utf-8")
        self.assertTrue(text.startswith(f"before\n\n{BEGIN}\n\nRecorded") and text.endswith(f"{END}\n\nafter\n"), text)
        self.assertNotIn("old", text)
        self.assertIn("| 100 | 25 | 4 |", text)
        self.assertIn("| 1,000 | 20.5 | – |", text)
        self.assertIn("### msg_servers", text)
        self.assertNotIn("### Routers", text)

    def test_no_place(self) -> None:
        """A page without the marks is left alone; so is every page when there is nothing to show, or no page."""
        directory = Path(self.mktemp())
        directory.mkdir()
        record = self.record(directory / "record.json")
        self.assertRaises(BenchError, write, record, directory)
        (directory / PAGE).write_text("mine")
        self.assertRaises(BenchError, write, record, directory)
        self.assertRaises(BenchError, tables, Record(directory / "none.json"))
        self.assertEqual((directory / PAGE).read_text(), "mine")


@on_each_redis
class Filling(ScriptCase):
    """A store is filled by the scripts of the product, and asked what it holds."""

    def setUp(self) -> None:
        """A connection of its own, as the command has."""
        super().setUp()
        self.store = Store(self.server.path)
        self.addCleanup(self.store.close)
        self.told: list[str] = []

    def test_fill(self) -> None:
        """Messages are numbered, counted and readable as any others; no router and no device hears of them."""
        seeder = Seeder(self.store)
        before = look_at(self.store)
        seeder.fill(EACH + 1, self.told.append)
        seeder.fill(EACH, self.told.append)
        after = look_at(self.store)
        self.assertEqual((seeder.stored, after.messages - before.messages), (3 * EACH, 3 * EACH))
        conversation = "seed.from.1+seed.to.1"
        self.assertEqual(self.command("HMGET", f"meta:{conversation}", "n", "seed.from.1/main"), [str(EACH)] * 2)
        ((position, (_, _, _, body)),) = self.command("XREVRANGE", f"log:{conversation}", "+", "-", "COUNT", 1)
        self.assertEqual(position, f"{EPOCH}-{EACH}")
        message = from_body(conversation.encode(), EPOCH, EACH, body.encode(), 0)
        self.assertTrue(message.line.startswith(b"RESP_MESSAGE_P2P seed.from.1 "), message.line)
        self.assertEqual(len(body.split(" ", 4)[4]), 100)
        self.assertEqual(self.command("EXISTS", STREAM), 0)
        self.assertNotIn("seed", self.command("HKEYS", "servers"))
        self.assertGreater((after.memory - before.memory) / (after.messages - before.messages), 100)

    def test_full(self) -> None:
        """A store without room says so."""
        self.fill_memory()
        error = self.assertRaises(BenchError, Seeder(self.store).fill, EACH, self.told.append)
        self.assertIn("OOM", str(error))

    def test_rewriting(self) -> None:
        """The log is written anew when that is said; then it is known how long it is without what is not needed."""
        self.addCleanup(self.server.command, "CONFIG", "SET", "auto-aof-rewrite-percentage", 100)
        keep_log(self.store)
        Seeder(self.store).fill(EACH, self.told.append)
        long = look_at(self.store)
        rewrite(self.store)
        self.assertEqual(self.store.ask("CONFIG", "GET", "auto-aof-rewrite-percentage")[1], b"0")
        short = look_at(self.store)
        self.assertGreater(short.rewritten, 100 * EACH)
        self.assertGreaterEqual(short.log, short.rewritten)
        self.assertLess(short.log, long.log)


class Bounds(SynchronousTestCase):
    """A recording has an end."""

    def test_time(self) -> None:
        """When the time is over no point is begun, nothing is started, and it is said which are missing."""
        record = Record(Path(self.mktemp()))
        failed = grow(record, Look(1.0, lambda _: None, only=("members", "messages"), until=-1.0))
        self.assertEqual(len(failed), len(POINTS["members"]) + 1)
        self.assertIn("members: 2 was not started: the time was over", failed)
        self.assertEqual(record.points, [])
