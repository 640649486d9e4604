"""A placement kept up to date by the heartbeats of the msg_servers."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from fishchat.bus.channels import Heartbeat
from fishchat.interfaces import IBus
from fishchat.model.placement import Placement
from fishchat.services.running import heartbeat


def follow(placement: Placement, bus: IBus, clock: IReactorTime, *, but: str = "") -> None:
    """Update ``placement`` by every msg_server's heartbeat, except those of the server named ``but``."""

    def received(beat: Heartbeat) -> None:
        if beat.role != "msg_server" or beat.id == but:
            return
        if beat.stopping:
            placement.stopping(beat.id, beat.pid)
        elif beat.has_addresses():
            free = beat.capacity - beat.clients
            placement.heard(beat.id, beat.pid, beat.address, free, clock.seconds(), beat.address_tls)

    heartbeat.listen(bus, received)
