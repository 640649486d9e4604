"""Measure the cost of abuse: readers that do not read, a million visits, handshakes that never end.

Each measurement starts a FishChat of its own (``fishchat up --processes``), abuses one msg_server, and returns figures;
``kept`` says whether the limits below were kept. Memory is the resident memory of that msg_server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater

from fishchat.proof.lab.rude import HALVES, NOTHING, Dripping, Passing, Reader, client_hello
from fishchat.proof.lab.target import Target
from fishchat.protocols.lines import MAX_TEXT
from fishchat.protocols.peer import HANDSHAKE, STUCK
from fishchat.services.net.keepalive import EVERY

#: KiB that a connection may take that reads nothing or does not finish its handshake.
PER_CONNECTION = 256
#: Seconds beyond a time limit: connections are checked every five, and this machine does other things.
GRACE = EVERY + 2.0
#: Seconds that others may wait for an answer meanwhile, at the 99th percentile and at most; and to log in by TLS.
WAIT, LONGEST, TO_LOG_IN = 0.5, 5.0, 5.0
#: KiB for each connection by which the last round of handshakes may take more than the first: they take some 50.
AGAIN = 20
#: KiB by which memory may have grown in the second half of many visits.
GROWN = 1024
#: Bytes for each reader after which every buffer of the kernel is full.
FILLED = 6_000_000
#: The kinds of visits.
Kind = Literal["visits", "half-logins", "half-handshakes"]
#: Seconds for all readers to join the topic.
TO_JOIN = 30.0
#: Seconds between two checks.
LOOK = 0.1
#: Seconds until the work under way has ended.
SETTLE = 2.0


async def _measured(reactor: Any, measure: Callable[[Target], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    target = Target(reactor)
    try:
        return await measure(target)
    finally:
        await target.end()


class Waiting:
    """Two clients that talk all the time, and the time of each of their messages to its ``OK``."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._clients = [target.client("honest-one"), target.client("honest-two")]
        self._running = True
        self._loop: Any = None
        self.waited: list[float] = []

    async def start(self) -> None:
        """Log in and begin to talk."""
        for client in self._clients:
            await client.start()
        self._loop = ensureDeferred(self._talk())

    async def stop(self) -> None:
        """Stop talking and disconnect."""
        self._running = False
        await self._loop
        for client in self._clients:
            await client.stop()

    def take(self) -> list[float]:
        """Return the times since the last call, the longest last."""
        waited, self.waited = sorted(self.waited), []
        return waited

    async def _talk(self) -> None:
        reactor = self._target.reactor
        while self._running:
            for client, to in zip(self._clients, ("honest-two", "honest-one"), strict=True):
                began = reactor.seconds()
                await client.send(to, "are you there?")
                self.waited.append(reactor.seconds() - began)
            await deferLater(reactor, 0.05)


def _waits(waited: list[float]) -> dict[str, float]:
    at = waited[int(len(waited) * 0.99)] if waited else float("inf")
    return {"p99_ms": round(at * 1000, 1), "longest_ms": round(max(waited, default=float("inf")) * 1000, 1)}


async def stuck_readers(
    reactor: Any, readers: int = 50, filled: int = FILLED, patience: float = STUCK * 2
) -> dict[str, Any]:
    """Have ``readers`` members of a topic read nothing while ``filled`` bytes are sent to each of them.

    They must be cut off, take little memory until then, and must not delay others.

    :param patience: the seconds to wait until they are cut off.
    """
    return await _measured(reactor, lambda target: _stuck_readers(target, readers, filled, patience))


