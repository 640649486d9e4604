"""Display names: any script, nothing that changes a terminal, one answer in every version of Python."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.display_names import DISPLAY_LENGTH, display_name, is_display_name

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
BLANKS = "\xa0\u1680\u2003\u202f\u205f\u3000"


class SampleTests(SynchronousTestCase):
    def test_scripts(self) -> None:
        """What people are called, as they write it."""
        for name in (
            *("Alice", "A", "Alice B. (mobile)", "Zoë", "鱼传尺素", "אליס", "🐟", "1", "¿?", "e\u0301"),
            *("山田\u3000太郎", "علی\u200cرضا", "क्\u200dष", "👩\u200d💻", "❤\ufe0f", "葛\U000e0100", f"{ENGLAND} T"),
            *("\U0001fae8 Ann", "ᲐᲑᲒ", "₿ob", "\U00020000", "\ue000", "\U000323b0", "Jean\u00a0Paul"),
        ):
            self.assertEqual(display_name(name.encode()), name.encode(), ascii(name))

    def test_blanks(self) -> None:
        """Blanks of any script around a name are no part of it."""
        for blank in BLANKS + " ":
            self.assertEqual(display_name(f"{blank}Ann{blank}B{blank}".encode()), f"Ann{blank}B".encode())

    def test_nothing_to_be_seen(self) -> None:
        """A name that shows nothing is refused: blanks, joiners, marks without a letter, letters without a shape."""
        shapeless = ("\u3164", "\u115f\u1160", "\u2800", "\xad", "\u200b")
        for name in ("", " ", "\u200d", "\u200d \u200d", "\u0301", "\ufe0f", *shapeless):
            self.assertFalse(is_display_name(name.encode()), ascii(name))

    def test_what_changes_a_terminal(self) -> None:
        """Controls, line ends, what turns the direction of writing, tags without a flag, wherever they are."""
        for sign in "\0\t\n\r\x1b\x7f\x85\u061c\u200e\u202e\u2028\u2029\u2066\ufdd0\uffff\U0010fffe\U000e0041":
            for name in (sign, f"A{sign}", f"{sign}A", f"A{sign}B"):
                self.assertFalse(is_display_name(name.encode()), ascii(name))
        self.assertFalse(is_display_name("Tom\U000e0067\U000e007f".encode()))
        self.assertFalse(is_display_name(b"Tom \xff"))
        self.assertFalse(is_display_name("Tom \ud800".encode("utf-8", "surrogatepass")))

    def test_sentence(self) -> None:
        """The refusal names the whole rule."""
        error = self.assertRaises(ValueError, display_name, b"a" * 65)
        self.assertIn(str(DISPLAY_LENGTH), str(error))

    def test_length(self) -> None:
        """64 characters, however many bytes those are."""
        self.assertTrue(is_display_name("鱼".encode() * 64))
        self.assertFalse(is_display_name(b"a" * 65))


class PropertyTests(SynchronousTestCase):
    @given(st.one_of(st.binary(), st.text().map(str.encode)))
    def test_any_bytes(self, raw: bytes) -> None:
        """Any bytes are accepted or refused; an accepted name is text on one line, not too long, and stays as it is."""
        if is_display_name(raw):
            name = display_name(raw)
            text = name.decode()
            self.assertTrue(0 < len(text) <= DISPLAY_LENGTH)
            self.assertEqual(text.splitlines(), [text])
            self.assertEqual(display_name(name), name)

    @given(st.text(st.characters(categories=["L", "N", "P", "S", "Co"]), min_size=1, max_size=64))
    def test_letters(self, text: str) -> None:
        """Letters, digits, signs and symbols of every script are accepted, in any order."""
        self.assertTrue(is_display_name(text.encode()) or not text.strip("\u115f\u1160\u3164\uffa0\u2800"), ascii(text))

    @given(st.characters(categories=["Cn"]))
    def test_later_unicode(self, sign: str) -> None:
        """What this Python does not know yet is accepted, but for the places that Unicode never fills."""
        never = 0xFDD0 <= ord(sign) <= 0xFDEF or ord(sign) & 0xFFFE == 0xFFFE
        hidden = 0xE0000 <= ord(sign) <= 0xE007F or ord(sign) in range(0x2065, 0x2070)
        self.assertEqual(is_display_name(f"A{sign}".encode()), not never and not hidden, ascii(sign))


class VersionTests(SynchronousTestCase):
    def test_no_table_of_this_python(self) -> None:
        """The rule asks nothing of the Unicode tables of the Python that runs it."""
        source = Path(sys.modules[display_name.__module__].__file__ or "").read_text(encoding="utf-8")
        self.assertIn("from unicodedata import ucd_3_2_0", source)
        for method in ("isprintable", "isalnum", "isalpha", "isidentifier", "normalize", "casefold"):
            self.assertNotIn(method, source)
