"""The processes of ``fishchat up --processes``: their names, command lines, settings and ports."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import fishchat
from fishchat.config import roles
from fishchat.config.check import with_machine
from fishchat.config.paths import data_path, redis_url
from fishchat.config.ports import plus
from fishchat.config.roles import Role
from fishchat.config.schema import Config
from fishchat.net.addresses import is_everywhere, parse_address
from fishchat.services.launch import commands
from fishchat.services.running import lifeline, logfiles

_LOGGER = "--logger=fishchat.services.running.logfiles.role_log"


@dataclass(frozen=True)
class RoleProcess:
    """One process of a role: its name, its command line, and its additional environment."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def stages(config: Config, config_file: str | None = None) -> list[list[RoleProcess]]:
    """Return the layout for one machine, in the order of the start. It stops in reverse.

    The roles that hold clients are in the last stage: while they stop, the roles that store and carry messages still
    run.
    """
    return [
        [
            _process(config, config_file, name, role, settings)
            for role in stage
            for name, settings in _instances(config, role)
        ]
        for stage in roles.stages()
    ]


def _instances(config: Config, role: Role) -> list[tuple[str, dict[str, str]]]:
    """Return the processes of one role: the name and the settings of each."""
    if role.name == "msg_server":
        return [(f"ms{number + 1}", _server(config, number)) for number in range(config.up.msg_servers)]
    return [(role.name, _gateway(config) if role.name == "gateway" else {})]


def _gateway(config: Config) -> dict[str, str]:
    """Return the msg_servers that the gateway offers before it has received a heartbeat."""
    known = config.gateway.servers or client_addresses(config)
    settings = {"GATEWAY__SERVERS": ",".join(known)}
    known_tls = config.gateway.servers_tls or client_addresses_tls(config)
    if known_tls:
        settings["GATEWAY__SERVERS_TLS"] = ",".join(known_tls)
    return settings


def client_addresses(config: Config) -> list[str]:
    """Return the addresses of the msg_servers for clients; none if a port is not known before the start."""
    return _row(config.msg_server.advertise or config.msg_server.listen, config.up.msg_servers)


def client_addresses_tls(config: Config) -> list[str]:
    """Return the addresses of the msg_servers for clients with TLS; empty if only the certificate has the machine's
    name.
    """
    section = config.msg_server
    if not section.advertise_tls and is_everywhere(section.listen_tls):
        return []
    return _row(section.advertise_tls or section.listen_tls, config.up.msg_servers)


def _row(first: str, count: int) -> list[str]:
    known = first and parse_address(first)[1] != 0
    return [plus(first, number) for number in range(count)] if known else []


def _server(config: Config, number: int) -> dict[str, str]:
    own = config.msg_server
    name = own.id if own.id and config.up.msg_servers == 1 else f"{own.id or 'ms'}{number + 1}"
    if config.redis.url and not own.id:
        # Other machines may use this Redis, too.
        name = with_machine(name)
    told = {"MSG_SERVER__ID": name, "MSG_SERVER__LISTEN": plus(own.listen, number)}
    for key, address in (
        ("ADVERTISE", own.advertise),
        ("LISTEN_TLS", own.listen_tls),
        ("ADVERTISE_TLS", own.advertise_tls),
        ("LISTEN_WEB", own.listen_web),
        ("LISTEN_WEB_TLS", own.listen_web_tls),
        ("ADVERTISE_WEB", own.advertise_web),
        ("ADVERTISE_WEB_TLS", own.advertise_web_tls),
    ):
        if address:
            told["MSG_SERVER__" + key] = plus(address, number)
    return told


def _process(
    config: Config, config_file: str | None, name: str, role: Role, settings: Mapping[str, str]
) -> RoleProcess:
    data = data_path(config)
    # A URL, so that no role starts the embedded Redis itself.
    settings = {"DATA": str(data), "REDIS__URL": redis_url(config), **settings}
    environment = {"FISHCHAT__" + key: value for key, value in settings.items()}
    environment[lifeline.VARIABLE] = "stdin"
    environment[logfiles.VARIABLE] = str(data / f"{name}.log")
    environment[logfiles.LEVEL] = config.log.level
    environment["PYTHONPATH"] = _python_path()
    options = ["--name", name, *([] if config_file is None else ["--config", os.path.abspath(config_file)])]
    return RoleProcess(name, commands.twistd(role.plugin, *options, before=(_LOGGER,)), environment)


def _python_path() -> str:
    """Return the path on which a child finds the same package and its plugins, installed or not."""
    here = str(Path(fishchat.__file__).parent.parent)
    # Python takes an empty entry, as PYTHONPATH=$PYTHONPATH:/opt often leaves, for the current directory.
    return os.pathsep.join(filter(None, [here, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]))
