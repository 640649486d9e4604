"""The rules of ``doc/style.md`` that a machine can check: docstrings, and what users read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
from twisted.trial.unittest import SynchronousTestCase

import fishchat
from fishchat.cli import main
from fishchat.errors import WORDS
from fishchat.features.registry import VERBS
from fishchat.services.gateway.rows import GATEWAY_VERBS
from fishchat.test.pages.test_docs import CHECKED_OUT, ROOT

PACKAGE = Path(fishchat.__file__).parent

#: What is clean already, below ``fishchat/``. The list grows until it is the package itself.
CLEAN: tuple[str, ...] = (
    "bus",
    "cli",
    "client",
    "config",
    "errors.py",
    "features",
    "interfaces.py",
    "model",
    "net",
    "proof",
    "protocols",
    "services/gateway",
    "services/launch",
    "services/manager",
    "services/monitor",
    "services/msg_server",
    "services/net",
    "services/redis",
    "services/reference.py",
    "services/role.py",
    "services/roles.py",
    "services/router",
    "services/running",
    "services/web",
    "storage",
    "testing",
)
#: Pages that nobody has gone over yet.
UNREAD: tuple[str, ...] = ()

#: Commands whose first sentences are still too long for the list of commands.
LONG: tuple[str, ...] = ("fishchat bench", "fishchat lab")

#: How a docstring begins that says nothing outside of its place.
PRONOUN = re.compile(
    r"(?:It|They|That|Here (?:is|are|it|they)|Do so|One more|As it)\b"
    r"|The same(?=[.,;]| (?:again|as|for|in|of|on|to|with|without)\b)"
)

#: Turns of phrase that a reader has to translate, and what to write instead.
BANNED = {
    r"\bwho(?:m)?ever\b": "client, caller, peer, operator, anyone who",
    r"\bwhatever (?:comes|goes|stands|lies|is there)\b": "name it",
    r"\b(?:is|are|was|were|be|been|being) told\b": "is notified, receives, is answered; logged, reported",
    r"\b(?:come|comes|came|coming|go|goes|went|going|gone) (?:on )?again\b": "is repeated, returns, reconnects",
    r"\bgo(?:es)? on\b": "continue",
    r"\bbehind (?:it|them|that|this|these|those|itself|each|every|others|whom|which|what)\b": "after",
    r"\b(?:is|are|was|were) (?:not )?there\b(?! (?:a|an|any|no)\b)": "exists, is available, is online",
    r"(?<!there )\b(?:is|are) none\b": "is not one; is missing",
    r"\b(?:stand|stands|stood|lie|lies|lay) (?:in|behind|before|after|above|below|between|there)\b": "is",
    r"\b(?:is|are) to (?:be|have)\b": "must be, is",
    r"\b(?:can|may|could) be had\b": "is available",
    r"\b(?:take|takes|took|taken) for\b": "treat as",
    r"(?:^|[.!:] )Who(?:m|se)? [^.?]*\.(?:\s|$)": "begin with the subject: a client that, an account that",
    r"(?:^|[.!] )What [^.?]*\.(?:\s|$)": "begin with the subject: the thing itself",
}
_CODE = re.compile(r"^```.*?^```$|^(?:    [^\n]*\n)+|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text is not None:
                yield getattr(node, "lineno", 1), text


def bad_docstring(text: str) -> bool:
    """Whether a docstring is a fragment, or begins with a pronoun."""
    return len(text.split()) < 3 or PRONOUN.match(text) is not None


def problems(text: str) -> list[str]:
    """The banned turns of phrase in ``text``, each with what to write instead."""
    found = []
    for pattern, instead in BANNED.items():
        for match in re.finditer(pattern, text, re.IGNORECASE if pattern.startswith(r"\b") else 0):
            found.append(f"{match[0].strip()!r}: {instead}")
    return found


def prose(page: str) -> Iterator[str]:
    """The paragraphs and cells of a page, each on one line, without its code."""
    for paragraph in re.split(r"\n\s*\n", _CODE.sub("`…`", page)):
        for part in re.split(r"\n(?=[|#>-]|\d+\. )|\|", paragraph):
            yield " ".join(part.lstrip("-#> ").split())


def command_texts(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    """The name and the text of every help of a command and of those below it."""
    yield path, command.help or ""
    for option in command.params:
        if isinstance(option, click.Option):
            yield f"{path} {option.opts[0]}", option.help or ""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from command_texts(below, f"{path} {name}")


class StyleCase(SynchronousTestCase):
    def assertNone(self, wrong: list[str]) -> None:
        self.assertEqual(wrong, [], "\n".join(wrong))


class DocstringTests(StyleCase):
    """Docstrings say what they are about."""

    def test_clean(self) -> None:
        """No fragments and no pronouns in what is clean already."""
        wrong = []
        for name in CLEAN:
            path = PACKAGE / name
            self.assertTrue(path.exists(), name)
            for module in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
                wrong += [f"{module}:{line}: {text}" for line, text in docstrings(module) if bad_docstring(text)]
        self.assertNone(wrong)

    def test_refused(self) -> None:
        """The kinds that are refused, and one that is not."""
        for text in ("Here it is.", "It has come in by now.", "The same for all.", "They are through with it."):
            self.assertTrue(bad_docstring(text), text)
        self.assertFalse(bad_docstring("Return the next line."))


class WordingTests(StyleCase):
    """What users read is plain English."""

    def test_words(self) -> None:
        """The sentences after ``ERR``."""
        self.assertNone([f"{word}: {each}" for word, text in WORDS.items() for each in problems(text)])

    def test_verbs(self) -> None:
        """The answers to ``HELP``."""
        verbs = (*VERBS, *GATEWAY_VERBS)
        self.assertNone([f"{verb.name.decode()}: {each}" for verb in verbs for each in problems(verb.help)])

    def test_command_line(self) -> None:
        """The help of every command and option."""
        texts = command_texts(main, "fishchat")
        self.assertNone([f"{name}: {each}" for name, text in texts for each in problems(" ".join(text.split()))])

    def test_first_sentences(self) -> None:
        """The lists of commands show whole sentences."""
        cut = []
        for name, text in command_texts(main, "fishchat"):
            short = click.Command("x", help=text).get_short_help_str(60)
            if " --" not in name and not name.startswith(LONG) and short.endswith("..."):
                cut.append(f"{name}: {short}")
        self.assertNone(cut)

    def test_pages(self) -> None:
        """The pages, but those that nobody has gone over yet."""
        wrong = []
        for path in sorted([*ROOT.glob("*.md"), *(ROOT / "changes").glob("*.md"), *(ROOT / "doc").rglob("*.md")]):
            page = str(path.relative_to(ROOT))
            if page != "doc/style.md" and not page.startswith(UNREAD):
                for part in prose(path.read_text(encoding="utf-8")):
                    wrong += [f"{page}: {each}: {part[:80]}" for each in problems(part)]
        self.assertNone(wrong)

    if not CHECKED_OUT:
        test_pages.skip = "the documents are not installed with the package"  # type: ignore[attr-defined]
