"""The endpoint that leads to a Redis."""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint

from fishchat.config.redis_url import Address, parse_url

__all__ = ["Address", "endpoint", "parse_url"]

#: Seconds for the connection itself; the first reply has the timeout of every command.
CONNECT_TIMEOUT = 2.0


def endpoint(address: Address, reactor: Any, trust_root: Any = None) -> IStreamClientEndpoint:
    """How to connect to ``address``. With TLS the server's certificate must name the host and be trusted.

    ``trust_root`` is what Twisted's ``optionsForClientTLS`` takes; the system's authorities when None.
    """
    if address.path:
        return UNIXClientEndpoint(reactor, address.path, timeout=CONNECT_TIMEOUT)
    plain = HostnameEndpoint(reactor, address.host, address.port, timeout=CONNECT_TIMEOUT)
    if not address.tls:
        return plain
    # Here and not above: it brings OpenSSL in, a tenth of a second that a unix socket need not pay.
    from twisted.internet.ssl import optionsForClientTLS

    return wrapClientTLS(optionsForClientTLS(address.host, trustRoot=trust_root), plain)
