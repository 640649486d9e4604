"""Checks beyond the types of the schema: values that make sense, and keys that depend on each other."""

from __future__ import annotations

import ipaddress
import math
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fishchat.config import ports, roles
from fishchat.config.redis_url import parse_url
from fishchat.config.schema import Config
from fishchat.net.addresses import format_address, is_everywhere, is_loopback, parse_address

#: Keys with addresses that others connect to. The addresses to listen on are in the table of roles.
TARGETS = ("gateway.servers", "gateway.servers_tls", *roles.ADVERTISED)

#: The most letters of a name; see ``schema.Name``.
LONGEST_NAME = 32

#: For a plain port that is a default, a refusal proposes a TLS port this much higher.
TLS_PORT = 443


@dataclass(frozen=True)
class Finding:
    """One error.

    :ivar key: the dotted key to change. :ivar text: the reason, and the remedy if it is short.
    :ivar instead: keys to set instead, with their values.
    """

    key: str
    text: str
    instead: Mapping[str, str | list[str]] = field(default_factory=dict)


def server_id(config: Config) -> str:
    """Return the msg_server's name among all of them: ``msg_server.id``, or one made from its port (``ms-19000``).

    Msg_servers of several machines may use an external Redis, so the name then has that of the machine, too.
    """
    port = parse_address(config.msg_server.listen)[1]
    return config.msg_server.id or (with_machine("ms", f"-{port}") if config.redis.url else f"ms-{port}")


def with_machine(before: str, after: str = "") -> str:
    """Return a name for one of several machines; the machine's name is shortened if the whole would be too long."""
    machine = re.sub("[^a-z0-9._-]", "", socket.gethostname().lower())
    return f"{before}-{machine[: LONGEST_NAME - len(before) - len(after) - 1]}{after}"


def value_problem(key: str, value: object) -> str | None:
    """Return the error of a value of the right type; None when it is valid."""
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, str) and not value.isprintable():
        return "must consist of printable characters"
    if key == "redis.url" and value:
        try:
            parse_url(str(value))
        except ValueError as error:
            return f"must be the URL of a Redis: {error}"
    if key in (*roles.plain_keys(), *roles.tls_keys(), *TARGETS):
        for address in value if isinstance(value, list) else [value]:
            problem = _address_problem(str(address), target=key in TARGETS)
            if problem:
                return problem
    if key == "limits.exempt":
        return _networks_problem(value if isinstance(value, list) else [value])
    return None


def check(config: Config) -> list[Finding]:
    """Return all errors of the values together; empty when the configuration can be run."""
    return [
        *_plain_on_network(config),
        *_open_on_network(config),
        *_watched_by_nobody(config),
        *_lifted_limits(config),
        *_unreachable(config),
        *_same_listeners(config),
    ]


def _same_listeners(config: Config) -> list[Finding]:
    return [
        Finding(row.key, f"must differ from {other.key}, which is also {other.address}")
        for row, other in ports.collisions(ports.rows(config))
    ]


def listeners(config: Config) -> dict[str, str]:
    """Return the address of every listener by its dotted key, first those without TLS."""
    return _addresses(config, roles.plain_keys()) | tls_listeners(config)


def tls_listeners(config: Config) -> dict[str, str]:
    """Return the addresses of the TLS listeners by dotted key."""
    return _addresses(config, roles.tls_keys())


def _addresses(config: Config, keys: Iterable[str]) -> dict[str, str]:
    found = {key: roles.address(config, key) for key in keys}
    return {key: address for key, address in found.items() if address}


def _plain_on_network(config: Config) -> list[Finding]:
    if config.risks.plain_text_on_the_network:
        return []
    findings = []
    for key, address in _exposed(config).items():
        if key not in roles.plain_keys():
            continue
        host, port = parse_address(address)
        section = key.partition(".")[0]
        instead: dict[str, str | list[str]] = {roles.tls_key(key): format_address(host, _tls_port(config, key, port))}
        if config.accounts.mode == "open":
            instead["accounts.mode"] = "closed"
        if section == "monitor" and not config.monitor.accounts:
            instead["monitor.accounts"] = ["NAME"]
        text = "must be loopback: on a network, others could read and change plain text"
        findings.append(Finding(key, text, instead))
    return findings


def _tls_port(config: Config, key: str, port: int) -> int:
    """Return the port to propose for TLS: the chosen one, unless the plain listener is there by default."""
    return port + TLS_PORT if port == parse_address(roles.address(type(config)(), key))[1] else port


def _open_on_network(config: Config) -> list[Finding]:
    exposed = [f"{key} is {address}" for key, address in _exposed(config).items()]
    if config.accounts.mode != "open" or config.risks.anyone_may_log_in_as_anyone or not exposed:
        return []
    # When only the plain listener is wrong, its error includes this line.
    if not any(key in roles.tls_keys() for key in _exposed(config)) and not config.risks.plain_text_on_the_network:
        return []
    text = f"lets clients use any name, but {' and '.join(exposed)}, which other machines can reach"
    return [Finding("accounts.mode", text, {"accounts.mode": "closed"})]


def _watched_by_nobody(config: Config) -> list[Finding]:
    if not config.monitor.listen_tls or config.monitor.accounts:
        return []
    text = 'must list the accounts that may use monitor.listen_tls: monitor.accounts = ["NAME"]'
    return [Finding("monitor.accounts", text)]


def _lifted_limits(config: Config) -> list[Finding]:
    exposed = _exposed(config)
    if config.limits.flood or not exposed:
        return []
    named = " and ".join(f"{key} is {address}" for key, address in exposed.items())
    text = f"is allowed only while every listener is loopback, but {named}: use true, or 127.0.0.1 there"
    return [Finding("limits.flood", text)]


def _unreachable(config: Config) -> list[Finding]:
    host, port = parse_address(config.msg_server.listen)
    # This address is refused already when plain text is refused.
    if not config.risks.plain_text_on_the_network or config.msg_server.advertise:
        return []
    if not is_everywhere(config.msg_server.listen):
        return []
    text = f"must be the address for clients, because they cannot connect to {host}: HOST:{port}"
    return [Finding("msg_server.advertise", text)]


def _exposed(config: Config) -> dict[str, str]:
    return {k: a for k, a in listeners(config).items() if not is_loopback(parse_address(a)[0])}


def _networks_problem(networks: list[object]) -> str | None:
    for network in networks:
        try:
            ipaddress.ip_network(str(network))
        except ValueError as error:
            return f"must be a list of networks like 192.0.2.0/24: {error}"
    return None


def _address_problem(address: str, *, target: bool) -> str | None:
    # The type of a plain listener refuses an empty address.
    if not address:
        return None
    try:
        port = parse_address(address)[1]
    except ValueError as error:
        return str(error)
    return "port 0 cannot be connected to" if target and port == 0 else None
