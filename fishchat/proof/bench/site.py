"""What is measured: a FishChat of its own on free ports of this machine, or one that runs already."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fishchat.net.addresses import parse_address
from fishchat.proof.bench.crowd import BenchError
from fishchat.proof.bench.store import Store
from fishchat.proof.lab.processes import HERE, children, free_ports, role_of
from fishchat.services.redis import program
from fishchat.services.running.child import die_with_parent

#: Seconds for a start and for an end; between two heartbeats, and some.
START, STOP, BEAT = 30.0, 20.0, 4.0
#: Open files of a msg_server beside its clients.
FILES = 200

_FISHCHAT = (sys.executable, "-c", "from fishchat.cli import main; main()")
_TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=")


class Site:
    """A FishChat that was started for this, in a process for each role or in one.

    :ivar addresses: of its msg_servers.
    :ivar roots: its processes, without those that they started.
    :ivar url: of its Redis.
    :ivar in_processes: whether each role is one.
    :param servers: msg_servers; 0 is one process for everything.
    :param routers: so many, with a shard for each; needs ``servers``.
    """

    def __init__(self, servers: int = 0, routers: int = 1, settings: Mapping[str, str] | None = None) -> None:
        # Not the default temporary directory: a socket's path must be short.
        self.data = Path(tempfile.mkdtemp(prefix="fc-bench-", dir="/tmp"))
        count = max(1, servers)
        first, (self._gateway, self._monitor) = _row(count), free_ports(2)
        self.addresses = [f"127.0.0.1:{first + number}" for number in range(count)]
        self.url = "unix://" + quote(program.socket_path(self.data))
        self.in_processes = servers > 0
        self._environment = self._told(first, count, routers, settings or {})
        self._processes: list[subprocess.Popen[bytes]] = []
        self._routers = routers

    @property
    def roots(self) -> list[int]:
        return [process.pid for process in self._processes]

    def start(self) -> None:
        """Return when its msg_servers greet and Redis answers. BenchError when they do not in time."""
        # Whatever it starts has the limit of this process.
        open_files()
        kind = ["--processes"] if self.in_processes else []
        self._spawn([*_FISHCHAT, "up", *kind, "--data", str(self.data)])
        deadline = time.monotonic() + START
        for address in self.addresses:
            while not (greets(address) and self._has_redis()):
                if self._processes[0].poll() is not None or time.monotonic() > deadline:
                    raise BenchError(f"FishChat did not start: {self.output()[-2000:]}")
                time.sleep(0.05)
        for _ in range(self._routers - 1):
            self._spawn([*_TWISTD, "fishchat-router"], FISHCHAT__REDIS__URL=self.url)

    def stop(self) -> None:
        """End all of it, and remove its data."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.data, ignore_errors=True)

    def output(self) -> str:
        """What it has said."""
        return (self.data / "output").read_text("utf-8", "replace")

    def process_of(self, role: str) -> int:
        """The process of ``ms1`` or another role; 0 when there is none of its own."""
        named = {role_of(pid): pid for pid in children(self.roots[0])} if self.in_processes else {}
        return named.get(role, 0)

    def figures(self, role: str, name: str) -> list[float] | None:
        """A figure of all that have this role, told after this was asked; None when they do not tell in time."""
        asked = time.monotonic()
        while time.monotonic() - asked < BEAT:
            servers = [one for one in self._heard() if one["role"] == role and one["state"] == "alive"]
            since = (time.monotonic() - asked) * 1000
            if servers and all(one["age"] < since for one in servers):
                return [one["figures"].get(name, 0) for one in servers]
            time.sleep(0.1)
        return None

    def store(self) -> Store:
        """A connection to its Redis, to be closed by whoever asks. OSError when that does not answer."""
        return Store(program.socket_path(self.data))

    def _has_redis(self) -> bool:
        try:
            with closing(self.store()) as store:
                return bool(store.ask("PING") == b"PONG")
        except OSError:
            return False

    def _heard(self) -> list[dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._monitor}/servers", timeout=2) as answer:
                servers: list[dict[str, Any]] = json.load(answer)["servers"]
        except OSError:
            return []
        return servers

    def _told(self, first: int, servers: int, routers: int, settings: Mapping[str, str]) -> dict[str, str]:
        base = {key: value for key, value in os.environ.items() if not key.startswith("FISHCHAT__")}
        told = {
            "GATEWAY__LISTEN": f"127.0.0.1:{self._gateway}",
            "MSG_SERVER__LISTEN": f"127.0.0.1:{first}",
            "MONITOR__LISTEN": f"127.0.0.1:{self._monitor}",
            "UP__MSG_SERVERS": str(servers),
            "ROUTER__SHARDS": str(routers),
            # So that logins are by token; and everybody may come at once.
            "ACCOUNTS__MODE": "closed",
            "LIMITS__FLOOD": "false",
            **settings,
        }
        return {**base, "PYTHONPATH": HERE, **{"FISHCHAT__" + key: value for key, value in told.items()}}

    def _spawn(self, command: list[str], **more: str) -> None:
        with open(self.data / "output", "ab") as output:
            process = subprocess.Popen(
                command,
                env={**self._environment, **more},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl+C is for us, who end it in order; and it does not outlive us.
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
        self._processes.append(process)


def greets(address: str) -> bool:
    """Whether a msg_server answers there."""
    return greeting(address).startswith("HELLO fishchat/")


def greeting(address: str) -> str:
    """The first line that is heard there; nothing when nobody answers."""
    try:
        with socket.create_connection(parse_address(address), timeout=3.0) as connection:
            return connection.recv(1024).decode("utf-8", "replace").partition("\r")[0]
    except OSError:
        return ""


def open_files() -> int:
    """Raise the limit of this process, and of what it starts, to what the system allows; gives that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def check_files(clients: int) -> None:
    """BenchError when so many clients cannot be: each is an open file here, and one at the server."""
    allowed = open_files()
    if allowed != resource.RLIM_INFINITY and clients + FILES > allowed:
        raise BenchError(
            f"{clients} clients need {clients + FILES} open files, and a process may have {allowed} here: raise the "
            "hard limit (`ulimit -Hn`, LimitNOFILE of systemd, /etc/security/limits.conf) or take fewer clients"
        )


def fsync_ms(directory: Path) -> float:
    """What this disk takes to have a line for sure, in milliseconds: the middle of many tries."""
    times = []
    with open(directory / "fsync", "wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 200)
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    return round(sorted(times)[len(times) // 2] * 1000, 3)


def _row(count: int) -> int:
    """The first of so many ports in a row that are free at the moment."""
    # Below those that connections of clients are given by the system: a server that starts again finds its port free.
    for _ in range(1000):
        first = random.randrange(20000, 32000)
        held: list[socket.socket] = []
        try:
            for port in range(first, first + count):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise BenchError(f"no {count} free ports in a row were found")
