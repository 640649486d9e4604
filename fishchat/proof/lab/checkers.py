"""Whether the promises were kept in a run: pure functions over its journal, which know nothing of servers.

``test_lab_checkers`` shows that each of them can fail, and ``fishchat lab mutate`` that they find real defects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import Any

from fishchat.model.names import Position, split_id
from fishchat.proof.lab.journal import Fault, Journal, Seen, Sent, Stay, device_of

#: Seconds before a fault within which somebody had an answer, if nobody waits for one.
JUST = 1.0

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
    """What was acknowledged is in the log, and was handed to every other device of its members."""
    handed: dict[str, set[str]] = {}
    for login, got in journal.handed.items():
        handed.setdefault(device_of(login), set()).update(one.text for one in got)
    stored = {name: {one.text for one in log} for name, log in journal.logs.items()}
    for one in journal.acknowledged:
        if one.text not in stored.get(one.conversation, ()):
            # What is in the log in spite of all is to arrive.
            if journal.is_excused(one):
                continue
            yield f"{one.text!r} ({one.id}) is not in the log"
        for device in _due(journal, one):
            if one.text not in handed.get(device, ()):
                yield f"{one.text!r} ({one.id}) was never handed to {device}"


def doubled(journal: Journal) -> Iterator[str]:
    """No message is stored twice, or handed twice to one device."""
    for where, seen in _seen(journal):
        for text, count in Counter(one.text for one in seen).items():
            if count > 1:
                ids = ", ".join(one.id for one in seen if one.text == text)
                yield f"{text!r} is {count} times {where}: {ids}"


def disordered(journal: Journal) -> Iterator[str]:
    """Ids grow in each conversation, in the log without holes, and one device's messages come in the order sent."""
    order = {one.text: (number, one.device) for number, one in enumerate(journal.sent)}
    for where, seen in _seen(journal):
        last: dict[str, Position] = {}
        latest: dict[tuple[str, str], int] = {}
        for one in seen:
            position = split_id(one.id.encode())[1:]
            if position <= last.get(one.conversation, (0, 0)):
                yield f"{one.id} comes after {last[one.conversation]} {where}"
            last[one.conversation] = position
            # What was never sent has no order; that is for another checker to find.
            number, device = order.get(one.text, (inf, ""))
            lane = device, one.conversation
            if number < latest.get(lane, 0):
                yield f"{one.text!r} ({one.id}) comes after what was sent later, {where}"
            elif device:
                latest[lane] = int(number)
    for name, log in journal.logs.items():
        for number, one in enumerate(log, 1):
            if split_id(one.id.encode())[2] != number:
                yield f"{one.id} is number {number} in the log of {name}"
                break


def invented(journal: Journal) -> Iterator[str]:
    """Whatever was received or stored was sent, by this sender, there; nobody gets what is not for them."""
    known = {(one.sender, one.conversation, one.text): one for one in journal.sent}
    for where, seen in _seen(journal):
        for one in seen:
            if (one.sender, one.conversation, one.text) not in known:
                yield f"{one} was never sent, but is {where}"
    for login, got in journal.handed.items():
        account = login.partition("/")[0]
        for one in got:
            sent = known.get((one.sender, one.conversation, one.text))
            stays = journal.stays.get(one.conversation, {}).get(account, [])
            if sent is not None and not any(_perhaps(stay, sent) for stay in stays):
                yield f"{one} is nothing for {login}"


def renamed(journal: Journal) -> Iterator[str]:
    """A message has one id: the sender's, the log's and every receiver's. An id has one message."""
    ids = {one.text: one.id for log in journal.logs.values() for one in log}
    told = [("its sender", one.text, one.id) for one in journal.acknowledged if one.id]
    told += [(login, one.text, one.id) for login, got in journal.handed.items() for one in got]
    texts: dict[str, str] = {one_id: text for text, one_id in ids.items()}
    for who, text, message_id in told:
        if ids.setdefault(text, message_id) != message_id:
            yield f"{text!r} is {ids[text]} elsewhere, but {message_id!r} to {who}"
        if texts.setdefault(message_id, text) != text:
            yield f"{message_id} is {texts[message_id]!r} elsewhere, but {text!r} to {who}"


