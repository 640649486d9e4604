"""What abuse costs, measured: readers that do not read, a million visits, handshakes that never end.

Each measurement starts a FishChat of its own (``fishchat up --processes``), does to one msg_server what it is about,
and gives figures with ``kept``, whether the limits below were kept. Memory is the resident memory of that msg_server.
"""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from fishchat.client import Client
from fishchat.lab.processes import COMMAND, HERE, Place, Up, free_ports
from fishchat.lab.rude import Dripping, Passing, Reader
from fishchat.protocols.lines import MAX_TEXT
from fishchat.protocols.server import HANDSHAKE, STUCK
from fishchat.services.msg_server.keepalive import EVERY

#: KiB that one connection may take which reads nothing, or does not finish its handshake.
PER_CONNECTION = 256
#: Seconds beyond a time limit: they are looked at every five, and this machine has other things to do.
GRACE = EVERY + 2.0
#: Seconds that others may wait for an answer meanwhile, 99 of 100 of them and at most; and to log in by TLS.
WAIT, LONGEST, TO_LOG_IN = 0.5, 5.0, 5.0
#: KiB by which memory may have grown in the second half of many visits.
GROWN = 1024
#: Bytes for each reader behind which every buffer of the kernel is full.
FILLED = 6_000_000
#: Seconds between two looks.
LOOK = 0.1
#: Seconds until what was begun before has come to rest.
SETTLE = 2.0


class Target:
    """A FishChat to be abused; ``ms1`` is the msg_server that all of it is done to."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.place = Place()
        self.pid = 0
        self._up: Up | None = None

    async def start(self, **settings: str) -> None:
        """Start it, with further keys of the configuration; AssertionError when that takes too long."""
        told = {"FISHCHAT__" + key: value for key, value in settings.items()}
        self._up = Up(self.place, environment=self.place.environment(PYTHONPATH=HERE, **told))
        await self._up.when_alive(self.reactor, 40.0)
        self.pid = self._up.running()["ms1"]

    def certificate(self) -> Path:
        """Make one for localhost, before the start; the file of its authority."""
        command = [*COMMAND, "cert", "server", "localhost", "127.0.0.1", "--data", str(self.place.data)]
        environment = self.place.environment(PYTHONPATH=HERE)
        subprocess.run(command, check=True, capture_output=True, env=environment, cwd="/", timeout=60)
        return self.place.data / "tls" / "ca.pem"

    def memory(self) -> int:
        """KiB of the msg_server. AssertionError when it is not the one that was started."""
        assert self._up is not None and self._up.running().get("ms1") == self.pid, "the msg_server has died"
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def client(self, account: str, port: int = 0, tls: Path | None = None) -> Client:
        """A well-behaved client of the msg_server."""
        address = f"localhost:{port}" if tls else f"127.0.0.1:{port or self.place.msg_server}"
        return Client(account, servers=[address], tls=tls, reactor=self.reactor)

    async def connect(self, make: Callable[[], Protocol], port: int = 0) -> Any:
        """A connection of another kind."""
        factory: Any = Factory.forProtocol(make)
        factory.noisy = False
        endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", port or self.place.msg_server)
        return await endpoint.connect(factory)

    async def end(self) -> None:
        """End it and remove its data."""
        if self._up is not None:
            try:
                await self._up.stop(self.reactor)
            finally:
                self._up.kill()
        self.place.close()


async def _measured(reactor: Any, measure: Callable[[Target], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    target = Target(reactor)
    try:
        return await measure(target)
    finally:
        await target.end()


class Waiting:
    """Two who talk all the time, and how long each of their messages took to its ``OK``."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._clients = [target.client("honest-one"), target.client("honest-two")]
        self._running = True
        self._loop: Any = None
        self.waited: list[float] = []

    async def start(self) -> None:
        """Begin."""
        for client in self._clients:
            await client.start()
        self._loop = ensureDeferred(self._talk())

    async def stop(self) -> None:
        """End."""
        self._running = False
        await self._loop
        for client in self._clients:
            await client.stop()

    def take(self) -> list[float]:
        """What was waited since the last time, the longest last."""
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
    """``readers`` members of a topic read nothing while somebody writes there, ``filled`` bytes for each of them.

    They must be cut off, take little memory until then, and let nobody else wait.

    :param patience: seconds after which it is given up that they are cut off.
    """
    return await _measured(reactor, lambda target: _stuck_readers(target, readers, filled, patience))


