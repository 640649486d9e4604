"""The locked requirements: everything that FishChat needs, pinned, with hashes, and within what ``setup.py`` allows."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from twisted.trial.unittest import SynchronousTestCase

import fishchat

LOCK = Path(fishchat.__file__).parent.parent / "requirements.lock"


class Locked(SynchronousTestCase):
    """The file, without asking anybody; ``make lock`` makes it anew."""

    if not LOCK.exists():
        skip = "the locked requirements are not installed with the package"

    def pins(self) -> list[Requirement]:
        """What stands in it, each with its hashes."""
        entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^ *#.*\n?", "", LOCK.read_text("utf-8")).strip())
        for entry in entries:
            self.assertRegex(entry, r"--hash=sha256:[0-9a-f]{64}", entry)
        return [Requirement(entry.split(" \\\n")[0]) for entry in entries]

    def test_pinned(self) -> None:
        """Each entry is one version, and each of its versions has hashes."""
        pins = self.pins()
        self.assertGreater(len(pins), 20)
        for pin in pins:
            self.assertRegex(str(pin.specifier), r"^==[0-9][^,*]*$", pin.name)

    def test_complete(self) -> None:
        """Whatever the package requires is pinned, to a version that it may be."""
        pinned: dict[str, list[str]] = {}
        for pin in self.pins():
            pinned.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier).removeprefix("=="))
        needed = [Requirement(one) for one in requires("fishchat") or () if "extra ==" not in one]
        self.assertGreater(len(needed), 8)
        for one in needed:
            versions = pinned.get(canonicalize_name(one.name), [])
            self.assertTrue(versions, f"{one.name} is not pinned: make lock")
            wrong = [version for version in versions if not one.specifier.contains(version, prereleases=True)]
            self.assertEqual(wrong, [], f"{one}: make lock")
