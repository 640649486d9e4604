"""The help of every command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from fishchat.cli import main
from fishchat.cli.config import template
from fishchat.proof.processes import HERE


def groups(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every group of commands."""
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from groups(command, (*path, name))


class Help(SynchronousTestCase):
    """What ``--help`` prints."""

    def test_lists(self) -> None:
        """A list of commands has a whole sentence for each of them, on a terminal of the usual width."""
        found = list(groups(main))
        self.assertIn(("user",), found)
        for path in found:
            told = CliRunner().invoke(main, [*path, "--help"], env={"COLUMNS": "80"}).output
            commands = re.split(r"^Commands:$", told, maxsplit=1, flags=re.MULTILINE)[1]
            for line in commands.strip().splitlines():
                self.assertRegex(line, r"^ *[a-z-]+  +[A-Z].*[^.]\.$", path)

    def test_optimised(self) -> None:
        """A Python that leaves docstrings out keeps the help, and the template of the configuration."""
        code = """if True:
            import sys
            from click.testing import CliRunner
            from fishchat.cli import main
            for line in ("--help", "user --help", "user revoke --help", "config init -"):
                sys.stdout.write(CliRunner().invoke(main, line.split(), env={"COLUMNS": "80"}).stdout)
        """
        environment = {**os.environ, "PYTHONPATH": HERE}
        plain, optimised = (
            subprocess.run(
                [sys.executable, *options, "-c", code], env=environment, capture_output=True, timeout=50, check=True
            ).stdout.decode()
            for options in ((), ("-OO",))
        )
        self.assertIn("Manage accounts, their devices and invitations.", plain)
        self.assertIn(template(), plain)
        self.assertEqual(optimised, plain)
