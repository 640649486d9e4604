"""Routes of messages to msg_servers: a rule over one entry of ``/sysctrl/send``. No I/O.

An entry holds the batch that ``send.lua`` received and the routes that it found; ``doc/channels.md`` shows both. Their
layout is defined here: ``Batch.values`` of the queue packs it, ``send.lua`` reads it and leaves it unchanged for the
router, and ``lib/router.lua`` makes it for one message of the servers themselves. A route with the number 0 is a
signal: its conversation names the recipients, its body is the line for them, and it is stored nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The values of a batch. ``accounts`` are those whose places are looked up; ``messages`` is flat; ``marked`` says where
#: messages with attributes begin in it.
BATCH = ("server", "incarnation", "epoch", "stream", "accounts", "messages", "marked")
#: The values of one message in it; ``cseq`` is -1 without a number, ``peer`` is empty for a topic.
MESSAGE = ("conversation", "sender", "cseq", "body", "account", "peer")
#: The values of one route: the index of its message in ``messages``, the number and the membership version under which
#: it was stored, and places, each a msg_server or ``msg_server/device``.
ROUTE = ("offset", "number", "version", "places")

_WIDTH, _BODY = len(ROUTE), MESSAGE.index("body")
_SERVER, _MESSAGES = BATCH.index("server"), BATCH.index("messages")


@dataclass
class Entry:
    """A batch and its receivers.

    :ivar origin: the msg_server that sent it.
    :ivar messages: flat, see ``MESSAGE``.
    :ivar routes: flat, see ``ROUTE``; one for each message that goes to another msg_server.
    :ivar time: when they were stored, in ms.
    """

    origin: bytes
    messages: list[Any]
    routes: list[Any]
    time: int

    @classmethod
    def of(cls, batch: list[Any], routes: list[Any], time: int) -> Entry:
        """Return the entry of a batch, see ``BATCH``, with its routes and its time."""
        return cls(batch[_SERVER], batch[_MESSAGES], routes, time)


def group(entry: Entry) -> dict[bytes, list[Any]]:
    """Return a flat array as in ``bus/hints.py`` for each msg_server but the sender's."""
    origin, messages, routes, time = entry.origin, entry.messages, entry.routes, entry.time
    told: dict[bytes, list[Any]] = {}
    targets: dict[bytes, list[list[Any]]] = {}
    for start in range(0, len(routes), _WIDTH):
        offset, number, version, servers = routes[start : start + _WIDTH]
        flats = targets.get(servers)
        if flats is None:
            names = dict.fromkeys(place.partition(b"/")[0] for place in servers.split(b" "))
            flats = targets[servers] = [told.setdefault(name, []) for name in names if name != origin]
        for flat in flats:
            flat += (messages[offset], number, messages[offset + _BODY], version, time)
    return told
