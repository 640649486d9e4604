"""The store's incarnation, read on every new connection before anything is written on it."""

from __future__ import annotations

from collections.abc import Callable

from fishchat.interfaces import IStore
from fishchat.storage.format import FORMAT
from fishchat.storage.packing import pack
from fishchat.storage.servers.calls import epoch
from fishchat.storage.wire import Pipeline, StoreError

#: 2026-01-01 00:00 UTC in seconds. An epoch is at least the minutes since then.
BEGINNING = 1767225600


def run_id(info: bytes) -> bytes:
    """Return the ``run_id`` of an ``INFO server`` reply: it is new at every start of Redis."""
    for line in info.splitlines():
        if line.startswith(b"run_id:"):
            return line[7:].strip()
    raise StoreError("INFO server names no run_id")


async def current_epoch(store: IStore, wall: Callable[[], float]) -> int:
    """Return the epoch of this run of Redis, for a role or command that stores something once."""
    run = run_id(await store.run("INFO", "server"))
    return await epoch(run, 0, _floor(wall), FORMAT).of(store)


def _floor(wall: Callable[[], float]) -> int:
    return max(1, int(wall() - BEGINNING) // 60)


class Epoch:
    """The highest epoch that this process has seen; 0 before the first connection."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self.current = 0
        self._wall = wall

    async def hook(self, wire: Pipeline) -> None:
        """Read the epoch. A hook for ``Connection.prepare``, after the scripts were loaded."""
        run = run_id(await wire.run("INFO", "server"))
        ask = epoch(run, self.current, _floor(self._wall), FORMAT)
        self.current = ask.parse(await wire.run("EVALSHA", ask.script.sha, 0, pack(*ask.values)))
