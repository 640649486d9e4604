"""The journal of a run as read from its file: all sends and deliveries of the clients, as plain values.

``checkers`` judges it. All of it is in memory while it is judged; a test of hours is many runs with a seed each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import msgspec


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
    """A message as it was delivered to a device, or as it is in the log."""

    sender: str
    conversation: str
    text: str
    id: str


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


def read(path: Path) -> Journal:
    """Return the journal in this file. OSError, or ValueError for a line of another form."""
    reader = _Reader()
    with path.open("rb") as file:
        reader.take(file)
    return reader.journal


class _Reader:
    """Reads line by line; a word that is in many lines is kept once."""

    def __init__(self) -> None:
        self.journal = Journal()
        self._by_text: dict[str, Sent] = {}
        self._words: dict[str, str] = {}

    def take(self, lines: Iterable[bytes]) -> None:
        decode = msgspec.json.Decoder(list[Any]).decode
        for number, line in enumerate(lines, 1):
            try:
                kind, at, *what = decode(line)
                getattr(self, f"_{kind}")(at, *what)
            except (AttributeError, TypeError, KeyError, ValueError) as error:
                raise ValueError(f"line {number} is no line of a journal: {error!r}") from error

    def _once(self, word: str) -> str:
        return self._words.setdefault(word, word)

    def _plan(self, at: float, fault: str, back: float) -> None:
        self.journal.back = back

    def _device(self, at: float, name: str) -> None:
        self.journal.devices[name] = at
        self.journal.devices_of.setdefault(name.partition("/")[0], []).append(name)

    def _member(self, at: float, account: str, conversation: str, step: str) -> None:
        stays = self.journal.stays.setdefault(conversation, {}).setdefault(account, [])
        if step == "asks-in":
            stays.append(Stay(at))
        else:
            setattr(stays[-1], {"in": "begun", "asks-out": "leaving", "out": "ended"}[step], at)

    def _sent(self, at: float, device: str, conversation: str, text: str) -> None:
        one = Sent(self._once(device), self._once(conversation), self._once(text), at)
        self._by_text[one.text] = one
        self.journal.sent.append(one)

    def _ok(self, at: float, text: str, message_id: str) -> None:
        one = self._by_text[text]
        one.answered_at, one.id = at, self._once(message_id)

    def _refused(self, at: float, text: str, why: str) -> None:
        one = self._by_text[text]
        one.answered_at, one.refused = at, why

    def _probed(self, at: float, server: str, sent_at: float) -> None:
        self.journal.probed.setdefault(server, []).append(Answered(sent_at, at))

    def _handed(self, at: float, login: str, conversation: str, message_id: str, sender: str, text: str) -> None:
        seen = self._seen(conversation, message_id, sender, text)
        self.journal.handed.setdefault(login, []).append(seen)
        self.journal.arrived[seen.text] = at

    def _log(self, at: float, conversation: str, message_id: str, sender: str, text: str) -> None:
        self.journal.logs.setdefault(conversation, []).append(self._seen(conversation, message_id, sender, text))

    def _seen(self, conversation: str, message_id: str, sender: str, text: str) -> Seen:
        return Seen(self._once(sender), self._once(conversation), self._once(text), self._once(message_id))

    def _gap(self, at: float, login: str, conversation: str, first: int, last: int) -> None:
        self.journal.gaps.setdefault((login, conversation), []).append((first, last))

    def _fault(self, at: float, what: str, who: str) -> None:
        self.journal.faults.append(Fault(what, who, at, at))

    def _healed(self, at: float, what: str, who: str) -> None:
        faults = self.journal.faults
        last = max(number for number, one in enumerate(faults) if (one.what, one.who) == (what, who))
        faults[last] = Fault(what, who, faults[last].at, at)

    def _gone(self, at: float, conversation: str, number: int, text: str) -> None:
        self.journal.gone.setdefault(conversation, set()).add(number)
        self.journal.gone_texts.add(text)

    def _complaint(self, at: float, kind: str, text: str) -> None:
        self.journal.complaints.setdefault(kind, []).append(text)
