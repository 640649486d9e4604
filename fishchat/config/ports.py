"""The ports of a configuration: which roles listen where, and whether two of them want the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fishchat.config import roles
from fishchat.config.schema import Config
from fishchat.net.addresses import format_address, is_everywhere, parse_address

HIGHEST = 65535


class Row(NamedTuple):
    """An address that is listened on, and its dotted key."""

    address: str
    key: str


def rows(config: Config, msg_servers: int = 1) -> list[Row]:
    """Return every address to listen on, first those without TLS; several for the msg_servers."""
    keys = [(role, key) for role in roles.ROLES for key in role.listeners]
    keys += [(role, roles.tls_key(key)) for role, key in keys]
    return [
        Row(plus(address, number), key)
        for role, key in keys
        if (address := roles.address(config, key))
        for number in range(msg_servers if role.several else 1)
    ]


def plus(address: str, number: int) -> str:
    """Return the address whose port is higher by ``number``; port 0 stays."""
    host, port = parse_address(address)
    return format_address(host, port + number if port else 0)


def too_high(config: Config, msg_servers: int) -> list[Row]:
    """Return the addresses of msg_servers above which there is no port for the last msg_server."""
    keys = [key for role in roles.ROLES if role.several for key in role.listeners]
    keys += [roles.tls_key(key) for key in keys]
    keys += roles.ADVERTISED
    given = [Row(address, key) for key in keys if (address := roles.address(config, key))]
    return [row for row in given if parse_address(row.address)[1] + msg_servers - 1 > HIGHEST]


def collisions(listened: Iterable[Row]) -> list[tuple[Row, Row]]:
    """Return pairs of different keys that cannot both be listened on, the earlier one second."""
    earlier: list[Row] = []
    found = []
    for row in listened:
        found += [(row, other) for other in earlier if other.key != row.key and _overlap(row.address, other.address)]
        earlier.append(row)
    return found


def check_processes(config: Config) -> Sequence[tuple[str, str]]:
    """Return why ``fishchat up --processes`` cannot have these ports: the key to change, and the reason."""
    count = config.up.msg_servers
    high = too_high(config, count)
    if high:
        text = f"is too high: --processes uses this port and the {count - 1} above it for {count} msg_servers"
        return [(row.key, f"{row.address} {text} (up.msg_servers)") for row in high]
    return [
        (
            row.key,
            f"--processes with {count} msg_servers (up.msg_servers) needs {row.address} for it and for {other.key}",
        )
        for row, other in collisions(rows(config, count))
    ]


def _overlap(one: str, other: str) -> bool:
    (host, port), (host2, port2) = parse_address(one), parse_address(other)
    if port != port2 or not port:
        return False
    # Every address of the machine contains each single one; those of IPv6 are reached by IPv4, too.
    if is_everywhere(one) or is_everywhere(other):
        return "::" in (host, host2) or (":" in host) == (":" in host2)
    return _resolved(host) == _resolved(host2)


def _resolved(host: str) -> str:
    return "127.0.0.1" if host.lower() == "localhost" else host.lower()
