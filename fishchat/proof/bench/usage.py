"""The processor time and the memory of some processes and of all that they started."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Usage:
    """Seconds of processor time since the processes began, and bytes of memory that they have now."""

    cpu: float
    memory: int


def usage(roots: Iterable[int]) -> Usage:
    """Return the usage of these processes and of their descendants; those that have ended count with their parents."""
    cpu, memory = 0.0, 0
    for process in family(roots).values():
        with suppress(psutil.NoSuchProcess), process.oneshot():
            cpu += _cpu(process)
            memory += process.memory_info().rss
    return Usage(cpu, memory)


def family(roots: Iterable[int]) -> dict[int, psutil.Process]:
    """Return these processes and their descendants, by number."""
    found: dict[int, psutil.Process] = {}
    for pid in roots:
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            found.update({one.pid: one for one in (root, *root.children(recursive=True))})
    return found


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    ended: float = times.children_user + times.children_system
    return (_exact(process.pid) or times.user + times.system) + ended


def _exact(pid: int) -> float:
    """Return the seconds of all threads by the scheduler's clock; 0 where the system does not report it.

    psutil reads each process in steps of ten milliseconds, which is coarse for a short measurement.
    """
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return 0.0
    return total / 1e9
