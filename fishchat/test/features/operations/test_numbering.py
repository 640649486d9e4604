"""Operations and their numbers: stored once, in order, also at a full memory, behind a fence, and after retention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hiredis

from fishchat.storage.fence import Fence
from fishchat.test.support.operations_runner import LIMITS, REMOVALS, Op, OperationCase
from fishchat.test.support.script_runner import EPOCH, MS1, MS2, STREAM, Said, on_each_redis

AB, MESSAGE = "alice+bob", "alice+bob:7-1"
#: One operation of each kind that changes something, in an order in which each can be done.
EACH = [
    Op("alice", "edit", MESSAGE, "x"),
    Op("alice", "react", MESSAGE, "+1"),
    Op("alice", "unreact", MESSAGE, "+1"),
    Op("alice", "pin", MESSAGE),
    Op("alice", "unpin", MESSAGE),
    Op("alice", "recall", MESSAGE, "why"),
]


class NumberCase(OperationCase):
    """Alice has written to bob, under the number 1."""

    def setUp(self) -> None:
        """Two accounts, two messages."""
        super().setUp()
        for account in ("alice", "bob"):
            self.login(account)
        self.send(Said("alice", "bob", "hello", 1), Said("bob", "alice", "hi"))


@on_each_redis
class Numbered(NumberCase):
    """``cseq`` of operations."""

    def test_shared_with_messages(self) -> None:
        """Messages and operations of a device share the counter of the conversation."""
        self.assertEqual(self.done("alice", "edit", MESSAGE, "x", 2), 3)
        self.assertEqual(self.send(Said("alice", "bob", "y", 3)), [4])
        self.assertEqual(self.done("alice", "react", MESSAGE, "+1", 5), "GAP expected=4")
        self.assertEqual(self.done("alice", "react", MESSAGE, "+1", 0), "GAP expected=4")
        self.assertEqual(self.done("alice", "react", MESSAGE, "+1", 4), 5)

    def test_repeated(self) -> None:
        """Each kind, repeated under its number, is the first one and changes nothing."""
        for cseq, each in enumerate(EACH, 2):
            operation = replace(each, cseq=cseq)
            stored = self.operate(operation)
            self.assertEqual(stored, [cseq + 1], each)
            before = self.dump()
            self.assertEqual(self.operate(operation, operation), [f"DUP 7-{cseq + 1}"] * 2, each)
            self.assert_unchanged(before)

    def test_another_one_under_the_number(self) -> None:
        """Another verb, message, text or tag under a number that was used is a conflict; so is a message."""
        self.done("alice", "edit", MESSAGE, "x", 2)
        before = self.dump()
        wrong: list[dict[str, Any]] = [
            {"kind": "recall"},
            {"kind": "react"},
            {"of": "alice+bob:7-2"},
            {"text": "y"},
            {"attributes": "esc"},
            {"attributes": "mention=bob"},
        ]
        for change in wrong:
            operation = replace(Op("alice", "edit", MESSAGE, "x", 2), **change)
            self.assertEqual(self.operate(operation), ["CONFLICT expected=3"], change)
        self.assertEqual(self.send(Said("alice", "bob", "x", 2)), ["CONFLICT expected=3"])
        self.assertEqual(self.done("alice", "edit", MESSAGE, "hello", 1), "CONFLICT expected=3")
        self.assert_unchanged(before)

    def test_used_up_without_effect(self) -> None:
        """An operation that changes nothing uses up its number; repeated, it is done still, or old."""
        self.done("alice", "react", MESSAGE, "+1")
        self.assertEqual(self.done("alice", "react", MESSAGE, "+1", 2), "DUP 7-3")
        self.assertEqual(self.done("alice", "react", MESSAGE, "+1", 2), "DUP 7-3")
        self.assertEqual(self.send(Said("alice", "bob", "y", 3)), [4])
        self.done("alice", "unreact", MESSAGE, "+1")
        self.assertEqual(self.done("alice", "react", MESSAGE, "+1", 2), "OLD")

    def test_not_used_up_by_a_refusal(self) -> None:
        """A refused operation leaves its number to the next one."""
        self.assertEqual(self.done("alice", "unpin", MESSAGE, "", 2), "NOTFOUND")
        self.assertEqual(self.done("alice", "recall", "alice+bob:7-2", "", 2), "RIGHTS needs=author")
        self.assertEqual(self.done("alice", "edit", MESSAGE, "x", 2), 3)

    def test_repeated_within_a_batch(self) -> None:
        """A batch that has looked back finds what it has stored itself since then."""
        self.said("alice", "bob", "text", 2)
        edit, other = Op("alice", "edit", MESSAGE, "new", 3), Op("alice", "edit", MESSAGE, "newer", 3)
        results = self.operate(Op("alice", "react", MESSAGE, "x", 2), edit, edit, other)
        self.assertEqual(results, ["CONFLICT expected=3", 4, "DUP 7-4", "CONFLICT expected=4"])
        again = Said("alice", "bob", "text", 2), Said("alice", "bob", "four", 4)
        results = self.send(*again, *again, Said("alice", "bob", "five", 4))
        self.assertEqual(results, ["DUP 7-3", 5, "DUP 7-3", "DUP 7-5", "CONFLICT expected=5"])

    def test_repeated_after_leaving(self) -> None:
        """An operation that was stored is found also when it would be refused by now."""
        self.create("alice", "t")
        self.join("bob", "t")
        self.send(Said("bob", "#t", "one", 1))
        self.assertEqual(self.done("bob", "edit", "#t:7-1", "x", 2), 2)
        self.leave("bob", "t")
        self.assertEqual(self.done("bob", "edit", "#t:7-1", "x", 2), "DUP 7-2")
        self.assertEqual(self.done("bob", "edit", "#t:7-1", "y", 3), "NOTMEMBER")

    def test_devices(self) -> None:
        """Each device numbers for itself."""
        for device in ("phone", "desk"):
            self.assertIsInstance(self.done("alice", "react", MESSAGE, device, 1, device=device), int)

    def test_mixed_batch(self) -> None:
        """What is refused in a batch changes nothing for the others, in any conversation."""
        self.create("alice", "t")
        self.said("alice", "#t", "x")
        results = self.operate(
            Op("alice", "edit", MESSAGE, "one", 2),
            Op("bob", "edit", MESSAGE, "two"),
            Op("alice", "react", "#t:7-1", "+1", 1),
            Op("alice", "edit", MESSAGE, "three", 4),
            Op("bob", "edit", "#t:7-1", "four"),
            Op("alice", "edit", MESSAGE, "five", 3),
        )
        self.assertEqual(results, [3, "RIGHTS needs=author", 2, "GAP expected=3", "NOTFOUND", 4])
        self.assertEqual(self.page("bob", AB)[0], "1 -;edited=alice+bob:7-4 five")


@on_each_redis
class Stored(NumberCase):
    """Where operations are, and when they are not stored."""

    def test_fence(self) -> None:
        """A server without its lease, or of an earlier epoch, stores nothing."""
        other = Fence(b"ms1", b"zzzz", EPOCH)
        for fence, word in ((other, ["LEASE"]), (replace(MS1, epoch=EPOCH - 1), ["EPOCH", "7"])):
            before = self.dump()
            self.assertEqual(self.operate(EACH[0], fence=fence), word)
            self.assert_unchanged(before)

    def test_routed(self) -> None:
        """A device on another server is told of the operation as it is stored."""
        self.login("bob", "phone", MS2)
        self.done("alice", "edit", MESSAGE, "x")
        self.assertEqual(self.routed(), [{"ms2": [AB, 3, "alice main -1 edit;of=7-1 x", 0]}])

    def test_full_memory(self) -> None:
        """When the memory is full, what takes something away is stored, and all else is refused."""
        for kind, text in (("react", "+1"), ("pin", "")):
            self.done("alice", kind, MESSAGE, text)
        self.fill_memory()
        refused = EACH[0], Op("alice", "react", MESSAGE, "ok"), Op("alice", "pin", "alice+bob:7-2")
        self.assertEqual({one.kind for one in EACH} - {one.kind for one in refused}, set(REMOVALS))
        for operation in refused:
            self.assertRaises(hiredis.ReplyError, self.operate, operation)
        for number, kind in enumerate(("unreact", "unpin", "recall"), 5):
            operation = next(one for one in EACH if one.kind == kind)
            self.assertEqual(self.operate(operation, vital=True), [number], kind)
        self.assertEqual(self.page("bob", AB)[0], "1 -;recalled=alice recalled: why")

    def test_taken_by_retention(self) -> None:
        """A message that retention has removed is gone for each kind; one that was erased never was."""
        self.command("XDEL", "log:" + AB, "7-1")
        for trimmed, word in ((1, "GONE"), (0, "NOTFOUND")):
            self.command("HSET", "meta:" + AB, "t", trimmed)
            for operation in EACH:
                self.assertEqual(self.operate(operation), [word], operation)
            self.assertEqual(self.call("operations/message", "bob", AB, "7-1"), [word])

    def test_wrong_type(self) -> None:
        """A key of the wrong type is an error of that operation alone."""
        self.command("SET", "ops:" + AB, "x")
        self.said("alice", "alice", "note")
        results = self.operate(EACH[0], Op("alice", "edit", "alice+alice:7-1", "x"))
        self.assertEqual(results, ["INTERNAL", 2])
        self.command("DEL", "ops:" + AB)
        self.command("XADD", "ops:" + AB, "7-99", "t", 1, "m", "x")
        results = self.operate(EACH[0], Op("alice", "edit", "alice+alice:7-1", "y"))
        self.assertEqual(results, ["INTERNAL", 3])

    def test_full_batch(self) -> None:
        """As many operations as the server puts into a batch."""
        operations = [Op("alice", "edit", f"{AB}:7-{3 + number}", "new", 502 + number) for number in range(200)]
        self.send(*[Said("alice", "bob", f"text {number}", 2 + number) for number in range(500)])
        self.assertEqual(self.operate(*operations), list(range(503, 703)))
        self.assertEqual({line.split(" ")[-1] for line in self.page("bob", AB, after="7-2")}, {"new"})

    def test_arguments(self) -> None:
        """An empty batch is fine."""
        self.assertEqual(self.fenced("logs/operate", STREAM, True, LIMITS, [])[:3], ["OK", [], []])
