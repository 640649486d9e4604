"""The figures of the heartbeats: a row for each, with its role, unit and meaning.

A role reports plain numbers by these names. Programs that show them read kind, unit and help here.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


class Kind(enum.Enum):
    """How the value of a figure changes."""

    #: Counts from the start of the process; never falls.
    COUNTER = "counter"
    #: A present value.
    GAUGE = "gauge"


@dataclass(frozen=True)
class Figure:
    """One figure.

    :ivar roles: the roles that report it.
    :ivar unit: what is counted or measured.
    :ivar help: one sentence for people.
    :ivar whole: whether it is an integer.
    """

    name: str
    roles: tuple[str, ...]
    kind: Kind
    unit: str
    help: str
    whole: bool = True


def _counter(name: str, role: str, unit: str, help: str) -> Figure:
    return Figure(name, (role,), Kind.COUNTER, unit, help)


def _gauge(name: str, role: str, unit: str, help: str) -> Figure:
    return Figure(name, (role,), Kind.GAUGE, unit, help)


FIGURES: tuple[Figure, ...] = (
    _counter("placed", "gateway", "answers", "Clients that were given the address of a msg_server."),
    _gauge("online", "msg_server", "devices", "Devices that are logged in."),
    _counter("hashes", "msg_server", "hashes", "Password hashes computed."),
    _counter("messages", "msg_server", "messages", "Messages of its clients that were stored."),
    _counter("calls", "msg_server", "calls", "Calls of scripts, a batch of messages being one."),
    _counter("hints", "msg_server", "batches", "Batches of hints received from routers."),
    _counter("sweeps", "msg_server", "sweeps", "Sweeps of the logs because hints may have been lost."),
    _gauge("conversations", "msg_server", "conversations", "Conversations that somebody here reads."),
    _counter("logins", "msg_server", "logins", "Logins accepted."),
    _counter("refused", "msg_server", "attempts", "Logins, sign-ups and password changes refused."),
    _counter("signups", "msg_server", "accounts", "Accounts that clients created."),
    _counter("unrecorded", "msg_server", "events", "Events that the audit record does not have, because it was away."),
    _gauge("shards", "router", "shards", "Shards that this router reads."),
    _counter("batches", "router", "batches", "Batches of hints published to msg_servers."),
    _counter("messages", "router", "messages", "Messages in these batches."),
    _counter("came", "manager", "devices", "Devices that logged in, as far as was heard."),
    _counter("went", "manager", "devices", "Devices that went offline, as far as was heard."),
    _counter("topics_created", "manager", "topics", "Topics created, as far as was heard."),
    _counter("topics_joined", "manager", "joins", "Accounts that joined a topic, as far as was heard."),
    _counter("topics_left", "manager", "leaves", "Accounts that left a topic, as far as was heard."),
    _counter("topics_invited", "manager", "invitations", "Invitations to topics, as far as was heard."),
    _counter("topics_dismissed", "manager", "topics", "Topics dismissed, as far as was heard."),
    _counter("reaped", "manager", "sessions", "Sessions ended because their msg_server died."),
    _counter("trimmed", "manager", "messages", "Messages removed by retention."),
    _gauge("unscrubbed", "manager", "conversations", "Conversations whose erased messages wait for a scrub."),
    _counter("scrubbed", "manager", "conversations", "Conversations scrubbed."),
    _gauge("scrubbed_at", "manager", "ms", "Time of the last complete scrub, since 1970; 0 if there was none."),
    Figure(
        "certificate_days",
        ("gateway", "msg_server", "monitor"),
        Kind.GAUGE,
        "days",
        "Days until the TLS certificate expires; only with a listener for TLS.",
        whole=False,
    ),
)


def of_role(role: str) -> Iterator[Figure]:
    """Iterate over the figures that a role reports."""
    return (figure for figure in FIGURES if role in figure.roles)


def shown(role: str, reported: Mapping[str, float]) -> dict[str, float]:
    """Return the figures that a role reported, in the order of the table, integers as such.

    Names that are in no row follow unchanged: another version may report more.
    """
    known = {
        figure.name: int(reported[figure.name]) if figure.whole else reported[figure.name]
        for figure in of_role(role)
        if figure.name in reported
    }
    return {**known, **{name: value for name, value in reported.items() if name not in known}}
