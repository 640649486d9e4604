"""The rows of operations, and the lines that the model writes by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import ProtocolError
from fishchat.features.operations import handlers, rows
from fishchat.model.message import KINDS, from_body, item_line, pack_body, pack_form
from fishchat.model.names import split_id
from fishchat.model.operations import OPERATIONS
from fishchat.test.support import strategies

OPERATION, MESSAGE = (b"#a", 7, 2), (b"#a", 7, 1)


class ReactionTests(SynchronousTestCase):
    def test_good(self) -> None:
        """Words, signs and emoji, also those of several characters."""
        for good in ("+1", "ok", "\u9c7c", "\u2764\ufe0f", "\U0001f469\u200d\U0001f680", "a:b;c=d\\", "x" * 32):
            self.assertEqual(rows.read_reaction(good.encode()), good.encode())

    def test_bad(self) -> None:
        """Nothing, blanks of any kind, commas, what cannot be seen, and what is too long."""
        for bad in ("", "a b", "a\u00a0b", "a\u3000", "a,b", "\u200d", "a\u200b", "\u202eab", "x" * 33, "\u9c7c" * 11):
            error = self.assertRaises(ProtocolError, rows.read_reaction, bad.encode())
            self.assertEqual(error.word, "FIELDS")


class LineTests(SynchronousTestCase):
    """The lines that ``from_body`` makes of stored operations, against the rows."""

    def test_kinds(self) -> None:
        """Each kind has a verb, and needs the capability that its push names."""
        self.assertEqual(sorted(handlers.KINDS.values()), sorted(OPERATIONS))
        pushes = [push for push in rows.PUSHES if push.numbered]
        self.assertEqual({push.capability for push in pushes}, {KINDS[kind] for kind in OPERATIONS})

    @given(strategies.names, strategies.ids, strategies.ids, strategies.written_texts, st.booleans(), st.booleans())
    def test_edits_and_recalls(
        self, sender: bytes, operation: bytes, message: bytes, text: bytes, is_escaped: bool, is_mentioning: bool
    ) -> None:
        """The pushes with a text are what their rows write."""
        conversation, at = split_id(operation)[0], message.rpartition(b":")[2]
        of = conversation + b":" + at
        kept = {b"of": at}
        tags = {}
        if is_escaped:
            kept[b"esc"] = tags[b"esc"] = b""
        for row, kind in ((rows.RESP_RECALL, b"recall"), (rows.RESP_EDIT, b"edit")):
            if kind == b"edit" and is_mentioning:
                kept[b"mention"] = tags[b"mention"] = b"bob,carol"
            body = pack_body(sender, b"main", 1, pack_form(kind, kept), text)
            line = from_body(conversation, *split_id(operation)[1:], body, 1).line
            wanted = row.line(sender, split_id(operation), split_id(of), text=text, tags=dict(sorted(tags.items())))
            self.assertEqual(line, wanted + b"\r\n")

    @given(strategies.names, st.sampled_from([b"+1", "\u9c7c".encode(), b"a:b;c\\"]))
    def test_others(self, sender: bytes, reaction: bytes) -> None:
        """So are the pushes of reactions and pins, and a recall without a reason."""
        for kind, text, row, values in (
            (b"react", reaction, rows.RESP_REACTION, (b"+", reaction)),
            (b"unreact", reaction, rows.RESP_REACTION, (b"-", reaction)),
            (b"pin", b"", rows.RESP_PIN, (b"+",)),
            (b"unpin", b"", rows.RESP_PIN, (b"-",)),
            (b"recall", b"", rows.RESP_RECALL, ()),
        ):
            line = from_body(b"#a", 7, 2, pack_body(sender, b"main", 1, kind + b";of=7-1", text), 1).line
            self.assertEqual(line, row.line(sender, OPERATION, MESSAGE, *values) + b"\r\n")

    def test_passed(self) -> None:
        """A number that is passed over has no line, and needs what no device has."""
        message = from_body(b"#a", 7, 2, b"bob main -1 passed;of=7-1 ", 1)
        self.assertEqual(message.line, b"")
        self.assertNotIn(message.needs, {push.capability for push in rows.PUSHES} | {b""})

    def test_items(self) -> None:
        """An item of an operation has its kind as a tag, and the message that it changes before its text."""
        for form, text, line, tags in (
            (b"edit;esc;mention=bob;of=7-1", rb"a\nb", rb"#a:7-2 alice 5 #a:7-1 a\nb", b"op=edit;esc;mention=bob"),
            (b"recall;of=7-1", b"", b"#a:7-2 alice 5 #a:7-1", b"op=recall"),
            (b"react;of=7-1", b"+1", b"#a:7-2 alice 5 #a:7-1 +1", b"op=react"),
            (b"unpin;of=7-1", b"", b"#a:7-2 alice 5 #a:7-1", b"op=unpin"),
        ):
            body = pack_body(b"alice", b"main", 1, form, text)
            self.assertEqual(item_line(b"#a", b"7-2", b"5", body), (line, tags))
