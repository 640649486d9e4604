"""Whether messages were changed as promised: pure functions over the journal, used by ``checkers``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import inf

from fishchat.model.names import Position, split_id
from fishchat.proof.lab.changes import Change, Shown
from fishchat.proof.lab.journal import Journal, Sent, Stay, device_of, word_of
from fishchat.proof.lab.states import State, is_lost, states, states_at

#: The refusals that an operation may have because another device was faster.
OVERTAKEN = {"unreact": "NOTFOUND", "unpin": "NOTFOUND", "pin": "FULL"}


def denied(journal: Journal) -> Iterator[str]:
    """Every operation is answered, and none is refused that was allowed."""
    recalls: dict[str, float] = {}
    for one in journal.changes:
        if one.kind == "recall":
            recalls[one.of] = min(one.at, recalls.get(one.of, inf))
    for one in journal.changes:
        word = word_of(one.refused)
        if one.id is None and not word:
            yield f"{one.kind} {one.of} by {one.device} has no answer"
        elif word and not (
            word == OVERTAKEN.get(one.kind)
            or (word == "GONE" and recalls.get(one.of, inf) <= one.answered_at)
            or (word == "MUTED" and perhaps_muted(journal, one))
            or (word == "NOTFOUND" and journal.gone)
        ):
            yield f"{one.kind} {one.of} by {one.device} was refused: {one.refused}"


def exposed(journal: Journal) -> Iterator[str]:
    """Nothing gives the text of a message after the ``OK`` of its recall.

    A push may have been under way then: the recall follows it.
    """
    since: dict[str, float] = {}
    for one in journal.changes:
        if one.kind == "recall" and one.id is not None and not is_lost(journal, one):
            since[one.origin] = min(one.answered_at, since.get(one.origin, inf))
    texts = {text: text for text in since}
    texts |= {one.what: one.origin for one in journal.changes if one.kind == "edit" and one.origin in since}
    for shown in journal.shown:
        origin = texts.get(shown.text)
        if origin is not None and shown.began > since[origin]:
            yield f"{shown.id} was recalled, but {shown.reader} shows {shown.text!r}"
    for login in journal.handed.keys() | journal.told.keys():
        yield from _exposed_to(journal, login, since, texts)


def _exposed_to(journal: Journal, login: str, since: dict[str, float], texts: dict[str, str]) -> Iterator[str]:
    pushes = [(one.at, one.shown or one.text, one.id) for one in journal.handed.get(login, ())]
    recalled: dict[str, float] = {}
    for told in journal.told.get(login, ()):
        if told.kind == "edit":
            pushes.append((told.at, told.what, told.of))
        elif told.kind == "recall":
            recalled[told.of] = told.at
    account, _, device = device_of(login).partition("/")
    own = {one.of for one in journal.changes if one.kind == "recall" and one.device == f"{account}/{device}"}
    for at, text, message_id in pushes:
        origin = texts.get(text)
        if origin is None or at <= since[origin]:
            continue
        started = max((begun for begun in journal.begun.get(login, ()) if begun <= at), default=-inf)
        if started > since[origin]:
            yield f"{message_id} was recalled, but {login} logged in later and received {text!r}"
        elif device_of(login) in journal.plain or message_id in own:
            continue
        elif recalled.get(message_id, -inf) < at:
            yield f"{login} received {text!r} after the recall of {message_id}, and not the recall"


def differing(journal: Journal) -> Iterator[str]:
    """Text, reactions and pin are those of the operations, in history on every server and on every device."""
    expected, unsure = states(journal)
    for one in journal.shown:
        state = expected.get(one.id)
        if not one.whole or state is None or one.id in unsure:
            continue
        if difference := _read(one).difference(state) or _sums(one, state):
            yield f"in {one.reader}, {one.id}: {difference}"
    for device, ids in sorted(_known(journal, expected, unsure).items()):
        for message_id, state in sorted(states_at(journal, device, ids).items()):
            if difference := state.difference(expected[message_id]):
                yield f"at {device}, {message_id}: {difference}"


def _read(one: Shown) -> State:
    return State(one.text, bool(one.recalled), None, one.pinned)


def _sums(one: Shown, state: State) -> str:
    """Return how the reactions of a message differ from those that were given."""
    if one.recalled or dict(one.reactions) == state.sums:
        return ""
    return f"the reactions are {dict(one.reactions)} and not {state.sums}"


def _known(journal: Journal, expected: dict[str, State], unsure: set[str]) -> dict[str, set[str]]:
    """Return the changed messages that each device must know as they are now."""
    sent = {one.text: one for one in journal.sent}
    found: dict[str, set[str]] = defaultdict(set)
    for of, origin in {(one.of, one.origin) for one in journal.changes}:
        message = sent.get(origin)
        if message is None or of in unsure or journal.is_gone(message):
            continue
        for account, stays in journal.stays.get(message.conversation, {}).items():
            # What happens while an account is away is never told to it.
            if any(stay.begun <= message.at and stay.leaving == inf for stay in stays):
                for device in journal.devices_of.get(account, ()):
                    if journal.devices[device] <= message.at and device not in journal.plain:
                        found[device].add(of)
    return found


def shuffled(journal: Journal) -> Iterator[str]:
    """A device receives each operation once, and everything that it receives in the order of the numbers."""
    for login, told in journal.told.items():
        handed = journal.handed.get(login, [])
        latest: dict[str, Position] = {}
        done = 0
        for one in told:
            for seen in handed[done : one.after]:
                latest[seen.conversation] = split_id(seen.id.encode())[1:]
            done = one.after
            position = split_id(one.id.encode())[1:]
            if position <= latest.get(one.conversation, (0, 0)):
                yield f"{one.kind} {one.id} comes after {latest[one.conversation]} at {login}"
            latest[one.conversation] = position


def unasked(journal: Journal) -> Iterator[str]:
    """Only devices that know operations are told of them, and only of messages that their account may see."""
    sent = {one.id: one for one in journal.acknowledged if one.id}
    for login, told in journal.told.items():
        if device_of(login) in journal.plain:
            yield f"{login} knows no operations, but was told of {len(told)}, {told[0].kind} {told[0].id} the first"
            continue
        account = login.partition("/")[0]
        for one in told:
            message = sent.get(one.of)
            stays = journal.stays.get(one.conversation, {}).get(account, [])
            if message is not None and not any(
                stay.asked <= message.answered_at and message.at <= stay.ended for stay in stays
            ):
                yield f"{login} was told of {one.kind} {one.id}, but may not see {one.of}"


def miscounted(journal: Journal) -> Iterator[str]:
    """Unread are the messages above the read number: no operations, no quiet notices, nothing that was recalled."""
    for one in journal.standings:
        stays = journal.stays.get(one.conversation, {}).get(one.account, [])
        if len(stays) != 1 or stays[0].leaving < inf:
            continue
        log = journal.logs.get(one.conversation, [])
        unread = sum(not seen.recalled and split_id(seen.id.encode())[2] > one.read for seen in log)
        if unread != one.unread:
            yield f"{one.account} has {unread} unread messages in {one.conversation}, but was told of {one.unread}"


def holes(journal: Journal) -> Iterator[str]:
    """Every number of a conversation is that of a message, of an operation, or of something that was recalled."""
    erased = {one.of for one in journal.changes if one.kind == "recall" and one.id is not None}
    edits: dict[str, set[int]] = defaultdict(set)
    nameless: dict[str, int] = defaultdict(int)
    for one in journal.changes:
        if one.kind == "edit" and one.of in erased and one.id:
            edits[one.conversation].add(split_id(one.id.encode())[2])
        elif one.kind == "edit" and one.of in erased and one.id == "":
            nameless[one.conversation] += 1
    for name, numbers in journal.numbers.items():
        if both := numbers.log & (numbers.operations | numbers.tombstones):
            yield f"in {name}, {sorted(both)[:5]} are numbers of messages and of something else"
        there = numbers.log | numbers.operations | numbers.tombstones | edits[name]
        missing = sorted(set(range(1, numbers.last + 1)) - there)
        if len(missing) > nameless[name]:
            yield f"in {name}, {len(missing)} numbers up to {numbers.last} are nothing: {missing[:5]}"
        if above := [one for one in numbers.log | numbers.operations if one > numbers.last]:
            yield f"in {name}, {sorted(above)[:5]} are above the last number {numbers.last}"


def perhaps_muted(journal: Journal, one: Sent | Change) -> bool:
    """Return whether the sender may have been muted between the sending and the answer."""
    return any(stay.asked <= one.answered_at and one.at <= stay.ended for stay in mutes(journal, one))


def mutes(journal: Journal, one: Sent | Change) -> list[Stay]:
    """Return the times in which the sender was muted in the conversation."""
    account = one.device.partition("/")[0]
    return journal.sanctions.get(("mute", one.conversation), {}).get(account, [])
