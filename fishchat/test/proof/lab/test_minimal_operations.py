"""What the lab's own client makes of operations, without a server."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.minimal import MinimalClient
from fishchat.proof.lab.minimal_operations import Operation, ShownItem, item_of, operation_of

TALK = "ann+ben"


class ParsingTests(SynchronousTestCase):
    def test_pushes(self) -> None:
        """Each push of an operation has its kind, its message, and what was said with it."""
        head = f"ann {TALK}:7-2 {TALK}:7-1"
        for line, tags, kind, what in (
            (f"RESP_EDIT {head} new words", "", "edit", "new words"),
            (f"RESP_EDIT {head} new\\nwords", "mention=ben;esc", "edit", "new\nwords"),
            (f"RESP_RECALL {head}", "", "recall", ""),
            (f"RESP_RECALL {head} wrong window", "", "recall", "wrong window"),
            (f"RESP_REACTION {head} + +1", "", "react", "+1"),
            (f"RESP_REACTION {head} - 鱼", "", "unreact", "鱼"),
            (f"RESP_PIN {head} +", "", "pin", ""),
            (f"RESP_PIN {head} -", "", "unpin", ""),
        ):
            verb, _, rest = line.partition(" ")
            expected = Operation(f"{TALK}:7-2", TALK, "ann", kind, f"{TALK}:7-1", what)
            self.assertEqual(operation_of(verb, rest, tags), expected, line)
        self.assertIsNone(operation_of("RESP_SYNCED", "", ""))

    def test_items(self) -> None:
        """An item has what was done to its message."""
        plain = f"{TALK}:7-1 ann 1000 two words"
        self.assertEqual(item_of(plain, "id=5"), ShownItem(f"{TALK}:7-1", "ann", 1000, "two words"))
        tags = f"id=5;edited={TALK}:7-4;react=+1:3,a:b:1;pinned;recalled=ben;notice"
        expected = ShownItem(
            f"{TALK}:7-1", "ann", 1000, "two words", f"{TALK}:7-4", "ben", {"+1": 3, "a:b": 1}, True, True
        )
        self.assertEqual(item_of(plain, tags), expected)


class QueueTests(SynchronousTestCase):
    def test_lane(self) -> None:
        """Operations share the numbers of the messages to the same conversation, on either side of it."""
        client = MinimalClient("ben", gateway="127.0.0.1:1", reactor=Clock())
        client.send("ann", "hello")
        client.edit(f"{TALK}:7-1", "new\nwords")
        client.recall(f"{TALK}:7-1")
        client.recall("ben+cid:7-1", "wrong")
        client.react("#fish:7-1", "+1")
        queues = {to: [send.words for send in outbox.queue] for to, outbox in client._outboxes.items()}
        expected = {
            "ann": ["SEND_MESSAGE_P2P ann hello", f"SEND_EDIT {TALK}:7-1 new\\nwords", f"SEND_RECALL {TALK}:7-1"],
            "cid": ["SEND_RECALL ben+cid:7-1 wrong"],
            "#fish": ["SEND_REACTION #fish:7-1 +1"],
        }
        self.assertEqual(queues, expected)
        self.assertEqual([send.tag for send in client._outboxes["ann"].queue], ["", ";esc", ""])
        self.assertEqual([send.is_operation for send in client._outboxes["ann"].queue], [False, True, True])
