"""Each checker of what clients do to messages finds what it is for, and only that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.changes import Change, Numbers, Shown, Standing, Told
from fishchat.proof.lab.checkers import violations
from fishchat.proof.lab.journal import Journal, Seen, Stay
from fishchat.test.proof.lab.journals import TALK, good

FIRST, SECOND, THIRD = f"{TALK}:1-1", f"{TALK}:1-2", f"{TALK}:2-3"


def changed() -> Journal:
    """The good journal, in which a1 is edited twice, b1 is recalled, and a2 has a reaction and a pin."""
    journal = good()
    names = {"edit": "a1", "recall": "b1", "react": "a2", "unreact": "a2", "pin": "a2"}
    ids = {"a1": FIRST, "b1": SECOND, "a2": THIRD}
    wishes = [
        ("alice/main", "edit", "a1 once", 4),
        ("alice/main", "edit", "a1 twice", 5),
        ("bob/main", "recall", "", 6),
        ("bob/main", "react", "+1", 7),
        ("alice/main", "react", "+1", 8),
        ("alice/main", "unreact", "+1", 9),
        ("bob/main", "pin", "", 10),
    ]
    for device, kind, what, number in wishes:
        origin = names[kind]
        operation = f"{TALK}:2-{number}"
        at = float(number)
        journal.changes.append(Change(device, TALK, kind, ids[origin], origin, what, at, at + 0.1, operation))
        other = "bob/main" if device == "alice/main" else "alice/main"
        account = device.partition("/")[0]
        after = len(journal.handed[other])
        push = Told(TALK, operation, account, kind, ids[origin], what, at + 0.1, after)
        journal.told.setdefault(other, []).append(push)
    journal.logs[TALK][1] = Seen("bob", TALK, "b1", SECOND, "recalled", True)
    for server in ("ms1", "ms2"):
        reader = f"the history of {server}"
        journal.shown += [
            Shown(reader, TALK, FIRST, "alice", "a1 twice", began=20.0),
            Shown(reader, TALK, SECOND, "bob", "recalled", "bob", began=20.0),
            Shown(reader, TALK, THIRD, "alice", "a2", "", {"+1": 1}, True, began=20.0),
        ]
    journal.numbers[TALK] = Numbers(10, frozenset({1, 3}), frozenset(range(4, 11)), frozenset({2}))
    journal.standings = [Standing("alice", TALK, 3, 0), Standing("bob", TALK, 0, 2)]
    return journal


class ChangeCheckerTests(SynchronousTestCase):
    """Each checker finds what it is for in a journal that differs from a good one in nothing else."""

    def setUp(self) -> None:
        self.journal = changed()

    def check(self, *names: str) -> None:
        """Exactly these checkers find something."""
        self.assertEqual({name for name, found in violations(self.journal).items() if found}, set(names))

    def show(self, number: int, **values: object) -> None:
        """Have a reader show something else."""
        self.journal.shown[number] = replace(self.journal.shown[number], **values)  # type: ignore[arg-type]

    def untell(self, device: str, fits: Callable[[Told], bool]) -> None:
        """Have a device never be told of these operations."""
        self.journal.told[device] = [one for one in self.journal.told[device] if not fits(one)]

    def test_good(self) -> None:
        """Nothing is found where nothing is wrong."""
        self.check()

    def test_unanswered(self) -> None:
        """An operation without an answer is found; nobody can say then what is shown."""
        self.journal.changes[1].id = None
        self.check("denied")

    def test_refused(self) -> None:
        """A refusal is found, unless another device was faster or the account was muted."""
        refused = Change("bob/main", TALK, "react", FIRST, "a1", "ok", 3.0, 3.1, None, "RIGHTS: no")
        self.journal.changes.append(refused)
        self.check("denied")
        refused.refused = "GONE: it was recalled"
        self.check("denied")
        refused.of, refused.origin = SECOND, "b1"
        self.check("denied")
        refused.answered_at = 6.05
        self.check()
        refused.kind, refused.refused = "unreact", "NOTFOUND"
        self.check()
        refused.kind, refused.refused = "react", "MUTED until=5"
        self.check("denied")
        self.journal.sanctions["mute", TALK] = {"bob": [Stay(3.0, 3.2, 3.3, 3.4)]}
        self.check()

    def test_shown_after_the_recall(self) -> None:
        """A recalled text is found in whatever shows it, if the reading began after the recall."""
        shown = Shown("export", TALK, SECOND, "bob", "b1", whole=False, began=7.0)
        self.journal.shown.append(shown)
        self.check("exposed")
        self.journal.shown[-1] = replace(shown, began=6.0)
        self.check()

    def test_replaced_text_after_the_recall(self) -> None:
        """So is the text of an edit of a recalled message."""
        recall = Change("alice/main", TALK, "recall", FIRST, "a1", "", 11.0, 11.1, f"{TALK}:2-11")
        self.journal.changes.append(recall)
        self.journal.told["bob/main"].append(Told(TALK, f"{TALK}:2-11", "alice", "recall", FIRST, "", 11.1, 2))
        self.journal.shown = [Shown("versions", TALK, FIRST, "alice", "a1 once", whole=False, began=12.0)]
        self.check("exposed")

    def test_pushed_after_the_recall(self) -> None:
        """A push of a recalled text is found, unless it was under way and the recall follows."""
        [seen] = [one for one in self.journal.handed["alice/main"] if one.text == "b1"]
        place = self.journal.handed["alice/main"].index(seen)
        self.journal.handed["alice/main"][place] = replace(seen, at=6.5)
        self.check("exposed")
        recall = next(one for one in self.journal.told["alice/main"] if one.kind == "recall")
        self.journal.told["alice/main"][self.journal.told["alice/main"].index(recall)] = replace(recall, at=6.6)
        self.check()
        self.journal.begun["alice/main"] = [0.0, 6.4]
        self.check("exposed")

    def test_shown_otherwise(self) -> None:
        """A text, a stub, a sum or a pin that is not as the operations made it is found, on whichever server."""
        right = list(self.journal.shown)
        for number, values in (
            (0, {"text": "a1"}),
            (3, {"text": "a1 once"}),
            (1, {"recalled": "", "text": "something"}),
            (2, {"reactions": {"+1": 2}}),
            (2, {"reactions": {}}),
            (5, {"pinned": False}),
        ):
            self.journal.shown = list(right)
            self.show(number, **values)
            self.check("differing")

    def test_device_differs(self) -> None:
        """A device that was not told of an operation is found."""
        told = dict(self.journal.told)
        for device, kind, what in (
            ("bob/main", "edit", "a1 twice"),
            ("bob/main", "unreact", "+1"),
            ("alice/main", "react", "+1"),
            ("alice/main", "pin", ""),
        ):
            self.journal.told = dict(told)
            self.journal.told[device] = [one for one in told[device] if (one.kind, one.what) != (kind, what)]
            self.check("differing")

    def test_edited_when_received(self) -> None:
        """A device that was away receives the text that stands, and no older edit changes it again."""
        handed = self.journal.handed["bob/main"]
        handed[0] = Seen("alice", TALK, "a1", FIRST, "a1 twice")
        self.untell("bob/main", lambda one: one.what in ("a1 once", "a1 twice"))
        self.check()
        handed[0] = Seen("alice", TALK, "a1", FIRST, "a1 once")
        self.check("differing")

    def test_recalled_while_away(self) -> None:
        """A device that was away is told of the recall and not of the text; one that is told of neither is found."""
        self.journal.handed["alice/main"] = [one for one in self.journal.handed["alice/main"] if one.text != "b1"]
        self.journal.told["alice/main"] = [replace(one, after=1) for one in self.journal.told["alice/main"]]
        self.check()
        self.untell("alice/main", lambda one: one.kind == "recall")
        self.check("lost")

    def test_recall_never_told(self) -> None:
        """A device that keeps a recalled text because it was never told is found."""
        self.untell("alice/main", lambda one: one.kind == "recall")
        self.check("differing")

    def test_order(self) -> None:
        """An operation twice, or before what was stored earlier, is found."""
        told = list(self.journal.told["bob/main"])
        self.journal.told["bob/main"] = [*told, told[-1]]
        self.check("shuffled")
        self.journal.told["bob/main"] = [told[1], told[0], *told[2:]]
        self.check("shuffled")

    def test_plain(self) -> None:
        """A device that knows no operations must not be told of them, and nothing else is asked of it."""
        self.journal.plain.add("bob/main")
        self.check("unasked")
        del self.journal.told["bob/main"]
        self.check()

    def test_unseen(self) -> None:
        """An account that joined after a message must not be told of what happens to it."""
        self.journal.stays[TALK]["bob"] = [Stay(1.5, 1.5)]
        self.journal.handed["bob/main"] = []
        self.journal.told["bob/main"] = [replace(one, after=0) for one in self.journal.told["bob/main"]]
        self.assertIn("unasked", {name for name, found in violations(self.journal).items() if found})

    def test_unread(self) -> None:
        """A wrong number of unread messages is found: with an operation counted, or with a recalled message."""
        for unread in (1, 3, 9):
            self.journal.standings[1] = Standing("bob", TALK, 0, unread)
            self.check("miscounted")

    def test_holes(self) -> None:
        """A number that is nothing, or two things, is found; the edits of a recalled message are erased with it."""
        for numbers in (
            Numbers(10, frozenset({1}), frozenset(range(4, 11)), frozenset({2})),
            Numbers(11, frozenset({1, 3}), frozenset(range(4, 11)), frozenset({2})),
            Numbers(10, frozenset({1, 2, 3}), frozenset(range(4, 11)), frozenset({2})),
            Numbers(9, frozenset({1, 3}), frozenset(range(4, 11)), frozenset({2})),
            Numbers(10, frozenset({1, 3}), frozenset(range(5, 11)), frozenset({2})),
        ):
            self.journal.numbers[TALK] = numbers
            self.check("holes")

    def test_taken_by_a_fault(self) -> None:
        """Nobody can say how a message is of which a fault has taken an operation."""
        self.show(0, text="a1 once")
        self.check("differing")
        self.journal.gone[TALK] = {5}
        self.check()
