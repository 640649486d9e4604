"""The time from the end of each fault until every msg_server and every client works again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import inf

from fishchat.proof.lab.journal import Answered, Fault, Journal, Sent


@dataclass(frozen=True)
class Recovery:
    """The seconds after a fault; nothing for servers and devices that sent no more.

    A time that reaches into the next fault ends with its beginning: what follows is measured as recovery from that one.

    :ivar servers: for each msg_server that the fault touches, until it acknowledges what its probe sent after that.
    :ivar devices: for each device, until its first ``OK`` of what it sent after that; it counts from the sending, or
        from the end of the fault if the device still waited for answers then.
    :ivar delivery: the longest time from an ``OK`` to the last receiver, of what was sent about then or before the
        next fault.
    """

    fault: Fault
    servers: dict[str, float]
    devices: dict[str, float]
    delivery: float

    @property
    def first(self) -> float | None:
        """The time of the slowest msg_server; None when there is none."""
        return max(self.servers.values(), default=None)

    @property
    def all(self) -> float | None:
        """The time of the slowest device; None when there is none."""
        return max(self.devices.values(), default=None)


def recovery(journal: Journal) -> list[Recovery]:
    """Return the recovery from each fault."""
    sends: dict[str, list[Sent]] = defaultdict(list)
    for one in journal.sent:
        sends[one.device].append(one)
    ends = [*(one.at for one in journal.faults[1:]), inf]
    return [
        Recovery(
            fault, _servers(journal, fault, end), _devices(sends, fault.until, end), _delivery(journal, fault, end)
        )
        for fault, end in zip(journal.faults, ends, strict=False)
    ]


def _servers(journal: Journal, fault: Fault, end: float) -> dict[str, float]:
    """A fault of one msg_server touches that one, any other fault may touch all of them."""
    touched = [fault.who] if fault.who in journal.probed else list(journal.probed)
    found = {}
    for server in touched:
        answered = _first(journal.probed[server], fault.until)
        if answered < inf:
            found[server] = round(max(0.0, min(answered, end) - fault.until), 3)
    return found


def _first(answers: list[Answered], until: float) -> float:
    return next((one.answered_at for one in answers if one.at >= until), inf)


def _devices(sends: dict[str, list[Sent]], until: float, end: float) -> dict[str, float]:
    found = {}
    for device, own in sends.items():
        later = [one for one in own if one.at >= until]
        answered = min((one.answered_at for one in later if one.id is not None), default=inf)
        if answered < inf:
            waited = any(one.at < until < one.answered_at for one in own)
            since = until if waited else min(one.at for one in later)
            found[device] = round(max(0.0, min(answered, end) - since), 3)
    return found


def _delivery(journal: Journal, fault: Fault, end: float) -> float:
    about = [one for one in journal.acknowledged if fault.until - 0.5 <= one.at < end]
    return round(max((journal.arrived.get(one.text, 0.0) - one.answered_at for one in about), default=0.0), 3)
