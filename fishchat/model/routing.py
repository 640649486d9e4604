"""Which msg_server is told what: a rule over one entry of ``/sysctrl/send``. No I/O.

An entry holds the batch that ``send.lua`` was given and the routes that it found; ``doc/channels.md`` shows both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: Values of a message in a batch, and of a route.
_MESSAGE, _ROUTE = 6, 4


@dataclass
class Entry:
    """What was sent, and for whom.

    :ivar batch: server, incarnation, epoch, stream, accounts, messages.
    :ivar routes: offset, number, version and places of each message that goes elsewhere; a place is a msg_server or
        ``msg_server/device``.
    """

    batch: list[Any]
    routes: list[Any]


def group(entry: Entry) -> dict[bytes, list[Any]]:
    """For each msg_server other than the sender's: conversation, number, body, membership version of each message."""
    origin, messages, routes = entry.batch[0], entry.batch[5], entry.routes
    told: dict[bytes, list[Any]] = {}
    targets: dict[bytes, list[list[Any]]] = {}
    for start in range(0, len(routes), _ROUTE):
        offset, number, version, servers = routes[start : start + _ROUTE]
        flats = targets.get(servers)
        if flats is None:
            names = dict.fromkeys(place.partition(b"/")[0] for place in servers.split(b" "))
            flats = targets[servers] = [told.setdefault(name, []) for name in names if name != origin]
        for flat in flats:
            flat += (messages[offset], number, messages[offset + 3], version)
    return told
