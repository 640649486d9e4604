"""The journal while it is written: one line of JSON for each thing that a client did or received."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

#: Bytes that are collected before they are written: a line costs little, a system call more.
_BUFFER = 1 << 16


class Recorder:
    """Writes the journal of a run; in memory it keeps only what the run waits for.

    Every line is a list: the kind, the time in seconds since some moment, and the values of the kind, as
    ``journal.read`` reads them.

    :ivar sent: the number of messages sent; ``acknowledged`` of those with an ``OK``, ``handed`` of deliveries.
    :ivar due: the number of deliveries of acknowledged messages in conversations whose members stay.
    :ivar last_handed: the time of the last delivery.
    :ivar heard: for each device, when the latest of its messages that have an ``OK`` was sent.
    """

    def __init__(self, path: Path, seconds: Callable[[], float]) -> None:
        self._file = path.open("wb", _BUFFER)
        self._seconds = seconds
        self._encode = msgspec.json.Encoder().encode
        self._receivers: dict[str, int] = {}
        self.sent = self.acknowledged = self.handed = self.due = 0
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

    def device(self, name: str) -> None:
        """Record that ``account/device`` is logged in: all that is sent from now on is due to it."""
        self._write("device", name)

    def membership(self, account: str, conversation: str, step: str) -> None:
        """Record ``asks-in``, ``in``, ``asks-out`` or ``out``; from ``in`` to ``asks-out`` it is surely a member."""
        self._write("member", account, conversation, step)

    def receivers(self, conversation: str, devices: int) -> None:
        """Set the number of devices of a conversation; without it, deliveries there are not waited for."""
        self._receivers[conversation] = devices - 1

    def send(self, device: str, conversation: str, text: str) -> float:
        """Record that a message is sent; return the time, which ``ok`` needs."""
        self.sent += 1
        return self._write("sent", device, conversation, text)

    def ok(self, device: str, conversation: str, text: str, message_id: str, sent: float) -> None:
        """Record its ``OK`` with this id."""
        self.acknowledged += 1
        self.due += self._receivers.get(conversation, 0)
        self.heard[device] = max(sent, self.heard.get(device, 0.0))
        self._write("ok", text, message_id)

    def refused(self, text: str, why: str) -> None:
        """Record that it was refused for good."""
        self._write("refused", text, why)

    def hand(self, login: str, message: Any) -> None:
        """Record a delivery; ``login`` is the device, or ``device/2`` for a second program of that device."""
        self.handed += 1
        self.last_handed = self._write("handed", login, message.conversation, message.id, message.from_, message.text)

    def probed(self, server: str, sent: float) -> None:
        """Record that a msg_server acknowledged a message of its probe."""
        self._write("probed", server, sent)

    def gap(self, login: str, conversation: str, first: int, last: int) -> None:
        """Record that messages were announced to a device as lost."""
        self._write("gap", login, conversation, first, last)

    def log(self, conversation: str, message: Any) -> None:
        """Record a message of the store; oldest first in each conversation."""
        self._write("log", conversation, message.id, message.from_, message.text)

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
