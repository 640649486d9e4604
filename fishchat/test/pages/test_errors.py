"""The words of refusals."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import fishchat
from fishchat.client.replies import parse_error
from fishchat.errors import NEEDS, UNTIL, WORDS, ProtocolError, Refusal
from fishchat.features.registry import VERBS
from fishchat.protocols.replies import error_line
from fishchat.protocols.rows import Verb

PACKAGE = Path(fishchat.__file__).parent


def raised() -> set[str]:
    """Every word that the sources raise by name, or that a script gives."""
    words: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if "test" not in path.parts:
            words.update(re.findall(r'(?:Refusal|ProtocolError)\(\s*"([A-Z_0-9]+)"', path.read_text(encoding="utf-8")))
    for path in PACKAGE.rglob("*.lua"):
        words.update(re.findall(r"(?:return|or) \{?'([A-Z]+)[ ']", path.read_text(encoding="utf-8")))
    # What scripts say to servers, routers and the command line, not to clients.
    return words - {
        "OK",
        "LEASE",
        "AGAIN",
        "EPOCH",
        "KEPT",
        "NEW",
        "LOST",
        "GIVEN",
        "TAKEN",
        "DUP",
        "DISABLED",
        "DELETED",
        "NEVER",
    }


class WordTests(SynchronousTestCase):
    def test_known(self) -> None:
        """Whatever is refused, the word is in the table."""
        self.assertEqual(raised() - set(WORDS), set())

    def test_used(self) -> None:
        """The table promises nothing that is never said."""
        text = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "services").rglob("*.py"))
        spoken = {word for word in WORDS if f'"{word}"' in text}
        self.assertEqual(set(WORDS) - raised() - spoken, set())

    def test_sentences_of_verbs(self) -> None:
        """A verb's own sentence replaces the usual one of a word, and not one that says more; the word remains."""
        verb = Verb(b"SEND_WAVE", "waves", says={"NOTFOUND": "nobody sees this wave"})
        for refusal, wanted in (
            (Refusal("NOTFOUND"), b"NOTFOUND nobody sees this wave"),
            (Refusal("NOTFOUND", "no such sea"), b"NOTFOUND no such sea"),
            (Refusal("FULL", limit=7), b"FULL limit=7 " + WORDS["FULL"].encode()),
        ):
            self.assertEqual(error_line(refusal, verb, {}), b"ERR SEND_WAVE " + wanted + b"\r\n")
        self.assertEqual({word for verb in VERBS for word in verb.says} - set(WORDS), set())

    def test_needed_rights(self) -> None:
        """A refusal for want of a right says who has it."""
        self.assertEqual(Refusal("RIGHTS", needs="owner").text, NEEDS["owner"])
        self.assertEqual(Refusal("RIGHTS", needs="magic").text, WORDS["RIGHTS"])
        sources = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.lua"))
        self.assertEqual(set(re.findall(r"needs=(\w+)", sources)) - set(NEEDS), set())

    def test_times(self) -> None:
        """A refusal with an end shows it as people write times; the word and its data remain."""
        for word in UNTIL:
            line = Refusal(word, until="1795581000123").line(b"SEND_WAVE").decode()
            self.assertRegex(line, rf"{word} until=1795581000123 .* 2026-11-2\d \d\d:\d\d:00 [+-]\d{{4}}")
            self.assertEqual(Refusal(word).text, WORDS[word])

    def test_form(self) -> None:
        """A word is one word, its sentence one line that a parser cannot take for a key."""
        for text in [*NEEDS.values(), *(text for verb in VERBS for text in verb.says.values())]:
            self.assertTrue(text.isprintable() and text == text.strip())
            self.assertNotRegex(text, r"\A[a-z_]+=")
        for word, text in WORDS.items():
            self.assertRegex(word, r"\A[A-Z][A-Z0-9_]*\Z")
            self.assertTrue(text.isprintable() and text == text.strip())
            self.assertNotRegex(text, r"\A[a-z_]+=")


class RefusalTests(SynchronousTestCase):
    def test_line(self) -> None:
        """Verb, word, what a program needs, a sentence for people."""
        refusal = Refusal("GAP", expected=17)
        self.assertEqual(
            refusal.line(b"SEND_MESSAGE_P2P"), b"ERR SEND_MESSAGE_P2P GAP expected=17 " + WORDS["GAP"].encode()
        )
        self.assertEqual(ProtocolError("NUL", "no").line(b"-"), b"ERR - NUL no")
        self.assertEqual(Refusal("FULL", "full", limit=3, retry=1).line(b"X"), b"ERR X FULL limit=3 retry=1 full")

    def test_unknown_word(self) -> None:
        """A word that is not in the table cannot be said by default."""
        self.assertRaises(KeyError, Refusal, "NOSUCHWORD")

    def test_read_back(self) -> None:
        """A client reads word, keys and sentence of every refusal."""
        for word, text in WORDS.items():
            error = parse_error(Refusal(word, expected=17, retry=2).line(b"X").split(b" ", 2)[2])
            self.assertEqual((error.word, error.text, error.extra), (word, text, {"expected": "17", "retry": "2"}))
