"""``SECURITY.md`` names what is there: tests, pages, keys, constants of the command line."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

from twisted.python.reflect import namedAny

from fishchat.cli import main
from fishchat.config import describe
from fishchat.test.pages.test_docs import ROOT, DocsCase, anchors, pages

PAGE = ROOT / "SECURITY.md"


class Named(DocsCase):
    """Whatever is said to protect has its proof."""

    def text(self) -> str:
        """The page."""
        return PAGE.read_text("utf-8")

    def named_tests(self, text: str) -> list[str]:
        """Modules and methods, as they stand in the last column of a table."""
        return re.findall(r"`((?:\w+\.)*test_\w+(?:\.\w+\.test_\w+)?)`", text)

    def test_tests(self) -> None:
        """Each test that is named is there, and each threat of the table has one."""
        section = self.text().split("## Protections")[1].split("\n## ")[0]
        rows = [row for row in section.splitlines() if row.startswith("| ")][1:]
        self.assertGreater(len(rows), 20)
        for row in rows:
            named = self.named_tests(row.split(" | ")[-1])
            self.assertTrue(named, row)
            for test in named:
                found: Any = namedAny("fishchat.test." + test)
                self.assertTrue(isinstance(found, ModuleType) or callable(found), test)

    def test_links(self) -> None:
        """Links lead to a page, and to a heading on it."""
        links = re.findall(r"\]\(([^)\s]+)\)", self.text())
        self.assertGreater(len(links), 3)
        for link in links:
            target, _, anchor = link.partition("#")
            self.assertTrue((ROOT / target).exists(), link)
            self.assertTrue(not anchor or anchor in anchors((ROOT / target).read_text("utf-8")), link)

    def test_keys(self) -> None:
        """Keys of the configuration and commands are what they are called."""
        keys = re.findall(r"`((?:limits|accounts|risks|monitor)\.\w+)`", self.text())
        self.assertEqual([key for key in keys if key not in describe.leaves()], [])
        for command in re.findall(r"`fishchat (\w+)", self.text()):
            self.assertIn(command, main.commands)

    def test_found(self) -> None:
        """Who begins at the README finds the page."""
        self.assertIn("(SECURITY.md)", pages()["README.md"])
