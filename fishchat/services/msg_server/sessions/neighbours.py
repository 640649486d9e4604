"""The other msg_servers: where clients may go when this one cannot keep them."""

from __future__ import annotations

from random import Random

from twisted.internet.interfaces import IReactorTime

from fishchat.features.session.rows import RESP_MOVE
from fishchat.interfaces import IBus
from fishchat.model.placement import Placement
from fishchat.services.net.placement import follow


class Neighbours:
    """Knows them from their heartbeats."""

    def __init__(self, server: bytes, clock: IReactorTime, random: Random | None = None) -> None:
        self._server = server.decode()
        self._clock = clock
        self._placement = Placement([], random or Random())

    def listen(self, bus: IBus) -> None:
        """Begin to hear of them."""
        follow(self._placement, bus, self._clock, but=self._server)

    def move_line(self, within: float, secure: bool) -> bytes:
        """``RESP_MOVE`` to one of them; to ``-``, which means ask the gateway, when none is known.

        Who came by TLS is sent where there is TLS.
        """
        addresses = self._placement.choose(self._clock.seconds(), secure)
        return RESP_MOVE.line(addresses[0].encode() if addresses else None, within) + b"\r\n"
