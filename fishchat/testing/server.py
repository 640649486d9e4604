"""A whole FishChat in this process, for people who test their bots.

::

    class EchoTests(TestCase):
        async def test_echo(self):
            async with Server() as server:
                client = Client("alice", servers=[server.address], tls=False)
                ...
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from twisted.internet.task import deferLater

from fishchat.services.gateway.service import Gateway
from fishchat.services.launch import all_roles
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.net.listen import Listener
from fishchat.services.role import Parts
from fishchat.services.running.heartbeat import Heartbeat
from fishchat.testing.settings import configured

#: Seconds between two looks at what is waited for, and the most that a start may take.
LOOK_EVERY, PATIENCE = 0.01, 30.0
#: The sections of the configuration that have a listener.
SECTIONS = ("gateway", "msg_server", "monitor", "web")


class Server:
    """All roles on loopback ports that the system chooses, with a Redis of their own in a temporary directory.

    Settings are dotted keys: ``Server({"limits.devices": 2})``. Limits of rate are off unless ``limits.flood`` is set.

    :ivar address: where clients connect to, as ``host:port``; ``gateway``, ``monitor`` and ``web`` likewise.
    :ivar data: the data directory, which is removed at the end.
    """

    def __init__(self, settings: dict[str, Any] | None = None, reactor: Any = None) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self._reactor = reactor
        # Not the default temporary directory: the path of a socket must be short.
        self.data = Path(tempfile.mkdtemp(prefix="fc-", dir="/tmp"))
        free = {f"{section}.listen": "127.0.0.1:0" for section in SECTIONS}
        own = {"data": str(self.data), "msg_server.id": "ms1", "limits.flood": False}
        self.config = configured({**free, **own, **(settings or {})})
        self.address = self.gateway = self.monitor = self.web = ""
        self._parts: Parts | None = None

    async def start(self) -> None:
        """Return when clients can log in. Nothing is left of a start that fails."""
        parts = Parts(self.config, reactor=self._reactor)
        services = list(all_roles.build(parts))
        for service in services:
            service.setServiceParent(parts)
        await self._listen(parts, [one for one in services if isinstance(one, Listener)])
        [server] = (one for one in services if isinstance(one, MsgServer))
        [gateway] = (one for one in services if isinstance(one, Gateway))
        server.address = self.address
        self._parts = parts
        try:
            parts.startService()
            await parts.speaker.when_connected()
            await parts.listener.when_connected()
            # The first heartbeats may have been published before anything here was subscribed.
            for service in services:
                if isinstance(service, Heartbeat):
                    service.again()
            await self._until(lambda: server.ready and gateway.placement.count > 0)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End everything and remove the data."""
        parts, self._parts = self._parts, None
        try:
            if parts is not None:
                await parts.stopService()
        finally:
            shutil.rmtree(self.data, ignore_errors=True)

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _listen(self, parts: Parts, listeners: list[Listener]) -> None:
        try:
            parts.privilegedStartService()
        except BaseException:
            for listener in listeners:
                await listener.stopService()
            await self.stop()
            raise
        ports = {listener.key: f"127.0.0.1:{listener.port}" for listener in listeners}
        self.gateway, self.address, self.monitor, self.web = (ports[f"{section}.listen"] for section in SECTIONS)

    async def _until(self, ready: Callable[[], bool]) -> None:
        deadline = self._reactor.seconds() + PATIENCE
        while not ready():
            if self._reactor.seconds() >= deadline:
                raise TimeoutError(f"FishChat has not started within {PATIENCE:g} s")
            await deferLater(self._reactor, LOOK_EVERY)
