"""The memory that Redis may use: half of what this machine, or the container around this process, has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def half_of_memory(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """Return half of the memory of this machine, or of the smallest limit around this process, in bytes."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([total, *_limits(groups, own)]) // 2


def _limits(groups: Path, own: Path) -> Iterator[int]:
    for file in _files(groups, own):
        # A group may have no limit ("max"). Redis would take 0 for that.
        with suppress(OSError, ValueError):
            limit = int(file.read_text("ascii"))
            if limit > 1:
                yield limit


def _files(groups: Path, own: Path) -> Iterator[Path]:
    """Iterate over the files of the limits of this process' groups and of all groups around them."""
    try:
        lines = own.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    # In a container the path may be that of the host, and the container's group is then the top.
    for line in ("0::/", "1:memory:/", *lines):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            top, name = groups, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = groups / "memory", "memory.limit_in_bytes"
        else:
            continue
        inside = Path(path.lstrip("/"))
        for group in (inside, *inside.parents):
            yield top / group / name
