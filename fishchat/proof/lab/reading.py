"""Reads the journal of a run from its file, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from fishchat.proof.lab.changes import Attempt, Change, Numbers, Shown, Sight, Standing, Tenure, Told
from fishchat.proof.lab.journal import Answered, Fault, Journal, Seen, Sent, Stay


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
        self._by_key: dict[str, Change] = {}
        #: The first text of each message, by its later ones, and by its id.
        self._origins: dict[str, str] = {}
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

    def _device(self, at: float, name: str, has_operations: bool = True) -> None:
        self.journal.devices[name] = at
        if not has_operations:
            self.journal.plain.add(name)
        self.journal.devices_of.setdefault(name.partition("/")[0], []).append(name)

    def _member(self, at: float, account: str, conversation: str, step: str) -> None:
        _mark(self.journal.stays.setdefault(conversation, {}).setdefault(account, []), step, at)

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
        seen = self._seen(conversation, message_id, sender, text, at)
        self.journal.handed.setdefault(login, []).append(seen)
        self.journal.arrived[seen.text] = at

    def _log(
        self, at: float, conversation: str, message_id: str, sender: str, text: str, recalled: bool = False
    ) -> None:
        seen = self._seen(conversation, message_id, sender, text, at, recalled)
        self.journal.logs.setdefault(conversation, []).append(seen)

    def _seen(
        self, conversation: str, message_id: str, sender: str, text: str, at: float, recalled: bool = False
    ) -> Seen:
        origin = self._origins.get(message_id, text) if recalled else self._origins.get(text, text)
        sender, conversation, origin, message_id, text = map(
            self._once, (sender, conversation, origin, message_id, text)
        )
        return Seen(sender, conversation, origin, message_id, text, recalled, at)

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

    def _begun(self, at: float, login: str) -> None:
        self.journal.begun.setdefault(login, []).append(at)

    def _change(
        self, at: float, key: str, device: str, conversation: str, kind: str, of: str, origin: str, what: str
    ) -> None:
        change = Change(self._once(device), self._once(conversation), kind, self._once(of), origin, what, at)
        self._by_key[key] = change
        self._origins[of] = origin
        if kind == "edit":
            self._origins[what] = origin
        self.journal.changes.append(change)

    def _changed(self, at: float, key: str, operation_id: str) -> None:
        change = self._by_key[key]
        change.answered_at, change.id = at, operation_id

    def _unchanged(self, at: float, key: str, why: str) -> None:
        change = self._by_key[key]
        change.answered_at, change.refused = at, why

    def _told(
        self, at: float, login: str, conversation: str, operation_id: str, by: str, kind: str, of: str, what: str
    ) -> None:
        after = len(self.journal.handed.get(login, ()))
        told = Told(self._once(conversation), operation_id, self._once(by), kind, self._once(of), what, at, after)
        self.journal.told.setdefault(login, []).append(told)

    def _shown(self, at: float, *what: Any) -> None:
        self.journal.shown.append(Shown(*what))

    def _standing(self, at: float, *what: Any) -> None:
        self.journal.standings.append(Standing(*what))

    def _numbers(self, at: float, conversation: str, last: int, *numbers: list[int]) -> None:
        self.journal.numbers[conversation] = Numbers(last, *map(frozenset, numbers))

    def _sanction(self, at: float, kind: str, account: str, conversation: str, step: str) -> None:
        stays = self.journal.sanctions.setdefault((kind, conversation), {}).setdefault(account, [])
        _mark(stays, step, at)

    def _owner(self, at: float, conversation: str, account: str, step: str) -> None:
        tenures = self.journal.owners.setdefault(conversation, [])
        if step == "asks-in":
            tenures.append(Tenure(account, at))
        else:
            tenures[-1].begun = at

    def _sight(self, at: float, began: float, conversation: str, owner: str, *accounts: list[str]) -> None:
        self.journal.sights.append(Sight(conversation, began, at, owner, *map(frozenset, accounts)))

    def _attempt(self, at: float, began: float, account: str, conversation: str, method: str, word: str) -> None:
        self.journal.attempts.append(Attempt(account, conversation, method, word, began, at))


def _mark(stays: list[Stay], step: str, at: float) -> None:
    if step == "asks-in":
        stays.append(Stay(at))
    else:
        setattr(stays[-1], {"in": "begun", "asks-out": "leaving", "out": "ended"}[step], at)