async def _stuck_readers(target: Target, readers: int, filled: int, patience: float) -> dict[str, Any]:
    await target.start()
    reactor = target.reactor
    writer, others = target.client("writer"), Waiting(target)
    await writer.start()
    await writer.create_topic("loud")
    await others.start()
    stuck = [await target.connect(lambda n=n: Reader(f"reader{n}", "loud")) for n in range(readers)]  # type: ignore[misc]
    deadline = reactor.seconds() + 30.0
    while not all(one.ready for one in stuck):
        assert reactor.seconds() < deadline, "not all have logged in within 30 s"
        await deferLater(reactor, LOOK)
    await deferLater(reactor, SETTLE)
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


async def _all(sends: list[Any]) -> None:
    for one in sends:
        await one


async def visits(reactor: Any, count: int = 1_000_000, seconds: float = 720.0, halves: bool = False) -> dict[str, Any]:
    """``count`` connections are made and closed (as many as ``seconds`` allow), ``halves``: in the midst of a login.

    Memory must not grow with their number.
    """
    return await _measured(reactor, lambda target: _visits(target, count, seconds, halves))


async def _visits(target: Target, count: int, seconds: float, halves: bool) -> dict[str, Any]:
    # With accounts there is more of a login to be left half.
    await target.start(ACCOUNTS__MODE="closed")
    reactor = target.reactor
    passing = Passing(reactor, target.place.msg_server, count, halves)
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
        "abuse": "half-logins" if halves else "visits",
        "visits": passing.done,
        "refused": passing.refused,
        "seconds": round(took, 1),
        "per_second": round(passing.done / took),
        "memory_kib": {"before": samples[0][1], "half": later[0][1], "after": after},
        "slope_bytes_per_visit": round(slope(later) * 1024, 3),
        "kept": passing.done > 0 and not passing.refused and after - later[0][1] <= GROWN,
    }


def slope(samples: list[tuple[int, int]]) -> float:
    """That of the straight line nearest to the samples; 0 when they are all in one place."""
    middle_x = sum(x for x, _ in samples) / len(samples)
    middle_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - middle_x) ** 2 for x, _ in samples)
    return sum((x - middle_x) * (y - middle_y) for x, y in samples) / spread if spread else 0.0


async def slow_handshakes(reactor: Any, count: int = 500) -> dict[str, Any]:
    """``count`` connections to the port with TLS: every other one says a byte a second, the rest nothing.

    The time limit must end each of them, and whoever comes meanwhile must get in.
    """
    return await _measured(reactor, lambda target: _slow_handshakes(target, count))


async def _slow_handshakes(target: Target, count: int) -> dict[str, Any]:
    reactor = target.reactor
    port, authority = free_ports(1)[0], target.certificate()
    await target.start(MSG_SERVER__LISTEN_TLS=f"127.0.0.1:{port}")
    # The first handshake loads what all of them need.
    await _log_in(target, port, authority)
    await deferLater(reactor, SETTLE)
    before = most = target.memory()
    slow = [
        await target.connect(lambda n=n: Dripping(reactor, silent=n % 2 == 1), port)  # type: ignore[misc]
        for n in range(count)
    ]
    logins: list[float] = []
    deadline = reactor.seconds() + HANDSHAKE * 3
    while any(one.ended is None for one in slow) and reactor.seconds() < deadline:
        most = max(most, target.memory())
        logins.append(await _log_in(target, port, authority))
        await deferLater(reactor, LOOK)
    lasted = [one.ended - one.began for one in slow if one.ended is not None]
    for one in slow:
        if one.ended is None:
            one.transport.abortConnection()
    await deferLater(reactor, SETTLE)
    each = max(0, most - before) / count
    return {
        "abuse": "slow-handshakes",
        "connections": count,
        "memory_kib": {"before": before, "most": most, "after": target.memory()},
        "kib_per_connection": round(each, 1),
        "cut_off_s": round(max(lasted, default=float("inf")), 1),
        "left": count - len(lasted),
        "logins": len(logins),
        "login_s": round(max(logins, default=float("inf")), 2),
        "kept": (
            each <= PER_CONNECTION
            and len(lasted) == count
            and max(lasted) <= HANDSHAKE + GRACE
            and max(logins, default=float("inf")) <= TO_LOG_IN
        ),
    }


async def _log_in(target: Target, port: int, authority: Path) -> float:
    """How long a whole login by TLS takes."""
    client = target.client("honest", port, authority)
    began = target.reactor.seconds()
    await client.start()
    took = target.reactor.seconds() - began
    await client.stop()
    return float(took)
