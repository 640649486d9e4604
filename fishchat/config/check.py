"""What the schema's types cannot say: addresses, and keys that depend on each other.

Nothing here resolves a name or opens a socket: a host name other than ``localhost`` counts as not loopback.
"""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass

from fishchat.config.redis_url import parse_url
from fishchat.config.schema import Config

#: Where this process listens, and where somebody else is told to connect to.
LISTENERS = ("gateway.listen", "msg_server.listen", "monitor.listen")
TARGETS = ("gateway.servers", "msg_server.advertise")

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")
_NUMERIC = re.compile(r"[0-9.]+")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the dotted key to change, and the reason with the way out."""

    key: str
    text: str


def parse_address(text: str) -> tuple[str, int]:
    """Split ``host:port`` or ``[ipv6]:port``; the host comes back without brackets. Port 0 is any free one.

    Raises ValueError, whose text says what is wrong, for anything else.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ValueError("must be host:port (an IPv6 address in brackets)")
    host, port = found["six"] or found["name"], int(found["port"])
    if port > 65535:
        raise ValueError(f"port {port} is above 65535")
    if (found["six"] or _NUMERIC.fullmatch(host)) and _ip(host) is None:
        raise ValueError(f"{host} is not an IP address")
    return host, port


def format_address(host: str, port: int) -> str:
    """The inverse of ``parse_address``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host`` (127/8, ::1, localhost); no resolver is asked."""
    address = _ip(host)
    if address is None:
        return host.lower() == "localhost"
    # An IPv4 address inside an IPv6 one reaches what the IPv4 address does; Python knows that from 3.13 on.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def server_id(config: Config) -> str:
    """The msg_server's name among all of them: ``msg_server.id``, or one made of its port (``ms-19000``)."""
    return config.msg_server.id or f"ms-{parse_address(config.msg_server.listen)[1]}"


def value_problem(key: str, value: object) -> str | None:
    """What is wrong with this one value although its type fits; None when nothing is."""
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, str) and not value.isprintable():
        return "must consist of printable characters"
    if key == "redis.url" and value:
        try:
            parse_url(str(value))
        except ValueError as error:
            return f"must be the URL of a Redis: {error}"
    if key in LISTENERS + TARGETS:
        for address in value if isinstance(value, list) else [value]:
            problem = _address_problem(str(address), target=key in TARGETS)
            if problem:
                return problem
    return None


def check(config: Config) -> list[Finding]:
    """Everything that is wrong with the values together; empty when the configuration can be run."""
    return [*_open_listeners(config), *_lifted_limits(config), *_unreachable(config), *_same_listeners(config)]


def _same_listeners(config: Config) -> list[Finding]:
    first: dict[str, str] = {}
    findings = []
    for key, address in listeners(config).items():
        other = first.setdefault(address, key)
        if other != key and parse_address(address)[1]:
            findings.append(Finding(key, f"must be another address than {other}, which is {address} too"))
    return findings


def listeners(config: Config) -> dict[str, str]:
    """The address of every listener by its dotted key."""
    return {
        "gateway.listen": config.gateway.listen,
        "msg_server.listen": config.msg_server.listen,
        "monitor.listen": config.monitor.listen,
    }


def _open_listeners(config: Config) -> list[Finding]:
    if config.accounts.mode != "open":
        return []
    text = 'must be loopback, because with accounts.mode = "open" anyone may log in as anyone: use 127.0.0.1:'
    return [Finding(key, f"{text}{parse_address(address)[1]}") for key, address in _exposed(config).items()]


def _lifted_limits(config: Config) -> list[Finding]:
    exposed = _exposed(config)
    if config.limits.flood or not exposed:
        return []
    named = " and ".join(f"{key} is {address}" for key, address in exposed.items())
    text = f"is allowed only while every listener is loopback, but {named}: use true, or 127.0.0.1 there"
    return [Finding("limits.flood", text)]


def _unreachable(config: Config) -> list[Finding]:
    host, port = parse_address(config.msg_server.listen)
    address = _ip(host)
    if config.msg_server.advertise or address is None or not address.is_unspecified:
        return []
    text = f"must say what clients connect to, because they cannot connect to {host}: HOST:{port}"
    return [Finding("msg_server.advertise", text)]


def _exposed(config: Config) -> dict[str, str]:
    return {k: a for k, a in listeners(config).items() if not is_loopback(parse_address(a)[0])}


def _address_problem(address: str, *, target: bool) -> str | None:
    if target and not address:
        return None
    try:
        port = parse_address(address)[1]
    except ValueError as error:
        return str(error)
    return "port 0 cannot be connected to" if target and port == 0 else None


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
