"""Each checker of how a topic is run finds what it is for, and only that."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.changes import Attempt, Change, Sight, Tenure
from fishchat.proof.lab.checkers import violations
from fishchat.proof.lab.journal import Journal, Sent, Stay
from fishchat.proof.lab.topic_checkers import FORBIDDEN
from fishchat.test.proof.lab.journals import good


def names(*accounts: str) -> frozenset[str]:
    """The names of a set."""
    return frozenset(accounts)


def ruled() -> Journal:
    """The good journal, in which alice owns the topic, then bob, and dave is muted, then banned."""
    journal = good()
    members = names("alice", "bob", "carol")
    journal.owners["#fish"] = [Tenure("alice", 0.0, 0.0), Tenure("bob", 4.0, 5.0)]
    journal.sanctions["mute", "#fish"] = {"dave": [Stay(1.0, 1.5, 2.5, 3.0)]}
    journal.sanctions["ban", "#fish"] = {"dave": [Stay(3.0, 3.5, 6.5, 7.0)]}
    journal.sent.append(Sent("dave/main", "#fish", "d1", 2.0, 2.1, refused="MUTED until=3"))
    journal.sights = [
        Sight("#fish", 1.0, 1.1, "alice", members, names("bob"), names()),
        Sight("#fish", 4.4, 4.5, "alice", members, names("bob"), names("dave")),
        Sight("#fish", 4.6, 4.7, "bob", members, names("alice"), names("dave")),
        Sight("#fish", 6.0, 6.1, "bob", members, names("alice"), names("dave")),
    ]
    journal.attempts = [Attempt("carol", "#fish", method, word, 6.0, 6.1) for method, word in FORBIDDEN.items()]
    return journal


class TopicCheckerTests(SynchronousTestCase):
    """Each checker finds what it is for in a journal that differs from a good one in nothing else."""

    def setUp(self) -> None:
        self.journal = ruled()

    def check(self, *found: str) -> None:
        """Exactly these checkers find something."""
        self.assertEqual({name for name, wrong in violations(self.journal).items() if wrong}, set(found))

    def see(self, number: int, **values: object) -> None:
        """Have the store be otherwise at one of the moments."""
        self.journal.sights[number] = replace(self.journal.sights[number], **values)  # type: ignore[arg-type]

    def test_good(self) -> None:
        """Nothing is found where nothing is wrong; in the midst of a transfer either may be the owner."""
        self.check()

    def test_owner(self) -> None:
        """No owner, one that is no member, one that is an admin too, and the wrong one are found."""
        right = list(self.journal.sights)
        for number, values in (
            (0, {"owner": ""}),
            (0, {"owner": "dave"}),
            (0, {"admins": names("alice")}),
            (0, {"owner": "bob", "admins": names()}),
            (3, {"owner": "alice", "admins": names()}),
        ):
            self.journal.sights = list(right)
            self.see(number, **values)
            self.check("owned")

    def test_banned(self) -> None:
        """A banned member is found, whether the store or only the journal knows of the ban."""
        members = names("alice", "bob", "carol", "dave")
        self.see(1, members=members)
        self.check("banned")
        self.see(1, banned=names())
        self.check("banned")
        self.journal.sanctions.clear()
        self.journal.sent.pop()
        self.check()

    def test_muted(self) -> None:
        """A message and an operation that were stored of a muted account are found; taking back is allowed."""
        refused = self.journal.sent[-1]
        refused.refused, refused.id = "", "#fish:1-2"
        self.assertTrue(violations(self.journal)["muted"])
        refused.refused, refused.id = "MUTED", None
        change = Change("dave/main", "#fish", "react", "#fish:1-1", "b2", "+1", 2.0, 2.1, "#fish:1-2")
        self.journal.changes.append(change)
        self.assertTrue(violations(self.journal)["muted"])
        change.kind = "unreact"
        self.assertEqual(violations(self.journal)["muted"], [])
        change.kind, change.answered_at = "react", 2.7
        self.assertEqual(violations(self.journal)["muted"], [])

    def test_refused_while_not_muted(self) -> None:
        """A refusal as if muted is found when no mute can be the reason."""
        self.journal.sent[-1].at = self.journal.sent[-1].answered_at = 3.4
        self.check("refused")

    def test_permitted(self) -> None:
        """What is forbidden and was done all the same is found, and so is another word."""
        for number in range(len(FORBIDDEN)):
            for word in ("OK", "NOTMEMBER"):
                self.journal = ruled()
                self.journal.attempts[number] = replace(self.journal.attempts[number], word=word)
                self.check("permitted")

    def test_after_a_loss(self) -> None:
        """When a fault took something from the store, the journal cannot say who owns the topic or is muted."""
        self.journal.gone["#other"] = {1}
        self.see(3, owner="alice", admins=names())
        self.check()
        self.see(3, owner="dave")
        self.check("owned")
