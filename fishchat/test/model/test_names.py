"""Names, conversations and message ids."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model import names
from fishchat.test.support import strategies

GOOD_IDS: list[tuple[bytes, tuple[bytes, int, int]]] = [
    (b"alice+bob:471893-17", (b"alice+bob", 471893, 17)),
    (b"alice+alice:1-1", (b"alice+alice", 1, 1)),
    (b"#fishing:0-0", (b"#fishing", 0, 0)),
    (b"@alice:7-1", (b"@alice", 7, 1)),
    (b"a.b+c_d-e:1-2", (b"a.b+c_d-e", 1, 2)),
]
BAD_IDS = [
    *(b"", b":", b"alice+bob", b"alice+bob:", b"alice+bob:7", b"alice+bob:7-", b"alice+bob:-7", b"alice+bob:7-1-1"),
    *(b"alice:7-1", b":7-1", b"#:7-1", b"@:7-1", b"+:7-1", b"alice+:7-1", b"+bob:7-1", b"##x:7-1", b"#a+b:7-1"),
    # The other way round is another token for the same two, so it is none.
    b"bob+alice:7-1",
    *(b"alice+bob:7--1", b"alice+bob:+7-1", b"alice+bob: 7-1", b"alice+bob:7_0-1", b"alice+bob:7-1 ", b"alice+bob:a-1"),
    "alice+bob:٧-1".encode(),
    *(b"Alice+bob:7-1", b"alice+bob+carol:7-1", b"alice+bob:7:1-1"),
]


class NameTests(SynchronousTestCase):
    def test_samples(self) -> None:
        """Lower case letters, digits, and three signs."""
        for name in (b"a", b"alice", b"0", b".", b"_-.", b"alice.b_c-d"):
            self.assertTrue(names.is_name(name), name)
        for name in (b"", b"Alice", b"a b", b"a+b", b"#a", b"@a", b"a/b", b"a:b", b"a\n", b"\0", b"\xff", "é".encode()):
            self.assertFalse(names.is_name(name), name)

    def test_conversations(self) -> None:
        """Two accounts in their order, a topic, one account."""
        for token, kind, accounts in [
            (b"alice+bob", "p2p", (b"alice", b"bob")),
            (b"alice+alice", "p2p", (b"alice",)),
            (b"#fishing", "topic", ()),
            (b"@alice", "notice", (b"alice",)),
        ]:
            self.assertTrue(names.is_conversation(token))
            self.assertEqual((names.kind(token), names.accounts_of(token)), (kind, accounts))
        for token in (b"", b"alice", b"#", b"@", b"+", b"bob+alice", b"a+b+c", b"#a+b", b"#A", b"a+#b", b"#fishing "):
            self.assertFalse(names.is_conversation(token), token)

    @given(strategies.names, strategies.names)
    def test_p2p(self, one: bytes, other: bytes) -> None:
        """Two accounts have one conversation, which concerns both."""
        token = names.p2p(one, other)
        self.assertEqual(token, names.p2p(other, one))
        self.assertTrue(names.is_conversation(token))
        self.assertEqual(set(names.accounts_of(token)), {one, other})
        self.assertTrue(names.concerns(token, one) and names.concerns(token, other))

    def test_concerns(self) -> None:
        """A third account has no part in it; about a topic the token says nothing."""
        self.assertFalse(names.concerns(b"alice+bob", b"carol"))
        self.assertFalse(names.concerns(b"alice+bob", b"ali"))
        self.assertFalse(names.concerns(b"@alice", b"bob"))
        self.assertTrue(names.concerns(b"#fishing", b"carol"))


class IdTests(SynchronousTestCase):
    def test_samples(self) -> None:
        """Taken apart, put together again; or ValueError."""
        for raw, parts in GOOD_IDS:
            self.assertEqual(names.split_id(raw), parts)
            self.assertEqual(names.message_id(*parts), raw)
        for raw in BAD_IDS:
            self.assertRaises(ValueError, names.split_id, raw)

    @given(strategies.conversations, strategies.numbers, strategies.numbers)
    def test_round_trip(self, conversation: bytes, epoch: int, seq: int) -> None:
        """An id says what it was made of."""
        parts = (conversation, epoch, seq)
        self.assertEqual(names.split_id(names.message_id(*parts)), parts)
        self.assertEqual(names.parse_position(names.format_position((epoch, seq))), (epoch, seq))

    @given(st.one_of(st.binary(), strategies.ids.map(lambda raw: raw.replace(b"-", b"+", 1))))
    def test_any_bytes(self, raw: bytes) -> None:
        """What is no id is a ValueError, and nothing else."""
        try:
            conversation, _, _ = names.split_id(raw)
        except ValueError:
            return
        self.assertTrue(names.is_conversation(conversation))


class LimitTests(SynchronousTestCase):
    def test_name(self) -> None:
        """A name has up to 32 letters."""
        self.assertTrue(names.is_name(b"a" * 32))
        self.assertFalse(names.is_name(b"a" * 33))

    def test_digits(self) -> None:
        """Epoch and number have up to 15 digits, which Lua counts exactly."""
        high = 10**15 - 1
        self.assertEqual(names.split_id(b"#a:%d-%d" % (high, high)), (b"#a", high, high))
        self.assertLess(high, 2**53)
        for raw in (b"#a:%d-1" % (high + 1), b"#a:1-%d" % (high + 1)):
            self.assertRaises(ValueError, names.split_id, raw)


class AdviceTests(SynchronousTestCase):
    def test_advice(self) -> None:
        """A wrong name is answered with the right one, or with the place for the other."""
        for name, advice in {
            "Alice": "names have small letters: try alice",
            "ＡＬＩＣＥ": "names have small letters: try alice",
            "#fishing": "names are typed without #: try fishing",
            "@Bob": "names are typed without @: try bob",
            "a" * 33: "a name has at most 32 characters; choose a shorter one",
        }.items():
            self.assertEqual(names.name_advice(name.encode()), advice)
        for name in ("爱丽丝", "Élan", "钓鱼"):
            self.assertIn("with NAME", names.name_advice(name.encode()) or "", name)
        # A secret in the wrong place is not shown.
        for other in (b"a+b", b"", b"a/b", b"fct_Qm9ndXM", b"aliceFCI_Qm9"):
            self.assertIsNone(names.name_advice(other))

    @given(st.binary())
    def test_harmless(self, name: bytes) -> None:
        """The advice shows nothing of the wrong name but a right one: it can be written to any terminal."""
        advice = names.name_advice(name) or ""
        self.assertTrue((advice.isascii() and advice.isprintable()) or not advice)
