"""The system under test: ``fishchat up --processes`` on free ports, with what is put in its way.

A site has one of two shapes. In the plain one ``up`` runs everything, Redis too. With ``redis_through`` the lab runs
Redis, by the same service that ``up`` runs it by, and every role speaks to it through a proxy of the lab's. With
``clients_through`` clients are told the address of such a proxy in place of each msg_server's.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from fishchat.config.schema import Config
from fishchat.proof.lab.processes import COMMAND, HERE, Place, Up, free_ports, role_of
from fishchat.proof.lab.proxy import Link, Proxy
from fishchat.services.redis import program
from fishchat.services.redis.probe import ask
from fishchat.services.redis.service import EmbeddedRedis

#: Seconds for everything to start, and to be back after a fault.
START, BACK = 30.0, 30.0
#: msg_servers that ``up --processes`` starts.
SERVERS = 2

_TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile="]


@dataclass(frozen=True)
class Shape:
    """What a site is like.

    :ivar redis_server: the Redis program; the one that the product would choose when empty.
    :ivar prefix: a command in front of ``fishchat up``; ``redis_prefix`` in front of the Redis program. ``{notes}`` and
        ``{data}`` in them are the directories of the run.
    :ivar settings: further keys of the configuration, as in the environment: ``LIMITS__DEVICES``.
    :ivar source: the directory that the package ``fishchat`` is taken from.
    """

    clients_through: bool = False
    redis_through: bool = False
    redis_server: str = ""
    prefix: tuple[str, ...] = ()
    redis_prefix: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    source: str = HERE


class Site:
    """A FishChat of real processes, and handles on all of it.

    :ivar notes: the directory of the run: the journal, and what else the lab writes; below it ``data``, that of
        FishChat.
    """

    def __init__(self, reactor: Any, random: Random, shape: Shape, notes: Path | None = None) -> None:
        self.reactor = reactor
        self.shape = shape
        # Not the default temporary directory: a socket's path must be short.
        self.notes = notes or Path(tempfile.mkdtemp(prefix="fc-lab-", dir="/tmp"))
        self.notes.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data = self.notes / "data"
        self.place = Place(self.data)
        self.clients: list[Proxy] = []
        self._redis_links: Proxy | None = None
        self._random = random
        self._redis: EmbeddedRedis | None = None
        self._up: Up | None = None
        self._extra: list[subprocess.Popen[bytes]] = []
        self._environment: dict[str, str] = {}

    async def start(self) -> None:
        """Start everything, and return when it is there. AssertionError when that takes too long."""
        settings = dict(self.shape.settings)
        if self.shape.clients_through:
            settings["MSG_SERVER__ADVERTISE"] = await self._put_between_clients()
        if self.shape.redis_through:
            settings["REDIS__URL"] = await self._put_before_redis()
        told = {"FISHCHAT__" + key: value for key, value in settings.items()}
        told["PYTHONPATH"] = self.shape.source
        if executable := self._redis_executable():
            told["FISHCHAT_REDIS_SERVER"] = executable
        self._environment = self.place.environment(**told)
        self._up = Up(self.place, (*self._filled(self.shape.prefix), *COMMAND), self._environment)
        if self.shape.prefix:
            self._up.view = Path(f"/proc/{self._up.process.pid}/root{self.data}")
        await self.when_alive(START)

    async def when_alive(self, seconds: float = BACK) -> None:
        """Return when Redis and all roles run and have been heard of. AssertionError when that takes too long."""
        await self.up.when_alive(self.reactor, seconds)

    async def stop(self) -> int:
        """End it by SIGTERM, as a person would; the exit code of ``up``."""
        for one in self._extra:
            one.terminate()
            one.wait(10)
        code = await self.up.stop(self.reactor)
        if self._redis is not None:
            await self._redis.stopService()
        return code

    async def end(self, keep: bool = False) -> None:
        """End at once what still runs, and remove the data."""
        for one in self._extra:
            one.kill()
            one.wait()
        if self._up is not None:
            # A role that is stopped would not notice that `up` is gone, and one without Redis takes its time to end.
            left = self.running()
            self._up.kill()
            for pid in left.values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for proxy in [*self.clients, *filter(None, [self._redis_links])]:
            await proxy.stop()
        if self._redis is not None and self._redis.running:
            await self._redis.stopService()
        if not keep:
            shutil.rmtree(self.notes, ignore_errors=True)

    @property
    def view(self) -> Path:
        """The data directory as FishChat sees it: it may be on a disk that is mounted for FishChat alone."""
        return self.up.view

    @property
    def redis_links(self) -> Proxy:
        """The connections of all roles to Redis, if the shape has them pass through here."""
        assert self._redis_links is not None, "the shape of the site has no proxy before Redis"
        return self._redis_links

    @property
    def up(self) -> Up:
        """The running command."""
        assert self._up is not None, "it was not started"
        return self._up

    @property
    def gateway(self) -> str:
        """Where clients ask."""
        return f"127.0.0.1:{self.place.gateway}"

    def running(self) -> dict[str, int]:
        """The processes that run now: ``ms1``, ``router``, …, ``redis``."""
        return self.up.running()

    def signal(self, who: str, signum: signal.Signals) -> bool:
        """Send it; whether there was such a process."""
        pid = self.running().get(who)
        if pid is not None:
            os.kill(pid, signum)
        return pid is not None

    def add(self, plugin: str) -> subprocess.Popen[bytes]:
        """One more role beside those of ``up``: a second router, say."""
        url = "unix://" + quote(program.socket_path(self.data))
        told = {"FISHCHAT__DATA": str(self.data), "FISHCHAT__REDIS__URL": url}
        output = (self.data / f"{plugin}-{len(self._extra)}.log").open("ab")
        process = subprocess.Popen(
            [*_TWISTD, plugin],
            env={**told, **self._environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        self._extra.append(process)
        return process

    async def redis(self, *commands: tuple[str, ...]) -> list[Any]:
        """Redis' replies to these commands, asked directly. OSError, ConnectionError or TimeoutError."""
        return await ask(self.reactor, self.reactor, str(self.view / "redis.sock"), *commands)

    def of_role(self, *roles: str) -> Any:
        """Which links to Redis are those of these roles, for the methods of ``redis_links``."""

        def fits(link: Link) -> bool:
            return link.pid is not None and role_of(link.pid) in roles

        return fits

    async def _put_between_clients(self) -> str:
        first = free_ports(1)[0]
        for number in range(SERVERS):
            proxy = Proxy(self.reactor, f"127.0.0.1:{self.place.msg_server + number}", random=self._random)
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
        """The program to run as Redis; a small script when something is to stand in front of it."""
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
