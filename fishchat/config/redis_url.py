"""The URL of a Redis, taken apart. Nothing here connects to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import parse_qs, unquote, urlsplit

DEFAULT_PORT = 6379

# What may stand after the login: brackets around an IPv6 address and nowhere else. Which other ones urlsplit() takes
# depends on the version of Python.
_HOST_AND_PORT = re.compile(r"(?:\[([^\[\]]*)\](?::.*)?|[^\[\]]*)", re.DOTALL)


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
    """Parse ``unix:///path[?db=n]``, ``redis://[user:pass@]host[:port][/db]`` or ``rediss://`` into an address.

    Anything else is a ``ValueError`` whose text holds no part of the URL that may be a secret.
    """
    try:
        parts = urlsplit(url)
        _check_brackets(parts.netloc)
    except ValueError:
        # The original text may quote everything before the host, or a part of it in brackets.
        raise ValueError("the Redis URL is none: redis://host:port/db, an IPv6 address in brackets") from None
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
        # The original text quotes the port, which may be the end of a badly escaped password.
        raise ValueError("the port in the Redis URL is not a number from 1 to 65535") from None
    return Address(
        host=parts.hostname,
        port=port,
        tls=parts.scheme == "rediss",
        db=_database(parts.path.strip("/") or "0"),
        username=username,
        password=password,
    )


def _check_brackets(netloc: str) -> None:
    login, _, host = netloc.rpartition("@")
    found = _HOST_AND_PORT.fullmatch(host)
    if found is None or "[" in login or "]" in login:
        raise ValueError("a bracket where none may be")
    if found[1] is not None:
        IPv6Address(found[1])


def _database(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("the database in the Redis URL is not a number")
    return int(text)
