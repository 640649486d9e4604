"""Whether the promises were kept in a run: pure functions over its journal, independent of any server.

``test_checkers`` shows that each of them can fail, and ``fishchat lab mutate`` that they find real defects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import inf

from fishchat.model.names import Position, split_id
from fishchat.proof.lab.change_checkers import (
    denied,
    differing,
    exposed,
    holes,
    miscounted,
    perhaps_muted,
    shuffled,
    unasked,
)
from fishchat.proof.lab.journal import Journal, Seen, Sent, Stay, device_of, word_of
from fishchat.proof.lab.recovery import recovery
from fishchat.proof.lab.topic_checkers import banned, muted, owned, permitted

#: A fault must meet a client that waits for an answer, or that had one within so many seconds before it.
JUST = 1.0
#: The messages of a conversation in which a server looks for a repeated one; see "Numbering" in doc/protocol.md.
LOOKED_BACK = 1000

#: A checker returns a sentence for each violation.
Checker = Callable[[Journal], Iterator[str]]

#: The kinds of complaints. Faults, clients and probes write them to the journal themselves.
KINDS = {
    "setup": "a fault that did nothing, or met nothing that it could be done to",
    "stalled": "something that did not happen in time after a fault",
    "slow": "a command on an open connection that was not answered in time",
    "false-ok": "an `OK` while nothing could be stored",
    "unfenced": "a message that a msg_server stored without its lease",
    "replaced": "two programs of one device that both stayed logged in",
    "closed": "a client that was ended for good",
    "client": "a failure of a client: an answer to another command, for example",
    "failed": "a run that broke off, or an exit status of `fishchat up` that is not 0",
    "traceback": "a traceback in a log",
}


def unanswered(journal: Journal) -> Iterator[str]:
    """Every message has an answer in the end."""
    for one in journal.sent:
        if one.id is None and not one.refused:
            yield f"{one.text!r} to {one.conversation} has no answer"


def refused(journal: Journal) -> Iterator[str]:
    """Nothing is refused for good that was allowed: a muted account may not write."""
    for one in journal.sent:
        word = word_of(one.refused)
        if (word == "MUTED" and perhaps_muted(journal, one)) or (word == "NOTFOUND" and journal.gone):
            continue
        if one.refused:
            yield f"{one.text!r} to {one.conversation} was refused: {one.refused}"


def lost(journal: Journal) -> Iterator[str]:
    """An acknowledged message is in the log, and was delivered to every other device of its members.

    A device that was away when a message was recalled receives the recall instead of the message.
    """
    recalls = {one.of: one.origin for one in journal.changes if one.kind == "recall"}
    delivered: dict[str, set[str]] = {device: set(recalls.values()) for device in journal.plain}
    for login, told in journal.told.items():
        texts = {recalls.get(push.of, "") for push in told if push.kind == "recall"}
        delivered.setdefault(device_of(login), set()).update(texts)
    # A device that has recalled a message before it was delivered there needs no push.
    for change in journal.changes:
        if change.kind == "recall":
            delivered.setdefault(change.device, set()).add(change.origin)
    for login, got in journal.handed.items():
        delivered.setdefault(device_of(login), set()).update(one.text for one in got)
    stored = _stored(journal)
    for one in journal.acknowledged:
        if one.text not in stored.get(one.conversation, ()):
            # Messages that a fault took from the store may be missing; if one is in the log all the same, it is due.
            if journal.is_gone(one):
                continue
            yield f"{one.text!r} ({one.id}) is not in the log"
        for device in _due(journal, one):
            if one.text not in delivered.get(device, ()):
                yield f"{one.text!r} ({one.id}) was never delivered to {device}"


def doubled(journal: Journal) -> Iterator[str]:
    """No message is stored twice, or delivered twice to one device."""
    for where, seen in _seen(journal):
        for text, count in Counter(one.text for one in seen).items():
            if count > 1:
                ids = ", ".join(one.id for one in seen if one.text == text)
                yield f"{text!r} is {count} times {where}: {ids}"


def disordered(journal: Journal) -> Iterator[str]:
    """Ids grow in each conversation, in the log without holes, and a device's messages keep the order of sending."""
    order = {one.text: (number, one.device) for number, one in enumerate(journal.sent)}
    for where, seen in _seen(journal):
        yield from _out_of_order(where, seen, order)
    for name, log in journal.logs.items():
        # With operations, numbers are missing here; `holes` looks for all of them.
        for number, one in enumerate(log if name not in journal.numbers else (), 1):
            if split_id(one.id.encode())[2] != number:
                yield f"{one.id} is number {number} in the log of {name}"
                break


