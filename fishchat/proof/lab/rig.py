"""The system under test: ``fishchat up --processes`` on free ports, with the lab's proxies.

In the plain shape ``up`` runs everything, Redis included. With ``redis_through`` the lab runs Redis, by the same
service as ``up``, and every role connects to it through a proxy of the lab. With ``clients_through`` clients are given
the address of such a proxy instead of each msg_server's.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from fishchat.config.schema import Config
from fishchat.proof.lab.proxy import Link, Proxy
from fishchat.proof.processes import COMMAND, HERE, free_ports, free_rows, role_of
from fishchat.proof.site import SERVERS, Place, Up, variables
from fishchat.services.redis import program
from fishchat.services.redis.probe import ask
from fishchat.services.redis.service import EmbeddedRedis

#: Seconds for everything to start, and to be back after a fault; and to make a certificate.
START, BACK, CERTIFYING = 30.0, 30.0, 60.0


@dataclass(frozen=True)
class Shape:
    """The parts of a rig.

    :ivar redis_server: the Redis program; if empty, the one that the product would choose.
    :ivar prefix: a command before ``fishchat up``; ``redis_prefix`` before the Redis program. In them ``{notes}`` and
        ``{data}`` stand for the directories of the run.
    :ivar settings: further configuration keys, as in the environment: ``LIMITS__DEVICES``.
    :ivar source: the directory that the package ``fishchat`` is taken from.
    :ivar secure: whether clients use TLS and accounts.
    """

    clients_through: bool = False
    redis_through: bool = False
    redis_server: str = ""
    prefix: tuple[str, ...] = ()
    redis_prefix: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    source: str = HERE
    secure: bool = False


class Rig:
    """A FishChat of real processes, with access to all of it.

    :ivar notes: the directory of the run, which holds the journal and other files of the lab.
    :ivar data: the data directory of FishChat, below it.
    """

    def __init__(self, reactor: Any, random: Random, shape: Shape, notes: Path | None = None) -> None:
        self.reactor = reactor
        self.shape = shape
        # Not in the default temporary directory: the path of a socket must be short.
        self.notes = notes or Path(tempfile.mkdtemp(prefix="fc-lab-", dir="/tmp"))
        self.notes.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data = self.notes / "data"
        self.place = Place(self.data)
        self.clients: list[Proxy] = []
        self._redis_links: Proxy | None = None
        self._random = random
        self._redis: EmbeddedRedis | None = None
        self._up: Up | None = None
        self._held: int | None = None
        self._gateway, self._servers = self.place.gateway, self.place.msg_server

    async def start(self) -> None:
        """Start everything, and wait until all of it answers. AssertionError when that takes too long."""
        settings = dict(self.shape.settings)
        if self.shape.secure:
            settings.update(self._secure())
        if self.shape.clients_through:
            name = "MSG_SERVER__ADVERTISE_TLS" if self.shape.secure else "MSG_SERVER__ADVERTISE"
            settings[name] = await self._put_before_clients()
        if self.shape.redis_through:
            settings["REDIS__URL"] = await self._put_before_redis()
        more = {**variables(**settings), "PYTHONPATH": self.shape.source}
        if executable := self._redis_executable():
            more["FISHCHAT_REDIS_SERVER"] = executable
        self._up = Up(self.place, (*self._filled(self.shape.prefix), *COMMAND), self.place.environment(**more))
        if self.shape.prefix:
            self._up.view = Path(f"/proc/{self._up.process.pid}/root{self.data}")
        await self.when_alive(START)
        if self.shape.prefix:
            # A disk that is mounted for FishChat alone stays readable by an open directory when FishChat has ended.
            self._held = os.open(self._up.view, os.O_RDONLY | os.O_DIRECTORY)
            self._up.view = Path(f"/proc/self/fd/{self._held}")

    async def when_alive(self, seconds: float = BACK) -> None:
        """Wait until Redis and all roles run and send heartbeats. AssertionError when that takes too long."""
        await self.up.when_alive(self.reactor, seconds)

    async def stop(self) -> int:
        """End everything by SIGTERM, as a person would; return the exit code of ``up``."""
        code = await self.up.stop(self.reactor)
        if self._redis is not None:
            await self._redis.stopService()
        return code

    async def end(self, keep: bool = False) -> None:
        """End all remaining processes at once, and remove the data."""
        if self._up is not None:
            # A stopped role would not notice that `up` has ended, and one without Redis ends slowly.
            left = self.running()
            self._up.kill()
            for pid in left.values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for proxy in [*self.clients, *filter(None, [self._redis_links])]:
            await proxy.stop()
        if self._redis is not None and self._redis.running:
            await self._redis.stopService()
        if self._held is not None:
            os.close(self._held)
            self._held = None
        if not keep:
            shutil.rmtree(self.notes, ignore_errors=True)

    @property
    def view(self) -> Path:
        """The data directory as FishChat sees it: it may be on a disk that is mounted for FishChat alone."""
        return self.up.view

    @property
    def logs(self) -> list[Path]:
        """The files that roles and ``up`` write to, those that were rotated too."""
        views = {self.data, self._up.view if self._up is not None else self.data}
        found = [path for view in views for path in view.glob("*.log*")]
        return sorted(path for path in [*found, self.data / "output"] if path.exists())

    @property
    def redis_links(self) -> Proxy:
        """The connections of all roles to Redis, if the shape leads them through the lab."""
        assert self._redis_links is not None, "the shape of the rig has no proxy before Redis"
        return self._redis_links

    @property
    def up(self) -> Up:
        """The running command."""
        assert self._up is not None, "it was not started"
        return self._up

    @property
    def gateway(self) -> str:
        """The address of the gateway for clients."""
        return f"127.0.0.1:{self._gateway}"

    @property
    def authority(self) -> Path | None:
        """The file of the authority that clients trust; None if they use no TLS."""
        return self.data / "tls" / "ca.pem" if self.shape.secure else None

    def running(self) -> dict[str, int]:
        """Return the processes that run now: ``ms1``, ``router``, …, ``redis``."""
        return self.up.running()

    def signal(self, who: str, signum: signal.Signals) -> bool:
        """Send a signal; return whether there was such a process."""
        pid = self.running().get(who)
        if pid is not None:
            os.kill(pid, signum)
        return pid is not None

    def add(self, plugin: str) -> subprocess.Popen[bytes]:
        """Start one more role beside those of ``up``: a second router, for example."""
        return self.up.add(plugin)

    async def redis(self, *commands: tuple[str, ...]) -> list[Any]:
        """Return Redis' replies to these commands. OSError, ConnectionError or TimeoutError."""
        return await ask(self.reactor, self.reactor, str(self.view / "redis.sock"), *commands)

    def of_role(self, *roles: str) -> Any:
        """Return a condition for the methods of ``redis_links``: whether a link is one of these roles'."""

        def fits(link: Link) -> bool:
            return link.pid is not None and role_of(link.pid) in roles

        return fits

    def _secure(self) -> dict[str, str]:
        """Make a certificate, and return the settings of TLS and accounts."""
        self._gateway, self._servers = free_rows([1, SERVERS])
        words = [*COMMAND, "cert", "server", "localhost", "127.0.0.1", "--data", str(self.data)]
        environment = self.place.environment(PYTHONPATH=HERE)
        subprocess.run(words, check=True, capture_output=True, env=environment, cwd="/", timeout=CERTIFYING)
        return {
            "GATEWAY__LISTEN_TLS": f"127.0.0.1:{self._gateway}",
            "MSG_SERVER__LISTEN_TLS": f"127.0.0.1:{self._servers}",
            "ACCOUNTS__MODE": "closed",
        }

    async def _put_before_clients(self) -> str:
        first = free_ports(1)[0]
        for number in range(SERVERS):
            proxy = Proxy(self.reactor, f"127.0.0.1:{self._servers + number}", random=self._random)
            await proxy.start(f"127.0.0.1:{first + number}")
            self.clients.append(proxy)
        return f"127.0.0.1:{first}"

    async def _put_before_redis(self) -> str:
        if executable := self._redis_executable():
            os.environ["FISHCHAT_REDIS_SERVER"] = executable
        self._redis = EmbeddedRedis(Config(data=str(self.data)), self.reactor)
        self._redis.startService()
        await self._redis.ready()
        between = str(self.data / "between.sock")
        self._redis_links = Proxy(self.reactor, program.socket_path(self.data), random=self._random)
        await self._redis_links.start(between)
        return "unix://" + quote(between)

    def _redis_executable(self) -> str:
        """Return the program to run as Redis; a small script when a command is to precede it."""
        if not self.shape.redis_prefix:
            return self.shape.redis_server
        real = self.shape.redis_server or program.find_executable()
        script = self.notes / "redis-server"
        words = " ".join([*self._filled(self.shape.redis_prefix), real])
        script.write_text(f'#!/bin/sh\ncase "$1" in --version) exec {real} "$@";; esac\nexec {words} "$@"\n')
        script.chmod(0o700)
        return str(script)

    def _filled(self, words: tuple[str, ...]) -> list[str]:
        return [word.replace("{notes}", str(self.notes)).replace("{data}", str(self.data)) for word in words]
