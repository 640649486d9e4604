"""The identity of a process: a name that no other process has, and the proof that its process has ended.

A process number alone proves nothing: each container counts from 1, two machines may have one host name, and numbers
are used again. So a name also holds a mark of the place (this boot of this machine and this PID namespace) and the
start of the process. Only the same place can prove an end.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def new_incarnation() -> bytes:
    """Return a unique name of this process, by which others on this machine can check whether it still runs.

    The name is that of the process that calls this, so a daemon calls it after the fork.
    """
    process = os.getpid()
    return f"{secrets.token_hex(4)}-{place()}-{process}-{_found('self')[1]}".encode()


def is_dead(holder: bytes) -> bool:
    """Return whether the process that made this name has certainly ended; False if nobody can know here."""
    try:
        _, where, process, started = holder.partition(b".")[0].decode("ascii").split("-")
        if not where or where != place():
            return False
        if int(process) == os.getpid():
            # A predecessor with our number, or an earlier incarnation of ours.
            return True
        return _is_gone(int(process), started)
    except ValueError:
        return False


def place() -> str:
    """Return the mark of this boot and PID namespace; empty where the system does not show them."""
    try:
        text = f"{socket.gethostname()} {_BOOT.read_text('ascii')} {os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def instance() -> str:
    """Return a name of this process for people: its machine and number, and a mark where containers need it."""
    mark = hashlib.sha256(f"{place()} {_found('self')[1]}".encode()).hexdigest()[:4]
    return f"{socket.gethostname()}-{os.getpid()}-{mark}"


def _is_gone(process: int, started: str) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        # It belongs to another user.
        pass
    if os.readlink("/proc/self") != str(os.getpid()):
        # This /proc counts the processes of another namespace.
        return False
    state, now = _found(str(process))
    return state in ("Z", "X") or now not in ("", started)


def _found(process: str) -> tuple[str, str]:
    """Return the state of a process and the clock tick of its start; empty if the system does not show them."""
    try:
        # The name of the program is in parentheses, and may contain some.
        fields = Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return "", ""
