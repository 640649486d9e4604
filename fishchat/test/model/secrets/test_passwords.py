"""Passwords: what they may be, what is kept of them, and that nobody's costs as much as somebody's."""

from __future__ import annotations

from typing import Any

from argon2 import PasswordHasher, extract_parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import Refusal
from fishchat.model.secrets import passwords
from fishchat.model.secrets.passwords import Costs, check, is_dated, make, pack_scram, parse_scram, prepared

#: As little as the configuration allows.
CHEAP = Costs(8192, 1, 4096)
RIGHT = b"correct horse"

_few = settings(max_examples=40, deadline=None)
_verifier = make(RIGHT, CHEAP)


class PreparedTests(SynchronousTestCase):
    def assert_none(self, password: bytes) -> Refusal:
        """It may be no password."""
        refusal: Refusal = self.assertRaises(Refusal, prepared, password)
        self.assertEqual(refusal.word, "PASSWORD")
        return refusal

    def test_one_form(self) -> None:
        """However it is typed it is the same password: wide letters, hard blanks, accents apart, soft hyphens."""
        for typed, same in [
            ("pässwörter", "pa\u0308sswo\u0308rter"),
            ("password 1", "ｐassword\u00a01"),
            ("password 1", "pass\u00adword 1"),
            ("filigree-12", "ﬁligree-12"),
        ]:
            self.assertEqual(prepared(typed.encode()), prepared(same.encode()))

    def test_blanks_count(self) -> None:
        """A password is kept as it is typed otherwise: blanks, also at its ends, and large and small letters."""
        self.assertEqual(prepared(b"  Correct  Horse "), "  Correct  Horse ")

    def test_length(self) -> None:
        """8 to 256 letters, counted in the form that is hashed."""
        for password in ("a" * 8, "a" * 256, "鱼" * 8, "鱼" * 256):
            self.assertEqual(prepared(password.encode()), password)
        for password in ("", "a" * 7, "a" * 257, "aaaaaaa\u00ad\u00ad", "鱼" * 7, "ﬁ" * 129):
            refusal = self.assert_none(password.encode())
            self.assertEqual(refusal.extra, {"shortest": 8, "longest": 256})

    def test_letters_in_two(self) -> None:
        """Letters that were typed as two count once; what is longer still is too long, whatever it would become."""
        self.assertEqual(prepared("a\u0308".encode() * 256), "ä" * 256)
        for password in ("a\u0308" * 257, "\u00ad" * 1021 + "password", "a" * 7168, "\0" * 7168):
            self.assertEqual(self.assert_none(password.encode()).extra, {"shortest": 8, "longest": 256})

    def test_what_is_no_text(self) -> None:
        """Bytes that are no UTF-8, control characters, letters that no table knows, directions that are mixed."""
        for password in (b"\xff" * 8, b"password\0", b"pass\nword", b"password\x7f", "password🐟".encode()):
            self.assert_none(password)
        self.assert_none("abcdאבגדabcd".encode())

    def test_which(self) -> None:
        """A refusal names the place of the character, or the rule of directions, and never a part of the password."""
        for password, place in {
            "horse 🐴 battery": 7,
            "salary₹50000": 7,
            "STRAẞE2026": 5,
            "\u10d0\u1c90longer": 2,
        }.items():
            text = self.assert_none(password.encode()).text
            self.assertTrue(text.startswith(f"character {place} of the password is not allowed: "), text)
            self.assertTrue(text.isascii())
        for password in ("סיסמהטובה1234", "كلمةالسر123", "abcdאבגדabcd"):
            self.assertIn("must begin and end with such a letter", self.assert_none(password.encode()).text)
        self.assertIn("UTF-8", self.assert_none(b"\xff" * 8).text)

    def test_tokens(self) -> None:
        """What begins as a token does can be none, or nobody could tell which was meant."""
        self.assert_none(b"fct_" + b"x" * 43)

    @given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
    def test_anything(self, password: bytes) -> None:
        """Any bytes are accepted as a password or refused, and the refusal contains no part of them."""
        try:
            text = prepared(password)
        except Refusal as refusal:
            self.assertEqual(refusal.word, "PASSWORD")
            return
        self.assertTrue(8 <= len(text) <= 256)
        # One more time changes nothing: what is compared is what was hashed.
        self.assertEqual(prepared(text.encode()), text)


