"""The URL of a Redis, taken apart. Nothing here connects to it."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import parse_qsl, unquote, urlsplit

DEFAULT_PORT = 6379
#: The most bytes of the path of a unix socket: ``sun_path`` without its closing NUL.
LONGEST_PATH = 103 if sys.platform == "darwin" else 107

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

    Anything else is a ``ValueError`` whose text holds no part of the URL that may be a secret. So an option that has no
    meaning here is refused, but not named: with a question mark in a password it would be the rest of it.
    """
    try:
        parts = urlsplit(url)
        _check_brackets(parts.netloc)
    except ValueError:
        # The original text may quote everything before the host, or a part of it in brackets.
        raise ValueError("the Redis URL is none: redis://host:port/db, an IPv6 address in brackets") from None
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.fragment or url.endswith("#"):
        raise ValueError("a Redis URL has no # (in a password write %23)")
    if parts.scheme == "unix":
        if not parts.path.startswith("/") or parts.hostname:
            raise ValueError("a unix Redis URL has three slashes: unix:///run/redis.sock")
        path = unquote(parts.path)
        if len(os.fsencode(path)) > LONGEST_PATH:
            raise ValueError(
                f"the path of a unix socket has at most {LONGEST_PATH} bytes; use a shorter one, or a link"
            )
        return Address(path=path, db=_option_db(parts.query), username=username, password=password)
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError("a Redis URL starts with unix://, redis:// or rediss://")
    if not parts.hostname:
        raise ValueError("the Redis URL names no host: redis://host:port/db")
    if parts.query or url.endswith("?"):
        raise ValueError(
            "nothing may follow a ? here: the database is the path (redis://host:port/3), and the files for TLS are "
            "redis.authority, redis.certificate and redis.key"
        )
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


def _option_db(query: str) -> int:
    options = parse_qsl(query, keep_blank_values=True)
    if len(options) > 1 or any(name != "db" for name, _ in options):
        raise ValueError("after its ? a unix Redis URL has nothing but db=NUMBER: unix:///run/redis.sock?db=3")
    return _database(options[0][1] if options else "0")


def _database(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("the database in the Redis URL is not a number")
    return int(text)