def _out_of_order(where: str, seen: list[Seen], order: dict[str, tuple[int, str]]) -> Iterator[str]:
    last: dict[str, Position] = {}
    latest: dict[tuple[str, str], int] = {}
    for one in seen:
        position = split_id(one.id.encode())[1:]
        if position <= last.get(one.conversation, (0, 0)):
            yield f"{one.id} comes after {last[one.conversation]} {where}"
        last[one.conversation] = position
        # A message that was never sent has no order; another checker finds it.
        number, device = order.get(one.text, (inf, ""))
        lane = device, one.conversation
        if number < latest.get(lane, 0):
            yield f"{one.text!r} ({one.id}) comes after what was sent later, {where}"
        elif device:
            latest[lane] = int(number)


def invented(journal: Journal) -> Iterator[str]:
    """Every received or stored message was sent, by this sender, to this conversation; nobody else receives it."""
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
                yield f"{one} is not for {login}"


def renamed(journal: Journal) -> Iterator[str]:
    """A message has one id: the sender's, the log's and every receiver's. An id has one message."""
    ids = {one.text: one.id for log in journal.logs.values() for one in log}
    shown = [("its sender", one.text, one.id) for one in journal.acknowledged if one.id]
    shown += [(login, one.text, one.id) for login, got in journal.handed.items() for one in got]
    texts: dict[str, str] = {one_id: text for text, one_id in ids.items()}
    for who, text, message_id in shown:
        if ids.setdefault(text, message_id) != message_id:
            yield f"{text!r} is {ids[text]} elsewhere, but {message_id!r} to {who}"
        if texts.setdefault(message_id, text) != text:
            yield f"{message_id} is {texts[message_id]!r} elsewhere, but {text!r} to {who}"
    yield from _without_id(journal)


def _without_id(journal: Journal) -> Iterator[str]:
    """An ``OK`` may be without the id only if the message is too old to be looked up."""
    nameless = {one.text: one for one in journal.acknowledged if not one.id and not journal.is_gone(one)}
    for log in journal.logs.values() if nameless else ():
        for later, one in enumerate(reversed(log)):
            if one.text in nameless and later < LOOKED_BACK:
                yield f"{one.text!r} is {one.id} in the log, but its OK had no id, although only {later} follow"


def untold(journal: Journal) -> Iterator[str]:
    """A device that has lost messages of the store gets a gap for them, when something follows; no gap names others."""
    stored = _stored(journal)
    # While nothing follows there, a reconnected device may know more than the store does.
    last = {name: split_id(log[-1].id.encode())[1] for name, log in journal.logs.items() if log}
    announced: dict[tuple[str, str], set[int]] = {}
    for (login, conversation), ranges in journal.gaps.items():
        gone = journal.gone.get(conversation, set())
        for first, end in ranges:
            numbers = range(first, end + 1)
            announced.setdefault((device_of(login), conversation), set()).update(numbers)
            if not numbers or not gone.issuperset(numbers):
                yield f"{login} got a gap from {first} to {end} in {conversation}, where not all of this was lost"
    missed: dict[tuple[str, str], list[str]] = {}
    for login, got in journal.handed.items() if journal.gone else ():
        for one in got:
            _, epoch, number = split_id(one.id.encode())
            place = device_of(login), one.conversation
            is_lost = one.text not in stored.get(one.conversation, ()) and epoch < last.get(one.conversation, 0)
            known = announced.get(place, ())
            # What is not pushed under a number that is used again cannot show that the number is.
            is_shown = not known or number not in _unpushed(journal, one.conversation)
            if is_lost and number not in known and is_shown:
                missed.setdefault(place, []).append(one.id)
    for (device, conversation), names in sorted(missed.items()):
        yield f"{device} got no gap for {len(names)} messages of {conversation} that are lost, {names[0]} the first"


