"""A FishChat to be abused: real processes, one of which is looked at."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol

from fishchat.client import Client
from fishchat.proof.lab.processes import COMMAND, HERE, Place, Up, free_ports


class Target:
    """A FishChat to be abused; ``ms1`` is the msg_server that all of it is done to."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.place = Place()
        self.pid = 0
        self._up: Up | None = None

    async def start(self, **settings: str) -> None:
        """Start it, with further keys of the configuration; AssertionError when that takes too long."""
        told = {"FISHCHAT__" + key: value for key, value in settings.items()}
        self._up = Up(self.place, environment=self.place.environment(PYTHONPATH=HERE, **told))
        await self._up.when_alive(self.reactor, 40.0)
        self.pid = self._up.running()["ms1"]

    @property
    def authority(self) -> Path:
        """The file of the authority that has signed the certificate."""
        return self.place.data / "tls" / "ca.pem"

    def secure(self) -> int:
        """Make a certificate for localhost, before the start, and choose a port for TLS."""
        command = [*COMMAND, "cert", "server", "localhost", "127.0.0.1", "--data", str(self.place.data)]
        environment = self.place.environment(PYTHONPATH=HERE)
        subprocess.run(command, check=True, capture_output=True, env=environment, cwd="/", timeout=60)
        place = self.place
        # One that the servers without TLS are not given: of those there are two, side by side.
        taken = {place.gateway, place.monitor, *range(place.msg_server - 1, place.msg_server + 2)}
        return next(port for port in free_ports(len(taken) + 1) if port not in taken)

    def memory(self) -> int:
        """KiB of the msg_server. AssertionError when it is not the one that was started."""
        assert self._up is not None and self._up.running().get("ms1") == self.pid, "the msg_server has died"
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def client(self, account: str, port: int = 0, tls: Path | None = None) -> Client:
        """A well-behaved client of the msg_server."""
        address = f"localhost:{port}" if tls else f"127.0.0.1:{port or self.place.msg_server}"
        return Client(account, servers=[address], tls=tls, reactor=self.reactor)

    async def connect(self, make: Callable[[], Protocol], port: int = 0) -> Any:
        """A connection of another kind."""
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
