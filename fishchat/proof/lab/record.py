"""The journal while it is written: one line of JSON for each thing that a client did or received."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from fishchat.model.names import split_id
from fishchat.proof.lab.journal import device_of

#: Bytes that are collected before they are written: a line costs little, a system call more.
_BUFFER = 1 << 16
#: The changed messages that are remembered, of each kind.
_REMEMBERED = 20


class Recorder:
    """Writes the journal of a run; in memory it keeps only what the run waits for.

    Every line is a list: the kind, the time in seconds since some moment, and the values of the kind, as
    ``journal.read`` reads them.

    :ivar sent: the number of messages sent; ``acknowledged`` of those with an ``OK``, ``handed`` of deliveries.
    :ivar due: the number of deliveries of acknowledged messages in conversations whose members stay.
    :ivar last_handed: the time of the last delivery.
    :ivar recalled: the messages that were recalled last, by id; ``edited`` those that were edited last.
    :ivar recallers: how many messages of each account were recalled.
    :ivar origins: the first text of each edited message, by its later ones.
    :ivar heard: for each device, when the latest of its messages that have an ``OK`` was sent.
    """

    def __init__(self, path: Path, seconds: Callable[[], float]) -> None:
        self._file = path.open("wb", _BUFFER)
        self._seconds = seconds
        self._encode = msgspec.json.Encoder().encode
        self._receivers: dict[str, set[str]] = {}
        self._plain: set[str] = set()
        self._arrivals: Counter[str] = Counter()
        self._recalled: set[str] = set()
        self._stored: set[str] = set()
        self._latest: dict[str, tuple[int, int]] = {}
        self._reached: dict[tuple[str, str], tuple[int, int]] = {}
        self.sent = self.acknowledged = self.handed = self.due = 0
        self.origins: dict[str, str] = {}
        self.recallers: Counter[str] = Counter()
        self.recalled: deque[str] = deque(maxlen=_REMEMBERED)
        self.edited: deque[str] = deque(maxlen=_REMEMBERED)
        self.last_handed = 0.0
        self.heard: dict[str, float] = {}
        self.faults: Counter[str] = Counter()

    def close(self) -> None:
        """Write the remaining lines."""
        self._file.close()

    def flush(self) -> None:
        """Write everything so far, so that a reader of the file sees it."""
        self._file.flush()

    def plan(self, fault: str, back: float) -> None:
        """Record the fault, and the seconds within which each server and client must have an ``OK`` after it."""
        self._write("plan", fault, back)

    def device(self, name: str, has_operations: bool = True) -> None:
        """Record that ``account/device`` is logged in: all that is sent from now on is due to it."""
        if not has_operations:
            self._plain.add(name)
        self._write("device", name, has_operations)

    def begun(self, login: str) -> None:
        """Record that a program of a login is started now."""
        self._write("begun", login)

    def membership(self, account: str, conversation: str, step: str) -> None:
        """Record ``asks-in``, ``in``, ``asks-out`` or ``out``; from ``in`` to ``asks-out`` it is surely a member."""
        self._write("member", account, conversation, step)

    def receivers(self, conversation: str, devices: Iterable[str]) -> None:
        """Set the devices of a conversation; if there are none, deliveries there are not waited for."""
        self._receivers[conversation] = set(devices)

    def has_arrived(self) -> bool:
        """Return whether everything with an ``OK`` was delivered, in conversations with receivers."""
        return self.handed >= self.due and all(
            self._reached.get((device, conversation), (0, 0)) >= latest
            for conversation, latest in self._latest.items()
            for device in self._receivers.get(conversation, set()) - self._plain
        )

    def send(self, device: str, conversation: str, text: str) -> float:
        """Record that a message is sent; return the time, which ``ok`` needs."""
        self.sent += 1
        return self._write("sent", device, conversation, text)

    def ok(self, device: str, conversation: str, text: str, message_id: str, sent: float) -> None:
        """Record its ``OK`` with this id."""
        self.acknowledged += 1
        self._stored.add(text)
        if text not in self._recalled:
            self.due += max(0, len(self._receivers.get(conversation, ())) - 1)
        self._reach(device, conversation, message_id)
        self.heard[device] = max(sent, self.heard.get(device, 0.0))
        self._write("ok", text, message_id)

    def refused(self, text: str, why: str) -> None:
        """Record that it was refused for good."""
        self._write("refused", text, why)

    def hand(self, login: str, message: Any) -> None:
        """Record a delivery; ``login`` is the device, or ``device/2`` for a second program of that device."""
        text, conversation = message.text, message.conversation
        self.last_handed = self._write("handed", login, conversation, message.id, message.from_, text)
        origin = self.origins.get(text, text)
        if self._receivers.get(conversation) and origin not in self._recalled:
            self.handed += 1
            self._arrivals[origin] += 1
        self._reach(device_of(login), conversation, message.id)

    def change(self, key: str, device: str, kind: str, of: str, origin: str, what: str) -> None:
        """Record that an operation on a message is asked for; ``origin`` is the text that the message had first."""
        if kind == "edit":
            self.origins[what] = origin
        self._write("change", key, device, of.rpartition(":")[0], kind, of, origin, what)

    def changed(self, key: str, device: str, kind: str, of: str, origin: str, operation_id: str) -> None:
        """Record the ``OK`` of an operation with this id."""
        conversation = of.rpartition(":")[0]
        if kind == "edit":
            self.edited.append(of)
        elif kind == "recall":
            self.recalled.append(of)
            self.recallers[device.partition("/")[0]] += 1
        if kind == "recall" and origin not in self._recalled:
            # It is pushed to nobody any more who has not received it.
            self._recalled.add(origin)
            arrived = self._arrivals.pop(origin, 0)
            self.handed -= arrived
            if origin in self._stored:
                self.due -= max(0, len(self._receivers.get(conversation, ())) - 1)
        self._reach(device, conversation, operation_id)
        if operation_id:
            position = split_id(operation_id.encode())[1:]
            self._latest[conversation] = max(position, self._latest.get(conversation, position))
        self._write("changed", key, operation_id)

    def unchanged(self, key: str, why: str) -> None:
        """Record that an operation was refused for good."""
        self._write("unchanged", key, why)

    def tell(self, login: str, operation: Any, kind: str, what: str) -> None:
        """Record the delivery of an operation."""
        one = operation
        self.last_handed = self._write("told", login, one.conversation, one.id, one.from_, kind, one.of, what)
        self._reach(device_of(login), one.conversation, one.id)

    def _reach(self, device: str, conversation: str, message_id: str) -> None:
        if message_id:
            place, position = (device, conversation), split_id(message_id.encode())[1:]
            self._reached[place] = max(position, self._reached.get(place, position))

    def probed(self, server: str, sent: float) -> None:
        """Record that a msg_server acknowledged a message of its probe."""
        self._write("probed", server, sent)

    def gap(self, login: str, conversation: str, first: int, last: int) -> None:
        """Record that messages were announced to a device as lost."""
        self._write("gap", login, conversation, first, last)

    def log(self, conversation: str, item: Any) -> None:
        """Record a message of the store; oldest first in each conversation."""
        self._write("log", conversation, item.id, item.from_, item.text, bool(item.recalled))

    def shown(self, reader: str, conversation: str, item: Any, began: float, whole: bool = True) -> None:
        """Record a message as a reader found it; ``began`` is when the reading began."""
        done = item.recalled, dict(item.reactions), item.pinned
        self._write("shown", reader, conversation, item.id, item.from_, item.text, *done, whole, began)

    def raw(self, reader: str, message_id: str, from_: str, text: str, began: float | None = None) -> None:
        """Record a text as a reader found it that does not show what was done to the message."""
        conversation = message_id.rpartition(":")[0]
        since = self.now() if began is None else began
        self._write("shown", reader, conversation, message_id, from_, text, "", {}, False, False, since)

    def standing(self, account: str, conversation: str, read: int, unread: int) -> None:
        """Record up to which number an account has read a conversation, and how many messages are unread."""
        self._write("standing", account, conversation, read, unread)

    def numbers(self, conversation: str, last: int, *numbers: list[int]) -> None:
        """Record the numbers of a conversation in the store: the last one, messages, operations, tombstones."""
        self._write("numbers", conversation, last, *numbers)

    def sanction(self, kind: str, account: str, conversation: str, step: str) -> None:
        """Record a ``mute`` or a ``ban``, in steps as those of a membership."""
        self._write("sanction", kind, account, conversation, step)

    def owner(self, conversation: str, account: str, step: str) -> None:
        """Record ``asks-in`` or ``in`` of an owner."""
        self._write("owner", conversation, account, step)

    def sight(self, began: float, conversation: str, owner: str, *accounts: list[str]) -> None:
        """Record what the store has of a topic: its owner, members, admins and banned accounts."""
        self._write("sight", began, conversation, owner, *accounts)

    def attempt(self, began: float, account: str, conversation: str, method: str, word: str) -> None:
        """Record the answer to something forbidden that was tried in a topic."""
        self._write("attempt", began, account, conversation, method, word)

    def now(self) -> float:
        """Return the time as the journal has it."""
        return round(self._seconds(), 4)

    def fault(self, what: str, who: str) -> None:
        """Record that something is done to the system: ``kill``, ``ms1``."""
        self.faults[f"{what} {who}"] += 1
        self._write("fault", what, who)

    def healed(self, what: str, who: str) -> None:
        """Record the end of a fault that lasts."""
        self._write("healed", what, who)

    def gone(self, conversation: str, number: int, text: str) -> None:
        """Record that a fault took this message from the store."""
        self._write("gone", conversation, number, text)

    def complain(self, kind: str, text: str) -> None:
        """Record something that should never happen; ``kind`` is one of ``checkers.KINDS``."""
        self._write("complaint", kind, text)

    def _write(self, kind: str, *what: object) -> float:
        now = self._seconds()
        self._file.write(self._encode((kind, round(now, 4), *what)) + b"\n")
        return now
