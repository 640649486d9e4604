"""Each checker of the lab finds what it is for, and only that."""

from __future__ import annotations

from copy import deepcopy
from math import inf

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.changes import Numbers
from fishchat.proof.lab.checkers import CHECKERS, KINDS, LOOKED_BACK, NAMES, violations
from fishchat.proof.lab.journal import Answered, Fault, Journal, Seen, Sent, Stay
from fishchat.proof.lab.recovery import recovery
from fishchat.test.proof.lab.journals import TALK, good, sent


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
        self.journal.sent.append(Sent("bob/main", TALK, "b3", 1.0, 1.0, refused="NOTFOUND"))
        self.check("refused")

    def test_never_handed(self) -> None:
        """A message that one of several receivers was not handed is lost."""
        self.journal.handed["carol/main"].clear()
        self.check("lost")

    def test_device_without_anything(self) -> None:
        """A receiver that the journal of what was handed does not even name has lost everything."""
        del self.journal.handed["carol/main"]
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
        self.journal.sent.append(Sent("bob/main", TALK, "b3", 1.0, 1.0, refused="TRYAGAIN"))
        self.check("refused")

    def test_handed_twice(self) -> None:
        """The same message twice at one device is doubled, and not in order."""
        self.journal.handed["carol/main"] *= 2
        self.check("doubled", "disordered")

    def test_stored_twice(self) -> None:
        """One text under two ids in the log is doubled, even when each receiver saw one of them."""
        self.journal.logs[TALK].append(Seen("alice", TALK, "a2", f"{TALK}:2-4"))
        self.check("doubled", "renamed")

    def test_stored_and_handed_twice(self) -> None:
        """One text under two ids that both arrive is doubled."""
        again = Seen("alice", TALK, "a2", f"{TALK}:2-4")
        self.journal.logs[TALK].append(again)
        self.journal.handed["bob/main"].append(again)
        found = violations(self.journal)["doubled"]
        self.assertEqual(len(found), 2)
        self.assertIn(f"{TALK}:2-3, {TALK}:2-4", found[0])

    def test_handed_out_of_order(self) -> None:
        """Ids that go back at a device are found, by the id and by the sender's order."""
        self.journal.handed["bob/main"].reverse()
        self.check("disordered")
        self.assertEqual(len(violations(self.journal)["disordered"]), 2)

    def test_ids_compare_by_epoch_first(self) -> None:
        """A later number of an earlier epoch is no progress."""
        late = sent("bob", TALK, "b4", f"{TALK}:1-4")
        self.journal.sent.append(late)
        seen = Seen("bob", TALK, "b4", f"{TALK}:1-4")
        self.journal.logs[TALK].append(seen)
        self.journal.handed["alice/main"].append(seen)
        self.check("disordered")

    def test_stored_out_of_order(self) -> None:
        """A sender's messages that were stored in another order than sent are found, although the ids are fine."""
        first, _, last = self.journal.logs[TALK]
        first_text, last_text = first.text, last.text
        swapped = [Seen("alice", TALK, last_text, first.id), Seen("alice", TALK, first_text, last.id)]
        self.journal.logs[TALK] = [swapped[0], self.journal.logs[TALK][1], swapped[1]]
        self.journal.handed["bob/main"] = swapped
        self.journal.sent[0].id, self.journal.sent[3].id = last.id, first.id
        self.check("disordered")

    def test_hole(self) -> None:
        """A number that no message has is found in the log."""
        self.journal.logs["#fish"] = [Seen("bob", "#fish", "b2", "#fish:1-2")]
        self.journal.sent[2].id = "#fish:1-2"
        for device, place in (("alice/main", 0), ("carol/main", 0)):
            self.journal.handed[device][place] = self.journal.logs["#fish"][0]
        self.check("disordered")

    def test_never_sent(self) -> None:
        """A message that nobody sent is found, stored or handed out."""
        self.journal.logs["#fish"].append(Seen("bob", "#fish", "new", "#fish:1-2"))
        self.check("invented")

    def test_another_sender(self) -> None:
        """A message under another's name is invented."""
        self.journal.handed["carol/main"] = [Seen("alice", "#fish", "b2", "#fish:1-1")]
        self.check("invented")

    def test_not_for_them(self) -> None:
        """A message at somebody who is no member of its conversation is invented."""
        self.journal.handed["carol/main"].append(self.journal.logs[TALK][0])
        self.check("invented")

    def test_two_ids(self) -> None:
        """A receiver that knows a message by another id than the log is found."""
        self.journal.handed["carol/main"] = [Seen("bob", "#fish", "b2", "#fish:1-9")]
        self.check("renamed")

    def test_sender_told_another_id(self) -> None:
        """So is a sender."""
        self.journal.sent[2].id = "#fish:1-9"
        self.check("renamed")

    def test_complaint(self) -> None:
        """What a client complains of is a violation."""
        self.journal.complaints["closed"] = ["alice was closed: replaced"]
        self.check("closed")

    def test_names(self) -> None:
        """All violations are listed, checkers and complaints alike, whether they are found or not."""
        self.assertEqual(tuple(violations(self.journal)), NAMES)
        self.assertEqual(len(NAMES), len(CHECKERS) + len(KINDS))

    def test_ok_without_id(self) -> None:
        """An OK without the id is found, unless the message is too old to be looked up or was taken from the store."""
        self.journal.sent[2].id = ""
        self.check("renamed")
        self.journal.gone_texts.add("b2")
        self.assertEqual(violations(self.journal)["renamed"], [])
        self.journal.gone_texts.clear()
        self.journal.logs["#fish"] += [Seen("bob", "#fish", f"x{n}", f"#fish:1-{n + 2}") for n in range(LOOKED_BACK)]
        self.assertEqual(violations(self.journal)["renamed"], [])

    def test_second_device(self) -> None:
        """Every device of a member is to be handed everything, the sender's other one too."""
        self.journal.devices["bob/phone"] = 0.5
        self.journal.devices_of["bob"].append("bob/phone")
        self.check("lost")
        self.assertEqual(len(violations(self.journal)["lost"]), 4)

    def test_device_that_came_later(self) -> None:
        """A device need not be handed what was sent before it was there."""
        self.journal.devices["bob/phone"] = 1.5
        self.journal.devices_of["bob"].append("bob/phone")
        self.check()

    def test_two_programs_of_a_device(self) -> None:
        """What either of them was handed, the device has; each is judged by itself for order."""
        self.journal.handed["bob/main/2"] = [self.journal.handed["bob/main"].pop(0)]
        self.check()

    def test_two_devices_have_no_common_order(self) -> None:
        """What two devices of one account send may be stored in any order."""
        first, second = Sent("bob/phone", "#fish", "p1", 1, 1, "#fish:1-3"), sent("bob", "#fish", "b3", "#fish:1-2")
        self.journal.sent += [first, second]
        for one in (second, first):
            seen = Seen("bob", "#fish", one.text, one.id or "")
            self.journal.logs["#fish"].append(seen)
            for name in ("alice/main", "carol/main"):
                self.journal.handed[name].append(seen)
        self.journal.handed["bob/main"].append(self.journal.logs["#fish"][-1])
        self.check()

    def test_id_of_two_messages(self) -> None:
        """An id that named another message before is found, although each message has only one id."""
        self.journal.sent.append(sent("carol", "#fish", "c1", "#fish:1-1"))
        self.lose("#fish", 1, "c1")
        self.check("renamed")

    def test_left_before(self) -> None:
        """Who left before a message was sent need not have it, and may not."""
        self.journal.stays["#fish"]["carol"] = [Stay(0.0, 0.0, 0.5, 0.6)]
        self.check("invented")
        self.journal.handed["carol/main"].clear()
        self.check()

    def test_leaving_meanwhile(self) -> None:
        """Who leaves between the sending and the OK may have it or not."""
        self.journal.sent[2].answered_at = 1.2
        self.journal.stays["#fish"]["carol"] = [Stay(0.0, 0.0, 1.1, 1.3)]
        self.check()
        self.journal.handed["carol/main"].clear()
        self.check()

    def test_joining_later(self) -> None:
        """Who joins after a message had its OK may not have it."""
        self.journal.stays["#fish"]["carol"] = [Stay(1.5, 1.6, inf, inf)]
        self.check("invented")

    def test_excused(self) -> None:
        """What a fault took from the store may be missing, if those who had it get a gap."""
        self.put_back()
        self.check("untold")
        for name in ("alice/main", "carol/main"):
            self.journal.gaps[name, "#fish"] = [(1, 1)]
        self.check()

    def test_gap_of_more(self) -> None:
        """A gap that names more than what was lost is found, and so is one that names less."""
        self.put_back()
        self.journal.gaps["alice/main", "#fish"] = [(1, 1)]
        self.journal.gaps["carol/main", "#fish"] = [(1, 2)]
        self.check("untold")
        self.journal.gaps["carol/main", "#fish"] = [(2, 1)]
        self.assertEqual(len(violations(self.journal)["untold"]), 2)

    def test_gap_that_begins_late(self) -> None:
        """A number may be missing in a gap if something that is not pushed has it now; without any gap it may not."""
        self.put_back()
        self.lose("#fish", 2, "b4")
        self.journal.gaps = {(name, "#fish"): [(2, 2)] for name in ("alice/main", "carol/main")}
        self.check("untold")
        self.journal.numbers["#fish"] = Numbers(1, frozenset(), frozenset({1}), frozenset())
        self.check()
        del self.journal.gaps["alice/main", "#fish"]
        self.check("untold")

    def test_gap_elsewhere(self) -> None:
        """A gap in a conversation that lost nothing is found although another one has lost something."""
        self.test_excused()
        self.journal.gaps["alice/main", TALK] = [(1, 1)]
        self.check("untold")

    def test_silence_after_a_loss(self) -> None:
        """While nothing follows no gap is due."""
        self.journal.logs["#fish"].clear()
        self.lose("#fish", 1, "b2")
        self.check()

    def lose(self, conversation: str, number: int, text: str) -> None:
        """Take a message from the store by a fault."""
        self.journal.gone.setdefault(conversation, set()).add(number)
        self.journal.gone_texts.add(text)

    def put_back(self) -> None:
        """Have the topic lose its only message, and get another one."""
        self.lose("#fish", 1, "b2")
        self.journal.sent.append(sent("bob", "#fish", "b3", "#fish:2-1", 2.0))
        seen = Seen("bob", "#fish", "b3", "#fish:2-1")
        self.journal.logs["#fish"] = [seen]
        for name in ("alice/main", "carol/main"):
            self.journal.handed[name].append(seen)

    def test_excused_and_still_there(self) -> None:
        """What is in the log in spite of the loss is to arrive as everything else."""
        self.lose("#fish", 1, "b2")
        self.journal.handed["carol/main"].clear()
        self.check("lost")

    def test_nobody_talked(self) -> None:
        """A run without messages, and a fault that met no client with something under way, prove nothing."""
        self.journal.faults = [Fault("kill", "ms1", 1.5, 1.5)]
        self.check()
        self.journal.faults.append(Fault("kill", "ms2", 2.5, 2.5))
        self.check("idle")
        self.journal.sent[0].answered_at = 3.0
        self.check()
        self.assertTrue(violations(Journal())["idle"])

    def test_nothing_else_is_excused(self) -> None:
        """What a fault did not take from the store may not be missing, whenever it was acknowledged."""
        self.put_back()
        for name in ("alice/main", "carol/main"):
            self.journal.gaps[name, "#fish"] = [(1, 1)]
        self.journal.logs[TALK].pop()
        self.check("lost")

    def test_gap_of_nothing(self) -> None:
        """A gap that nothing explains is found."""
        self.journal.gaps["alice/main", TALK] = [(1, 1)]
        self.check("untold")

    def test_late(self) -> None:
        """A msg_server or a client whose first OK comes too late is found, although the others are in time."""
        self.journal.back = 5.0
        self.journal.faults = [Fault("kill", "ms1", 1.1, 1.1)]
        self.journal.probed = {"ms1": [Answered(0.9, 1.0), Answered(4.0, 6.0)], "ms2": [Answered(1.1, 9.0)]}
        self.check()
        self.journal.probed["ms1"][1] = Answered(4.0, 6.2)
        self.check("late")
        self.journal.probed.clear()
        self.journal.sent[3].at, self.journal.sent[3].answered_at = 1.2, 6.4
        self.check("late")


