"""Sources of connections, as limits count them. No I/O."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

#: The part of an IPv6 address within which one customer has many addresses to change to.
PREFIX = 64


class Sources:
    """Names sources. Addresses of the networks in ``exempt`` have no source, and are not counted."""

    def __init__(self, exempt: Iterable[str]) -> None:
        self._exempt = [ipaddress.ip_network(network) for network in exempt]
        # Parsing takes longer than all other limits together, and each connection needs its source several times.
        self.name = lru_cache(maxsize=1024)(self._name)

    def _name(self, address: str) -> str:
        """Return the source of ``address``: itself, or its network for IPv6; empty for an exempt one."""
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return address
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        if any(parsed in network for network in self._exempt):
            return ""
        if parsed.version == 4:
            return str(parsed)
        return str(ipaddress.ip_network((parsed.packed, PREFIX), strict=False))
