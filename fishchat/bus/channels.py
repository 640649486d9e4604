"""The channels between the roles: their names, as in the original design, and the form of their payloads.

Structures that people may read with ``redis-cli`` are JSON. The batches of messages are MessagePack; see
``fishchat.bus.hints``.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from fishchat.net.addresses import parse_address

CLIENT_STATUS = "/sysctrl/client-status"
TOPIC_STATUS = "/sysctrl/topic-status"
TOPIC_SYNC = "/sysctrl/topic-sync"
SEND = "/sysctrl/send"
MONITOR = "/sysctrl/monitor"

#: The events of a topic.
TOPIC_EVENTS = ("created", "joined", "left", "invited", "dismissed")


def msg_server(server: str) -> str:
    """Return the channel of the msg_server named ``server``: numbered batches for the clients connected to it."""
    return f"/msg_server/{server}"


def send_stream(shard: int) -> str:
    """Return the stream of one shard of ``/sysctrl/send``; the first has the plain name."""
    return SEND if shard == 0 else f"{SEND}/{shard}"


Kind = TypeVar("Kind", bound="Payload")


class Payload(msgspec.Struct, omit_defaults=True, frozen=True, kw_only=True):
    """The base of all JSON payloads: unknown fields are ignored, so that versions may differ for a while."""

    def encode(self) -> bytes:
        """Return the payload as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls: type[Kind], payload: bytes) -> Kind:
        """Return the structure of a payload. Raises ValueError for anything else (not always one of msgspec's own)."""
        return msgspec.json.decode(payload, type=cls)


class Heartbeat(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """``/sysctrl/monitor``, from every role, every two seconds and once with ``stopping`` at the end."""

    role: str
    id: str
    #: ``host:port`` for clients, of gateway and msg_server; ``address_tls`` if there is a port for clients with TLS.
    address: str = ""
    address_tls: str = ""
    #: Where pages connect to a msg_server, without and with TLS.
    address_web: str = ""
    address_web_tls: str = ""
    pid: int = 0
    #: Milliseconds since 1970 and since the start.
    at: int = 0
    uptime: int = 0
    version: str = ""
    #: Used by the gateway's choice of a msg_server.
    clients: int = 0
    capacity: int = 0
    stopping: bool = False
    #: Counters and gauges by name; see ``fishchat.bus.figures``.
    figures: dict[str, float] = {}

    def has_addresses(self) -> bool:
        """Return whether it has an address for clients, and all its addresses are well-formed."""
        try:
            parse_address(self.address)
            for address in filter(None, (self.address_tls, self.address_web, self.address_web_tls)):
                parse_address(address)
        except ValueError:
            return False
        return True


class ClientStatus(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """``/sysctrl/client-status``, from a msg_server, one per turn: ``account/device`` names that logged in or out."""

    server: str
    came: list[str] = []
    went: list[str] = []
    #: ``account/device`` → ``server incarnation connection`` of the session that a new login ended.
    replaced: dict[str, str] = {}
    #: ``account/device`` → ``why server incarnation connection`` of sessions that were revoked, by a role or command
    #: other than a msg_server (then ``server`` is empty); and a running number, so that a lost hint is detected.
    revoked: dict[str, str] = {}
    number: int = 0


class TopicStatus(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """``/sysctrl/topic-status``, from a msg_server: an event of a topic."""

    topic: str
    #: One of ``TOPIC_EVENTS``.
    event: str
    account: str


class TopicSync(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """``/sysctrl/topic-sync``: forget the cached state of these topics."""

    topics: list[str]
    #: Topic → accounts that joined or left. An account that did both quickly may no longer be a member when the members
    #: are read.
    accounts: dict[str, list[str]] = {}
