"""The feature of ``doc/adding-a-feature.md``, made from the blocks of that page, works from end to end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from fishchat.storage.header import parse
from fishchat.test.pages.test_docs import CHECKED_OUT, DOC, ROOT

#: A file of the page: its name in bold, then its text in a block.
_FILE = re.compile(r"^\*\*`([\w.]+)`\*\*[^\n]*\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

#: Run a module like ``python -m``, with features in one more directory.
_RUN = """
import runpy, sys
import fishchat.features
fishchat.features.__path__.append(sys.argv[1])
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def files() -> dict[str, str]:
    """Return the text of every file that the page shows, by name; the script gets its ending."""
    page = (DOC / "adding-a-feature.md").read_text(encoding="utf-8")
    return {name + (".lua" if kind == "lua" else ""): text for name, kind, text in _FILE.findall(page)}


class NewFeatureTests(TestCase):
    """A feature from nothing: no file of FishChat knows of it."""

    if not CHECKED_OUT:
        skip = "the documents are not installed with the package"

    timeout = 120

    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.features = self.directory / "more"
        self.feature = self.features / "waves"
        self.pages = self.directory / "doc" / "features"
        for made in (self.feature, self.pages):
            made.mkdir(parents=True)
        for name, text in files().items():
            place = self.pages if name.endswith(".md") else self.directory if name.startswith("test_") else self.feature
            (place / name).write_text(text, encoding="utf-8")

    def run_module(self, *words: str) -> Deferred[None]:
        """Run a module, for which the directory with the feature belongs to the package of features."""
        command = [sys.executable, "-c", _RUN, str(self.features), *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}

        def run() -> None:
            done = subprocess.run(command, cwd=self.directory, env=environment, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

        return deferToThread(run)

    def test_files(self) -> None:
        """The page shows every part of a feature, and the header of the script is complete."""
        found = files()
        parts = {"__init__.py", "rows.py", "wave.lua", "calls.py", "handlers.py", "client.py"}
        self.assertEqual(found.keys(), parts | {"waves.md", "test_waves.py"})
        header = parse(found["wave.lua"])
        self.assertTrue(header.fenced)
        self.assertIn("waves:<account>", header.writes)

    def test_end_to_end(self) -> Deferred[None]:
        """Its test passes in a cluster: command, script, push, ``HELP``, client. So does the test of all features."""
        return self.run_module("twisted.trial", "test_waves", "fishchat.test.features.test_registry")

    async def _pages(self) -> None:
        protocol = self.pages.parent / "protocol.md"
        protocol.write_text((DOC / "protocol.md").read_text(encoding="utf-8"), encoding="utf-8")
        await self.run_module("fishchat.services.reference", str(protocol))
        page = (self.pages / "waves.md").read_text(encoding="utf-8")
        for text in ("- `SEND_WAVE <account>` waves at an account.", "| `RESP_WAVE <account> <times>` |", "send-wave"):
            self.assertIn(text, page)
        self.assertIn("- `SEND_WAVE <account>` waves at an account.", protocol.read_text(encoding="utf-8"))

    def test_pages(self) -> Deferred[None]:
        """Its page, and that of the protocol, are generated."""
        return Deferred.fromCoroutine(self._pages())
