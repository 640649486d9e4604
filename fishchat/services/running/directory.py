"""A directory that only this user can enter, and locks in it."""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import stat
from pathlib import Path

from fishchat.services.running.errors import ProgramError

#: What people put into a data directory before the first start.
_OWN = frozenset({"fishchat.toml", "tls"})
#: Ends each refusal.
_ADVICE = "choose another directory with --data or the key `data`"


def private_directory(path: str) -> None:
    """Make ``path`` a directory that only this user can enter. ProgramError if that is impossible."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        if not _is_private(path, os.geteuid()):
            os.chmod(path, 0o700)
    except OSError as error:
        raise _refusal(path, error) from None
    _check_access(path)


def check_private_directory(path: str, user: int | None = None) -> None:
    """Raise ProgramError when ``private_directory`` would. Nothing is changed.

    ``user`` is the user for whom root asks; None means this one.
    """
    try:
        if os.path.lexists(path):
            _is_private(path, os.geteuid() if user is None else user)
            _check_access(path)
            return
        parent = os.path.dirname(path)
        while not os.path.lexists(parent):
            parent = os.path.dirname(parent)
        if not os.path.isdir(parent):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _refusal(path, error) from None


def _is_private(path: str, user: int) -> bool:
    """Return whether only ``user`` can enter it. ProgramError when it is not theirs, or may not be closed."""
    # A link is checked as well as its target: in a directory like /tmp any user could have created it.
    for found in (os.lstat(path), os.stat(path)):
        if found.st_uid != user:
            raise ProgramError(f"the directory {path} belongs to user {found.st_uid}, not to {user}; {_ADVICE}")
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not stat.S_IMODE(found.st_mode) & 0o077:
        return True
    # The mode of an existing directory, perhaps a home named by mistake, must not change.
    holds = os.listdir(path)
    if not _OWN.issuperset(holds) and "redis.lock" not in holds:
        raise ProgramError(
            f"the directory {path} is accessible to other users and contains other files; "
            f"if it is the right one, run `chmod 700 {shlex.quote(path)}`, else {_ADVICE}"
        )
    return False


def _check_access(path: str) -> None:
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise ProgramError(f"cannot write to the directory {path}; {_ADVICE}")


def _refusal(path: str, error: OSError) -> ProgramError:
    if isinstance(error, (FileExistsError, NotADirectoryError)) or os.path.islink(path):
        return ProgramError(f"{path} is not a directory; {_ADVICE}")
    return ProgramError(f"cannot use the directory {path}: {error.strerror}; {_ADVICE}")


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
