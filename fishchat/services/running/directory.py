"""A directory that only this user can enter, and locks in it."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from fishchat.services.running.errors import ProgramError


def private_directory(path: str) -> None:
    """Make ``path`` a directory that only this user can enter. ProgramError if that is impossible."""
    advice = "choose another directory with --data or the key `data`"
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        # A link is checked as well as its target: in a directory like /tmp any user could have created it.
        for found in (os.lstat(path), os.stat(path)):
            if found.st_uid != os.geteuid():
                raise ProgramError(
                    f"the directory {path} belongs to user {found.st_uid}, not to {os.geteuid()}; {advice}"
                )
        if stat.S_IMODE(found.st_mode) & 0o077:
            _close(path, advice)
    except (FileExistsError, NotADirectoryError):
        raise ProgramError(f"{path} is not a directory; {advice}") from None
    except OSError as error:
        raise ProgramError(f"cannot use the directory {path}: {error.strerror}; {advice}") from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise ProgramError(f"cannot write to the directory {path}; {advice}")


def _close(path: str, advice: str) -> None:
    # The mode of an existing directory, perhaps a home named by mistake, must not change.
    holds = os.listdir(path)
    if holds and "redis.lock" not in holds:
        raise ProgramError(
            f"the directory {path} is accessible to other users and contains other files; "
            f"if it is the right one, run `chmod 700` on it, else {advice}"
        )
    os.chmod(path, 0o700)


def take_lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock until it is closed or this process ends; None if the lock is taken."""
    try:
        # Not inherited by children (Python's default): a child would keep the lock after this process.
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
    except OSError as error:
        raise ProgramError(f"cannot lock {path}: {error.strerror}") from error
    return handle


def process_of(path: Path) -> int | None:
    """Return the process that holds the record lock of ``child.py``; 0 while it starts, None when the lock is free."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.lockf(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        text = os.read(handle, 32).strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(handle)
    return None
