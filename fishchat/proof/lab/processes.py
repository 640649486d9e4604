"""Real FishChat processes for tests: free ports, a data directory, who runs, and what the monitor says of them."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater
from twisted.web.client import Agent, HTTPConnectionPool, readBody

import fishchat
from fishchat.config.schema import Config
from fishchat.services.launch import commands
from fishchat.services.launch.processes import stages
from fishchat.services.redis import program

#: Why tests of real processes cannot run here; empty when they can.
MISSING = "" if Path("/proc/self/stat").exists() else "needs /proc to find the processes"

#: Where the package that is imported here lies.
HERE = str(Path(fishchat.__file__).parent.parent)

#: The command ``fishchat``, whether or not it is on PATH.
COMMAND = tuple(commands.fishchat())

#: Where free ports are looked for: below those that systems take for outgoing connections, which come at any moment.
PORTS = range(20000, 32000)

#: What ``fishchat up --processes`` starts, beside Redis: roles by their names, msg_servers by their ids.
ROLES = frozenset(one.name for stage in stages(Config()) for one in stage)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment, the one behind each of them neither."""
    found: list[int] = []
    with ExitStack() as held:
        # All are held until the last is found, so that none is given twice.
        while len(found) < count:
            port = PORTS.start + secrets.randbelow(len(PORTS))
            try:
                held.enter_context(_holding(port))
                held.enter_context(_holding(port + 1))
            except OSError:
                continue
            found.append(port)
    return found


def _holding(port: int) -> socket.socket:
    holder = socket.socket()
    try:
        holder.bind(("127.0.0.1", port))
    except BaseException:
        holder.close()
        raise
    return holder


class Place:
    """A data directory and free ports for every role; ``environment`` says so to whatever is started with it."""

    def __init__(self, data: Path | None = None) -> None:
        self._temporary = data is None
        # Not the default temporary directory: a socket's path must be short.
        self.data = data or Path(tempfile.mkdtemp(prefix="fc-", dir="/tmp"))
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.gateway, self.msg_server, self.monitor = free_ports(3)

    def environment(self, **more: str) -> dict[str, str]:
        """This process' environment with the settings of this place, and no other ones, and ``more``."""
        told = {key: value for key, value in os.environ.items() if not key.startswith("FISHCHAT")}
        settings = {
            "GATEWAY__LISTEN": f"127.0.0.1:{self.gateway}",
            "MSG_SERVER__LISTEN": f"127.0.0.1:{self.msg_server}",
            "MONITOR__LISTEN": f"127.0.0.1:{self.monitor}",
            "LIMITS__FLOOD": "false",
        }
        return {**told, **{"FISHCHAT__" + key: value for key, value in settings.items()}, **more}

    def close(self) -> None:
        """Remove the data directory, if it was made for this."""
        if self._temporary:
            shutil.rmtree(self.data, ignore_errors=True)


