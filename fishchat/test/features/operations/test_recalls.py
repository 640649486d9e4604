"""Recalls: what is left of a message, on every way by which its text could be read."""

from __future__ import annotations

from typing import Any

from fishchat.test.support.operations_runner import DAY, Op, OperationCase
from fishchat.test.support.script_runner import Said, on_each_redis

AB, MESSAGE = "alice+bob", "alice+bob:7-1"
SECRET = "correct horse"


@on_each_redis
class Recalls(OperationCase):
    """Alice takes back what she has written to bob."""

    def setUp(self) -> None:
        """Two accounts, two messages, the first one edited, pinned and reacted to."""
        super().setUp()
        for account in ("alice", "bob"):
            self.login(account)
        self.said("alice", "bob", SECRET, 1)
        self.said("bob", "alice", "hi")

    def recall(self, reason: str = "", **more: Any) -> Any:
        """Recall the first message as its author."""
        return self.done("alice", "recall", MESSAGE, reason, **more)

    def test_stub(self) -> None:
        """History, a single message and the list with operations name who recalled it, with the reason."""
        self.assertEqual(self.recall("wrong window"), 3)
        stub = "1 -;recalled=alice recalled: wrong window"
        self.assertEqual(self.page("bob", AB), [stub, "2 - hi"])
        self.assertEqual(self.page("bob", AB, limit=1), ["2 - hi"])
        self.assertEqual(self.page("bob", AB, before="7-2"), [stub])
        self.assertEqual(self.page("bob", AB, after="7-1"), ["2 - hi"])
        self.assertEqual(self.page("bob", AB, True), [stub, "2 - hi", "3 recall;of=7-1 wrong window"])
        body = self.call("operations/message", "bob", AB, "7-1")[2]
        self.assertEqual(body, "alice main -1 -;recalled=alice recalled: wrong window")

    def test_reasons(self) -> None:
        """The sentence of a stub has the reason as it was given, or none."""
        for number, (reason, attributes, shown) in enumerate(
            [("", "", "- recalled"), (r"a\nb", "esc", r"e recalled: a\nb"), (r"a\nb", "", r"- recalled: a\nb")], 4
        ):
            self.said("alice", "bob", "x")
            at = int(self.command("HGET", "meta:" + AB, "n"))
            self.done("alice", "recall", f"{AB}:7-{at}", reason, attributes=attributes)
            kind, _, text = shown.partition(" ")
            self.assertIn(f"{at} {kind};recalled=alice {text}", self.page("bob", AB), number)

    def test_nothing_left(self) -> None:
        """Neither the text nor that of an edit is in any value of the store that a command reads."""
        for text in (SECRET + " 1", SECRET + " 2"):
            self.done("alice", "edit", MESSAGE, text)
        self.done("bob", "pin", MESSAGE)
        self.done("bob", "react", MESSAGE, "+1")
        self.recall()
        for key in self.command("KEYS", "*"):
            if self.command("TYPE", key) == "stream" and not key.startswith("/sysctrl"):
                self.assertNotIn(SECRET, str(self.command("XRANGE", key, "-", "+")), key)
        self.assertEqual(self.command("EXISTS", "react:alice+bob:1", "pins:alice+bob"), 0)
        self.assertEqual(self.page("bob", AB), ["1 -;recalled=alice recalled", "2 - hi"])
        left = ["2 - hi", "5 pin;of=7-1", "6 react;of=7-1 +1", "7 recall;of=7-1"]
        self.assertEqual(self.replayed(AB), left)
        self.assertEqual(self.page("bob", AB, True)[1:], left)
        for script, more in (("operations/versions", ["members"]), ("operations/reactions", ["0"])):
            self.assertEqual(self.call(script, "bob", AB, "7-1", *more), ["GONE"])
        self.assertEqual(self.call("operations/pins", "bob", AB), ["OK", []])

    def test_after_edits_whose_texts_are_not_kept(self) -> None:
        """If edits have erased the texts before them, the recall erases what is left, whatever is configured then."""
        for number, kept in enumerate(((False, False), (False, True), (True, False), (True, True))):
            self.said("alice", "bob", SECRET)
            of = f"{AB}:7-{self.command('HGET', 'meta:' + AB, 'n')}"
            for keeps in (*kept, True):
                self.done("alice", "edit", of, f"{SECRET} {keeps}", limits=(DAY, DAY, keeps))
                self.done("alice", "edit", of, f"{SECRET} again {keeps}", limits=(DAY, DAY, keeps))
            self.assertIsInstance(self.done("alice", "recall", of), int, kept)
            self.assertEqual(self.command("XLEN", "ops:" + AB), number + 1)
        self.recall()
        for key in ("log:", "ops:"):
            self.assertNotIn(SECRET, str(self.command("XRANGE", key + AB, "-", "+")))

    def test_many_edits(self) -> None:
        """A batch erases about 1,000 edits; the client is asked to send the recalls after that again."""
        of = []
        for number in range(13):
            self.said("alice", "bob", SECRET)
            of.append(f"{AB}:7-{self.command('HGET', 'meta:' + AB, 'n')}")
            self.operate(*[Op("alice", "edit", of[-1], f"text {number} {edit}") for edit in range(100)])
        results = self.operate(*[Op("alice", "recall", each) for each in of])
        self.assertEqual(results[10:], ["TRYAGAIN"] * 3)
        self.operate(*[Op("alice", "recall", each) for each in of[10:]])
        self.assertEqual(self.command("XLEN", "ops:" + AB), 13)

    def test_many_edits_with_mentions(self) -> None:
        """Edits that may mention members take longer: a batch erases about 100 of them."""
        for _ in range(3):
            self.said("alice", "bob", SECRET)
        of = [f"{AB}:7-{number}" for number in (3, 4, 5)]
        for each in of:
            self.operate(*[Op("alice", "edit", each, f"@bob {edit}") for edit in range(60)])
        results = self.operate(*[Op("alice", "recall", each) for each in of])
        self.assertEqual(results[2:], ["TRYAGAIN"])
        self.assertEqual(self.done("alice", "recall", of[2]), results[1] + 1)

    def test_noted(self) -> None:
        """The id is noted for restores, without a text, and the conversation for its scrub."""
        self.recall("why")
        self.assertEqual(self.command("ZRANGE", "erasures", 0, -1), [MESSAGE])
        self.assertEqual(self.command("SMEMBERS", "unscrubbed"), [AB])

    def test_nothing_more(self) -> None:
        """Afterwards it is gone for all operations but a recall, which was done before."""
        self.recall()
        for kind, text in (("edit", "x"), ("react", "+1"), ("unreact", "+1"), ("pin", ""), ("unpin", "")):
            self.assertEqual(self.done("alice", kind, MESSAGE, text), "GONE", kind)
        before = self.dump()
        self.assertEqual(self.recall("again"), "DUP 7-3")
        self.assert_unchanged(before)
        self.assertEqual(self.done("bob", "recall", "alice+bob:7-2"), 4)

    def test_unread(self) -> None:
        """What was recalled before it was read is no longer unread."""
        self.assertEqual(self.conversations("bob")[AB], [2, 2, 0])
        self.said("alice", "bob", "new")
        self.assertEqual(self.conversations("bob")[AB], [3, 2, 1])
        self.done("alice", "recall", "alice+bob:7-3")
        self.assertEqual(self.conversations("bob")[AB], [4, 2, 0])

    def test_too_late(self) -> None:
        """An author has a time for it; 0 is never."""
        self.assertEqual(self.recall(limits=(DAY, 0, True)), "TOOLATE limit=0s")
        self.assertEqual(self.recall(limits=(0, -1, True)), 3)

    def test_while_an_edit_is_under_way(self) -> None:
        """An edit before the recall is erased with it; one after it finds nothing to edit."""
        edit = Op("alice", "edit", MESSAGE, SECRET + " edited", 2)
        late = Op("alice", "edit", MESSAGE, SECRET + " late", 4)
        results = self.operate(edit, Op("alice", "recall", MESSAGE, "", 3), late)
        self.assertEqual(results, [3, 4, "GONE"])
        self.assertNotIn(SECRET, str(self.replayed(AB)) + str(self.page("bob", AB, True)))
        self.assertEqual(self.operate(Op("alice", "edit", MESSAGE, "x", 4)), ["GONE"])

    def test_repeated_message(self) -> None:
        """A message that is sent again after its recall is not stored again: its number is known."""
        self.recall()
        self.assertEqual(self.send(Said("alice", "bob", SECRET, 1)), ["DUP 7-1"])
        self.assertNotIn(SECRET, str(self.page("bob", AB)))

    def test_repeated_edit(self) -> None:
        """An edit that is sent again after the recall of its message is old: nothing of it is left to compare."""
        edit = Op("alice", "edit", MESSAGE, "x", 2)
        self.assertEqual(self.operate(edit), [3])
        self.recall()
        self.assertEqual(self.operate(edit), ["OLD"])

    def test_reply_to_it(self) -> None:
        """An answer to a recalled message is stored, as it may be under way; one to nothing is not."""
        self.recall()
        self.assertEqual(self.send(Said("bob", "alice", "why?", form=b"-;reply=alice+bob:7-1")), [4])
        for of in ("alice+bob:7-9", "alice+bob:7-3", "alice+alice:7-1"):
            self.assertEqual(self.send(Said("bob", "alice", "x", form=f"-;reply={of}".encode())), ["NOTFOUND"], of)

    def test_after_a_restart_of_the_store(self) -> None:
        """Under the next epoch an earlier message is recalled under its id, and no id is mistaken for another."""
        fence, _ = self.grow_epoch()
        self.assertEqual(self.recall(fence=fence), 3)
        self.assertEqual(self.done("alice", "edit", "alice+bob:8-1", "x", fence=fence), "NOTFOUND")
        self.assertEqual(self.recall(fence=fence), "DUP 8-3")
        self.assertEqual(self.page("bob", AB)[0], "1 -;recalled=alice recalled")
