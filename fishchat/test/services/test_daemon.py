"""A role as a daemon: a refused start is told whole, on the terminal."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.processes import HERE

TWISTD = "from twisted.scripts.twistd import run; run()"


class RefusedStarts(SynchronousTestCase):
    def refused(self, role: str, **settings: str) -> str:
        """Start a role as a daemon; return what it says on the terminal."""
        data = Path(self.mktemp()).resolve()
        data.mkdir(mode=0o700)
        ended = subprocess.run(
            [sys.executable, "-c", TWISTD, "--pidfile", "role.pid", "--logfile", "role.log", role, "--data", str(data)],
            cwd=data,
            env={**os.environ, "PYTHONPATH": HERE, **{"FISHCHAT__" + key: value for key, value in settings.items()}},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(ended.returncode, 1, ended.stderr)
        return ended.stderr

    def test_port(self) -> None:
        """The whole reason with the key to change, although it is longer than what twistd shows of a failure."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            address = f"127.0.0.1:{other.getsockname()[1]}"
            told = self.refused("fishchat-gateway", GATEWAY__LISTEN=address)
        wanted = f"cannot listen on {address}: another program uses this port; stop it, or set `gateway.listen` "
        self.assertEqual(told.strip(), wanted + "(FISHCHAT__GATEWAY__LISTEN) to another port")

    def test_certificate(self) -> None:
        """A certificate that cannot be used is told in the same way."""
        told = self.refused("fishchat-gateway", GATEWAY__LISTEN="127.0.0.1:0", GATEWAY__LISTEN_TLS="127.0.0.1:0")
        self.assertIn("create a new pair with `fishchat cert server HOST`", told)
        self.assertNotIn("An error has occurred", told)
