"""Where a Redis is: the URL of the configuration, taken apart, and the endpoint that leads there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint

DEFAULT_PORT = 6379
#: Seconds for the connection itself; the first reply has the timeout of every command.
CONNECT_TIMEOUT = 2.0


@dataclass(frozen=True)
class Address:
    """One Redis: ``path`` for a unix socket, else ``host`` and ``port``. str() and repr() show no secret."""

    path: str = ""
    host: str = ""
    port: int = DEFAULT_PORT
    tls: bool = False
    db: int = 0
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{host}:{self.port}/{self.db}"


def parse_url(url: str) -> Address:
    """The address that ``url`` names: ``unix:///path[?db=n]``, ``redis://[user:pass@]host[:port][/db]``, ``rediss://``.

    Anything else is a ``ValueError`` whose text holds no part of the URL that may be a secret.
    """
    parts = urlsplit(url)
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme == "unix":
        if not parts.path.startswith("/") or parts.hostname:
            raise ValueError("a unix Redis URL has three slashes: unix:///run/redis.sock")
        db = _database(parse_qs(parts.query).get("db", ["0"])[0])
        return Address(path=unquote(parts.path), db=db, username=username, password=password)
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError("a Redis URL starts with unix://, redis:// or rediss://")
    if not parts.hostname:
        raise ValueError("the Redis URL names no host: redis://host:port/db")
    try:
        port = parts.port or DEFAULT_PORT
    except ValueError:
        # The original text quotes what stands there, which may be the end of a badly escaped password.
        raise ValueError("the port in the Redis URL is not a number from 1 to 65535") from None
    return Address(
        host=parts.hostname,
        port=port,
        tls=parts.scheme == "rediss",
        db=_database(parts.path.strip("/") or "0"),
        username=username,
        password=password,
    )


def _database(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("the database in the Redis URL is not a number")
    return int(text)


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
