"""Free ports, command lines, and the processes of a FishChat as the system shows them."""

from __future__ import annotations

import secrets
import signal
import socket
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import psutil

import fishchat
from fishchat.services.launch import commands
from fishchat.services.running.child import die_with_parent

T = TypeVar("T")

#: Why tests of real processes cannot run here; empty if they can. Other systems hide the environment of processes.
MISSING = "" if psutil.LINUX else "needs Linux to find the processes"

#: The directory of the package that is imported here.
HERE = str(Path(fishchat.__file__).parent.parent)

#: The command ``fishchat``, whether or not it is on PATH.
COMMAND = tuple(commands.fishchat())

#: The range of free ports: below the ports that systems use for outgoing connections.
PORTS = range(20000, 32000)
#: The number of attempts to find free ports.
ATTEMPTS = 1000
_marks: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens at the moment; the port after each of them is free, too."""
    return free_rows([2] * count)


def free_rows(lengths: Iterable[int]) -> list[int]:
    """Return the first port of a row of free ports for each length. OSError when there are none."""
    found: list[int] = []
    with ExitStack() as held:
        # All are held until the last one is found, so that no port is given twice.
        for length in lengths:
            found.append(_hold_row(held, length))
    return found


def _hold_row(held: ExitStack, length: int) -> int:
    for _ in range(ATTEMPTS):
        first = PORTS.start + secrets.randbelow(len(PORTS) - length)
        with ExitStack() as row:
            try:
                for port in range(first, first + length):
                    row.enter_context(socket.socket()).bind(("127.0.0.1", port))
                    _mark(port)
            except OSError:
                continue
            held.enter_context(row.pop_all())
            return first
    raise OSError(f"no row of {length} free ports was found")


def _mark(port: int) -> None:
    """Keep a port from other processes that look for free ones, until this process ends; OSError if one has it.

    Tests run in several processes at once, and a port is bound only when the server has started.
    """
    if psutil.LINUX:
        # An abstract name: it is no file, and it ends with the process.
        _marks.append(socket.socket(socket.AF_UNIX))
        _marks[-1].bind(f"\0fishchat-port-{port}")


def prepare_child(parent: int) -> None:
    """Run in a child before its program: it ends with its parent, and signals have their default actions.

    `nohup` and a shell's `&` have a process ignore SIGHUP or SIGINT, and a program inherits what is ignored.
    """
    die_with_parent(parent)
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_DFL)


def children(parent: int) -> list[int]:
    """Return the direct children of a process; none if it is gone."""
    return _asked(lambda: [one.pid for one in psutil.Process(parent).children()], [])


def command_line(pid: int) -> list[str]:
    """Return the command line of a process; nothing if it is gone."""
    return _asked(lambda: psutil.Process(pid).cmdline(), [])


def role_of(pid: int) -> str:
    """Return the role of a process: ``gateway``, ``ms1`` and so on; nothing if it has none."""
    words = command_line(pid)
    plugin = next((word for word in words if word.startswith("fishchat-")), "")
    return words[words.index("--name") + 1] if "--name" in words else plugin.removeprefix("fishchat-")


def _asked(question: Callable[[], T], otherwise: T) -> T:
    try:
        return question()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return otherwise
