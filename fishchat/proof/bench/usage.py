"""What processes use, read from ``/proc``: processor time and memory, of some processes and all that they started."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: Whether there is anything to read here; Linux alone has it.
AVAILABLE = Path("/proc/self/stat").exists()

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """Seconds of processor time since the processes began, and bytes of memory that they have now."""

    cpu: float
    memory: int


def usage(roots: Iterable[int]) -> Usage:
    """Of these processes and all below them. Those that ended meanwhile count with whoever has started them."""
    pids = family(roots)
    return Usage(sum(map(_cpu, pids)), sum(map(_memory, pids)))


def family(roots: Iterable[int]) -> set[int]:
    """These processes and all below them, none that is gone."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            below.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found and _stat(pid):
            found.add(pid)
            todo += below.get(pid, ())
    return found


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold anything; none when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    if not fields:
        return 0.0
    own, ended = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    # The ticks are of ten milliseconds, which is much for a short measurement.
    exact = _nanoseconds(pid)
    return (exact / 1e9 if exact else own / _TICK) + ended / _TICK


def _nanoseconds(pid: int) -> int:
    """Of all threads; 0 where the kernel does not count them."""
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return 0
    return total


def _memory(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
