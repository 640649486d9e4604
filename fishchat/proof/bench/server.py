"""A FishChat that is started to be measured, with the figures of its roles and a connection to its Redis."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from fishchat.proof.bench.crowd import BenchError
from fishchat.proof.bench.machine import greets, raise_file_limit
from fishchat.proof.bench.store import Store
from fishchat.proof.processes import HERE, free_rows
from fishchat.proof.site import Place, Up, variables
from fishchat.services.redis import program

#: Seconds to start and to end; and within which a role sends its next heartbeat.
START, STOP, BEAT = 30.0, 20.0, 4.0


class Server:
    """A FishChat of its own, with a process for each role or one for all.

    :ivar addresses: the addresses of its msg_servers.
    :ivar web_addresses: those of WebSocket.
    :ivar url: the URL of its Redis.
    :ivar in_processes: whether each role is a process.
    :param servers: the number of msg_servers; 0 is one process for everything.
    :param routers: the number of routers, with a shard for each; more than one needs ``servers``.
    """

    def __init__(self, servers: int = 0, routers: int = 1, settings: Mapping[str, str] | None = None) -> None:
        self.place = Place(servers=max(1, servers), prefix="fc-bench-")
        self.data = self.place.data
        self.addresses = self.place.addresses
        [web, sockets] = free_rows([1, self.place.servers])
        rows = [f"127.0.0.1:{sockets + number}" for number in range(self.place.servers)]
        # With all roles in one process, that of the pages is the only one.
        self.web_addresses = rows if servers else [f"127.0.0.1:{web}"]
        self.url = self.place.redis_url
        self.in_processes = servers > 0
        self._routers = routers
        self._settings = {
            "UP__MSG_SERVERS": str(max(1, servers)),
            "ROUTER__SHARDS": str(routers),
            # So that logins are by token.
            "ACCOUNTS__MODE": "closed",
            "WEB__LISTEN": f"127.0.0.1:{web}",
            "MSG_SERVER__LISTEN_WEB": rows[0],
            **(settings or {}),
        }
        self._up: Up | None = None

    @property
    def roots(self) -> list[int]:
        """Its processes, without those that they started."""
        return self._up.roots if self._up is not None else []

    def start(self) -> None:
        """Start it, and wait until its msg_servers and its Redis answer. BenchError when they do not in time."""
        # Child processes inherit the limit of this one.
        raise_file_limit()
        environment = self.place.environment(PYTHONPATH=HERE, **variables(**self._settings))
        self._up = Up(self.place, environment=environment, processes=self.in_processes)
        deadline = time.monotonic() + START
        while not (self._has_redis() and all(map(greets, self.addresses))):
            if self._up.process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"FishChat did not start: {self._up.output()[-2000:]}")
            time.sleep(0.05)
        for _ in range(self._routers - 1):
            self._up.add("fishchat-router")

    def stop(self) -> None:
        """End it, and remove its data."""
        if self._up is not None:
            self._up.end(STOP)
        self.place.close()

    def process_of(self, role: str) -> int:
        """Return the process of ``ms1`` or another role; 0 if it has none of its own."""
        return self._up.running().get(role, 0) if self._up is not None and self.in_processes else 0

    def figures(self, role: str, name: str) -> list[float] | None:
        """Return a figure of all servers of this role, sent after this call; None when they do not send it in time."""
        asked = time.monotonic()
        while time.monotonic() - asked < BEAT:
            servers = [one for one in self._shown() if one["role"] == role and one["state"] == "alive"]
            since = (time.monotonic() - asked) * 1000
            if servers and all(one["age"] < since for one in servers):
                return [one["figures"].get(name, 0) for one in servers]
            time.sleep(0.1)
        return None

    def store(self) -> Store:
        """Return a connection to its Redis, which the caller closes. OSError when that does not answer."""
        return Store(program.socket_path(self.data))

    def _has_redis(self) -> bool:
        try:
            with closing(self.store()) as store:
                return bool(store.ask("PING") == b"PONG")
        except OSError:
            return False

    def _shown(self) -> list[dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.place.monitor}/servers", timeout=2) as answer:
                servers: list[dict[str, Any]] = json.load(answer)["servers"]
        except OSError:
            return []
        return servers