async def _stuck_readers(target: Target, readers: int, filled: int, patience: float) -> dict[str, Any]:
    await target.start()
    reactor = target.reactor
    writer, others = target.client("writer"), Waiting(target)
    await writer.start()
    await writer.create_topic("loud")
    await others.start()
    stuck = await _log_in_readers(target, readers)
    before, quiet = target.memory(), _waits(others.take())
    for one in stuck:
        one.stop_reading()
    most, text = before, "x" * MAX_TEXT
    began = reactor.seconds()
    for _ in range(filled // MAX_TEXT // 16):
        await _all([writer.send("#loud", text) for _ in range(16)])
        most = max(most, target.memory())
    full = reactor.seconds()
    while any(not one.cut_off for one in stuck) and reactor.seconds() < full + patience:
        most = max(most, target.memory())
        await deferLater(reactor, LOOK)
    cut, left = reactor.seconds() - full, sum(not one.cut_off for one in stuck)
    for one in stuck:
        one.leave()
    loud = _waits(others.take())
    await deferLater(reactor, SETTLE)
    after = target.memory()
    await others.stop()
    await writer.stop()
    each = max(0, most - before) / readers
    return {
        "abuse": "stuck-readers",
        "readers": readers,
        "filling_s": round(full - began, 1),
        "memory_kib": {"before": before, "most": most, "after": after},
        "kib_per_reader": round(each, 1),
        "cut_off_s": round(cut, 1),
        "left": left,
        "others": {"before": quiet, "meanwhile": loud},
        "kept": (
            each <= PER_CONNECTION
            and not left
            and cut <= STUCK + GRACE
            and loud["p99_ms"] <= WAIT * 1000
            and loud["longest_ms"] <= LONGEST * 1000
        ),
    }


async def _log_in_readers(target: Target, count: int) -> list[Reader]:
    """Return so many members of the topic ``loud``."""
    reactor = target.reactor
    found = [await target.connect(partial(Reader, f"reader{n}", "loud")) for n in range(count)]
    deadline = reactor.seconds() + TO_JOIN
    while not all(one.ready for one in found):
        assert reactor.seconds() < deadline, f"not all have logged in within {TO_JOIN} s"
        await deferLater(reactor, LOOK)
    await deferLater(reactor, SETTLE)
    return found


async def _all(sends: list[Any]) -> None:
    for one in sends:
        await one


async def visits(reactor: Any, count: int = 1_000_000, seconds: float = 720.0, kind: Kind = "visits") -> dict[str, Any]:
    """Make and close ``count`` connections, or as many as ``seconds`` allow; memory must not grow with them.

    They end after the greeting (``visits``), during a login (``half-logins``) or during a TLS handshake
    (``half-handshakes``).
    """
    return await _measured(reactor, lambda target: _visits(target, count, seconds, kind))


async def _visits(target: Target, count: int, seconds: float, kind: Kind) -> dict[str, Any]:
    reactor, port = target.reactor, target.place.msg_server
    # With accounts a login has more steps at which it can end.
    settings = {"ACCOUNTS__MODE": "closed"}
    opening = b""
    if kind == "half-handshakes":
        port, opening = target.secure(), client_hello()
        settings["MSG_SERVER__LISTEN_TLS"] = f"127.0.0.1:{port}"
    await target.start(**settings)
    passing = Passing(reactor, port, count, HALVES if kind == "half-logins" else NOTHING, opening)
    samples = [(0, target.memory())]
    began = reactor.seconds()
    passing.start()
    while not passing.over:
        await deferLater(reactor, min(1.0, seconds / 100))
        samples.append((passing.done, target.memory()))
        if reactor.seconds() - began > seconds:
            passing.stop()
    took = reactor.seconds() - began
    await deferLater(reactor, SETTLE)
    after = target.memory()
    samples.append((passing.done, after))
    later = [sample for sample in samples if sample[0] >= passing.done / 2]
    return {
        "abuse": kind,
        "visits": passing.done,
        "refused": passing.refused,
        "seconds": round(took, 1),
        "per_second": round(passing.done / took),
        "memory_kib": {"before": samples[0][1], "half": later[0][1], "after": after},
        "slope_bytes_per_visit": round(slope(later) * 1024, 3),
        "kept": passing.done > 0 and not passing.refused and after - later[0][1] <= GROWN,
    }


def slope(samples: list[tuple[int, int]]) -> float:
    """Return the slope of the regression line of the samples; 0 if they are all in one place."""
    middle_x = sum(x for x, _ in samples) / len(samples)
    middle_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - middle_x) ** 2 for x, _ in samples)
    return sum((x - middle_x) * (y - middle_y) for x, y in samples) / spread if spread else 0.0


async def slow_handshakes(reactor: Any, count: int = 500, rounds: int = 3) -> dict[str, Any]:
    """Make ``count`` connections to the port with TLS: every other one sends a byte a second, the rest nothing.

    The time limit must end each of them, and other clients must be able to log in meanwhile. Further rounds must reuse
    the memory of the first one.
    """
    return await _measured(reactor, lambda target: _slow_handshakes(target, count, rounds))


async def _slow_handshakes(target: Target, count: int, rounds: int) -> dict[str, Any]:
    reactor, port = target.reactor, target.secure()
    await target.start(MSG_SERVER__LISTEN_TLS=f"127.0.0.1:{port}")
    # The first handshake loads code that all handshakes need.
    await _log_in(target, port)
    await deferLater(reactor, SETTLE)
    before, most, lasted, logins = target.memory(), [], [], []
    for _ in range(rounds):
        slow = [await target.connect(partial(Dripping, reactor, silent=n % 2 == 1), port) for n in range(count)]
        highest = 0
        deadline = reactor.seconds() + HANDSHAKE * 3
        while any(one.ended is None for one in slow) and reactor.seconds() < deadline:
            highest = max(highest, target.memory())
            logins.append(await _log_in(target, port))
            await deferLater(reactor, LOOK)
        most.append(highest)
        lasted += [one.ended - one.began for one in slow if one.ended is not None]
        for one in slow:
            one.transport.abortConnection()
    await deferLater(reactor, SETTLE)
    each = max(0, most[0] - before) / count
    again = (most[-1] - most[0]) / count
    return {
        "abuse": "slow-handshakes",
        "connections": count,
        "memory_kib": {"before": before, "most": most, "after": target.memory()},
        "kib_per_connection": round(each, 1),
        "cut_off_s": round(max(lasted, default=float("inf")), 1),
        "left": count * rounds - len(lasted),
        "logins": len(logins),
        "login_s": round(max(logins, default=float("inf")), 2),
        "kept": (
            each <= PER_CONNECTION
            and again <= AGAIN
            and len(lasted) == count * rounds
            and max(lasted) <= HANDSHAKE + GRACE
            and max(logins, default=float("inf")) <= TO_LOG_IN
        ),
    }


async def _log_in(target: Target, port: int) -> float:
    """Return the seconds that a login by TLS takes."""
    client = target.client("honest", port, target.authority)
    began = target.reactor.seconds()
    await client.start()
    took = target.reactor.seconds() - began
    await client.stop()
    return float(took)