def untold(journal: Journal) -> Iterator[str]:
    """Who was handed what the store lost is told of a gap, when something follows; nobody is where nothing was lost."""
    stored = {name: {one.text for one in log} for name, log in journal.logs.items()}
    # While nothing follows there, a device that comes again may know more than the store does.
    last = {name: split_id(log[-1].id.encode())[1] for name, log in journal.logs.items() if log}
    gone = {
        (login, one.conversation)
        for login, got in journal.handed.items()
        for one in got
        if one.text not in stored.get(one.conversation, ())
        and split_id(one.id.encode())[1] < last.get(one.conversation, 0)
    }
    if journal.excuses:
        for login, conversation in sorted(gone - journal.gaps.keys()):
            yield f"{login} was not told that messages of {conversation} are gone"
    else:
        for (login, conversation), words in journal.gaps.items():
            yield f"{login} was told of a gap in {conversation}, where nothing was lost: {words[0]}"


def idle(journal: Journal) -> Iterator[str]:
    """A fault meets clients that talk: a send without an answer, or that had it just before. Else it proves nothing."""
    if not journal.acknowledged:
        yield "nothing was acknowledged"
    # By the time of their sending, so what was answered late may stand before what was answered early.
    spans = sorted((one.at, one.answered_at) for one in journal.sent)
    latest, number = -inf, 0
    for fault in sorted(journal.faults, key=lambda one: one.at):
        while number < len(spans) and spans[number][0] <= fault.at:
            latest = max(latest, spans[number][1])
            number += 1
        if latest < fault.at - JUST:
            yield f"nobody talked when {fault.what} was done to {fault.who}"


def complained(journal: Journal) -> Iterator[str]:
    """No client was replaced by another, nothing had a traceback, and what a fault asks for was so."""
    yield from journal.complaints


CHECKERS: tuple[Checker, ...] = (
    unanswered,
    refused,
    lost,
    doubled,
    disordered,
    invented,
    renamed,
    untold,
    idle,
    complained,
)


def violations(journal: Journal) -> dict[str, list[str]]:
    """All checkers by name, each with what it found."""
    return {checker.__name__: list(checker(journal)) for checker in CHECKERS}


def recovery(journal: Journal) -> list[dict[str, Any]]:
    """How soon after the end of each fault things went on, in seconds; None when nothing was sent any more.

    ``first``, ``all``: until the first device, and until each that sent, had an OK for what it sent after that.
    ``delivery``: the longest time from an OK to the last receiver, among what was sent about then or before the next.
    """
    ends = [*(one.at for one in journal.faults[1:]), inf]
    acknowledged = journal.acknowledged
    return [_recovery(journal, acknowledged, fault, end) for fault, end in zip(journal.faults, ends, strict=False)]


def _recovery(journal: Journal, acknowledged: list[Sent], fault: Fault, end: float) -> dict[str, Any]:
    answered: dict[str, float] = {}
    slowest = 0.0
    for one in acknowledged:
        if one.at >= fault.until:
            answered[one.device] = min(one.answered_at, answered.get(one.device, inf))
        if fault.until - 0.5 <= one.at < end:
            slowest = max(slowest, journal.arrived.get(one.text, 0.0) - one.answered_at)
    times = [round(time - fault.until, 3) for time in answered.values()]
    first, last = min(times, default=None), max(times, default=None)
    return {"what": fault.what, "who": fault.who, "first": first, "all": last, "delivery": round(slowest, 3)}


def _seen(journal: Journal) -> Iterable[tuple[str, list[Seen]]]:
    for name, log in journal.logs.items():
        yield f"in the log of {name}", log
    for login, got in journal.handed.items():
        yield f"at {login}", got


def _due(journal: Journal, one: Sent) -> Iterator[str]:
    """The devices that were there, as members, all the time from the sending to the OK."""
    for account, stays in journal.stays.get(one.conversation, {}).items():
        if any(_surely(stay, one) for stay in stays):
            for device in journal.devices_of.get(account, ()):
                if device != one.device and journal.devices[device] <= one.at:
                    yield device


def _surely(stay: Stay, one: Sent) -> bool:
    return stay.begun <= one.at and one.answered_at < stay.leaving


def _perhaps(stay: Stay, one: Sent) -> bool:
    return stay.asked <= one.answered_at and one.at <= stay.ended
