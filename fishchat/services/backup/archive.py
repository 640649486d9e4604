"""A backup: one tar file with Redis' files, certificates and configuration, and at its end their checksums."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec

from fishchat import __version__
from fishchat.services.backup.snapshot import Part, open_part, redis_parts
from fishchat.services.running.errors import StartError

#: The member with the checksums. It is last, so a backup that was cut off has none.
SUMS = "backup.json"
#: The member with the list of what was erased, if a server ran.
ERASURES = "erasures.json"
#: Other files of the data directory that belong to it.
_BESIDE = ("format", "fishchat.toml", "fishchat.json")
_BLOCK = 1 << 20


class Sums(msgspec.Struct):
    """What a backup contains: SHA-256 of each file by its name in the data directory. ``made`` is in ms since 1970."""

    made: int
    version: str
    files: dict[str, str]

    def has(self, name: str) -> bool:
        """Return whether a file, or one below a directory, is in it."""
        return any(PurePosixPath(each).parts[0] == name for each in self.files)


class BackupError(StartError):
    """A backup cannot be written, or is damaged."""


def write(data: Path, target: Path, tls: bool = True, erasures: bytes | None = None) -> tuple[Path, Sums]:
    """Write a backup of a data directory, whether its servers run or not. Return its path and its content.

    ``erasures`` is the list of what was erased, to be included as a file of its own.

    If ``target`` is a directory, the backup gets a name with the time in it. Nothing is overwritten. Raises StartError.
    """
    if target.is_dir():
        target = target / time.strftime("fishchat-%Y%m%d-%H%M%S.tar")
    if target.exists():
        raise BackupError(f"{target} exists already; choose another name")
    part = target.with_name(target.name + ".part")
    try:
        with ExitStack() as opened:
            parts = [*redis_parts(data, opened), *_beside(data, tls, opened)]
            if erasures is not None:
                parts.append(Part(ERASURES, io.BytesIO(erasures), len(erasures)))
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                sums = _write(parts, file)
                file.flush()
                os.fsync(file.fileno())
        os.rename(part, target)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise BackupError(f"cannot write {target}: {error.strerror or error}") from error
    return target, sums


def _beside(data: Path, tls: bool, opened: ExitStack) -> list[Part]:
    names = [name for name in _BESIDE if (data / name).is_file()]
    if tls and (data / "tls").is_dir():
        names += [f"tls/{path.name}" for path in sorted((data / "tls").iterdir()) if path.is_file()]
    return [open_part(data, name, opened) for name in names]


def _write(parts: list[Part], file: IO[bytes]) -> Sums:
    sums = Sums(int(time.time() * 1000), __version__, {})
    with tarfile.open(fileobj=file, mode="w") as tar:
        for part in parts:
            content = _Summed(part.content)
            tar.addfile(_member(part.name, part.size), content)  # type: ignore[arg-type]
            sums.files[part.name] = content.sum.hexdigest()
        raw = msgspec.json.format(msgspec.json.encode(sums), indent=2)
        tar.addfile(_member(SUMS, len(raw)), io.BytesIO(raw))
    return sums


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(time.time())
    return member


class _Summed:
    """A file whose content is summed up while it is read."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.sum = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Read as the file does."""
        found = self._content.read(size)
        self.sum.update(found)
        return found


def check(path: Path, take: Callable[[str, bytes], object] = lambda name, block: None) -> Sums:
    """Read a whole backup and return its content; ``take`` receives each file in blocks. Raises BackupError.

    The checksums come last: what ``take`` has received is valid only when this function returns.
    """
    found: dict[str, str] = {}
    with _readable(path) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None or not _is_plain(member.name):
                raise BackupError(f"{path} is not a backup of FishChat: it contains {member.name!r}")
            if member.name == SUMS:
                return _compared(path, content.read(), found)
            total = hashlib.sha256()
            take(member.name, b"")
            while block := content.read(_BLOCK):
                total.update(block)
                take(member.name, block)
            found[member.name] = total.hexdigest()
    raise BackupError(f"{path} is incomplete, or not a backup of FishChat: its checksums are missing")


@contextmanager
def _readable(path: Path) -> Iterator[Any]:
    try:
        with tarfile.open(path, "r:") as tar:
            yield tar
    except tarfile.TarError as error:
        raise BackupError(f"{path} is damaged, or not a backup of FishChat: {error}") from error
    except OSError as error:
        raise BackupError(f"cannot read {path}: {error.strerror or error}") from error


def _compared(path: Path, raw: bytes, found: dict[str, str]) -> Sums:
    try:
        sums = msgspec.json.decode(raw, type=Sums)
    except msgspec.DecodeError as error:
        raise BackupError(f"{path} is damaged: its checksums cannot be read: {error}") from error
    for name in sums.files.keys() | found.keys():
        if sums.files.get(name) != found.get(name):
            raise BackupError(f"{path} is damaged: {name} has another checksum than when the backup was made")
    return sums


def _is_plain(name: str) -> bool:
    """Return whether a name can be a file of a data directory, at most one level deep."""
    parts = PurePosixPath(name).parts
    return 1 <= len(parts) <= 2 and not name.startswith("/") and ".." not in parts
