"""Identities of processes, and the proof that one has ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.services.running import incarnation
from fishchat.services.running.incarnation import instance, is_dead, new_incarnation, place


def named(process: int, started: str = "", where: str = "") -> bytes:
    """Return the lease of a process of this machine, or of another place."""
    found = incarnation._found(str(process))[1]
    return f"0a1b2c3d-{where or place()}-{process}-{started or found}.3".encode()


class Incarnations(SynchronousTestCase):
    if not place():
        skip = "this system shows no boots and PID namespaces"

    def test_living(self) -> None:
        """A process that runs is not dead."""
        self.assertFalse(is_dead(named(os.getppid())))

    def test_gone(self) -> None:
        """A process that has ended is dead, also while its parent has not asked for its exit code."""
        ended = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        name = named(ended.pid)
        self.assertFalse(is_dead(name))
        assert ended.stdin is not None
        ended.stdin.close()
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        self.assertTrue(is_dead(name))
        ended.wait()
        self.assertTrue(is_dead(name))

    def test_number_used_again(self) -> None:
        """A process with the number of an earlier one does not keep that one alive; nor do we ourselves."""
        self.assertTrue(is_dead(named(os.getppid(), started="1")))
        self.assertTrue(is_dead(named(os.getpid(), started="1")))
        self.assertTrue(is_dead(new_incarnation()))

    def test_elsewhere(self) -> None:
        """Of another boot, machine or container nobody can tell, whatever numbers its processes have."""
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        for process in (os.getpid(), os.getppid(), ended.pid):
            self.assertFalse(is_dead(named(process, started="1", where="0123456789ab")))

    def test_unreadable(self) -> None:
        """Of what is no incarnation, or that of an earlier version, nobody can tell."""
        for holder in (b"0a1b2c3d-host-1.2", b"abcdef.1", b"x-y-z-w", b"a--1-2.3", b"\xff-1-2-3", b""):
            self.assertFalse(is_dead(holder), holder)

    def test_no_proof_on_this_system(self) -> None:
        """Where the system shows no boot, names are unique all the same, and no process is called dead."""
        ours = named(os.getpid(), started="1")
        self.patch(incarnation, "_BOOT", Path("/no/such/file"))
        self.assertEqual(place(), "")
        self.assertNotEqual(new_incarnation(), new_incarnation())
        self.assertFalse(is_dead(new_incarnation()))
        self.assertFalse(is_dead(ours))

    def test_after_a_fork(self) -> None:
        """A daemon is named after its own process, not after the one that started it."""
        self.assertIn(str(os.getpid()), instance().split("-"))
        self.assertEqual(instance(), instance())
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.write(writer, b"%s %d %s" % (instance().encode(), os.getpid(), new_incarnation()))
            os._exit(0)
        os.waitpid(child, 0)
        named_by_child, number, other = os.read(reader, 500).split()
        os.close(reader)
        os.close(writer)
        self.assertEqual(int(number), child)
        self.assertIn(number, named_by_child.split(b"-"))
        self.assertEqual(other.split(b"-")[-2], number)