class Up:
    """``fishchat up --processes`` as a child of this process. What it says goes to ``output`` in the data directory.

    :param command: what to run instead of the package that is imported here, in which environment.
    """

    def __init__(self, place: Place, command: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        self.place = place
        #: The data directory as seen from here.
        self.view = place.data
        command = command or COMMAND
        with open(place.data / "output", "ab") as output:
            self.process = subprocess.Popen(
                [*command, "up", "--processes", "--data", str(place.data)],
                env=environment or place.environment(PYTHONPATH=HERE),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def output(self) -> str:
        """All that it has said so far."""
        return (self.place.data / "output").read_text("utf-8", "replace")

    def running(self) -> dict[str, int]:
        """The processes that run now, by name: ``ROLES`` and ``redis``."""
        named = [(role_of(pid), pid) for pid in children(self.process.pid)]
        found = {name: pid for name, pid in named if name}
        redis = program.running_process(self.view)
        return {**found, "redis": redis} if redis else found

    async def when_alive(self, reactor: Any, seconds: float = 20.0) -> None:
        """Return when Redis and all roles run and the monitor has heard of each; AssertionError when it is late."""

        def is_alive(heard: set[tuple[str, int]]) -> bool:
            running = self.running()
            return running.pop("redis", 0) > 0 and running.keys() == ROLES and running.items() <= heard

        deadline = reactor.seconds() + seconds
        while True:
            # By name and process: there may be another router beside that of `up`.
            heard = {(_name(one), one["pid"]) for one in await shown_by_monitor(reactor, self.place.monitor)}
            if is_alive(heard):
                return
            assert reactor.seconds() < deadline, f"after {seconds} s the monitor knows only of {sorted(heard)}"
            await deferLater(reactor, 0.05)

    async def stop(self, reactor: Any, seconds: float = 20.0) -> int:
        """End it by SIGTERM; its exit code. AssertionError when it does not end in time."""
        self.process.terminate()
        deadline = reactor.seconds() + seconds
        while self.process.poll() is None:
            assert reactor.seconds() < deadline, f"fishchat up has not ended within {seconds} s"
            await deferLater(reactor, 0.02)
        return int(self.process.returncode)

    def kill(self) -> None:
        """End it at once; the roles then end by themselves. For cleaning up."""
        self.process.kill()
        self.process.wait()


def children(parent: int) -> list[int]:
    """The processes that this one has started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            # The name in parentheses may hold anything, spaces and parentheses too.
            stat = (entry / "stat").read_text("utf-8", "replace") if entry.name.isdigit() else ""
        except OSError:
            continue
        if stat and int(stat.rpartition(")")[2].split()[1]) == parent:
            found.append(int(entry.name))
    return found


def command_line(pid: int) -> list[str]:
    """The words of a process' command line; none when it is gone."""
    return _words(pid, "cmdline")


def role_of(pid: int) -> str:
    """``gateway``, ``ms1`` and so on; nothing when this is no role's process."""
    plugin = next((word for word in command_line(pid) if word.startswith("fishchat-")), "")
    if plugin != "fishchat-msg":
        return plugin.removeprefix("fishchat-")
    name, prefix = "", "FISHCHAT__MSG_SERVER__ID="
    for word in _words(pid, "environ"):
        name = word.removeprefix(prefix) if word.startswith(prefix) else name
    return name


def _words(pid: int, file: str) -> list[str]:
    try:
        return Path("/proc", str(pid), file).read_text("utf-8", "replace").split("\0")
    except OSError:
        return []


async def shown_by_monitor(reactor: Any, port: int) -> list[dict[str, Any]]:
    """What the monitor shows of the servers that are alive; nothing when it cannot be asked."""
    pool = HTTPConnectionPool(reactor, persistent=False)
    url = b"http://127.0.0.1:%d/servers" % port
    try:
        response = await Agent(reactor, pool=pool).request(b"GET", url).addTimeout(2.0, reactor)
        body = await readBody(response).addTimeout(2.0, reactor)
        servers = json.loads(body)["servers"]
    except Exception:
        # It is not there yet, or was killed while it answered.
        return []
    return [server for server in servers if server["state"] == "alive"]


async def heard_by_monitor(reactor: Any, port: int) -> dict[str, int]:
    """The processes that the monitor shows as alive, by the names of ``ROLES``; none when it cannot be asked."""
    return {_name(one): one["pid"] for one in await shown_by_monitor(reactor, port)}


def _name(shown: dict[str, Any]) -> str:
    name: str = shown["id" if shown["role"] == "msg_server" else "role"]
    return name


async def heard_of(reactor: Any, port: int, enough: Callable[[dict[str, int]], bool], seconds: float) -> None:
    """Return when ``enough`` of what the monitor has heard of is true; AssertionError when that takes longer."""
    deadline = reactor.seconds() + seconds
    while not enough(heard := await heard_by_monitor(reactor, port)):
        assert reactor.seconds() < deadline, f"after {seconds} s the monitor knows only of {sorted(heard)}"
        await deferLater(reactor, 0.05)
