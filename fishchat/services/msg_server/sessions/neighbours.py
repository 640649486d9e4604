"""The other msg_servers: the servers to which clients can move when this one stops."""

from __future__ import annotations

from random import Random

from twisted.internet.interfaces import IReactorTime

from fishchat.features.session.rows import RESP_MOVE
from fishchat.interfaces import IBus
from fishchat.model.placement import Placement, Way
from fishchat.services.net.placement import follow


class Neighbours:
    """Keep the addresses of the other msg_servers, from their heartbeats."""

    def __init__(self, server: bytes, clock: IReactorTime, random: Random | None = None) -> None:
        self._server = server.decode()
        self._clock = clock
        self._placement = Placement([], random or Random())

    def listen(self, bus: IBus) -> None:
        """Subscribe to the heartbeats."""
        follow(self._placement, bus, self._clock, but=self._server)

    def move_line(self, within: float, way: Way) -> bytes:
        """Return ``RESP_MOVE`` to one of them, or to ``-`` (ask the gateway) if no other server is known.

        A client that uses TLS is sent to a server with TLS, and one over WebSocket to an address for pages.
        """
        addresses = self._placement.choose(self._clock.seconds(), way)
        return RESP_MOVE.line(addresses[0].encode() if addresses else None, within) + b"\r\n"
