"""All servers with a recent heartbeat, and their health. The monitor's memory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

#: Seconds without a heartbeat, of which one is due every two, after which a server is late, and then gone.
LATE, GONE = 6.0, 15.0
#: Seconds after which a server that is gone is forgotten, and the most servers that are remembered.
FORGOTTEN = 3600.0
MOST = 10_000

ReportT = TypeVar("ReportT")
Key = tuple[str, str]


class Health(Enum):
    """The health of a server."""

    ALIVE = "alive"
    LATE = "late"
    GONE = "gone"


@dataclass(slots=True)
class Server(Generic[ReportT]):
    """The last report of one server and its time; ``stopped`` when it was the last one of a normal end."""

    report: ReportT
    heard: float
    stopped: bool

    def health(self, now: float) -> Health:
        """Return the health at ``now``."""
        age = now - self.heard
        if self.stopped or age >= GONE:
            return Health.GONE
        return Health.LATE if age >= LATE else Health.ALIVE


class Servers(Generic[ReportT]):
    """Servers by role and id. The content of a report does not matter here."""

    def __init__(self) -> None:
        # In the order of their last reports: the first server is silent for the longest time.
        self._servers: dict[Key, Server[ReportT]] = {}

    def heard(self, key: Key, report: ReportT, now: float, *, stopped: bool = False) -> None:
        """Record a report. With too many servers, the one with the oldest report is forgotten."""
        self._servers.pop(key, None)
        self._servers[key] = Server(report, now, stopped)
        self._forget(now)

    def at(self, now: float) -> dict[Key, Server[ReportT]]:
        """Return all remembered servers, sorted by role and id."""
        self._forget(now)
        return dict(sorted(self._servers.items()))

    def get(self, key: Key) -> Server[ReportT] | None:
        """Return one server; None if nothing is known."""
        return self._servers.get(key)

    def _forget(self, now: float) -> None:
        while self._servers:
            key, first = next(iter(self._servers.items()))
            if now - first.heard < FORGOTTEN and len(self._servers) <= MOST:
                return
            del self._servers[key]
