"""The format of the store: a number under the key ``format``, and the migrations to the next one.

A role reads it on every new connection. A higher number than its own means that a newer version has written this
store, so the role does not use it. A lower number means that the store must be migrated first: forward only, after a
backup, and with all roles of older versions stopped. A store of the first versions has no such key; it has format 1.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from fishchat.interfaces import IStore
from fishchat.storage.migrations.calls import begin, finish, to_2
from fishchat.storage.wire import Reply

#: The format that this version reads and writes.
FORMAT = 2
#: The conversations in one step of a migration: a step keeps Redis busy for less than 5 ms.
STEP = 200


class Commands(Protocol):
    """A runner of single commands: a connection, or the wire that a hook of ``Connection.prepare`` receives."""

    def run(self, *args: bytes | str | int) -> Deferred[Reply]:
        """Send one command."""


class MigrationError(Exception):
    """The migration is impossible; the text says why and what to do."""


async def stored_format(store: Commands) -> int:
    """Return the format of a store; for an empty store, the format that this version will write.

    Raises MigrationError if the store has something else than a format there.
    """
    epoch, number = await store.run("MGET", "epoch", "format")
    if number is None:
        return FORMAT if epoch is None else 1
    if not number.isdigit() or int(number) < 1:
        text = number.decode("ascii", "backslashreplace")
        raise MigrationError(
            f"the key `format` of the store is {text!r}, not a number: this is not a store of FishChat, "
            "or it is damaged; use another Redis, or restore a backup"
        )
    return int(number)


async def check_format(store: Commands) -> list[str]:
    """Return the reasons not to use this store, each with a remedy; empty if there are none."""
    try:
        found = await stored_format(store)
    except MigrationError as error:
        return [str(error)]
    if found > FORMAT:
        return [f"the store has format {found}, and this version knows formats up to {FORMAT}: use a newer version"]
    if found < FORMAT:
        return [
            f"the store has format {found}, and this version needs format {FORMAT}: stop all roles, take a backup, "
            "then run `fishchat migrate --backup-taken` (`fishchat up` does both by itself for its own Redis)"
        ]
    return []


async def has_begun(store: Commands, found: int) -> bool:
    """Return whether a migration from the format ``found`` has begun, so that the store may be half migrated."""
    return bool(await store.run("GET", "migrating") == b"%d" % found)


async def migrate(store: IStore, before: Callable[[bool], object] = lambda begun: None) -> int:
    """Bring the store to this version's format, in bounded steps; return the format that it had.

    ``before`` is called when nothing prevents the migration, before it changes anything; its argument is whether an
    interrupted migration continues. Several processes may migrate at once: each step checks the format again. Raises
    MigrationError for a newer store, and while a msg_server of another format may still write; fails as
    ``IStore.call`` does.
    """
    found = await stored_format(store)
    if found > FORMAT:
        raise MigrationError((await check_format(store))[0])
    if found < FORMAT:
        if running := await _registered(store):
            names = ", ".join(name.decode() for name in running)
            raise MigrationError(f"msg_servers are still registered ({names}): stop all roles, then try again")
        before(await has_begun(store, found))
    for number in range(found, FORMAT):
        await begin(number).of(store)
        await _MIGRATIONS[number](store)
        await finish(number, number + 1).of(store)
    return found


async def _registered(store: IStore) -> list[bytes]:
    """Return the msg_servers whose lease has not ended."""
    names = await store.run("HKEYS", "servers")
    return [name for name in names if await store.run("EXISTS", b"lease:" + name)]


async def _conversations(store: IStore) -> AsyncIterator[list[bytes]]:
    """Yield all conversations of the store, some at a time."""
    cursor = b"0"
    while True:
        cursor, keys = await store.run("SCAN", cursor, "MATCH", "meta:*", "COUNT", STEP)
        if keys:
            yield [key.removeprefix(b"meta:") for key in keys]
        if cursor == b"0":
            return


async def _from_1(store: IStore) -> None:
    async for some in _conversations(store):
        await to_2(some).of(store)


#: Format → the step to the next one.
_MIGRATIONS: dict[int, Callable[[IStore], Awaitable[None]]] = {1: _from_1}
