"""What the clients of a run did and were told, as read from its file. Plain values; ``checkers`` judges them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import msgspec


@dataclass(slots=True)
class Sent:
    """A message that a device has sent; ``text`` is unique in the run.

    :ivar device: ``account/device``.
    :ivar id: what the server called it when it said ``OK``, nothing if it did not find it any more; None without.
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
        """The account."""
        return self.device.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a device was handed it, or as the log has it."""

    sender: str
    conversation: str
    text: str
    id: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What was done to the system, and when; ``until`` is the same moment for one that does not last."""

    what: str
    who: str
    at: float
    until: float


@dataclass(slots=True)
class Stay:
    """A membership: asked for, begun, asked to end, ended. Between the middle two everything is to come."""

    asked: float
    begun: float = inf
    leaving: float = inf
    ended: float = inf


@dataclass
class Journal:
    """One run.

    :ivar devices: since when each ``account/device`` is there; ``devices_of`` has those of each account.
    :ivar stays: the memberships of each conversation, by account.
    :ivar sent: in the order of sending.
    :ivar handed: in the order of arrival, by login: a device, or ``device/2`` for a second program that is it.
    :ivar arrived: when each text was handed to the last device so far.
    :ivar gaps: which conversations each login was told to have a gap, and with which words.
    :ivar logs: each conversation as the store has it at the end, oldest first.
    :ivar excuses: from when to when what was acknowledged may be gone, because the store was put back.
    :ivar complaints: what should never be: another login in one's place, a traceback in a log.
    """

    devices: dict[str, float] = field(default_factory=dict)
    devices_of: dict[str, list[str]] = field(default_factory=dict)
    stays: dict[str, dict[str, list[Stay]]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    handed: dict[str, list[Seen]] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    gaps: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    logs: dict[str, list[Seen]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    excuses: list[tuple[float, float]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[Sent]:
        """What got its ``OK``."""
        return [one for one in self.sent if one.id is not None]

    def is_excused(self, one: Sent) -> bool:
        """Whether its loss was announced beforehand."""
        return any(begin <= one.answered_at <= end for begin, end in self.excuses)


def device_of(login: str) -> str:
    """The ``account/device`` of a login."""
    return "/".join(login.split("/")[:2])


def read(path: Path) -> Journal:
    """The journal in this file. OSError, or ValueError for a line that is none of ours."""
    reader = _Reader()
    with path.open("rb") as file:
        reader.take(file)
    return reader.journal


class _Reader:
    """Takes line by line; what is said in many lines is kept once."""

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

    def _handed(self, at: float, login: str, conversation: str, message_id: str, sender: str, text: str) -> None:
        seen = self._seen(conversation, message_id, sender, text)
        self.journal.handed.setdefault(login, []).append(seen)
        self.journal.arrived[seen.text] = at

    def _log(self, at: float, conversation: str, message_id: str, sender: str, text: str) -> None:
        self.journal.logs.setdefault(conversation, []).append(self._seen(conversation, message_id, sender, text))

    def _seen(self, conversation: str, message_id: str, sender: str, text: str) -> Seen:
        return Seen(self._once(sender), self._once(conversation), self._once(text), self._once(message_id))

    def _gap(self, at: float, login: str, conversation: str, what: str) -> None:
        self.journal.gaps.setdefault((login, conversation), []).append(what)

    def _fault(self, at: float, what: str, who: str) -> None:
        self.journal.faults.append(Fault(what, who, at, at))

    def _healed(self, at: float, what: str, who: str) -> None:
        faults = self.journal.faults
        last = max(number for number, one in enumerate(faults) if (one.what, one.who) == (what, who))
        faults[last] = Fault(what, who, faults[last].at, at)

    def _excuse(self, at: float, begin: float, why: str) -> None:
        self.journal.excuses.append((begin, at))

    def _complaint(self, at: float, text: str) -> None:
        self.journal.complaints.append(text)
