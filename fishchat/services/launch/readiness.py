"""Find out when everything that ``fishchat up`` started can be used."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from fishchat.config.schema import Config
from fishchat.net.addresses import parse_address
from fishchat.services.running import heartbeat

#: Seconds between two attempts.
EVERY = 0.05


async def usable(config: Config, reactor: Any, processes: Callable[[], Collection[int]] = frozenset) -> None:
    """Return when Redis keeps the promised durability and a heartbeat of each of ``processes`` was received."""
    # Imported here, as the roles are: commands that do not start servers need not load it.
    from fishchat.services.role import Parts

    parts = Parts(config, embedded=False, reactor=reactor)
    store = parts.store()
    heard: set[int] = set()
    heartbeat.listen(parts.bus, lambda said: heard.add(said.pid))
    parts.startService()
    try:
        await store.when_connected()
        while not heard.issuperset(processes()):
            await deferLater(reactor, EVERY)
    finally:
        await parts.stopService()


async def connectable(reactor: Any, address: str) -> None:
    """Return when somebody accepts connections at this address; at once if only the system knows the port."""
    if not parse_address(address)[1]:
        return
    protocol = await _connected(reactor, address, Protocol)
    protocol.transport.abortConnection()


async def knows_a_server(reactor: Any, address: str) -> None:
    """Return when the gateway at this address offers a msg_server to its clients."""
    if not parse_address(address)[1]:
        return
    while True:
        asking: _Asking = await _connected(reactor, address, lambda: _Asking(reactor))
        if await asking.answered:
            return
        # It closed the connection, as a gateway without room does.
        await deferLater(reactor, EVERY)


class _Asking(LineOnlyReceiver):
    """Asks a gateway for a msg_server until there is one. ``answered`` fires with whether there is."""

    #: Seconds between two questions: fewer than the default ``limits.rate`` allows.
    again = 0.1

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.answered: Deferred[bool] = Deferred(lambda _: self._end())

    def connectionMade(self) -> None:
        self._ask()

    def lineReceived(self, line: bytes) -> None:
        if line.startswith(b"SELECT_MSG_SERVER_FOR_CLIENT "):
            self._tell(True)
            self._end()
        elif line.startswith(b"ERR "):
            self._clock.callLater(self.again, self._ask)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._tell(False)

    def _ask(self) -> None:
        if not self.answered.called and self.transport is not None:
            self.transport.write(b"REQ_MSG_SERVER\r\n")

    def _tell(self, found: bool) -> None:
        if not self.answered.called:
            self.answered.callback(found)

    def _end(self) -> None:
        assert self.transport is not None
        self.transport.abortConnection()  # type: ignore[attr-defined]


async def _connected(reactor: Any, address: str, make: Callable[[], Protocol]) -> Any:
    """Return the protocol of a connection, as soon as there is one."""
    host, port = parse_address(address)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    factory: Any = Factory.forProtocol(make)
    factory.noisy = False
    while True:
        try:
            return await HostnameEndpoint(reactor, host, port).connect(factory)
        except ConnectError:
            await deferLater(reactor, EVERY)
