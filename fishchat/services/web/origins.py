"""The names of a site: which hosts a request may be for, and which pages may open a socket.

A page of a stranger can send requests to this machine from a browser here. Its origin is then not in the list; and if
its name was made to resolve to this machine (DNS rebinding), the host is not. Comparing the two with each other would
prove nothing, so both are compared with a list that is made at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlsplit

from fishchat.net.addresses import is_everywhere, is_loopback, parse_address

_PORTS = {"http": 80, "https": 443}
#: The names of this machine for a browser on it.
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Origin(NamedTuple):
    """An origin (RFC 6454), in lower case."""

    scheme: str
    host: str
    port: int


def parse_origin(text: str) -> Origin:
    """Return the origin in ``https://chat.example.org`` or a URL of it. Raises ValueError."""
    parts = urlsplit(text)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise ValueError(f"no origin: {text}")
    return Origin(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])


def origins_of(address: str, *, secure: bool = False, names: Iterable[str] = ()) -> list[Origin]:
    """Return the origins of a listener's address; ``names`` are those in its certificate."""
    host, port = parse_address(address)
    scheme = "https" if secure else "http"
    hosts = [*names] if is_everywhere(address) else [host, *names]
    if is_loopback(host) or is_everywhere(address):
        hosts += _LOOPBACK
    return [Origin(scheme, one.lower(), port) for one in dict.fromkeys(hosts)]


class Origins:
    """The list. :param names: makes it, when the first request arrives: then the ports are known."""

    def __init__(self, names: Callable[[], Iterable[Origin]]) -> None:
        self._names = names

    @cached_property
    def _origins(self) -> frozenset[Origin]:
        return frozenset(self._names())

    @cached_property
    def _hosts(self) -> frozenset[tuple[str, int]]:
        return frozenset((one.host, one.port) for one in self._origins)

    def has_origin(self, header: bytes | None) -> bool:
        """Return whether a page of this ``Origin`` may open a socket. A client without one is no browser."""
        if header is None:
            return True
        try:
            return parse_origin(header.decode("ascii")) in self._origins
        except ValueError:
            return False

    def has_host(self, header: bytes | None, *, secure: bool) -> bool:
        """Return whether a request may have this ``Host``."""
        try:
            asked = parse_origin(f"http{'s' * secure}://{(header or b'').decode('ascii')}")
        except ValueError:
            return False
        return (asked.host, asked.port) in self._hosts
