"""Ends the sessions of msg_servers that died."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from fishchat.interfaces import IStore
from fishchat.services.manager.rounds import Rounds
from fishchat.storage.servers.calls import reap

#: Seconds between two rounds, and sessions ended in one step.
REAP_EVERY = 2.0
REAP_STEP = 500
#: Seconds after a reconnection in which no server is declared dead: the other servers reconnect as well.
GRACE = 5.0


class Reaper(Rounds):
    """Finds msg_servers whose lease has ended."""

    def __init__(self, store: IStore, clock: IReactorTime) -> None:
        super().__init__(store, REAP_EVERY, clock)
        #: The time of the last connection to Redis.
        self.since = 0.0
        #: The number of sessions ended since the start.
        self.ended = 0
        store.on_connected.append(self._connected)

    def is_due(self) -> bool:
        """Return whether servers had time to reconnect."""
        return super().is_due() and self._clock.seconds() - self.since >= GRACE

    async def round(self) -> None:
        """End the sessions of all servers that are dead now."""
        more = True
        while more:
            ended, more, dead = await reap(REAP_STEP).of(self._store)
            self.ended += ended
            for server in dead:
                self.log.warn("msg_server {server} is gone, its sessions end", server=server.decode())

    def _connected(self) -> None:
        self.since = self._clock.seconds()
