"""Bring the store of ``fishchat up`` to this version's format: first copy its files, then migrate.

A file ``format`` in the data directory records the last known format of its Redis, so an ordinary start copies nothing.
An external Redis is never migrated here: only its operator knows whether there is a backup.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

from fishchat.config.paths import data_path
from fishchat.config.schema import Config
from fishchat.services.redis.access import Access
from fishchat.services.running.errors import StartError
from fishchat.storage.format import FORMAT, MigrationError, check_format, migrate, stored_format

#: Seconds for which to wait until leases of an earlier run end, and between two attempts.
PATIENCE = 20.0
AGAIN = 0.5

#: The files and directories in which Redis keeps its data.
_FILES = ("appendonly.aof", "appendonlydir", "dump.rdb")


def copy_before(config: Config) -> Path | None:
    """Copy the files of the embedded Redis, which must be stopped, unless they have this version's format already.

    Returns the copy; None if there was nothing to copy. A copy of an interrupted upgrade is kept unchanged. Raises
    StartError if the copy cannot be made.
    """
    data = data_path(config)
    files = [data / name for name in _FILES if (data / name).exists()]
    if config.redis.url or not files or _marked(data):
        return None
    target = data / f"before-format-{FORMAT}"
    if target.exists():
        return target
    making = target.with_suffix(".part")
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        for path in files:
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, making / path.name)
        making.rename(target)
    except OSError as error:
        raise StartError(f"cannot copy the files of Redis to {target} before the upgrade: {error.strerror}") from error
    return target


async def upgrade(config: Config, reactor: Any, copy: Path | None, say: Callable[[str], object]) -> None:
    """Migrate the store of ``up`` if it has an earlier format. Raises StartError if it cannot be used."""
    connection = Access(config, reactor).connection()
    connection.startService()
    try:
        await connection.when_connected()
        found = await stored_format(connection)
        if config.redis.url or found > FORMAT:
            problems = await check_format(connection)
            if problems:
                raise StartError(f"Redis cannot be used: {problems[0]}")
        elif found < FORMAT:
            say(f"Upgrading the store from format {found} to {FORMAT}; its files before that are in {copy}")
            await _migrated(connection, reactor)
    finally:
        await connection.stopService()
    if not config.redis.url:
        _mark(data_path(config), copy if found == FORMAT else None)


async def _migrated(connection: Any, reactor: Any) -> None:
    deadline = reactor.seconds() + PATIENCE
    while True:
        try:
            await migrate(connection)
        except MigrationError as error:
            # A msg_server of an earlier run that was killed counts as running until its lease ends.
            if reactor.seconds() >= deadline:
                raise StartError(str(error)) from None
            await deferLater(reactor, AGAIN)
        else:
            return


def _marked(data: Path) -> bool:
    try:
        return (data / "format").read_text("ascii").strip() == str(FORMAT)
    except (OSError, ValueError):
        return False


def _mark(data: Path, needless: Path | None) -> None:
    """Note the format; remove a copy that turned out to be needless."""
    (data / "format").write_text(f"{FORMAT}\n", "ascii")
    if needless is not None:
        shutil.rmtree(needless, ignore_errors=True)
