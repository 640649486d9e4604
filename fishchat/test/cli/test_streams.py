"""Commands whose standard streams are closed, or cannot show every letter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.processes import HERE

FISHCHAT = f"{sys.executable} -c 'from fishchat.cli import main; main()'"


class Streams(SynchronousTestCase):
    """Whole processes, started by a shell."""

    def run_line(self, line: str, **more: str) -> tuple[int, str, str]:
        """Run a line of the shell; ``fishchat`` is the command. Returns status, output and errors."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FISHCHAT")}
        environment.update(PYTHONPATH=HERE, XDG_DATA_HOME=str(Path(self.mktemp()).absolute()), **more)
        command = line.replace("fishchat", FISHCHAT, 1)
        done = subprocess.run(command, shell=True, env=environment, capture_output=True, timeout=50, check=False)
        return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1")

    def test_no_input(self) -> None:
        """A closed standard input is an empty one."""
        for line, why in (
            ("fishchat user add zoe", "no password: use --password-file"),
            ("fishchat user add zoe --password-file -", "a password must"),
            ("fishchat user delete zoe", "confirm with --yes"),
        ):
            status, out, told = self.run_line(f"{line} <&-")
            self.assertEqual((status, out), (1, ""))
            self.assertIn(why, told)
            self.assertNotIn("Traceback", told)

    def test_no_output(self) -> None:
        """Closed outputs take nothing, and the command works."""
        self.assertEqual(self.run_line("fishchat config show >&-")[:2], (0, ""))
        self.assertEqual(self.run_line("fishchat config check --config /none.toml 2>&-")[:2], (1, ""))

    def test_letters(self) -> None:
        """What the terminal cannot show is escaped, not the end of the command."""
        status, out, told = self.run_line(
            "fishchat config show", PYTHONIOENCODING="latin-1", FISHCHAT__TLS__KEY="/home/鱼/server.key"
        )
        self.assertEqual(status, 0, told)
        self.assertIn(r'tls.key = "/home/\u9c7c/server.key"', out)
