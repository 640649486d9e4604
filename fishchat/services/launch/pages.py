"""The ports of the pages under ``fishchat up``: one for all roles in one process, and none that is taken by default."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from fishchat.config import roles
from fishchat.config.ports import rows
from fishchat.config.schema import Config
from fishchat.services.net.listen import taken

#: The keys of the listeners for pages.
KEYS = ("web.listen", "web.listen_tls", "msg_server.listen_web", "msg_server.listen_web_tls")


def with_pages(config: Config, in_processes: bool, say: Callable[[str], object]) -> Config:
    """Return the configuration without the listeners for pages that are not used.

    With all roles in one process, pages connect to ``web.listen``. A default port that another program uses switches
    the pages off with one line; a configured one is refused like every other port.
    """
    if not in_processes:
        server = msgspec.structs.replace(config.msg_server, listen_web="", listen_web_tls="")
        config = msgspec.structs.replace(config, msg_server=server)
    for row in rows(config, config.up.msg_servers if in_processes else 1):
        is_default = row.key in KEYS and roles.address(config, row.key) == roles.address(Config(), row.key)
        if is_default and taken(row.address) is not None:
            say(f"There are no pages for browsers: {row.address} is in use. Set web.listen to another port.")
            return without_pages(config)
    return config


def without_pages(config: Config) -> Config:
    """Return the configuration without any listener for pages."""
    web = msgspec.structs.replace(config.web, listen="", listen_tls="")
    server = msgspec.structs.replace(config.msg_server, listen_web="", listen_web_tls="")
    return msgspec.structs.replace(config, web=web, msg_server=server)
