"""The growth of cost with the clients, the members of a topic, the messages stored, the msg_servers and the routers.

A record is a file of points. It is written after each of them, so that an interrupted run continues there.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fishchat.proof.bench.crowd import BenchError
from fishchat.proof.bench.machine import machine
from fishchat.proof.bench.runner import Say, generate, new_prefix
from fishchat.proof.bench.seeding import Seeder
from fishchat.proof.bench.server import Server
from fishchat.proof.bench.spec import Figures, Job
from fishchat.proof.bench.store import Stored, keep_log, look_at, rewrite

#: The quantities that grow, and the points at which cost is measured.
POINTS: dict[str, tuple[int, ...]] = {
    "clients": (100, 1_000, 10_000),
    "members": (2, 100, 1_000, 10_000),
    "messages": (0, 1_000_000, 2_500_000, 5_000_000),
    "servers": (1, 2, 3, 4),
    "routers": (1, 2, 3),
}
#: The clients where their number does not grow, those of many that talk, messages a second, and deliveries of a topic.
CLIENTS, TALKERS, RATE, DELIVERIES = 500, 100, 1000.0, 10_000.0
#: The number of msg_servers when the routers grow.
BEHIND = 3

#: The name of the figure: the share of a core that the clients used.
BUSY = "clients' share of a core"

#: The figures of one point, by their names in the tables.
Values = dict[str, float | None]


@dataclass(frozen=True)
class Look:
    """The length of each measurement of a point, the omitted points, and the reporter of progress.

    :ivar until: the time on the monotonic clock after which no further point begins.
    """

    seconds: float
    say: Say
    most: int | None = None
    only: tuple[str, ...] = ()
    until: float = math.inf

    def begin(self, kind: str, place: int) -> None:
        """Report the point that begins; BenchError when the time is over."""
        if time.monotonic() > self.until:
            raise BenchError(f"{place:,} was not started: the time was over")
        self.say(f"{kind}: {place:,}")

    def points(self) -> Iterator[tuple[str, list[int]]]:
        """Return the points to measure."""
        for kind, places in POINTS.items():
            if not self.only or kind in self.only:
                yield kind, [place for place in places if self.most is None or place <= self.most]


class Record:
    """The file of one run. BenchError for a file of another form."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.points: list[dict[str, Any]] = []
        self.machine: dict[str, Any] = {}
        if path.exists():
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
                self.points, self.machine = found["points"], found["machine"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise BenchError(f"{path} is not a record of `fishchat bench growth`: {error}") from None

    def has(self, kind: str, place: int) -> bool:
        """Return whether there is this point."""
        return any(point["kind"] == kind and point["at"] == place for point in self.points)

    def of(self, kind: str) -> list[tuple[int, Values]]:
        """Return all points of a kind, in their order."""
        return sorted((point["at"], point["values"]) for point in self.points if point["kind"] == kind)

    def add(self, kind: str, place: int, values: Values) -> None:
        """Add a point, and write the file."""
        self.points.append({"kind": kind, "at": place, "load": round(os.getloadavg()[0], 2), "values": values})
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(json.dumps({"machine": self.machine, "points": self.points}, indent=1) + "\n", encoding="utf-8")
        new.replace(self._path)


def grow(record: Record, look: Look) -> list[str]:
    """Measure every point that the record does not have. Return the failed points, each with the reason."""
    if not record.machine:
        record.machine = {**machine(), "seconds": look.seconds}
    failed = []
    for kind, places in look.points():
        missing = [place for place in places if not record.has(kind, place)]
        # Messages are stored once: each point adds to those of the point before.
        for group in [missing] if kind == "messages" else [[place] for place in missing]:
            began = time.monotonic()
            try:
                if kind == "messages":
                    _by_messages(record, look, group)
                else:
                    look.begin(kind, group[0])
                    record.add(kind, group[0], LOOKS[kind](group[0], look))
            except BenchError as error:
                failed.append(f"{kind}: {error}")
                look.say(f"  {error}")
            look.say(f"  took {time.monotonic() - began:.0f} s")
    return failed


class _Measured:
    """A FishChat for some measurements, which ends with them.

    :ivar busy: the highest share of a core that its clients used; from 0.9 on they were the limit.
    """

    def __init__(self, look: Look, **options: Any) -> None:
        self._look = look
        self.busy = 0.0
        self.server = Server(**options)

    def __enter__(self) -> _Measured:
        try:
            self.server.start()
        except BaseException:
            self.server.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def run(self, kind: str, clients: int, **more: Any) -> Figures:
        """Do one measurement. BenchError also when messages were lost, doubled or out of order."""
        base = {"addresses": self.server.addresses, "prefix": new_prefix(), "redis": self.server.url}
        more = {"roots": self.server.roots, "seconds": self._look.seconds, **base, **more}
        figures = generate(msgspec.convert({"kind": kind, "clients": clients, **more}, Job))
        if figures.lost or figures.disorder or figures.doubled or figures.refused:
            raise BenchError(f"{kind} with {clients} clients: {figures}")
        self.busy = max(self.busy, figures.generator)
        return figures


def _by_clients(count: int, look: Look) -> Values:
    with _Measured(look) as measured:
        idle = measured.run("idle", count)
        # One message of each is under way: several in one piece cost less, and only few clients would send them so.
        everybody = measured.run("p2p", count, window=1)
        some = measured.run("p2p", count, talkers=min(count, TALKERS))
        slow = measured.run("p2p", count, rate=RATE)
    return {
        "KiB a client": idle.memory,
        "µs, all talk": everybody.cpu,
        "µs, 100 of them talk": some.cpu,
        "µs at 1,000/s": slow.cpu,
        "p99 ms at 1,000/s": slow.p99,
        "messages/s, all talk": everybody.rate,
        BUSY: measured.busy,
    }


def _by_members(count: int, look: Look) -> Values:
    with _Measured(look) as measured:
        fast = measured.run("topic", count, window=4)
        slow = measured.run("topic", count, rate=min(100.0, DELIVERIES / count))
    return {
        "µs a delivery": fast.cpu,
        "deliveries/s": fast.rate,
        "messages/s": fast.sent,
        "p99 ms at a rate": slow.p99,
        BUSY: measured.busy,
    }


def _by_messages(record: Record, look: Look, places: list[int]) -> None:
    """Measure on one store, to which each point adds messages."""
    if not places:
        return
    with _Measured(look) as measured, closing(measured.server.store()) as store:
        keep_log(store)
        seeder = Seeder(store)
        empty = look_at(store)
        stored = 0
        for place in places:
            look.begin("messages", place)
            rewrite(store)
            unfilled = look_at(store)
            if place > stored:
                seeder.fill(place - stored, look.say)
                rewrite(store)
            before = look_at(store)
            fast = measured.run("p2p", CLIENTS)
            after = look_at(store)
            slow = measured.run("p2p", CLIENTS, rate=RATE)
            record.add(
                "messages", place, {**_of_store(empty, unfilled, before, after), **_of_both(fast, slow, measured)}
            )
            # The messages of the measurement are stored, too.
            stored = look_at(store).messages - empty.messages


def _of_store(empty: Stored, unfilled: Stored, before: Stored, after: Stored) -> Values:
    stored, new = before.messages - empty.messages, after.messages - before.messages
    # Redis compresses what it rewrites, and the messages of a measurement are all alike.
    filled = before.messages - unfilled.messages
    return {
        "stored": stored,
        "bytes of memory": round((before.memory - empty.memory) / stored, 1) if stored else None,
        "bytes of log": round((after.log - before.log) / new, 1) if new else None,
        "bytes of log, written anew": round((before.rewritten - unfilled.rewritten) / filled, 1) if filled else None,
    }


def _of_both(fast: Figures, slow: Figures, measured: _Measured) -> Values:
    return {
        "µs flat out": fast.cpu,
        "messages/s flat out": fast.rate,
        "µs at 1,000/s": slow.cpu,
        "p99 ms at 1,000/s": slow.p99,
        BUSY: measured.busy,
    }


def _by_servers(count: int, look: Look) -> Values:
    with _Measured(look, servers=count) as measured:
        together = measured.run("p2p", CLIENTS, together=True)
        crossing = measured.run("p2p", CLIENTS) if count > 1 else None
        slow = measured.run("p2p", CLIENTS, rate=RATE)
    return {
        "µs, pairs on one server": together.cpu,
        "µs, crossing": crossing.cpu if crossing else None,
        "messages/s, pairs on one server": together.rate,
        "messages/s, crossing": crossing.rate if crossing else None,
        "µs at 1,000/s": slow.cpu,
        "p99 ms at 1,000/s": slow.p99,
        BUSY: measured.busy,
    }


def _by_routers(count: int, look: Look) -> Values:
    with _Measured(look, servers=BEHIND, routers=count) as measured:
        fast = measured.run("p2p", CLIENTS)
        slow = measured.run("p2p", CLIENTS, rate=RATE)
        working = sum(held > 0 for held in measured.server.figures("router", "shards") or ())
    return {
        **_of_both(fast, slow, measured),
        "routers that hold a shard": working,
    }


LOOKS: dict[str, Callable[[int, Look], Values]] = {
    "clients": _by_clients,
    "members": _by_members,
    "servers": _by_servers,
    "routers": _by_routers,
}
