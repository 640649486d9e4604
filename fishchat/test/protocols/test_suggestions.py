"""Finding the nearest word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.protocols.suggestions import LONGEST, Near

near = Near([b"SEND_PING", b"PING", b"QUIT", b"JOIN_TOPIC", b"JOIN"])


class NearTests(SynchronousTestCase):
    def test_one_letter(self) -> None:
        """One too many, too few, another, or two exchanged."""
        for typo in (b"QUITT", b"QUI", b"QIT", b"QUIZ", b"QIUT", b"XQUIT"):
            self.assertEqual(near.find(typo), b"QUIT", typo)

    def test_piece(self) -> None:
        """A piece of a word, and a word that goes wrong towards its end."""
        self.assertEqual(near.find(b"TOPIC"), b"JOIN_TOPIC")
        self.assertEqual(near.find(b"JOIN_TOPPPP"), b"JOIN_TOPIC")

    def test_nothing(self) -> None:
        """What is near nothing, too short or too long gets no answer."""
        for word in (b"", b"PI", b"FOO", b"J", b"QUIT" * LONGEST):
            self.assertIsNone(near.find(word), word)

    @given(st.binary(max_size=2 * LONGEST))
    def test_any_word(self, word: bytes) -> None:
        """Any bytes give a word of the list or none."""
        self.assertIn(near.find(word), [None, b"SEND_PING", b"PING", b"QUIT", b"JOIN_TOPIC", b"JOIN"])
