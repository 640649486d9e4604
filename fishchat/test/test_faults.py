"""The promises hold while every process is killed; and the checkers that say so would find it if they did not."""

from __future__ import annotations

from copy import deepcopy

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.lab.journal import Journal, Kill, Seen, Sent, recovery, violations
from fishchat.lab.processes import MISSING, ROLES
from fishchat.lab.run import Run

TALK = "alice+bob"


def good() -> Journal:
    """Two accounts in one conversation and in one topic, across an epoch, with nothing wrong."""
    alice = [Sent("alice", TALK, "a1", id=f"{TALK}:1-1"), Sent("alice", TALK, "a2", id=f"{TALK}:2-3")]
    bob = [Sent("bob", TALK, "b1", id=f"{TALK}:1-2"), Sent("bob", "#fish", "b2", id="#fish:1-1")]
    sent = [alice[0], bob[0], bob[1], alice[1]]
    seen = {one.text: Seen(one.sender, one.conversation, one.text, one.id or "") for one in sent}
    return Journal(
        members={TALK: ["alice", "bob"], "#fish": ["alice", "bob", "carol"]},
        sent=sent,
        handed={"alice": [seen["b2"], seen["b1"]], "bob": [seen["a1"], seen["a2"]], "carol": [seen["b2"]]},
        logs={TALK: [seen["a1"], seen["b1"], seen["a2"]], "#fish": [seen["b2"]]},
    )


class CheckerTests(SynchronousTestCase):
    """Each checker finds what it is for in a journal that differs from a good one in nothing else."""

    def setUp(self) -> None:
        self.journal = deepcopy(good())

    def check(self, *names: str) -> None:
        """Exactly these checkers find something."""
        self.assertEqual({name for name, found in violations(self.journal).items() if found}, set(names))

    def test_good(self) -> None:
        """Nothing is found where nothing is wrong."""
        self.check()

    def test_unanswered(self) -> None:
        """A send without an answer is found, although it was stored and arrived."""
        self.journal.sent[0].id = None
        self.check("unanswered")

    def test_refused(self) -> None:
        """A refusal is found."""
        self.journal.sent.append(Sent("bob", TALK, "b3", refused="NOTFOUND"))
        self.check("refused")

    def test_never_handed(self) -> None:
        """A message that one of several receivers was not handed is lost."""
        self.journal.handed["carol"].clear()
        self.check("lost")

    def test_device_without_anything(self) -> None:
        """A receiver that the journal of what was handed does not even name has lost everything."""
        del self.journal.handed["carol"]
        self.check("lost")

    def test_not_in_the_log(self) -> None:
        """What was acknowledged and handed out, but is not stored, is lost."""
        self.journal.logs["#fish"].clear()
        self.check("lost")

    def test_without_logs(self) -> None:
        """A run whose logs were never read does not pass."""
        self.journal.logs.clear()
        self.check("lost")

    def test_not_acknowledged_may_be_missing(self) -> None:
        """What was refused need not arrive."""
        self.journal.sent.append(Sent("bob", TALK, "b3", refused="TRYAGAIN"))
        self.check("refused")

    def test_handed_twice(self) -> None:
        """The same message twice at one device is doubled, and not in order."""
        self.journal.handed["carol"] *= 2
        self.check("doubled", "disordered")

    def test_stored_twice(self) -> None:
        """One text under two ids in the log is doubled, even when each receiver saw one of them."""
        self.journal.logs[TALK].append(Seen("alice", TALK, "a2", f"{TALK}:2-4"))
        self.check("doubled", "renamed")

    def test_stored_and_handed_twice(self) -> None:
        """One text under two ids that both arrive is doubled."""
        again = Seen("alice", TALK, "a2", f"{TALK}:2-4")
        self.journal.logs[TALK].append(again)
        self.journal.handed["bob"].append(again)
        found = violations(self.journal)["doubled"]
        self.assertEqual(len(found), 2)
        self.assertIn(f"{TALK}:2-3, {TALK}:2-4", found[0])

    def test_handed_out_of_order(self) -> None:
        """Ids that go back at a device are found, by the id and by the sender's order."""
        self.journal.handed["bob"].reverse()
        self.check("disordered")
        self.assertEqual(len(violations(self.journal)["disordered"]), 2)

    def test_ids_compare_by_epoch_first(self) -> None:
        """A later number of an earlier epoch is no progress."""
        late = Sent("bob", TALK, "b4", id=f"{TALK}:1-4")
        self.journal.sent.append(late)
        seen = Seen("bob", TALK, "b4", f"{TALK}:1-4")
        self.journal.logs[TALK].append(seen)
        self.journal.handed["alice"].append(seen)
        self.check("disordered")

    def test_stored_out_of_order(self) -> None:
        """A sender's messages that were stored in another order than sent are found, although the ids are fine."""
        first, _, last = self.journal.logs[TALK]
        first_text, last_text = first.text, last.text
        swapped = [Seen("alice", TALK, last_text, first.id), Seen("alice", TALK, first_text, last.id)]
        self.journal.logs[TALK] = [swapped[0], self.journal.logs[TALK][1], swapped[1]]
        self.journal.handed["bob"] = swapped
        self.journal.sent[0].id, self.journal.sent[3].id = last.id, first.id
        self.check("disordered")

    def test_hole(self) -> None:
        """A number that no message has is found in the log."""
        self.journal.logs["#fish"] = [Seen("bob", "#fish", "b2", "#fish:1-2")]
        self.journal.sent[2].id = "#fish:1-2"
        for device, place in (("alice", 0), ("carol", 0)):
            self.journal.handed[device][place] = self.journal.logs["#fish"][0]
        self.check("disordered")

    def test_never_sent(self) -> None:
        """A message that nobody sent is found, stored or handed out."""
        self.journal.logs["#fish"].append(Seen("bob", "#fish", "new", "#fish:1-2"))
        self.check("invented")

    def test_another_sender(self) -> None:
        """A message under another's name is invented."""
        self.journal.handed["carol"] = [Seen("alice", "#fish", "b2", "#fish:1-1")]
        self.check("invented")

    def test_not_for_them(self) -> None:
        """A message at somebody who is no member of its conversation is invented."""
        self.journal.handed["carol"].append(self.journal.logs[TALK][0])
        self.check("invented")

    def test_two_ids(self) -> None:
        """A receiver that knows a message by another id than the log is found."""
        self.journal.handed["carol"] = [Seen("bob", "#fish", "b2", "#fish:1-9")]
        self.check("renamed")

    def test_sender_told_another_id(self) -> None:
        """So is a sender."""
        self.journal.sent[2].id = "#fish:1-9"
        self.check("renamed")

    def test_complaint(self) -> None:
        """What a client complains of is a violation."""
        self.journal.complaints.append("alice was told of a gap")
        self.check("complained")


