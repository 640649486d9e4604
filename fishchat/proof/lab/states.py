"""How messages are in the end: as the operations of the journal make them, and as a device knows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from fishchat.model.names import Position, split_id
from fishchat.proof.lab.changes import Change
from fishchat.proof.lab.journal import Journal, device_of


@dataclass
class State:
    """A message as it is in the end.

    :ivar reactions: account and reaction of each; None where only their number is known.
    """

    text: str
    recalled: bool = False
    reactions: set[tuple[str, str]] | None = field(default_factory=set)
    pinned: bool = False

    @property
    def sums(self) -> dict[str, int]:
        """How many accounts have given each reaction."""
        sums: dict[str, int] = defaultdict(int)
        for _, reaction in self.reactions or ():
            sums[reaction] += 1
        return dict(sums)

    def difference(self, other: State) -> str:
        """Return what is not as in the other one; empty if nothing is."""
        if self.recalled != other.recalled:
            return f"it is {'' if self.recalled else 'not '}recalled"
        if self.recalled:
            return ""
        if self.text != other.text:
            return f"the text is {self.text!r} and not {other.text!r}"
        if self.reactions is not None and self.reactions != other.reactions:
            return f"the reactions are {sorted(self.reactions)} and not {sorted(other.reactions or ())}"
        return "" if self.pinned == other.pinned else f"it is {'' if self.pinned else 'not '}pinned"


def is_lost(journal: Journal, change: Change) -> bool:
    """Return whether a fault took this operation or its message from the store."""
    gone = journal.gone.get(change.conversation, ())
    return any(split_id(one.encode())[2] in gone for one in (change.id, change.of) if one)


def states(journal: Journal) -> tuple[dict[str, State], set[str]]:
    """Return each message as it must be in the end, by id, and the messages of which the journal cannot say that."""
    found = {one.id: State(one.text) for one in journal.acknowledged if one.id}
    unsure = set()
    for one in journal.changes:
        found.setdefault(one.of, State(one.origin))
        if not one.refused and (not one.id or is_lost(journal, one)):
            unsure.add(one.of)
    stored = [one for one in journal.changes if one.id and not one.refused]
    for one in sorted(stored, key=lambda one: _position(one.id or "")):
        _apply(found[one.of], one.kind, one.account, one.what)
    return found, unsure


def states_at(journal: Journal, device: str, ids: Collection[str]) -> dict[str, State]:
    """Return these messages as a device knows them; those that it never received are left out."""
    texts = _texts_at(journal, device, ids)
    events = _events_at(journal, device)
    found = {}
    for message_id in ids:
        since, text = texts.get(message_id, ((0, 0), ""))
        state = State(text)
        for position, kind, account, what in sorted(events[message_id]):
            if kind != "edit" or position > since:
                _apply(state, kind, account, what)
        if text or state.recalled:
            found[message_id] = state
    return found


def _texts_at(journal: Journal, device: str, ids: Collection[str]) -> dict[str, tuple[Position, str]]:
    """Return the newest text of each message that a device has received, with the position of its edit."""
    edits = {one.what: _position(one.id) for one in journal.changes if one.kind == "edit" and one.id}
    texts: dict[str, tuple[Position, str]] = {}
    for one in journal.acknowledged:
        if one.device == device and one.id and one.id in ids:
            texts[one.id] = (0, 0), one.text
    for login, handed in journal.handed.items():
        for seen in handed if device_of(login) == device else ():
            if seen.id in ids:
                text = seen.shown or seen.text
                texts[seen.id] = max((edits.get(text, (0, 0)), text), texts.get(seen.id, ((0, 0), "")))
    return texts


def _events_at(journal: Journal, device: str) -> dict[str, set[tuple[Position, str, str, str]]]:
    """Return the operations that a device knows, by message: position, kind, account, what."""
    events: dict[str, set[tuple[Position, str, str, str]]] = defaultdict(set)
    for login, operations in journal.told.items():
        for told in operations if device_of(login) == device else ():
            events[told.of].add((_position(told.id), told.kind, told.by, told.what))
    for one in journal.changes:
        if one.device == device and one.id:
            events[one.of].add((_position(one.id), one.kind, one.account, one.what))
    return events


def _position(message_id: str) -> Position:
    return split_id(message_id.encode())[1:]


def _apply(state: State, kind: str, account: str, what: str) -> None:
    given = state.reactions if state.reactions is not None else set()
    if kind == "edit":
        state.text = what
    elif kind == "recall":
        state.recalled = True
    elif kind == "react":
        given.add((account, what))
    elif kind == "unreact":
        given.discard((account, what))
    else:
        state.pinned = kind == "pin"