class RecoveryTests(SynchronousTestCase):
    def test_only_what_was_sent_after_the_healing_counts(self) -> None:
        """An OK that was on its way then is no sign of recovery; the slowest device makes the second figure."""
        journal = Journal(
            sent=[
                Sent("alice/main", TALK, "a1", 9.9, 10.1, f"{TALK}:1-1"),
                Sent("alice/main", TALK, "a2", 10.2, 11.0, f"{TALK}:1-2"),
                Sent("bob/main", TALK, "b1", 10.3, 12.5, f"{TALK}:1-3"),
                Sent("bob/main", TALK, "b2", 10.1, 10.2, refused="FULL"),
            ],
            arrived={"a1": 13.1, "a2": 11.5, "b1": 12.5},
            faults=[Fault("hang", "redis", 4.0, 10.0), Fault("kill", "ms1", 20.0, 20.0)],
        )
        first, second = recovery(journal)
        self.assertEqual(first.fault.what, "hang")
        # Alice still waited for an answer when Redis went on; Bob did not.
        self.assertEqual(first.devices, {"alice/main": 1.0, "bob/main": 2.4})
        self.assertEqual((first.all, first.delivery), (2.4, 3.0))
        self.assertEqual((second.first, second.all), (None, None))

    def test_each_server(self) -> None:
        """A fault of one msg_server is measured at that one, any other fault at the slowest one."""
        journal = Journal(
            probed={
                "ms1": [Answered(9.0, 9.1), Answered(12.0, 14.0), Answered(14.2, 14.3)],
                "ms2": [Answered(10.1, 10.2), Answered(20.1, 20.5)],
            },
        )
        for victim, expected in (("ms1", {"ms1": 4.0}), ("ms2", {"ms2": 0.2}), ("redis", {"ms1": 4.0, "ms2": 0.2})):
            journal.faults = [Fault("kill", victim, 10.0, 10.0)]
            [only] = recovery(journal)
            self.assertEqual((only.servers, only.first), (expected, max(expected.values())))

    def test_next_fault(self) -> None:
        """What is not over when the next fault begins is measured from the end of that one."""
        journal = Journal(
            sent=[
                Sent("alice/main", TALK, "a1", 10.5, 14.0, f"{TALK}:1-1"),
                Sent("alice/main", TALK, "a2", 12.5, 14.0, f"{TALK}:1-2"),
            ],
            probed={"ms1": [Answered(10.5, 14.0), Answered(12.2, 14.2)]},
            faults=[Fault("kill", "ms1", 10.0, 10.0), Fault("hang", "redis", 11.0, 12.0)],
        )
        first, second = recovery(journal)
        self.assertEqual((first.servers, first.devices), ({"ms1": 1.0}, {"alice/main": 0.5}))
        self.assertEqual((second.servers, second.devices), ({"ms1": 2.2}, {"alice/main": 2.0}))

    def test_no_fault(self) -> None:
        """Of a run in which nothing was done there is nothing to say."""
        self.assertEqual(recovery(good()), [])
