"""A placement kept up to date by the heartbeats of the msg_servers."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from fishchat.bus.channels import Heartbeat
from fishchat.interfaces import IBus
from fishchat.model.placement import Placement, Way
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
            placement.heard(beat.id, beat.pid, _addresses(beat), free, clock.seconds())

    heartbeat.listen(bus, received)


def _addresses(beat: Heartbeat) -> dict[Way, str]:
    given = {
        Way(): beat.address,
        Way(secure=True): beat.address_tls,
        Way(web=True): beat.address_web,
        Way(secure=True, web=True): beat.address_web_tls,
    }
    return {way: address for way, address in given.items() if address}
