"""What a device of the lab does to messages: nothing that it may not, and in the end everything that it can."""

from __future__ import annotations

from collections import Counter
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.changing import KEPT, REMEMBERED, WEIGHTS, Changer, Wish


class ChangerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.changer = Changer("ann", Random(1))

    def wishes(self, conversation: str, rules: bool) -> list[Wish]:
        """Return what it does in 400 turns; each is done."""
        found = []
        for number in range(400):
            author = "ann" if number % 2 else "ben"
            self.changer.remember(conversation, f"{conversation}:1-{number}", f"text {number}", author)
            wish = self.changer.wish(conversation, f"new {number}", rules)
            if wish is not None:
                self.changer.done(conversation, wish)
                found.append(wish)
        return found

    def test_nothing_known(self) -> None:
        """Where nothing is known nothing is changed."""
        self.assertEqual({self.changer.wish("#fish", "new", True) for _ in range(50)}, {None})

    def test_member(self) -> None:
        """A member of a topic edits and recalls its own messages only, and pins nothing."""
        wishes = self.wishes("#fish", False)
        self.assertEqual({wish.kind for wish in wishes}, WEIGHTS.keys() - {"pin", "unpin"})
        authors = {wish.of.from_ for wish in wishes if wish.kind in ("edit", "recall")}
        self.assertEqual(authors, {"ann"})

    def test_owner(self) -> None:
        """An owner does everything, and recalls what others have said; it edits only its own messages."""
        wishes = self.wishes("#fish", True)
        self.assertEqual({wish.kind for wish in wishes}, WEIGHTS.keys())
        self.assertEqual({wish.of.from_ for wish in wishes if wish.kind == "recall"}, {"ann", "ben"})
        self.assertEqual({wish.of.from_ for wish in wishes if wish.kind == "edit"}, {"ann"})

    def test_two(self) -> None:
        """In a conversation of two either may pin, and nobody recalls what the other has said."""
        wishes = self.wishes("ann+ben", True)
        self.assertEqual({wish.kind for wish in wishes}, WEIGHTS.keys())
        self.assertEqual({wish.of.from_ for wish in wishes if wish.kind == "recall"}, {"ann"})

    def test_once(self) -> None:
        """A message is recalled once, a reaction is taken back once, and not too much is pinned."""
        wishes = self.wishes("ann+ben", True)
        for kind in ("recall", "edit"):
            targets = Counter((wish.of, wish.what) for wish in wishes if wish.kind == kind)
            self.assertEqual(max(targets.values()), 1, kind)
        counts = Counter(wish.kind for wish in wishes)
        self.assertLessEqual(counts["unreact"], counts["react"])
        self.assertLessEqual(counts["pin"] - counts["unpin"], KEPT)

    def test_forgotten(self) -> None:
        """Only some messages are remembered, the newest."""
        for number in range(100):
            self.changer.remember("#fish", f"#fish:1-{number}", str(number), "ann")
        known = {found.id for _ in range(300) if (found := self.changer.any("#fish")) is not None}
        self.assertEqual(known, {f"#fish:1-{number}" for number in range(100 - REMEMBERED, 100)})
