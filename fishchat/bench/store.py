"""What the store holds, asked of Redis itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

#: Seconds that a rewriting of the log may take.
REWRITING = 120.0


@dataclass(frozen=True)
class Stored:
    """Bytes of memory and of the log, how often that was rewritten, and the messages that were ever stored."""

    memory: int
    log: int
    rewrites: int
    messages: int


def look(info: Callable[[str], dict[str, str]]) -> Stored:
    """When the log is not just being rewritten."""
    deadline = time.monotonic() + REWRITING
    while (persistence := info("persistence")).get("aof_rewrite_in_progress") == "1" and time.monotonic() < deadline:
        time.sleep(0.2)
    stats = info("commandstats")
    added = stats.get("cmdstat_xadd", "calls=0")
    # Redis before 7 has no count of rewritings; its length behind the last one tells as much.
    rewrites = int(persistence.get("aof_rewrites", persistence.get("aof_base_size", "0")))
    return Stored(
        int(info("memory")["used_memory"]),
        int(persistence["aof_current_size"]),
        rewrites,
        int(added.partition(",")[0].removeprefix("calls=")),
    )
