"""The journal of a run: all sends and deliveries of the clients, as plain values.

``reading`` reads it from its file, and ``checkers`` judges it. All of it is in memory while it is judged; a test of
hours is many runs with a seed each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf

from fishchat.proof.lab.changes import Attempt, Change, Numbers, Shown, Sight, Standing, Tenure, Told


@dataclass(slots=True)
class Sent:
    """A message that a device sent; ``text`` is unique in the run.

    :ivar device: ``account/device``.
    :ivar id: the id in its ``OK``; empty if the server could not find it any more, None if there was no ``OK``.
    :ivar refused: the word of the refusal, if that was the answer.
    """

    device: str
    conversation: str
    text: str
    at: float = 0.0
    answered_at: float = inf
    id: str | None = None
    refused: str = ""

    @property
    def sender(self) -> str:
        """The account of the device."""
        return self.device.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as it was delivered to a device, or as it is in the log.

    :ivar text: the text as it was sent first, by which the message is known; ``shown`` is the one that was delivered.
    :ivar recalled: whether this only stands for a message that was recalled.
    """

    sender: str
    conversation: str
    text: str
    id: str
    shown: str = field(default="", compare=False)
    recalled: bool = field(default=False, compare=False)
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, and its time; ``until`` equals its beginning for a fault that does not last."""

    what: str
    who: str
    at: float
    until: float


@dataclass(slots=True)
class Stay:
    """A membership: the times when it was requested, began, was asked to end, ended. From ``begun`` to ``leaving`` all
    is due.
    """

    asked: float
    begun: float = inf
    leaving: float = inf
    ended: float = inf


@dataclass(frozen=True, slots=True)
class Answered:
    """A message of a probe that got its ``OK``: the times of the sending and of the ``OK``."""

    at: float
    answered_at: float


@dataclass
class Journal:
    """One run.

    :ivar back: the seconds within which each server and each client must have an ``OK`` after a fault.
    :ivar devices: when each ``account/device`` logged in first; ``devices_of`` has the devices of each account.
    :ivar stays: the memberships of each conversation, by account.
    :ivar sent: in the order of sending.
    :ivar probed: the messages that each msg_server acknowledged to its probe, in order.
    :ivar handed: in the order of arrival, by login: a device, or ``device/2`` for a second program of that device.
    :ivar arrived: when each text was delivered to the last device so far.
    :ivar gaps: the ranges of numbers that were announced as gone to each login, in each conversation.
    :ivar logs: each conversation as it is in the store at the end, oldest first.
    :ivar gone: the numbers that a fault took from the store, in each conversation; ``gone_texts`` their texts.
    :ivar complaints: what should never happen, by its kind.
    :ivar plain: the devices that cannot be told of operations.
    :ivar begun: when each program of a login was started.
    :ivar changes: the operations on messages, in the order of sending; ``told`` their deliveries, by login.
    :ivar shown: messages as all ways of reading them showed them; ``standings`` the numbers of unread messages.
    :ivar numbers: the numbers of each conversation in the store at the end.
    :ivar sanctions: by ``mute`` or ``ban`` and conversation the times of each account's sanctions.
    :ivar owners: of each topic; ``sights`` what the store had of it.
    :ivar attempts: what was tried there against the rules.
    """

    back: float = inf
    devices: dict[str, float] = field(default_factory=dict)
    devices_of: dict[str, list[str]] = field(default_factory=dict)
    stays: dict[str, dict[str, list[Stay]]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    probed: dict[str, list[Answered]] = field(default_factory=dict)
    handed: dict[str, list[Seen]] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    gaps: dict[tuple[str, str], list[tuple[int, int]]] = field(default_factory=dict)
    logs: dict[str, list[Seen]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    gone: dict[str, set[int]] = field(default_factory=dict)
    gone_texts: set[str] = field(default_factory=set)
    complaints: dict[str, list[str]] = field(default_factory=dict)
    plain: set[str] = field(default_factory=set)
    begun: dict[str, list[float]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    told: dict[str, list[Told]] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    sanctions: dict[tuple[str, str], dict[str, list[Stay]]] = field(default_factory=dict)
    owners: dict[str, list[Tenure]] = field(default_factory=dict)
    sights: list[Sight] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[Sent]:
        """The messages that got their ``OK``."""
        return [one for one in self.sent if one.id is not None]

    def is_gone(self, one: Sent) -> bool:
        """Return whether a fault took this message from the store."""
        return one.text in self.gone_texts


def device_of(login: str) -> str:
    """Return the ``account/device`` of a login."""
    return "/".join(login.split("/")[:2])


def word_of(refusal: str) -> str:
    """Return the word of a refusal; empty if there was none."""
    found = re.match("[A-Z]+", refusal)
    return found[0] if found else ""
