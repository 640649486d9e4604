"""Children import nothing from the current directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.proof.processes import HERE
from fishchat.proof.site import Place, Up
from fishchat.services.launch import commands

#: Packages that FishChat imports, beside those of Python.
INSTALLED = ("argon2", "automat", "click", "fishchat", "hiredis", "msgpack", "msgspec", "scramp", "twisted", "zope")


def trap(directory: Path) -> Path:
    """Fill a directory with files named as modules, and return a file.

    A process that imports one of them writes its name to that file, and ends.
    """
    mark = directory / "imported"
    text = f"open({str(mark)!r}, 'a').write(__name__ + ' ')\nraise SystemExit('imported ' + __name__)\n"
    for name in {*sys.stdlib_module_names, *INSTALLED}:
        (directory / f"{name}.py").write_text(text)
    for name in ("email", "zope", "twisted", "json"):
        (directory / name).mkdir()
        (directory / name / "__init__.py").write_text(text)
    mark.touch()
    return mark


class CommandTests(SynchronousTestCase):
    def test_programs(self) -> None:
        """The command, a role, and the processes of `fishchat bench` and of the fuzzer start in any directory."""
        place = Path(self.mktemp()).resolve()
        place.mkdir()
        mark = trap(place)
        environment = {**os.environ, "PYTHONPATH": HERE}
        for command, wanted in (
            (commands.fishchat("--version"), b"fishchat"),
            (commands.twistd("fishchat-gateway", "--help"), b"--name="),
            (commands.program("fishchat.proof.bench.generator:main"), b"truncated"),
            (commands.program("fishchat.proof.fuzz.run:main", "--help"), b"usage"),
        ):
            with self.subTest(command):
                shown = subprocess.run(
                    command,
                    cwd=place,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
                self.assertIn(wanted, shown.stdout)
                self.assertEqual(mark.read_text(), "")

    def test_safe_path(self) -> None:
        """With PYTHONSAFEPATH, where Python adds no directory, the first one of the path stays."""
        environment = {**os.environ, "PYTHONPATH": HERE, "PYTHONSAFEPATH": "1"}
        told = subprocess.run(commands.fishchat("--version"), env=environment, capture_output=True, check=True)
        self.assertIn(b"fishchat", told.stdout)


class RoleTests(TestCase):
    timeout = 60

    def test_every_role(self) -> Deferred[None]:
        """Every role of `fishchat up --processes` runs in a directory of files that are named as modules."""
        return ensureDeferred(self._every_role())

    async def _every_role(self) -> None:
        directory = Path(self.mktemp()).resolve()
        directory.mkdir()
        mark = trap(directory)
        place = Place()
        self.addCleanup(place.close)
        up = Up(place, cwd=str(directory))
        self.addCleanup(up.kill)
        await up.when_alive(reactor, 40.0)
        self.assertEqual(mark.read_text(), "")
        self.assertEqual(await up.stop(reactor), 0)
