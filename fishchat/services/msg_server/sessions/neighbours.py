"""The other msg_servers: where clients may go when this one cannot keep them."""

from __future__ import annotations

from random import Random

from twisted.internet.interfaces import IReactorTime

from fishchat.bus.channels import Heartbeat
from fishchat.interfaces import IBus
from fishchat.model.placement import Placement
from fishchat.services.running.heartbeat import listen


class Neighbours:
    """Knows them from their heartbeats."""

    def __init__(self, server: bytes, clock: IReactorTime, random: Random | None = None) -> None:
        self._server = server.decode()
        self._clock = clock
        self._placement = Placement([], random or Random())

    def listen(self, bus: IBus) -> None:
        """Begin to hear of them."""
        listen(bus, self._heard)

    def _heard(self, beat: Heartbeat) -> None:
        if beat.role != "msg_server" or beat.id == self._server:
            return
        if beat.stopping:
            self._placement.stopping(beat.id, beat.pid)
        elif beat.has_addresses():
            free = beat.capacity - beat.clients
            now = self._clock.seconds()
            self._placement.heard(beat.id, beat.pid, beat.address, free, now, beat.address_tls)

    def move_line(self, within: float, secure: bool) -> bytes:
        """``RESP_MOVE`` to one of them; to ``-``, which means ask the gateway, when none is known.

        Who came by TLS is sent where there is TLS.
        """
        addresses = self._placement.choose(self._clock.seconds(), secure)
        return b"RESP_MOVE %s within=%d\r\n" % (addresses[0].encode() if addresses else b"-", within)
