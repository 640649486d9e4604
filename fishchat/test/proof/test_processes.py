"""Free ports, and children that behave the same however the tests were started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.processes import children, command_line, free_rows, prepare_child, role_of

_SHOW = "import signal; print(*(signal.getsignal(s) == signal.SIG_IGN for s in (signal.SIGHUP, signal.SIGQUIT)))"


class PortTests(SynchronousTestCase):
    def test_rows(self) -> None:
        """All ports of all rows are free, and none is in two rows."""
        lengths = [1, 4, 2]
        rows = [range(first, first + length) for first, length in zip(free_rows(lengths), lengths, strict=True)]
        ports = [port for row in rows for port in row]
        self.assertEqual(len(set(ports)), sum(lengths))
        for port in ports:
            with socket.socket() as holder:
                holder.bind(("127.0.0.1", port))


class ChildTests(SynchronousTestCase):
    def test_signals(self) -> None:
        """Under `nohup`, or in the background of a shell, a child still has the default actions of signals."""
        for signum in (signal.SIGHUP, signal.SIGQUIT):
            self.addCleanup(signal.signal, signum, signal.signal(signum, signal.SIG_IGN))
        shown = subprocess.run([sys.executable, "-c", _SHOW], stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual(shown.stdout.split(), ["True", "True"])
        prepare = partial(prepare_child, os.getpid())
        command = [sys.executable, "-c", _SHOW]
        shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=prepare)
        self.assertEqual(shown.stdout.split(), ["False", "False"])

    def test_gone(self) -> None:
        """A process that is gone has no children, no command line and no role."""
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.assertIn(process.pid, children(os.getpid()))
        self.assertEqual(command_line(process.pid)[1:], ["-c", "input()"])
        process.communicate(b"\n")
        self.assertEqual((children(process.pid), command_line(process.pid), role_of(process.pid)), ([], [], ""))
