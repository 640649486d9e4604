"""A FishChat of real processes that is abused; one of its msg_servers is observed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol

from fishchat.client import Client
from fishchat.proof.processes import COMMAND, HERE, free_ports
from fishchat.proof.site import Place, Up, variables


class Target:
    """A FishChat that is abused; everything is done to the msg_server ``ms1``."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.place = Place()
        self.pid = 0
        self._up: Up | None = None

    async def start(self, **settings: str) -> None:
        """Start it with further configuration keys. AssertionError when that takes too long."""
        environment = self.place.environment(PYTHONPATH=HERE, **variables(**settings))
        self._up = Up(self.place, environment=environment)
        await self._up.when_alive(self.reactor, 40.0)
        self.pid = self._up.running()["ms1"]

    @property
    def authority(self) -> Path:
        """The file of the authority that signed the certificate."""
        return self.place.data / "tls" / "ca.pem"

    def secure(self) -> int:
        """Make a certificate for localhost before the start; return a port for TLS."""
        command = [*COMMAND, "cert", "server", "localhost", "127.0.0.1", "--data", str(self.place.data)]
        environment = self.place.environment(PYTHONPATH=HERE)
        subprocess.run(command, check=True, capture_output=True, env=environment, cwd="/", timeout=60)
        place = self.place
        # Not a port of the two servers without TLS, which are side by side.
        taken = {place.gateway, place.monitor, *range(place.msg_server - 1, place.msg_server + 2)}
        return next(port for port in free_ports(len(taken) + 1) if port not in taken)

    def memory(self) -> int:
        """Return the memory of the msg_server in KiB. AssertionError when it is not the one that was started."""
        assert self._up is not None and self._up.running().get("ms1") == self.pid, "the msg_server has died"
        return int(psutil.Process(self.pid).memory_info().rss) // 1024

    def client(self, account: str, port: int = 0, tls: Path | None = None) -> Client:
        """Return a well-behaved client of the msg_server."""
        address = f"localhost:{port}" if tls else f"127.0.0.1:{port or self.place.msg_server}"
        return Client(account, servers=[address], tls=tls, reactor=self.reactor)

    async def connect(self, make: Callable[[], Protocol], port: int = 0) -> Any:
        """Return a connection of another kind."""
        factory: Any = Factory.forProtocol(make)
        factory.noisy = False
        endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", port or self.place.msg_server)
        return await endpoint.connect(factory)

    async def end(self) -> None:
        """End it and remove its data."""
        if self._up is not None:
            try:
                await self._up.stop(self.reactor)
            finally:
                self._up.kill()
        self.place.close()
