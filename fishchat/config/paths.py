"""Paths of a configuration: the data directory, and the socket of the embedded Redis."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote

from fishchat.config.load import data_directory
from fishchat.config.schema import Config

#: ``sun_path`` is 104 bytes on macOS, 108 on Linux, with the closing NUL.
_LONGEST_SOCKET = 100
#: The directory of links to data directories with long paths; the number of the user follows.
_LINKS = "/tmp/fishchat"


def data_path(config: Config) -> Path:
    """Return the data directory, absolute: ``data`` of the configuration or the user's own."""
    return data_directory(config.data)


def socket_path(data: Path) -> str:
    """Return a path of the socket of the Redis of this data directory; the socket itself is always in the directory.

    When the path would be too long for a socket, it leads through a short link. Every process makes the link where it
    sees ``/tmp``, so it does not matter that services and users have temporary directories of their own.
    """
    inside = os.path.join(os.path.abspath(data), "redis.sock")
    if not is_too_long(inside):
        return inside
    try:
        return os.path.join(_link(os.path.realpath(data)), "redis.sock")
    except OSError:
        # Too long to be used; the start says so.
        return inside


def is_too_long(path: str) -> bool:
    """Return whether a socket cannot have this path."""
    return len(os.fsencode(path)) > _LONGEST_SOCKET


def _link(directory: str) -> str:
    """Return a short link to a directory. OSError when it cannot be made, or is not ours alone."""
    place = f"{_LINKS}-{os.geteuid()}"
    with suppress(FileExistsError):
        os.mkdir(place, 0o700)
    found = os.lstat(place)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{place} belongs to others")
    link = os.path.join(place, hashlib.sha256(os.fsencode(directory)).hexdigest()[:16])
    with suppress(FileExistsError):
        os.symlink(directory, link)
    _keep(place)
    return link


@cache
def _keep(place: str) -> int:
    """Lock the directory for the life of this process: what removes old files from /tmp leaves it alone then."""
    handle = os.open(place, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return handle


def redis_url(config: Config) -> str:
    """Return the URL that the store connects to: the configured one, or ``unix://`` of the embedded Redis' socket."""
    return config.redis.url or "unix://" + quote(socket_path(data_path(config)))
