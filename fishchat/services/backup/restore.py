"""Restoring a backup into a data directory that no server uses, and checking it with a Redis."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fishchat.interfaces import IStore
from fishchat.services.backup.archive import ERASURES, BackupError, Sums, check
from fishchat.services.backup.snapshot import DIRECTORY, SINGLE
from fishchat.services.launch.up import UpLock
from fishchat.services.redis.program import check_data, find_executable, running_process
from fishchat.services.running.directory import private_directory
from fishchat.storage.epoch import BEGINNING, run_id
from fishchat.storage.format import FORMAT
from fishchat.storage.servers.calls import epoch

_STORE = (DIRECTORY, SINGLE, "dump.rdb", "format")


@dataclass
class Counts:
    """What a restored store contains."""

    accounts: int = 0
    conversations: int = 0
    messages: int = 0


def unpack(backup: Path, data: Path, replace: bool) -> tuple[Sums, Path | None]:
    """Put the files of a backup into a data directory. Return its content, and where files that were there are now.

    Raises StartError, before anything has changed, if the backup is damaged, servers use the directory, or a store is
    there and ``replace`` is not set.
    """
    # Read twice, so that a damaged one leaves nothing behind.
    check(backup)
    private_directory(str(data))
    with _unused(data):
        there = [name for name in _STORE if (data / name).exists()]
        if there and not replace:
            raise BackupError(
                f"{data} has a store already; choose another directory, or add --replace to move it aside"
            )
        part = data / "restore.part"
        shutil.rmtree(part, ignore_errors=True)
        try:
            sums = _extracted(backup, part)
            # The list is for another restore: the store in this backup knows all of it.
            (part / ERASURES).unlink(missing_ok=True)
            check_data(part, find_executable())
            return sums, _swapped(data, part, sums)
        except OSError as error:
            raise BackupError(f"cannot restore into {data}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _unused(data: Path) -> Iterator[None]:
    lock = UpLock(data)
    lock.take()
    try:
        if (pid := running_process(data)) is not None:
            raise BackupError(f"a Redis (process {pid}) uses {data}; stop FishChat first")
        yield
    finally:
        lock.release()


def _extracted(backup: Path, part: Path) -> Sums:
    def take(name: str, block: bytes) -> None:
        path = part / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
            file.write(block)

    sums = check(backup, take)
    for name in sums.files:
        with open(part / name, "rb") as file:
            os.fsync(file.fileno())
    return sums


def _swapped(data: Path, part: Path, sums: Sums) -> Path | None:
    """Move what the backup replaces aside, then its files to their places."""
    names = {path.name for path in part.iterdir()} | set(_STORE)
    there = sorted(name for name in names if (data / name).exists())
    aside = None
    if there:
        numbered = (data / f"before-restore{number or ''}" for number in itertools.count())
        aside = next(path for path in numbered if not path.exists())
        aside.mkdir(mode=0o700)
        for name in there:
            (data / name).rename(aside / name)
    for path in part.iterdir():
        path.rename(data / path.name)
    return aside


async def raise_epoch(store: IStore) -> None:
    """Raise the epoch of a restored store above every id that was assigned after the backup."""
    run = run_id(await store.run("INFO", "server"))
    floor = max(1, int(time.time() - BEGINNING) // 60)
    await epoch(run, floor, floor, FORMAT).of(store)


async def count(store: IStore) -> Counts:
    """Count what the store contains."""
    counts = Counts()
    cursor = b"0"
    while True:
        cursor, keys = await store.run("SCAN", cursor, "MATCH", "account:*", "COUNT", 500)
        for key in keys:
            counts.accounts += not await store.run("HEXISTS", key, "deleted")
        if cursor == b"0":
            break
    while True:
        cursor, keys = await store.run("SCAN", cursor, "MATCH", "log:*", "COUNT", 500)
        for key in keys:
            counts.conversations += 1
            counts.messages += await store.run("XLEN", key)
        if cursor == b"0":
            return counts
