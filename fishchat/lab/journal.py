"""What a run of clients has sent and received, and whether the promises were kept. Pure functions over plain values.

The checkers know nothing of servers; ``test_faults`` shows that each of them can fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

from fishchat.model.names import Position, split_id


@dataclass(slots=True)
class Sent:
    """A message that a client has sent; ``text`` is unique in the run.

    :ivar id: what the server called it when it said ``OK``, nothing if it did not find it any more; None without.
    :ivar refused: the word of the refusal, if that was the answer.
    """

    sender: str
    conversation: str
    text: str
    at: float = 0.0
    answered_at: float = 0.0
    id: str | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a device was handed it, or as the log has it."""

    sender: str
    conversation: str
    text: str
    id: str


@dataclass
class Journal:
    """One run.

    :ivar members: who is to get what is sent to a conversation: one device for each account.
    :ivar sent: in the order of sending.
    :ivar handed: in the order in which each device got it.
    :ivar arrived: when each text was handed to the last device so far.
    :ivar logs: each conversation as the store has it at the end, oldest first.
    :ivar complaints: what a client was told and should never be: gaps, another login in its place.
    """

    members: dict[str, list[str]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    handed: dict[str, list[Seen]] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    logs: dict[str, list[Seen]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[Sent]:
        """What got its ``OK``."""
        return [one for one in self.sent if one.id is not None]


#: A checker gives a sentence for each violation.
Checker = Callable[[Journal], Iterator[str]]


def unanswered(journal: Journal) -> Iterator[str]:
    """Every send has an answer in the end."""
    for one in journal.sent:
        if one.id is None and not one.refused:
            yield f"{one.text!r} to {one.conversation} has no answer"


def refused(journal: Journal) -> Iterator[str]:
    """Nothing is refused for good: every send was allowed."""
    for one in journal.sent:
        if one.refused:
            yield f"{one.text!r} to {one.conversation} was refused: {one.refused}"


def lost(journal: Journal) -> Iterator[str]:
    """What was acknowledged is in the log, and was handed to every other member."""
    handed = {device: {one.text for one in got} for device, got in journal.handed.items()}
    stored = {name: {one.text for one in log} for name, log in journal.logs.items()}
    for one in journal.acknowledged:
        if one.text not in stored.get(one.conversation, ()):
            yield f"{one.text!r} ({one.id}) is not in the log"
        for device in journal.members[one.conversation]:
            if device != one.sender and one.text not in handed.get(device, ()):
                yield f"{one.text!r} ({one.id}) was never handed to {device}"


def doubled(journal: Journal) -> Iterator[str]:
    """No message is stored twice, or handed twice to one device."""
    for where, seen in _seen(journal):
        for text, count in Counter(one.text for one in seen).items():
            if count > 1:
                ids = ", ".join(one.id for one in seen if one.text == text)
                yield f"{text!r} is {count} times {where}: {ids}"


def disordered(journal: Journal) -> Iterator[str]:
    """Ids grow in each conversation, in the log without holes, and one sender's messages come in the order sent."""
    order = {one.text: number for number, one in enumerate(journal.sent)}
    for where, seen in _seen(journal):
        last: dict[str, Position] = {}
        latest: dict[tuple[str, str], int] = {}
        for one in seen:
            _, epoch, seq = split_id(one.id.encode())
            if (epoch, seq) <= last.get(one.conversation, (0, 0)):
                yield f"{one.id} comes after {last[one.conversation]} {where}"
            last[one.conversation] = epoch, seq
            lane = one.sender, one.conversation
            # What was never sent has no order; that is for another checker to find.
            number = order.get(one.text, latest.get(lane, 0))
            if number < latest.get(lane, 0):
                yield f"{one.text!r} ({one.id}) comes after what was sent later, {where}"
            latest[lane] = max(number, latest.get(lane, 0))
    for name, log in journal.logs.items():
        for number, one in enumerate(log, 1):
            if split_id(one.id.encode())[2] != number:
                yield f"{one.id} is number {number} in the log of {name}"
                break


def invented(journal: Journal) -> Iterator[str]:
    """Whatever was received or stored was sent, by this sender, there; nobody gets what is not for them."""
    known = {(one.sender, one.conversation, one.text) for one in journal.sent}
    for where, seen in _seen(journal):
        for one in seen:
            if (one.sender, one.conversation, one.text) not in known:
                yield f"{one} was never sent, but is {where}"
    for device, got in journal.handed.items():
        for one in got:
            if device not in journal.members.get(one.conversation, ()):
                yield f"{one} is nothing for {device}"


def renamed(journal: Journal) -> Iterator[str]:
    """A message has one id: the sender's, the log's and every receiver's."""
    ids = {one.text: one.id for log in journal.logs.values() for one in log}
    told = [("its sender", one.text, one.id) for one in journal.acknowledged]
    told += [(device, one.text, one.id) for device, got in journal.handed.items() for one in got]
    for who, text, message_id in told:
        if text in ids and message_id and message_id != ids[text]:
            yield f"{text!r} is {ids[text]} in the log, but {message_id!r} to {who}"


def complained(journal: Journal) -> Iterator[str]:
    """No client was told of a gap, or replaced, or refused."""
    yield from journal.complaints


CHECKERS: tuple[Checker, ...] = (unanswered, refused, lost, doubled, disordered, invented, renamed, complained)


def violations(journal: Journal) -> dict[str, list[str]]:
    """All checkers by name, each with what it found."""
    return {checker.__name__: list(checker(journal)) for checker in CHECKERS}


def _seen(journal: Journal) -> Iterable[tuple[str, list[Seen]]]:
    for name, log in journal.logs.items():
        yield f"in the log of {name}", log
    for device, got in journal.handed.items():
        yield f"at {device}", got


@dataclass(frozen=True)
class Kill:
    """SIGKILL for ``who`` at ``at``."""

    who: str
    at: float


def recovery(journal: Journal, kills: list[Kill], begun: float) -> list[dict[str, Any]]:
    """How soon after each kill things went on, in seconds.

    ``next``, ``everybody``: until the first account, and until each, had an OK for what it sent after the kill.
    ``delivery``: the longest time from an OK to the last receiver, among what was sent about then or before the next.
    """
    ends = [kill.at for kill in kills[1:]] + [inf]
    return [_recovery(journal, kill, end, begun) for kill, end in zip(kills, ends, strict=True)]


def _recovery(journal: Journal, kill: Kill, end: float, begun: float) -> dict[str, Any]:
    answered: dict[str, float] = {}
    slowest = 0.0
    for one in journal.acknowledged:
        if one.at >= kill.at:
            answered[one.sender] = min(one.answered_at, answered.get(one.sender, inf))
        if kill.at - 0.5 <= one.at < end:
            slowest = max(slowest, journal.arrived.get(one.text, 0.0) - one.answered_at)
    times = [round(time - kill.at, 3) for time in answered.values()]
    first, last = min(times, default=None), max(times, default=None)
    at = round(kill.at - begun, 1)
    return {"who": kill.who, "at": at, "next": first, "everybody": last, "delivery": round(slowest, 3)}