class RecoveryTests(SynchronousTestCase):
    def test_only_what_was_sent_after_a_kill_counts(self) -> None:
        """An OK that was on its way at the kill is no sign of recovery; the slowest account makes the second figure."""
        sent = [
            Sent("alice", TALK, "a1", at=9.9, answered_at=10.1, id=f"{TALK}:1-1"),
            Sent("alice", TALK, "a2", at=10.2, answered_at=11.0, id=f"{TALK}:1-2"),
            Sent("bob", TALK, "b1", at=10.3, answered_at=12.5, id=f"{TALK}:1-3"),
            Sent("bob", TALK, "b2", at=10.1, answered_at=10.2, refused="FULL"),
        ]
        journal = Journal(sent=sent, arrived={"a1": 13.1, "a2": 11.5, "b1": 12.5})
        first, second = recovery(journal, [Kill("redis", 10.0), Kill("ms1", 20.0)], 4.0)
        self.assertEqual(first, {"who": "redis", "at": 6.0, "next": 1.0, "everybody": 2.5, "delivery": 3.0})
        self.assertIsNone(second["next"])


class FaultsTests(TestCase):
    timeout = 60
    skip = MISSING or None

    def test_every_process_is_killed_once(self) -> Deferred[None]:
        """Six roles and Redis get SIGKILL within seconds, and nothing is lost, doubled, disordered or unanswered."""
        run = Run(reactor, seconds=7.0, seed=1)
        self.addCleanup(run.end)

        async def go() -> None:
            figures = await run.run()
            self.assertEqual({kill.who for kill in run.kills}, {*ROLES, "redis"})
            self.assertGreater(figures["acknowledged"], 500)
            self.assertEqual({name: found for name, found in violations(run.journal).items() if found}, {})

        return ensureDeferred(go())
