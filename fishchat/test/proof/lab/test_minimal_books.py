"""What the lab's own client keeps, without a server: numbers under every answer, and what was had under new epochs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.minimal_books import DEFECTS, WINDOW, Had, Outbox, Refused, Send, position_of
from fishchat.proof.lab.minimal_wire import LOST, Answer, error, escape, unescape


class Sending(SynchronousTestCase):
    """An outbox, and what is under way from it."""

    def setUp(self) -> None:
        self.outbox = Outbox(7)
        self.sends = [Send(f"SEND_MESSAGE_P2P bob {number}", "") for number in range(20)]
        for send in self.sends:
            self.outbox.add(send)

    def fly(self) -> list[int]:
        """Send what is to be sent; the numbers."""
        sent = self.outbox.to_send()
        for send in sent:
            send.flying = True
        return [send.number for send in sent]

    def answer(self, which: int, answer: Answer | str) -> None:
        """One message is answered; when it was the last one in trouble, go on."""
        self.outbox.answered(self.sends[which], error(answer) if isinstance(answer, str) else answer)
        if self.outbox.is_settled():
            self.delay = self.outbox.calm()
            self.outbox.troubled = False

    def fine(self, *which: int) -> None:
        """These are stored."""
        for one in which:
            self.answer(one, Answer("OK", f"id{one}"))
            self.assertEqual(self.successResultOf(self.sends[one].done), f"id{one}")

    def test_window(self) -> None:
        """So many are under way, and each answer lets one more go."""
        self.assertEqual(self.fly(), list(range(7, 7 + WINDOW)))
        self.assertEqual(self.fly(), [])
        self.fine(0)
        self.assertEqual(self.fly(), [7 + WINDOW])

    def test_try_again(self) -> None:
        """What may pass is sent again under its number, once all that is under way is answered, after the delay."""
        self.fly()
        self.fine(0)
        self.answer(1, "TRYAGAIN retry=2 away")
        self.answer(2, "UNKNOWN retry=1 who knows")
        self.assertEqual(self.fly(), [])
        self.fine(3)
        for which in range(4, WINDOW):
            self.assertEqual(self.fly(), [])
            self.answer(which, "GAP expected=8 one is missing")
        self.assertEqual(self.delay, 2.0)
        self.assertEqual(self.fly(), [8, 9, *range(11, 8 + WINDOW + 1)])
        self.assertEqual([self.sends[1].uncertain, self.sends[2].uncertain], [False, True])

    def test_lost_connection(self) -> None:
        """After a lost connection all that was under way is sent again as it was."""
        self.fly()
        for which in range(WINDOW):
            self.answer(which, LOST)
        self.assertEqual(self.fly(), list(range(7, 7 + WINDOW)))

    def test_refused(self) -> None:
        """A refused number is used by the next one."""
        self.fly()
        self.fine(0)
        self.answer(1, "TEXTTOOLONG limit=7168 split it")
        self.assertEqual(self.failureResultOf(self.sends[1].done, Refused).value.word, "TEXTTOOLONG")
        for which in range(2, WINDOW):
            self.answer(which, "GAP expected=8 one is missing")
        self.assertEqual(self.fly(), list(range(8, 8 + WINDOW)))
        self.assertIs(self.outbox.queue[0], self.sends[2])

    def test_refused_though_it_may_be_stored(self) -> None:
        """Where a refused one may be stored the others keep their numbers, until the server says what it expects."""
        self.fly()
        for which in range(WINDOW):
            self.answer(which, LOST)
        self.fly()
        self.answer(0, "NOTFOUND there is no such account")
        self.failureResultOf(self.sends[0].done, Refused)
        self.assertEqual(self.outbox.queue[0].number, 8)
        for which in range(1, WINDOW):
            self.answer(which, "GAP expected=7 one is missing")
        self.assertEqual(self.fly(), list(range(7, 7 + WINDOW)))

    def test_lost_count(self) -> None:
        """Without a number it is asked for; nothing else is under way meanwhile."""
        for wrong in ("OLD long ago", "CONFLICT expected=30 another text"):
            self.setUp()
            self.fly()
            for which in range(WINDOW):
                self.answer(which, wrong)
            expected = self.fly()
            if wrong.startswith("OLD"):
                self.assertEqual(expected, [0])
                self.assertEqual(self.fly(), [])
                self.answer(0, "GAP expected=30 go on")
                expected = self.fly()
            self.assertEqual(expected, list(range(30, 30 + WINDOW)))

    def test_old(self) -> None:
        """A message that may have been stored is, when its number is too old to be looked up."""
        self.fly()
        self.answer(0, "UNKNOWN retry=1 who knows")
        for which in range(1, WINDOW):
            self.answer(which, LOST)
        self.fly()
        self.answer(0, "OLD long ago")
        self.assertEqual(self.successResultOf(self.sends[0].done), "")

    def test_defects(self) -> None:
        """A message at which the server fails is sent some times, and no more."""
        self.outbox = Outbox(1)
        self.outbox.add(self.sends[0])
        for _ in range(DEFECTS):
            self.fly()
            self.answer(0, "INTERNAL a defect")
        self.fly()
        self.answer(0, "INTERNAL a defect")
        self.failureResultOf(self.sends[0].done, Refused)

    def test_failed(self) -> None:
        """What is given up may be stored, so the number is asked for later."""
        self.fly()
        self.outbox.fail(ValueError())
        for send in self.sends:
            self.failureResultOf(send.done, ValueError)
        self.assertEqual(self.outbox.next, 0)


class Reading(SynchronousTestCase):
    """How far a conversation was had."""

    def test_own(self) -> None:
        """Own messages count as had, also before what stands ahead of them has arrived."""
        had = Had()
        had.sent((1, 1))
        self.assertEqual(had.last, (1, 1))
        had.sent((1, 3))
        self.assertEqual([had.is_known((1, number)) for number in (1, 2, 3, 4)], [True, False, True, False])
        had.reach((1, 2))
        self.assertEqual((had.last, had.own), ((1, 3), set()))
        # Others may have written under the new epoch before us.
        had.sent((2, 4))
        self.assertFalse(had.is_known((2, 3)))

    def test_epochs(self) -> None:
        """A number that comes again under a higher epoch tells what is gone; one that only goes on does not."""
        had = Had()
        had.reach((1, 12))
        self.assertEqual(had.lost_by((1, 13)), 0)
        self.assertLess(had.lost_by((2, 13)), 13)
        self.assertEqual(had.lost_by((2, 10)), 12)
        had.sent((1, 14))
        self.assertEqual(had.lost_by((2, 13)), 14)

    def test_gaps(self) -> None:
        """A gap that is announced at each login is told once, and again when its numbers were in use since."""
        had = Had()
        self.assertFalse(had.is_told(1, 5))
        self.assertTrue(had.is_told(1, 5))
        had.reach((1, 6))
        self.assertTrue(had.is_told(1, 5))
        self.assertFalse(had.is_told(4, 6))
        had.reach((2, 4))
        self.assertFalse(had.is_told(4, 6))


class Words(SynchronousTestCase):
    """The small grammar of texts, errors and ids."""

    def test_escapes(self) -> None:
        """Only a text with line ends is escaped, and it comes back as it was."""
        for text in ("plain", "a\\nb", "a\nb", "\\\r\n\\\\n", "\n"):
            sent, tag = escape(text)
            self.assertNotIn("\n", sent)
            self.assertEqual(bool(tag), "\n" in text)
            self.assertEqual(unescape("id=5" + tag, sent), text)

    def test_errors(self) -> None:
        """An error is a word, pairs, and a sentence; it passes by itself when it says when."""
        answer = error("AHEAD last=5-7 the id is above a=b")
        self.assertEqual((answer.word, answer.keys, answer.text), ("AHEAD", {"last": "5-7"}, "the id is above a=b"))
        self.assertFalse(answer.passes)
        self.assertTrue(error("ODD retry=3 wait").passes)
        self.assertEqual(error("FLOOD retry=3 wait").retry, 3.0)

    def test_ids(self) -> None:
        """An id is the conversation, the epoch and the number."""
        self.assertEqual(position_of("a.b+c-d:471-12"), ("a.b+c-d", (471, 12)))
        self.assertEqual(position_of("#x-y:2-1"), ("#x-y", (2, 1)))
