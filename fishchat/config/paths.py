"""Paths of a configuration: the data directory, and the socket of the embedded Redis."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

from fishchat.config.load import data_directory
from fishchat.config.schema import Config

#: ``sun_path`` is 104 bytes on macOS, 108 on Linux, with the closing NUL.
_LONGEST_SOCKET = 100


def data_path(config: Config) -> Path:
    """Return the data directory, absolute: ``data`` of the configuration or the user's own."""
    return data_directory(config.data)


def socket_path(data: Path) -> str:
    """Return the path of the socket of the Redis of this data directory.

    The path is in this directory, or below the temporary directory when it would be too long for a socket. Every role
    gets the same path, whether or not Redis runs.
    """
    inside = os.path.join(os.path.abspath(data), "redis.sock")
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET:
        return inside
    name = hashlib.sha256(os.fsencode(os.path.realpath(data))).hexdigest()[:16]
    return os.path.join(tempfile.gettempdir(), f"fishchat-{name}", "redis.sock")


def redis_url(config: Config) -> str:
    """Return the URL that the store connects to: the configured one, or ``unix://`` of the embedded Redis' socket."""
    return config.redis.url or "unix://" + quote(socket_path(data_path(config)))
