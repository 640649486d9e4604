"""The journal is read as it was written, and the recorder knows when everything has arrived."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.changes import Attempt, Change, Numbers, Shown, Sight, Standing, Tenure, Told
from fishchat.proof.lab.journal import Seen, Stay
from fishchat.proof.lab.minimal_operations import Operation, ShownItem
from fishchat.proof.lab.reading import read
from fishchat.proof.lab.record import Recorder

TALK = "ann+ben"
DEVICES = ("ann/main", "ben/main", "ben/phone")


class RecorderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.now = 0.0
        self.recorder = Recorder(self.path, self.seconds)
        self.addCleanup(self.recorder.close)
        for device in DEVICES:
            self.recorder.device(device, device != "ben/phone")
        self.recorder.receivers(TALK, DEVICES)

    def seconds(self) -> float:
        """The time, which advances with every question."""
        self.now += 1.0
        return self.now

    def send(self, number: int, text: str) -> None:
        """Ann sends a message, which is stored under this number."""
        at = self.recorder.send("ann/main", TALK, text)
        self.recorder.ok("ann/main", TALK, text, f"{TALK}:1-{number}", at)

    def hand(self, device: str, number: int, text: str) -> None:
        """A device receives a message of Ann."""
        message = SimpleNamespace(id=f"{TALK}:1-{number}", conversation=TALK, from_="ann", text=text)
        self.recorder.hand(device, message)

    def change(self, number: int, kind: str, what: str = "") -> None:
        """Ann changes her first message; the operation is stored under this number."""
        self.recorder.change(f"key {number}", "ann/main", kind, f"{TALK}:1-1", "one", what)
        self.recorder.changed(f"key {number}", "ann/main", kind, f"{TALK}:1-1", "one", f"{TALK}:1-{number}")

    def tell(self, device: str, number: int, kind: str, what: str = "") -> None:
        """A device is told of an operation."""
        operation = Operation(f"{TALK}:1-{number}", TALK, "ann", kind, f"{TALK}:1-1", what)
        self.recorder.tell(device, operation, kind, what)

    def test_messages(self) -> None:
        """Everything has arrived when each device but the sender's has each message."""
        self.assertTrue(self.recorder.has_arrived())
        self.send(1, "one")
        self.hand("ben/main", 1, "one")
        self.assertFalse(self.recorder.has_arrived())
        self.hand("ben/phone", 1, "one")
        self.assertTrue(self.recorder.has_arrived())

    def test_operations(self) -> None:
        """An operation has to arrive, too, but not at a device that knows none."""
        self.test_messages()
        self.change(2, "edit", "two")
        self.assertFalse(self.recorder.has_arrived())
        self.tell("ben/main", 2, "edit", "two")
        self.assertTrue(self.recorder.has_arrived())

    def test_recalled(self) -> None:
        """A message need not arrive any more once it was recalled, whenever it does."""
        self.send(1, "one")
        self.hand("ben/main", 1, "one")
        self.change(2, "recall")
        self.tell("ben/main", 2, "recall")
        self.assertTrue(self.recorder.has_arrived())
        self.hand("ben/phone", 1, "one")
        self.send(3, "three")
        self.hand("ben/main", 3, "three")
        self.assertFalse(self.recorder.has_arrived())
        self.hand("ben/phone", 3, "three")
        self.assertTrue(self.recorder.has_arrived())

    def test_recalled_before_its_ok(self) -> None:
        """An admin may recall a message before its sender has the OK."""
        at = self.recorder.send("ann/main", TALK, "one")
        self.hand("ben/main", 1, "one")
        self.change(2, "recall")
        self.recorder.ok("ann/main", TALK, "one", f"{TALK}:1-1", at)
        self.tell("ben/main", 2, "recall")
        self.assertTrue(self.recorder.has_arrived())

    def test_without_receivers(self) -> None:
        """Where members come and go, nothing is waited for."""
        self.recorder.receivers(TALK, ())
        self.send(1, "one")
        self.change(2, "edit", "two")
        self.assertTrue(self.recorder.has_arrived())

    def test_journal(self) -> None:
        """What clients did is read as it was recorded; a changed message is known by its first text."""
        self.recorder.begun("ann/main")
        self.send(1, "one")
        self.change(2, "edit", "two")
        self.recorder.change("bad", "ann/main", "pin", f"{TALK}:1-1", "one", "")
        self.recorder.unchanged("bad", "FULL limit=50")
        self.hand("ben/main", 1, "two")
        self.tell("ben/main", 2, "edit", "two")
        item = ShownItem(f"{TALK}:1-1", "ann", 5, "recalled", "", "ann", {"+1": 2}, True)
        self.recorder.log(TALK, item)
        self.recorder.shown("history", TALK, item, 7.0)
        self.recorder.raw("export", f"{TALK}:1-1", "ann", "two", 8.0)
        self.recorder.standing("ben", TALK, 1, 2)
        self.recorder.numbers(TALK, 3, [1], [2], [])
        for step in ("asks-in", "in", "asks-out", "out"):
            self.recorder.sanction("mute", "ben", "#fish", step)
        self.recorder.owner("#fish", "ann", "asks-in")
        self.recorder.owner("#fish", "ann", "in")
        self.recorder.sight(9.0, "#fish", "ann", ["ann"], [], ["ben"])
        self.recorder.attempt(9.5, "ben", "#fish", "join", "BANNED")
        self.recorder.close()
        journal = read(self.path)
        self.assertEqual(journal.plain, {"ben/phone"})
        self.assertEqual(list(journal.begun), ["ann/main"])
        edit, pin = journal.changes
        expected = Change(
            "ann/main", TALK, "edit", f"{TALK}:1-1", "one", "two", edit.at, edit.answered_at, f"{TALK}:1-2"
        )
        self.assertEqual(edit, expected)
        self.assertLess(edit.at, edit.answered_at)
        self.assertEqual((pin.id, pin.refused), (None, "FULL limit=50"))
        [seen] = journal.handed["ben/main"]
        self.assertEqual((seen, seen.shown), (Seen("ann", TALK, "one", f"{TALK}:1-1"), "two"))
        [told] = journal.told["ben/main"]
        self.assertEqual(told, Told(TALK, f"{TALK}:1-2", "ann", "edit", f"{TALK}:1-1", "two", told.at, 1))
        [stub] = journal.logs[TALK]
        self.assertEqual((stub.text, stub.shown, stub.recalled), ("one", "recalled", True))
        shown = Shown("history", TALK, f"{TALK}:1-1", "ann", "recalled", "ann", {"+1": 2}, True, True, 7.0)
        self.assertEqual(journal.shown[0], shown)
        self.assertEqual((journal.shown[1].text, journal.shown[1].whole), ("two", False))
        self.assertEqual(journal.standings, [Standing("ben", TALK, 1, 2)])
        self.assertEqual(journal.numbers[TALK], Numbers(3, frozenset({1}), frozenset({2}), frozenset()))
        [stay] = journal.sanctions["mute", "#fish"]["ben"]
        self.assertEqual(sorted(vars_of(stay)), vars_of(stay))
        [tenure] = journal.owners["#fish"]
        self.assertEqual(tenure, Tenure("ann", tenure.asked, tenure.asked + 1.0))
        [sight] = journal.sights
        self.assertEqual(
            sight, Sight("#fish", 9.0, sight.at, "ann", frozenset({"ann"}), frozenset(), frozenset({"ben"}))
        )
        [attempt] = journal.attempts
        self.assertEqual(attempt, Attempt("ben", "#fish", "join", "BANNED", 9.5, attempt.at))


def vars_of(stay: Stay) -> list[float]:
    """The four times of a stay, in order."""
    return [stay.asked, stay.begun, stay.leaving, stay.ended]
