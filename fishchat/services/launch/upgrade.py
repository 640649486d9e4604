"""Bring the store of ``fishchat up`` to this version's format: first copy its files, then migrate.

A file ``format`` in the data directory records the last known format of its Redis, so an ordinary start copies nothing.
The file only saves that work: whether to migrate depends on the store itself, and nothing is migrated without a copy.
An external Redis is never migrated here: only its operator knows whether there is a backup.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

from fishchat.config.paths import data_path
from fishchat.config.schema import Config
from fishchat.services.redis.access import Access
from fishchat.services.redis.program import DATA_FILES, running_process
from fishchat.services.running.errors import StartError
from fishchat.storage.format import FORMAT, MigrationError, check_format, migrate, stored_format
from fishchat.storage.redis import StoreError

#: Seconds for which to wait until leases of an earlier run end, and between two attempts.
PATIENCE = 20.0
AGAIN = 0.5


def copy_before(config: Config) -> Path | None:
    """Copy the files of the embedded Redis, unless they are known to have this version's format.

    Returns the copy, which has a temporary name: ``upgrade`` removes it or makes it the backup. Returns None if there
    was nothing to copy, or if a Redis runs on the files. Raises StartError if the copy cannot be made.
    """
    data = data_path(config)
    files = [data / name for name in DATA_FILES if (data / name).exists()]
    if config.redis.url or not files or _marked(data) or running_process(data) is not None:
        return None
    making = data / f"before-format-{FORMAT}.part"
    try:
        # One of an earlier start: no migration began with it.
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        for path in files:
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, making / path.name)
    except OSError as error:
        raise StartError(f"cannot copy the files of Redis to {making} before an upgrade: {_reason(error)}") from error
    return making


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
            backup = _Backup(data_path(config), copy)

            def before(begun: bool) -> None:
                backup.keep(begun)
                say(f"Upgrading the store from format {found} to {FORMAT}; its files before that are in {backup.path}")

            await _migrated(connection, reactor, before)
    except MigrationError as error:
        raise StartError(f"Redis cannot be used: {error}") from None
    except StoreError as error:
        raise StartError(f"lost Redis while its format was checked or upgraded ({error}): start again") from error
    finally:
        # Unless it has become the backup, nothing was changed since this start made it.
        if copy is not None:
            shutil.rmtree(copy, ignore_errors=True)
        await connection.stopService()
    if not config.redis.url:
        _mark(data_path(config), say)


class _Backup:
    """The copy of the files from before the migration."""

    def __init__(self, data: Path, copy: Path | None) -> None:
        self.path = data / f"before-format-{FORMAT}"
        self._marker = data / "format"
        self._copy = copy

    def keep(self, begun: bool) -> None:
        """Make the copy of this start the backup, unless an interrupted migration has one. StartError without any."""
        if begun and self.path.exists():
            return
        try:
            if self._copy is None:
                self._marker.unlink(missing_ok=True)
                raise StartError(
                    "the store has an earlier format, and its files were not copied before Redis started: start again "
                    "when no other process uses this directory; the next start copies them first"
                )
            if self.path.exists():
                # The backup of another upgrade, perhaps of other files.
                self.path.rename(next(path for path in self._numbered() if not path.exists()))
            self._copy.rename(self.path)
        except OSError as error:
            raise StartError(f"cannot keep the copy of Redis' files as {self.path}: {_reason(error)}") from error

    def _numbered(self) -> Iterator[Path]:
        return (self.path.with_name(f"{self.path.name}.{number}") for number in count(1))


async def _migrated(connection: Any, reactor: Any, before: Callable[[bool], object]) -> None:
    deadline = reactor.seconds() + PATIENCE
    while True:
        try:
            await migrate(connection, before)
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


def _mark(data: Path, say: Callable[[str], object]) -> None:
    """Note the format, for the next start."""
    try:
        (data / "format").write_text(f"{FORMAT}\n", "ascii")
    except OSError as error:
        say(f"Cannot write {data / 'format'} ({_reason(error)}): the next start copies the files of Redis again.")


def _reason(error: OSError) -> object:
    # shutil.Error, of a directory with several problems, has no strerror.
    return error.strerror or error
