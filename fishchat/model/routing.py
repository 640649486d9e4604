"""Which msg_server is told what: a rule over one entry of ``/sysctrl/send``. No I/O.

An entry holds the batch that ``send.lua`` was given and the routes that it found; ``doc/channels.md`` shows both. Their
layout stands here: ``Batch.values`` of the queue packs it, ``send.lua`` reads it and leaves it for the router as it
came, and ``lib/router.lua`` makes it for one message of the servers themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The values of a batch. ``accounts`` are those whose places are asked for; ``messages`` is flat.
BATCH = ("server", "incarnation", "epoch", "stream", "accounts", "messages")
#: The values of one message in it; ``cseq`` is -1 without a number, ``peer`` is empty for a topic.
MESSAGE = ("conversation", "sender", "cseq", "body", "account", "peer")
#: The values of one route: where its message stands in ``messages``, the number and the membership version under which
#: it was stored, and places, each a msg_server or ``msg_server/device``.
ROUTE = ("offset", "number", "version", "places")

_WIDTH, _BODY = len(ROUTE), MESSAGE.index("body")
_SERVER, _MESSAGES = BATCH.index("server"), BATCH.index("messages")


@dataclass
class Entry:
    """What was sent, and for whom.

    :ivar origin: the msg_server that sent it.
    :ivar messages: flat, see ``MESSAGE``.
    :ivar routes: flat, see ``ROUTE``; one for each message that goes to another msg_server.
    """

    origin: bytes
    messages: list[Any]
    routes: list[Any]

    @classmethod
    def of(cls, batch: list[Any], routes: list[Any]) -> Entry:
        """The entry of a batch, see ``BATCH``, and its routes."""
        return cls(batch[_SERVER], batch[_MESSAGES], routes)


def group(entry: Entry) -> dict[bytes, list[Any]]:
    """For each msg_server other than the sender's: conversation, number, body, membership version of each message."""
    origin, messages, routes = entry.origin, entry.messages, entry.routes
    told: dict[bytes, list[Any]] = {}
    targets: dict[bytes, list[list[Any]]] = {}
    for start in range(0, len(routes), _WIDTH):
        offset, number, version, servers = routes[start : start + _WIDTH]
        flats = targets.get(servers)
        if flats is None:
            names = dict.fromkeys(place.partition(b"/")[0] for place in servers.split(b" "))
            flats = targets[servers] = [told.setdefault(name, []) for name in names if name != origin]
        for flat in flats:
            flat += (messages[offset], number, messages[offset + _BODY], version)
    return told
