"""The files in ``deploy/`` start programs and roles that exist, with the same restrictions everywhere."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

import fishchat
from fishchat.config import describe

ROOT = Path(fishchat.__file__).parent.parent
DEPLOY = ROOT / "deploy"
#: Units with a role in their name, and the roles that the page names for them.
ROLES = ("gateway", "router", "manager", "monitor")


def settings(unit: Path) -> list[tuple[str, str]]:
    """Return the settings of a unit in their order; a key may occur several times."""
    lines = unit.read_text(encoding="utf-8").splitlines()
    return [(key, value) for line in lines for key, sign, value in [line.partition("=")] if sign and key[0] != "#"]


class DeployTests(SynchronousTestCase):
    """What the units and the image start exists."""

    if not DEPLOY.exists():
        skip = "the files for operators are not installed with the package"

    def setUp(self) -> None:
        self.units = sorted((DEPLOY / "systemd").glob("*.service"))
        self.assertEqual(len(self.units), 3)

    def test_programs(self) -> None:
        """Units start ``fishchat`` or a plugin of ``twistd``."""
        plugins = {plugin.tapname for plugin in getPlugins(IServiceMaker)}
        for unit in self.units:
            (command,) = [value for key, value in settings(unit) if key == "ExecStart"]
            words = command.split()
            self.assertIn(words[0], ("/opt/fishchat/bin/fishchat", "/opt/fishchat/bin/twistd"))
            if words[0].endswith("twistd"):
                (plugin,) = [word for word in words if word.startswith("fishchat-")]
                named = [plugin.replace("%i", role) for role in ROLES] if "%i" in plugin else [plugin]
                self.assertEqual(set(named) - plugins, set())

    def test_same_restrictions(self) -> None:
        """The three units have the same rights."""
        texts = [unit.read_text(encoding="utf-8") for unit in self.units]
        rights = {text[text.index("UMask=") : text.index("[Install]")] for text in texts}
        self.assertEqual(len(rights), 1)
        self.assertIn("NoNewPrivileges=yes", rights.pop())

    def test_variables(self) -> None:
        """Variables of FishChat in the files are keys of its configuration."""
        known = describe.leaves().keys()
        named = set()
        for path in DEPLOY.rglob("*"):
            if path.is_file():
                named |= set(re.findall(r"FISHCHAT__[A-Z0-9_]+", path.read_text(encoding="utf-8")))
        self.assertTrue(named)
        self.assertEqual([name for name in named if describe.key_of(name) not in known], [])

    def test_copied(self) -> None:
        """Everything that the image copies from the project is there."""
        text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
        copied = [name for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE) for name in line.split()]
        self.assertIn("fishchat", copied)
        self.assertEqual([name for name in copied if not (ROOT / name).exists()], [])
