"""A FishChat of its own: ``fishchat up`` on free ports of this machine, with a data directory of its own.

The lab, the measurements and the tests of real processes start theirs here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

from fishchat.config.paths import redis_url
from fishchat.config.schema import Config
from fishchat.proof.monitor import name_of, shown_by_monitor
from fishchat.proof.processes import COMMAND, HERE, children, free_rows, prepare_child, role_of
from fishchat.services.launch.commands import twistd
from fishchat.services.launch.layout import stages
from fishchat.services.redis import program

#: The number of msg_servers that ``fishchat up --processes`` starts by default.
SERVERS = Config().up.msg_servers
#: The processes of ``fishchat up --processes`` beside Redis: roles by their names, msg_servers by their ids.
ROLES = frozenset(one.name for stage in stages(Config()) for one in stage)
#: Seconds that a further role has to end after SIGTERM.
TO_END = 10.0


class Place:
    """A data directory, and free ports for every role.

    :ivar msg_server: the port of the first msg_server; those of the others follow it.
    """

    def __init__(self, data: Path | None = None, servers: int = SERVERS, prefix: str = "fc-") -> None:
        self._temporary = data is None
        # Not in the default temporary directory: the path of a socket must be short.
        self.data = data or Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.servers = servers
        self.gateway, self.msg_server, self.monitor = free_rows([1, servers, 1])

    @property
    def addresses(self) -> list[str]:
        """The addresses of the msg_servers."""
        return [f"127.0.0.1:{self.msg_server + number}" for number in range(self.servers)]

    @property
    def redis_url(self) -> str:
        """The URL of the embedded Redis."""
        return redis_url(Config(data=str(self.data)))

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of this process with the settings of this place, no other settings, and ``more``."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("FISHCHAT")}
        return {
            **inherited,
            **variables(
                GATEWAY__LISTEN=f"127.0.0.1:{self.gateway}",
                MSG_SERVER__LISTEN=f"127.0.0.1:{self.msg_server}",
                MONITOR__LISTEN=f"127.0.0.1:{self.monitor}",
                WEB__LISTEN="",
                MSG_SERVER__LISTEN_WEB="",
                LIMITS__FLOOD="false",
            ),
            **more,
        }

    def close(self) -> None:
        """Remove the data directory if it was made by this object."""
        if self._temporary:
            shutil.rmtree(self.data, ignore_errors=True)


def variables(**settings: str) -> dict[str, str]:
    """Return the environment variables of these configuration keys: ``LIMITS__FLOOD="false"``."""
    return {"FISHCHAT__" + key: value for key, value in settings.items()}


class Up:
    """``fishchat up`` as a child of this process. Its output goes to the file ``output`` in the data directory.

    :param command: the command instead of the package that is imported here.
    :param processes: whether each role is a process of its own.
    :ivar view: the data directory as this process sees it.
    :ivar extra: roles that were added.
    """

    def __init__(
        self,
        place: Place,
        command: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        processes: bool = True,
        cwd: str = "/",
    ) -> None:
        self.place = place
        self.view = place.data
        self.processes = processes
        self.extra: list[subprocess.Popen[bytes]] = []
        self._cwd = cwd
        self._environment = dict(environment or place.environment(PYTHONPATH=HERE))
        kind = ["--processes"] if processes else []
        words = [*(command or COMMAND), "up", *kind, "--data", str(place.data)]
        self.process = self._spawn(words, self._environment, "output")

    @property
    def roots(self) -> list[int]:
        """The processes that were started here, without those that they started."""
        return [one.pid for one in (self.process, *self.extra)]

    def add(self, plugin: str) -> subprocess.Popen[bytes]:
        """Start one more role beside those of ``fishchat up``: a second router, for example."""
        defaults = variables(DATA=str(self.place.data), REDIS__URL=self.place.redis_url)
        process = self._spawn(twistd(plugin), {**defaults, **self._environment}, f"{plugin}-{len(self.extra)}.log")
        self.extra.append(process)
        return process

    def _spawn(self, words: Sequence[str], environment: Mapping[str, str], output: str) -> subprocess.Popen[bytes]:
        with open(self.place.data / output, "ab") as file:
            return subprocess.Popen(
                words,
                env=environment,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                # Ctrl+C is for this process, which ends its children in order; and they do not outlive it.
                start_new_session=True,
                preexec_fn=partial(prepare_child, os.getpid()),
            )

    def output(self) -> str:
        """Return all output of the command so far."""
        return (self.place.data / "output").read_text("utf-8", "replace")

    def running(self) -> dict[str, int]:
        """Return the processes that run now, by name: ``ROLES`` and ``redis``."""
        named = [(role_of(pid), pid) for pid in children(self.process.pid)]
        found = {name: pid for name, pid in named if name}
        redis = program.running_process(self.view)
        return {**found, "redis": redis} if redis else found

    async def when_alive(self, reactor: Any, seconds: float = 20.0) -> None:
        """Wait until Redis and all roles run and the monitor shows each; AssertionError after ``seconds``."""

        def is_alive(heard: set[tuple[str, int]]) -> bool:
            running = self.running()
            return running.pop("redis", 0) > 0 and running.keys() == ROLES and running.items() <= heard

        deadline = reactor.seconds() + seconds
        while True:
            # By name and process: there may be another router beside that of `up`.
            heard = {(name_of(one), one["pid"]) for one in await shown_by_monitor(reactor, self.place.monitor)}
            if is_alive(heard):
                return
            assert reactor.seconds() < deadline, f"after {seconds} s the monitor shows only {sorted(heard)}"
            await deferLater(reactor, 0.05)

    async def stop(self, reactor: Any, seconds: float = 20.0) -> int:
        """End everything by SIGTERM; return the exit code of ``up``. AssertionError when it does not end in time."""
        self.end_extra()
        self.process.terminate()
        deadline = reactor.seconds() + seconds
        while self.process.poll() is None:
            assert reactor.seconds() < deadline, f"fishchat up has not ended within {seconds} s"
            await deferLater(reactor, 0.02)
        return int(self.process.returncode)

    def end(self, seconds: float) -> None:
        """End everything by SIGTERM, and by SIGKILL after the time limit. Blocks."""
        self.end_extra()
        _end(self.process, seconds)

    def end_extra(self) -> None:
        """End the roles that were added. Blocks."""
        for process in reversed(self.extra):
            _end(process, TO_END)

    def kill(self) -> None:
        """End everything at once by SIGKILL; the roles of ``up`` then end by themselves. For cleaning up."""
        for process in (self.process, *self.extra):
            process.kill()
            process.wait()


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
