"""Probes of TCP for connections on which nobody speaks: they find a dead computer that nobody asks anything.

Options of a listening socket are inherited by the connections that it accepts, so they cost a connection nothing.
"""

from __future__ import annotations

import socket
from typing import Any

#: Seconds without a packet until the first probe, seconds between probes, and unanswered probes until the end. In sum,
#: they are the silence that keepalive allows to a program.
IDLE, BETWEEN, PROBES = 90, 10, 3
#: Milliseconds that sent bytes may wait for their acknowledgement: while some wait, there are no probes.
UNACKNOWLEDGED = (IDLE + BETWEEN * PROBES) * 1000

#: What is set, each under the names that systems have for it; the first one is that of Linux.
_OPTIONS = (
    (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), IDLE),
    (("TCP_KEEPINTVL",), BETWEEN),
    (("TCP_KEEPCNT",), PROBES),
    (("TCP_USER_TIMEOUT",), UNACKNOWLEDGED),
)


def probe(listening: socket.socket, module: Any = socket) -> list[str]:
    """Probe the connections that a socket will accept. Returns the names of the options that this system lacks."""
    listening.setsockopt(module.SOL_SOCKET, module.SO_KEEPALIVE, 1)
    missing = []
    for names, value in _OPTIONS:
        option = next((getattr(module, name) for name in names if hasattr(module, name)), None)
        try:
            if option is None:
                raise OSError
            listening.setsockopt(module.IPPROTO_TCP, option, value)
        except OSError:
            missing.append(names[0])
    return missing
