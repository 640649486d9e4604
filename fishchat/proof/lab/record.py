"""The journal while it is written: one line of JSON for each thing that a client did or was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

#: The clients sending, in all, before the file is written to: a line costs little, a system call more.
_BUFFER = 1 << 16


class Recorder:
    """Writes the journal of a run; in memory it keeps only what the run waits for.

    Every line is a list: the kind, the time in seconds since some moment, and what belongs to the kind, as
    ``journal.read`` takes it apart.

    :ivar sent: how many messages were sent; ``acknowledged`` and ``handed`` how many had their OK and how many
        times one came to a device.
    :ivar due: how many times what was acknowledged is to come to a device, in conversations whose members stay.
    :ivar last_handed: when a device was handed something last.
    :ivar heard: for each device, when the latest of its sends that have an OK was sent.
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
        """Write out what is left."""
        self._file.close()

    def flush(self) -> None:
        """Let a reader of the file see everything so far."""
        self._file.flush()

    def device(self, name: str) -> None:
        """``account/device`` is there from now on, so what is sent from now on is to come to it."""
        self._write("device", name)

    def membership(self, account: str, conversation: str, step: str) -> None:
        """``asks-in``, ``in``, ``asks-out``, ``out``: surely a member from ``in`` to ``asks-out``, else perhaps."""
        self._write("member", account, conversation, step)

    def receivers(self, conversation: str, devices: int) -> None:
        """So many devices are to get what one of them sends there; unknown, and not waited for, without this."""
        self._receivers[conversation] = devices - 1

    def send(self, device: str, conversation: str, text: str) -> float:
        """A message is sent; the time, which ``ok`` wants to know."""
        self.sent += 1
        return self._write("sent", device, conversation, text)

    def ok(self, device: str, conversation: str, text: str, message_id: str, sent: float) -> None:
        """It was acknowledged, under this id."""
        self.acknowledged += 1
        self.due += self._receivers.get(conversation, 0)
        self.heard[device] = max(sent, self.heard.get(device, 0.0))
        self._write("ok", text, message_id)

    def refused(self, text: str, why: str) -> None:
        """It was refused for good."""
        self._write("refused", text, why)

    def hand(self, login: str, message: Any) -> None:
        """A message was handed to a device; ``login`` is the device, or ``device/2`` for a second program."""
        self.handed += 1
        self.last_handed = self._write("handed", login, message.conversation, message.id, message.from_, message.text)

    def gap(self, login: str, conversation: str, what: str) -> None:
        """A device was told that messages are gone."""
        self._write("gap", login, conversation, what)

    def log(self, conversation: str, message: Any) -> None:
        """The store has this message; oldest first in each conversation."""
        self._write("log", conversation, message.id, message.from_, message.text)

    def fault(self, what: str, who: str) -> None:
        """Something is done to the system: ``kill``, ``ms1``."""
        self.faults[f"{what} {who}"] += 1
        self._write("fault", what, who)

    def healed(self, what: str, who: str) -> None:
        """The end of a fault that lasts."""
        self._write("healed", what, who)

    def excuse(self, begin: float, why: str) -> None:
        """What was acknowledged between ``begin`` and now may be gone: the store itself was put back."""
        self._write("excuse", begin, why)

    def complain(self, text: str) -> None:
        """Something that should never be."""
        self._write("complaint", text)

    def _write(self, kind: str, *what: object) -> float:
        now = self._seconds()
        self._file.write(self._encode((kind, round(now, 4), *what)) + b"\n")
        return now
