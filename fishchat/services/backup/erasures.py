"""The list of what was erased: kept in the store and in backups, and applied again after a restore.

It names accounts and ids of messages, never texts. A store that was restored from a backup contains again what was
erased after the backup was made. What the list names and the store has not erased is then erased again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from twisted.internet.interfaces import IReactorTime

from fishchat.config.schema import Config
from fishchat.errors import Refusal
from fishchat.features.accounts.administration import Accounts
from fishchat.interfaces import IStore
from fishchat.services.backup.archive import ERASURES, BackupError, check
from fishchat.services.manager.scrub import Scrub
from fishchat.storage.scrub.calls import erase_again

#: Erasures that one step reads, and that one step applies.
_PAGE, _STEP = 1000, 100

#: What was erased, an account or the id of a message, and when (ms since 1970).
Erasure = tuple[bytes, int]


class List(msgspec.Struct):
    """The form of the list in a file."""

    erasures: list[tuple[str, int]]


@dataclass
class Applied:
    """What was erased again."""

    accounts: int = 0
    messages: int = 0


async def read(store: IStore) -> list[Erasure]:
    """Return the erasures that a store knows, oldest first."""
    found: list[Erasure] = []
    while True:
        flat = await store.run("ZRANGE", "erasures", len(found), len(found) + _PAGE - 1, "WITHSCORES")
        found += [(what, int(time)) for what, time in zip(flat[::2], flat[1::2], strict=True)]
        if len(flat) < 2 * _PAGE:
            return found


def encode(erasures: list[Erasure]) -> bytes:
    """Return the content of a file with the list."""
    return msgspec.json.format(msgspec.json.encode(List([(what.decode(), time) for what, time in erasures])), indent=1)


def load(path: Path) -> list[Erasure]:
    """Read a list from its file, or from a backup that contains one. Raises BackupError."""
    try:
        with path.open("rb") as file:
            is_list = file.read(1) == b"{"
        raw = path.read_bytes() if is_list else _of_backup(path)
        found = msgspec.json.decode(raw, type=List)
    except OSError as error:
        raise BackupError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise BackupError(f"{path} is not a list of erasures: {error}") from error
    return [(what.encode(), time) for what, time in found.erasures]


def _of_backup(path: Path) -> bytes:
    found: list[bytes] = []
    check(path, lambda name, block: found.append(block) if name == ERASURES else None)
    if not found:
        raise BackupError(
            f"{path} has no list of erasures, because it was made while no server ran; write the list of its store with"
            " `fishchat scrub --export`"
        )
    return b"".join(found)


async def apply(store: IStore, clock: IReactorTime, erasures: list[Erasure], config: Config) -> Applied:
    """Erase again what the store has not erased, then scrub. Raises ScrubError, or as ``IStore.run`` does.

    If it is interrupted, the next call continues.
    """
    accounts, applied = Accounts(store, 0), Applied()
    for start in range(0, len(erasures), _STEP):
        step = erasures[start : start + _STEP]
        known = await store.run("ZMSCORE", "erasures", *(what for what, _ in step))
        missing = [each for each, score in zip(step, known, strict=True) if score is None]
        for what, _ in missing:
            if b":" not in what:
                applied.accounts += await _erased(accounts, what)
        if missing:
            applied.messages += await erase_again(missing).of(store)
    scrub = Scrub(store, clock, config)
    if (await scrub.state()).is_due:
        await scrub.run()
    return applied


async def _erased(accounts: Accounts, account: bytes) -> bool:
    try:
        await accounts.erase(account)
    except Refusal:
        # It was created after the backup.
        return False
    return True
