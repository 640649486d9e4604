"""The table of roles: one row for each.

The rows feed the checks of listeners, the twistd plugins, the layout of processes, the banner of ``fishchat up`` and
the reader of the original's files. ``fishchat.services.roles`` imports the modules that the rows name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fishchat.config.schema import Config


@dataclass(frozen=True)
class Role:
    """One role.

    :ivar name: its name in heartbeats and log files.
    :ivar module: has ``build(parts)``, and ``Options`` and ``makeService`` for twistd.
    :ivar stage: its place in the start; roles of one stage start and stop together, and stop before lower stages.
    :ivar summary: the text in ``twistd --help``.
    :ivar listeners: the dotted keys of its listeners without TLS; each has a second key for TLS, with ``_tls`` added.
    :ivar several: whether ``fishchat up --processes`` may run several, on consecutive ports.
    :ivar banner: how ``fishchat up`` prints its first listener: a format of the scheme's ending and the address, or
        empty.
    :ivar original: the keys of its file in the original Go project, translated to dotted keys.
    """

    name: str
    plugin: str
    module: str
    stage: int
    summary: str
    listeners: tuple[str, ...] = ()
    several: bool = False
    banner: str = ""
    original: Mapping[str, str] = field(default_factory=dict)


#: Keys with the addresses of a msg_server that its heartbeats name.
ADVERTISED = tuple(f"msg_server.advertise{kind}" for kind in ("", "_tls", "_web", "_web_tls"))
#: In the order of lists for people.
ROLES: tuple[Role, ...] = (
    Role(
        name="gateway",
        plugin="fishchat-gateway",
        module="fishchat.services.gateway",
        # The stage of the roles that clients connect to: they stop first.
        stage=3,
        summary="Tells clients which msg_server to use",
        listeners=("gateway.listen", "web.listen"),
        banner="{address}",
        original={"Listen": "gateway.listen", "MsgServerList": "gateway.servers"},
    ),
    Role(
        name="msg_server",
        plugin="fishchat-msg",
        module="fishchat.services.msg_server",
        stage=3,
        summary="Holds clients, stores and delivers messages",
        listeners=("msg_server.listen", "msg_server.listen_web"),
        several=True,
        original={"Listen": "msg_server.listen", "LocalIP": "msg_server.advertise", "UUID": "msg_server.id"},
    ),
    Role(
        name="router",
        plugin="fishchat-router",
        module="fishchat.services.router",
        stage=2,
        summary="Carries messages between msg_servers",
    ),
    Role(
        name="manager",
        plugin="fishchat-manager",
        module="fishchat.services.manager",
        stage=1,
        summary="Ends dead sessions and trims what is too old",
    ),
    Role(
        name="monitor",
        plugin="fishchat-monitor",
        module="fishchat.services.monitor",
        stage=0,
        summary="Shows the state of every server",
        listeners=("monitor.listen",),
        banner="http{s}://{address}/",
        original={"Listen": "monitor.listen"},
    ),
)


def find(name: str) -> Role:
    """Return the row of a role. KeyError when there is none."""
    for role in ROLES:
        if role.name == name:
            return role
    raise KeyError(name)


def stages() -> list[list[Role]]:
    """Return the roles by stage, the first to start first."""
    numbers = sorted({role.stage for role in ROLES})
    return [[role for role in ROLES if role.stage == number] for number in numbers]


def in_order() -> Iterator[Role]:
    """Iterate over the roles in the order of their start; they stop in reverse."""
    return (role for stage in stages() for role in reversed(stage))


def plain_keys() -> tuple[str, ...]:
    """Return the keys of all listeners without TLS."""
    return tuple(key for role in ROLES for key in role.listeners)


def tls_keys() -> tuple[str, ...]:
    """Return the keys of all listeners with TLS."""
    return tuple(map(tls_key, plain_keys()))


def tls_key(key: str) -> str:
    """Return the key of the listener with TLS beside the one at ``key``."""
    return f"{key}_tls"


def address(config: Config, key: str) -> str:
    """Return the value of a listener's dotted key; empty when there is no such listener."""
    value: Any = reduce(getattr, key.split("."), config)
    return str(value)
