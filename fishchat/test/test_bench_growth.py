"""How cost grows: the record of a run, its pictures, and its tables."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from fishchat.bench.crowd import BenchError
from fishchat.bench.growth import LOOKS, POINTS, Look, Record
from fishchat.bench.plot import BEGIN, END, KINDS, PAGE, PICTURES, plot
from fishchat.bench.store import look
from fishchat.bench.svg import Chart, Line, draw
from fishchat.cli.bench import KINDS as OFFERED

SVG = "{http://www.w3.org/2000/svg}"


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
        """Whatever grows can be asked for, is looked at, and has a heading and a picture."""
        self.assertEqual(set(OFFERED), POINTS.keys())
        self.assertEqual(KINDS.keys(), POINTS.keys())
        self.assertEqual({picture.kind for picture in PICTURES}, POINTS.keys())
        self.assertEqual(LOOKS.keys() | {"messages"}, POINTS.keys())

    def test_page(self) -> None:
        """The part of the page between the two marks is made anew, the rest is left as it is."""
        directory = Path(self.mktemp())
        directory.mkdir()
        page = directory / PAGE
        page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
        written = plot(self.record(directory / "record.json"), directory)
        self.assertEqual(
            [path.name for path in written],
            ["bench-clients-cpu.svg", "bench-clients-memory.svg", "bench-servers-cpu.svg", PAGE],
        )
        text = page.read_text(encoding="utf-8")
        self.assertTrue(text.startswith(f"before\n\n{BEGIN}\n\nRecorded") and text.endswith(f"{END}\n\nafter\n"), text)
        self.assertNotIn("old", text)
        self.assertIn("| 100 | 25 | 4 |", text)
        self.assertIn("| 1,000 | 20.5 | – |", text)
        self.assertIn("(bench-servers-cpu.svg)", text)

    def test_no_place(self) -> None:
        """A page without the marks is left alone; so is everything when there is nothing to draw."""
        directory = Path(self.mktemp())
        directory.mkdir()
        self.assertRaises(BenchError, plot, Record(directory / "none.json"), directory)
        (directory / PAGE).write_text("mine")
        self.assertRaises(BenchError, plot, self.record(directory / "record.json"), directory)
        self.assertEqual((directory / PAGE).read_text(), "mine")


class Drawing(SynchronousTestCase):
    """Charts."""

    def test_chart(self) -> None:
        """It is XML, with a line for each row, a dot for each point, and what a dot is."""
        rows = [Line("all <b>", [(100, 28.5), (1000, 26), (10_000, 24)]), Line("some", [(100, 3)])]
        root = ElementTree.fromstring(draw(Chart("A & B", "Clients", rows, log=True)))
        self.assertEqual(len(root.findall(f"{SVG}polyline")), 2)
        dots = root.findall(f"{SVG}circle")
        self.assertEqual(dots[0].findtext(f"{SVG}title"), "all <b>: 28.5 at 100")
        self.assertEqual(len(dots), 4)
        texts = [text.text for text in root.findall(f"{SVG}text")]
        for expected in ("A & B", "Clients", "0", "30", "100", "1k", "10k", "all <b>", "some"):
            self.assertIn(expected, texts)

    def test_places(self) -> None:
        """Higher is higher up, and ten times as much is as far on as the ten times before."""
        drawn = ElementTree.fromstring(draw(Chart("x", "y", [Line("l", [(10, 1), (100, 2), (1000, 3)])], log=True)))
        x, y = zip(
            *[(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in drawn.iter(f"{SVG}circle")], strict=True
        )
        self.assertAlmostEqual(x[1] - x[0], x[2] - x[1], places=0)
        self.assertTrue(y[0] > y[1] > y[2])

    def test_odd(self) -> None:
        """One point, and heights of 0, can be drawn; nothing cannot."""
        ElementTree.fromstring(draw(Chart("x", "y", [Line("l", [(0, 0.0)])])))
        self.assertRaises(ValueError, draw, Chart("x", "y", [Line("l", [])]))


class Asking(SynchronousTestCase):
    """What the store holds."""

    def test_look(self) -> None:
        """It is asked when the log is not just being rewritten."""
        rewriting = ["1", "0"]

        def info(section: str) -> dict[str, str]:
            if section == "persistence":
                return {"aof_rewrite_in_progress": rewriting.pop(0), "aof_current_size": "70", "aof_rewrites": "2"}
            if section == "memory":
                return {"used_memory": "1000"}
            return {"cmdstat_xadd": "calls=12,usec=3"}

        found = look(info)
        self.assertEqual((found.memory, found.log, found.rewrites, found.messages), (1000, 70, 2, 12))