def _unpushed(journal: Journal, conversation: str) -> frozenset[int]:
    """Return the numbers of operations and of recalled messages: a device that was away is not sent all of them."""
    numbers = journal.numbers.get(conversation)
    return numbers.operations | numbers.tombstones if numbers is not None else frozenset()


def late(journal: Journal) -> Iterator[str]:
    """Every msg_server and every client that a fault touches has an ``OK`` within the time that the fault allows."""
    for one in recovery(journal):
        for who, seconds in [*one.servers.items(), *one.devices.items()]:
            if seconds > journal.back:
                fault = f"{one.fault.what} {one.fault.who}"
                yield f"{who} had its first OK {seconds:.1f} s after {fault}; {journal.back:g} s are allowed"


def idle(journal: Journal) -> Iterator[str]:
    """A fault meets clients that wait for an answer, or that just had one. Otherwise it proves nothing."""
    if not journal.acknowledged:
        yield "nothing was acknowledged"
    # In the order of sending, in which a late answer may precede an early one.
    spans = sorted((one.at, one.answered_at) for one in journal.sent)
    latest, number = -inf, 0
    for fault in sorted(journal.faults, key=lambda one: one.at):
        while number < len(spans) and spans[number][0] <= fault.at:
            latest = max(latest, spans[number][1])
            number += 1
        if latest < fault.at - JUST:
            yield f"nobody talked when {fault.what} was done to {fault.who}"


CHECKERS: tuple[Checker, ...] = (
    unanswered,
    refused,
    lost,
    doubled,
    disordered,
    invented,
    renamed,
    untold,
    late,
    idle,
    denied,
    exposed,
    differing,
    shuffled,
    unasked,
    miscounted,
    holes,
    owned,
    banned,
    muted,
    permitted,
)
#: All names of violations.
NAMES = (*(checker.__name__ for checker in CHECKERS), *KINDS)


def violations(journal: Journal) -> dict[str, list[str]]:
    """Return the sentences of each checker, and the complaints of each kind."""
    found = {checker.__name__: list(checker(journal)) for checker in CHECKERS}
    return {**found, **{kind: [] for kind in KINDS}, **journal.complaints}


def _stored(journal: Journal) -> dict[str, set[str]]:
    return {name: {one.text for one in log} for name, log in journal.logs.items()}


def _seen(journal: Journal) -> Iterable[tuple[str, list[Seen]]]:
    for name, log in journal.logs.items():
        yield f"in the log of {name}", log
    for login, got in journal.handed.items():
        yield f"at {login}", got


def _due(journal: Journal, one: Sent) -> Iterator[str]:
    """Return the devices of accounts that were members all the time from the sending to the ``OK``."""
    for account, stays in journal.stays.get(one.conversation, {}).items():
        if any(_surely(stay, one) for stay in stays):
            for device in journal.devices_of.get(account, ()):
                if device != one.device and journal.devices[device] <= one.at:
                    yield device


def _surely(stay: Stay, one: Sent) -> bool:
    return stay.begun <= one.at and one.answered_at < stay.leaving


def _perhaps(stay: Stay, one: Sent) -> bool:
    return stay.asked <= one.answered_at and one.at <= stay.ended
