"""The machine that a measurement runs on, its limits, and the msg_servers that answer there."""

from __future__ import annotations

import os
import platform
import resource
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from fishchat import __version__
from fishchat.net.addresses import parse_address
from fishchat.proof.bench.crowd import BenchError

#: The open files of a msg_server beside its clients.
FILES = 200
#: The number of writes that the time of an fsync is measured by.
WRITES = 50


def machine(directory: Path | None = None) -> dict[str, Any]:
    """Describe this machine; ``directory`` is on the disk whose fsync is measured."""
    with tempfile.TemporaryDirectory(prefix="fc-bench-", dir="/tmp") as made:
        fsync = fsync_ms(directory or Path(made))
    return {
        "at": time.strftime("%Y-%m-%d %H:%M"),
        "fishchat": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "fsync_ms": fsync,
    }


def fsync_ms(directory: Path) -> float:
    """Return the median time in milliseconds that this disk takes to store a line durably."""
    times = []
    with open(directory / "fsync", "wb", buffering=0) as file:
        for _ in range(WRITES):
            file.write(b"x" * 200)
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    return round(sorted(times)[len(times) // 2] * 1000, 3)


def greets(address: str) -> bool:
    """Return whether a msg_server answers at this address."""
    return greeting(address).startswith("HELLO fishchat/")


def greeting(address: str) -> str:
    """Return the first line that a server sends; nothing if none answers."""
    try:
        with socket.create_connection(parse_address(address), timeout=3.0) as connection:
            return connection.recv(1024).decode("utf-8", "replace").partition("\r")[0]
    except OSError:
        return ""


def checked(address: str) -> str:
    """Return the greeting of a running msg_server; BenchError when it cannot be measured."""
    heard = greeting(address)
    if not heard.startswith("HELLO fishchat/"):
        raise BenchError(f"no msg_server answers on {address}: {heard or 'it sends nothing'}")
    if " auth=open" not in heard:
        raise BenchError(f"{address} requires secrets, and the clients of a measurement have none: set accounts.mode")
    return heard


def raise_file_limit() -> int:
    """Raise this process's limit of open files, which its children inherit, to the hard limit; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def check_files(clients: int) -> None:
    """Raise BenchError if there may not be so many clients: each is an open file here, and one at the server."""
    allowed = raise_file_limit()
    if allowed != resource.RLIM_INFINITY and clients + FILES > allowed:
        raise BenchError(
            f"{clients} clients need {clients + FILES} open files, and a process may have {allowed} here: raise the "
            "hard limit (`ulimit -Hn`, LimitNOFILE of systemd, /etc/security/limits.conf) or take fewer clients"
        )
