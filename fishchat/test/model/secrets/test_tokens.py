"""Secrets that the server makes."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.secrets.tokens import fingerprint, is_token, new_invitation, new_token


class TokenTests(SynchronousTestCase):
    def test_looks(self) -> None:
        """A token is one word that says what it is and holds 256 random bits; an invitation is shorter."""
        self.assertTrue(re.fullmatch(rb"fct_[A-Za-z0-9_-]{43}", new_token()))
        self.assertTrue(re.fullmatch(rb"fci_[A-Za-z0-9_-]{22}", new_invitation()))

    def test_never_twice(self) -> None:
        """Each one is another one."""
        made = [make() for make in (new_token, new_invitation) for _ in range(200)]
        self.assertEqual(len(set(made)), len(made))

    def test_told_apart(self) -> None:
        """A secret that begins as a token does is one; an invitation is none."""
        self.assertTrue(is_token(new_token()))
        self.assertTrue(is_token(b"fct_"))
        for secret in (new_invitation(), b"", b"fct", b"FCT_x", b" fct_x", b"correct horse"):
            self.assertFalse(is_token(secret), secret)

    def test_fingerprint(self) -> None:
        """SHA-256 in hex, as anybody may compute it to compare."""
        known = b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        self.assertEqual(fingerprint(b"abc"), known)

    @given(st.binary())
    def test_fingerprint_of_anything(self, secret: bytes) -> None:
        """It has one form, holds no blank, which the store divides by, and nothing of the secret."""
        mark = fingerprint(secret)
        self.assertTrue(re.fullmatch(rb"[0-9a-f]{64}", mark))
        self.assertEqual(mark, fingerprint(secret))
        self.assertNotEqual(mark, fingerprint(secret + b"\0"))
