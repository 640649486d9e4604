"""Addresses, ``host:port``, and their reach, for the configuration and the client library.

Nothing here resolves a name or opens a socket: a host name other than ``localhost`` counts as not loopback.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")
_NUMERIC = re.compile(r"[0-9.]+")


def parse_address(text: str) -> tuple[str, int]:
    """Split ``host:port`` or ``[ipv6]:port``; the host is returned without brackets. Port 0 is any free one.

    Raises ValueError, whose text gives the reason, for anything else.
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
    """Format an address, the inverse of ``parse_address``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host`` (127/8, ::1, localhost), without a resolver."""
    address = _ip(host)
    if address is None:
        return host.lower().removesuffix(".") == "localhost"
    # An IPv4-mapped IPv6 address reaches what the IPv4 address does. Python handles that from 3.13 on.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_everywhere(address: str) -> bool:
    """Return whether ``host:port`` is every address of the machine: valid to listen on, but not to connect to."""
    host = _ip(parse_address(address)[0]) if address else None
    return host is not None and host.is_unspecified


def advertised(listen: str, advertise: str, names: Iterable[str] = ()) -> str:
    """Return the address to which others connect: ``advertise``, else ``listen``.

    If the latter is every address of the machine, it is the first of ``names``, those in a certificate. Empty if there
    is none.
    """
    if advertise or not is_everywhere(listen):
        return advertise or listen
    port = parse_address(listen)[1]
    # A pattern stands for many names, and this machine's name is not known.
    return next((format_address(name, port) for name in names if "*" not in name), "")


def is_ip(host: str) -> bool:
    """Return whether ``host`` is an address and not a name."""
    return _ip(host) is not None


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
