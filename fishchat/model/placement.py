"""The choice of a msg_server for a new client: a live one, at random, weighted by its room.

Random, because many clients ask between two heartbeats, and all of them would choose the emptiest server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

#: Seconds without a heartbeat, of which one is due every two, after which a server is not offered any more.
GONE = 6.0
#: The most addresses that are offered: the first to use, the others in case it fails.
OFFERED = 3
#: The most servers that are remembered. One Redis cannot serve nearly as many.
MOST = 10_000


class Way(NamedTuple):
    """How a client connects: with TLS or not, with lines or from a page in a browser."""

    secure: bool = False
    web: bool = False


LINES = Way()


@dataclass(slots=True)
class _Server:
    pid: int
    addresses: Mapping[Way, str]
    free: int
    heard: float


class Placement:
    """The state of the msg_servers, from their heartbeats.

    ``fallback`` is offered when no live one is known, ``fallback_tls`` to clients with TLS. Times are seconds of any
    one clock.
    """

    def __init__(self, fallback: Sequence[str], random: Random, fallback_tls: Sequence[str] = ()) -> None:
        self._fallback = list(dict.fromkeys(fallback))
        self._fallback_tls = list(dict.fromkeys(fallback_tls))
        self._random = random
        self._servers: dict[str, _Server] = {}

    @property
    def count(self) -> int:
        """Return the number of remembered servers."""
        return len(self._servers)

    def heard(self, server: str, pid: int, addresses: Mapping[Way, str], free: int, now: float) -> None:
        """Record that ``server`` (its process ``pid``) lives and has room for ``free`` more clients."""
        if server not in self._servers and len(self._servers) >= MOST:
            self._forget(now)
            if len(self._servers) >= MOST:
                return
        self._servers[server] = _Server(pid, addresses, max(0, free), now)

    def stopping(self, server: str, pid: int) -> None:
        """Forget ``server``, which accepts no clients any more. A newer process of the same name is kept."""
        known = self._servers.get(server)
        if known is not None and known.pid == pid:
            del self._servers[server]

    def choose(self, now: float, way: Way = LINES) -> list[str]:
        """Return up to ``OFFERED`` different addresses, the one to use first; the fallback when no server lives.

        Empty when the fallback is empty, too. A full server follows all that have room. ``way`` is how the client
        connects.
        """
        self._forget(now)
        weights: dict[str, int] = {}
        for server in self._servers.values():
            if address := server.addresses.get(way):
                weights[address] = max(weights.get(address, 0), server.free)
        if not weights:
            fallback = self._fallback_tls if way.secure else self._fallback
            if way.web:
                return []
            return self._random.sample(fallback, min(OFFERED, len(fallback)))
        chosen: list[str] = []
        while weights and len(chosen) < OFFERED:
            total = sum(weights.values())
            addresses = list(weights)
            # When all are full, all weigh the same: one of them may have room when the client connects.
            pick = self._random.choices(addresses, list(weights.values()) if total else None)[0]
            chosen.append(pick)
            del weights[pick]
        return chosen

    def web_addresses(self, now: float, secure: bool) -> list[str]:
        """Return the addresses of all live servers for pages."""
        self._forget(now)
        found = (server.addresses.get(Way(secure, web=True)) for server in self._servers.values())
        return sorted(filter(None, found))

    def _forget(self, now: float) -> None:
        gone = [name for name, server in self._servers.items() if now - server.heard >= GONE]
        for name in gone:
            del self._servers[name]
