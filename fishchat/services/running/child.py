"""Become a program that belongs to one directory and does not outlive its parent.

Run by path (``python -I -S child.py PARENT LOCK EXECUTABLE ARGUMENT…``), so it must import nothing but the standard
library. The lock is a POSIX record lock: it survives ``exec``, is not inherited by the children that the program forks,
and ends with the process. So a taken lock means that the program runs in this directory, and the number in the file is
its process.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys

#: Exit codes (sysexits: "temporary failure", "no such user"): another process has the lock; the parent has ended.
TAKEN = 75
ORPHAN = 67

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> bool:
    """Have the kernel end this process with its parent (on Linux). Return False if the parent has already ended."""
    if sys.platform == "linux":
        try:
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        except (ImportError, OSError, AttributeError):
            # Without this an orphan is adopted by the next role, which is enough.
            return True
    # The parent may have ended before the line above took effect; then nothing would ever send the signal.
    return os.getppid() == parent


def take(lock: str) -> bool:
    """Lock the file for the life of this process and write its number there. Return False if another has it."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    os.ftruncate(handle, 0)
    os.write(handle, b"%d\n" % os.getpid())
    # Closing the file would release the lock.
    os.set_inheritable(handle, True)
    return True


def main(arguments: list[str]) -> int:
    """Replace this process by the program; return an exit code if that fails."""
    parent, lock, executable, *rest = arguments
    # Ctrl+C in a terminal signals the whole foreground group. The program must end after its users.
    os.setsid()
    if not die_with_parent(int(parent)):
        return ORPHAN
    if not take(lock):
        sys.stderr.write("another one runs in this directory\n")
        return TAKEN
    # Twisted ignores this signal, and ignored signals stay ignored after exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(executable, [executable, *rest])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
