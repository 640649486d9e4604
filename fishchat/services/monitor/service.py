"""The monitor: collects the heartbeats of all servers, and shows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorTime

from fishchat import __version__
from fishchat.bus import channels, figures
from fishchat.features.accounts.administration import Accounts
from fishchat.features.accounts.calls import CHECK_TOKEN
from fishchat.interfaces import IBus
from fishchat.model.servers import LATE, Health, Server, Servers
from fishchat.net.addresses import is_loopback, parse_address
from fishchat.services.monitor.pages import site
from fishchat.services.net.listen import HTTP, Listener
from fishchat.services.role import Parts
from fishchat.services.running import heartbeat
from fishchat.services.running.heartbeat import Load
from fishchat.services.web.guard import Guard

ROLE = "monitor"


class Monitor:
    """The last heartbeat of every server, as plain values. ``own`` returns the id of our own heartbeat."""

    def __init__(
        self, bus: IBus, clock: IReactorTime, own: Callable[[], str], *, wall: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._own = own
        self._servers: Servers[channels.Heartbeat] = Servers()
        heartbeat.listen(bus, self._heard)

    def servers(self) -> dict[str, Any]:
        """Return every server, sorted by role and id, with its state and the age of its last heartbeat in ms."""
        now = self._clock.seconds()
        return {
            "at": int(self._wall() * 1000),
            "servers": [_shown(server, now) for server in self._servers.at(now).values()],
        }

    def healthy(self) -> dict[str, Any]:
        """Return that this process runs, and no more."""
        return {"status": "ok", "version": __version__}

    def not_ready(self) -> str:
        """Return why the shown state may be out of date; empty when it is not.

        The monitor's own heartbeat travels like all others, through Redis and back.
        """
        own = self._servers.get((ROLE, self._own()))
        if own is None:
            return "no heartbeat of our own came back through Redis yet"
        age = self._clock.seconds() - own.heard
        if age >= LATE:
            return f"no heartbeat of our own came back through Redis for {age:.0f} s"
        return ""

    def _heard(self, said: channels.Heartbeat) -> None:
        self._servers.heard((said.role, said.id), said, self._clock.seconds(), stopped=said.stopping)


def _shown(server: Server[channels.Heartbeat], now: float) -> dict[str, Any]:
    said = server.report
    health = server.health(now)
    return {
        "role": said.role,
        "id": said.id,
        "state": health.value,
        # A server that ended without a last heartbeat needs attention.
        "stopped": health is Health.GONE and server.stopped,
        "age": int((now - server.heard) * 1000),
        "address": said.address,
        "address_tls": said.address_tls,
        "pid": said.pid,
        "version": said.version,
        "uptime": said.uptime,
        "clients": said.clients,
        "capacity": said.capacity,
        "figures": figures.shown(said.role, said.figures),
    }


def build(parts: Parts) -> Sequence[IService]:
    """Return the monitor's services, in the order of their start."""
    config = parts.config
    section = config.monitor
    load: Callable[[], Load] = parts.certificates.counted(Load) if section.listen_tls else Load
    beat = parts.heartbeat(ROLE, load)
    shown = Monitor(parts.bus, parts.clock, lambda: beat.id)
    web = site(shown, parts.reactor, config.limits, local=is_loopback(parse_address(section.listen)[0]))
    services = [web, beat, Listener(section.listen, web.factory, "monitor.listen", parts.reactor)]
    if section.listen_tls:
        accounts = Accounts(parts.connection([CHECK_TOKEN]), config.accounts.token_days)
        guard = Guard(section.accounts, accounts, config.limits, parts.clock)
        guarded = site(shown, parts.reactor, config.limits, guard)
        creator = parts.certificates.creator(HTTP)
        listener = Listener(section.listen_tls, guarded.factory, "monitor.listen_tls", parts.reactor, creator)
        services += [guarded, listener]
    return services