class CheckTests(SynchronousTestCase):
    def test_right_and_wrong(self) -> None:
        """The password itself, however it is typed, and no other one."""
        kept = make("pässwörter".encode(), CHEAP)
        self.assertTrue(check("pa\u0308sswo\u0308rter".encode(), kept.argon, CHEAP))
        for wrong in ("passworter", "Pässwörter", "pässwörter ", "pässwörte", ""):
            self.assertFalse(check(wrong.encode(), kept.argon, CHEAP), wrong)

    def test_salted(self) -> None:
        """The same password twice is kept as two different things."""
        other = make(RIGHT, CHEAP)
        self.assertNotEqual(other.argon, _verifier.argon)
        self.assertNotEqual(parse_scram(other.scram)[1:], parse_scram(_verifier.scram)[1:])

    def test_other_costs(self) -> None:
        """A hash that was made at other costs is good as long as the password is right, and known as dated."""
        today = Costs(9216, 1, 4096)
        self.assertTrue(check(RIGHT, _verifier.argon, today))
        self.assertFalse(is_dated(_verifier.argon, _verifier.scram, CHEAP))
        for costs in (today, Costs(8192, 2, 4096), Costs(8192, 1, 4097)):
            self.assertTrue(is_dated(_verifier.argon, _verifier.scram, costs), costs)

    def test_nobodys(self) -> None:
        """Nobody's password is none, not even the one that is no password."""
        for password in (RIGHT, b"", b"\xff", b"fct_x"):
            self.assertFalse(check(password, b"", CHEAP))

    def test_what_is_no_hash(self) -> None:
        """A hash that was damaged is nobody's."""
        for argon in (
            b"argon",
            b"$argon2id$v=19$m=8192,t=1,p=1$",
            _verifier.argon[:-4],
            _verifier.scram,
            b"\xff",
            "é".encode(),
        ):
            self.assertFalse(check(RIGHT, argon, CHEAP), argon)

    @_few
    @given(st.one_of(st.binary(max_size=40), st.text(min_size=8, max_size=20).map(str.encode)))
    def test_anything(self, password: bytes) -> None:
        """Any other password is wrong, and no check raises an error."""
        self.assertEqual(check(password, _verifier.argon, CHEAP), password == RIGHT)
        self.assertFalse(check(password, b"", CHEAP))

    def test_not_shown(self) -> None:
        """What is kept of a password is not printed by accident."""
        self.assertEqual(repr(_verifier), "Verifier()")


class CostTests(SynchronousTestCase):
    """How many hashes are made, and at what cost: time would be told by those."""

    def setUp(self) -> None:
        """Write down each hash; they are made all the same."""
        self.made: list[Any] = []
        original_verify, original_hash = PasswordHasher.verify, PasswordHasher.hash

        def verify(hasher: PasswordHasher, argon: Any, password: Any) -> Any:
            self.made.append(extract_parameters(argon))
            return original_verify(hasher, argon, password)

        def make_hash(hasher: PasswordHasher, *args: Any, **options: Any) -> Any:
            self.made.append("hash")
            return original_hash(hasher, *args, **options)

        self.patch(PasswordHasher, "verify", verify)
        self.patch(PasswordHasher, "hash", make_hash)

    def cost(self, password: bytes, argon: bytes, costs: Costs = CHEAP) -> list[Any]:
        """What one check makes."""
        self.made.clear()
        check(password, argon, costs)
        return list(self.made)

    def test_unknown_accounts(self) -> None:
        """One hash of today's cost, for a right, a wrong, an impossible password; and as much where nobody is."""
        usual = self.cost(RIGHT, _verifier.argon)
        self.assertEqual([(each.memory_cost, each.time_cost, each.parallelism) for each in usual], [(8192, 1, 1)])
        for password in (RIGHT, b"wrong password", b"", b"short", b"\xff" * 9, b"fct_x", b"a" * 5000):
            self.assertEqual(self.cost(password, _verifier.argon), usual, password)
            self.assertEqual(self.cost(password, b""), usual, password)

    def test_the_first_one(self) -> None:
        """Also the first time that a server of these costs is asked about an account that is not there."""
        for costs in (Costs(8193, 1, 4096), Costs(8192, 3, 4096)):
            kept = passwords.make(RIGHT, costs)
            self.assertEqual(self.cost(RIGHT, b"", costs), self.cost(RIGHT, kept.argon, costs))


class ScramFormTests(SynchronousTestCase):
    def test_form(self) -> None:
        """As RFC 5803 writes it, so that other servers can read it."""
        packed = pack_scram(4096, b"salt" * 4, b"s" * 32, b"k" * 32)
        self.assertEqual(packed.split(b"$")[0], b"SCRAM-SHA-256")
        self.assertEqual(packed.split(b"$")[1], b"4096:c2FsdHNhbHRzYWx0c2FsdA==")

    @given(st.integers(1, 10_000_000), st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
    def test_round_trip(self, rounds: int, salt: bytes, stored: bytes, server: bytes) -> None:
        """What is packed is found again."""
        self.assertEqual(parse_scram(pack_scram(rounds, salt, stored, server)), (rounds, salt, stored, server))

    @given(
        st.one_of(
            st.binary(),
            st.lists(st.sampled_from([b"SCRAM-SHA-256", b"$", b":", b"4096", b"c2E=", b"x", b"\xff"])).map(b"".join),
        )
    )
    def test_anything(self, verifier: bytes) -> None:
        """What is no verifier is a ValueError, and nothing else."""
        try:
            rounds, *_ = parse_scram(verifier)
        except ValueError:
            return
        self.assertIsInstance(rounds, int)
