"""The common parts of all measurements: the clients, the clock, and the usage at the beginning and at the end."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.task import deferLater

from fishchat.proof.bench.crowd import BenchError, Crowd
from fishchat.proof.bench.spec import QUIET, Figures, Job
from fishchat.proof.bench.usage import Usage, usage
from fishchat.proof.bench.web import WebMember


@dataclass(frozen=True)
class Moment:
    """A time, and the usage of the servers and of this process up to then."""

    at: float
    servers: Usage
    own: float


class Latencies:
    """Times in seconds, and their percentiles."""

    def __init__(self) -> None:
        self._values = array("f")
        self.add = self._values.append

    def clear(self) -> None:
        """Remove all times."""
        del self._values[:]

    def put(self, figures: Figures) -> None:
        """Write the percentiles in milliseconds to ``figures``, if there are times."""
        values = sorted(self._values)
        if values:
            figures.p50, figures.p99, figures.p999 = (
                round(values[min(len(values) - 1, int(len(values) * share))] * 1000, 3) for share in (0.5, 0.99, 0.999)
            )


class Run:
    """One job; a subclass does it in ``work``.

    :ivar crowd: the clients.
    :ivar delivered: the number of messages that clients received.
    :ivar sent: the number of messages that were written.
    """

    #: What the clients ask for at HELLO.
    capabilities = b"ack"

    def __init__(self, reactor: Any, job: Job, names: list[bytes], tokens: list[bytes]) -> None:
        self.reactor = reactor
        self.job = job
        self.crowd = Crowd(reactor, job.addresses, names, tokens)
        self.crowd.together = job.together
        self.crowd.capabilities = self.capabilities
        if job.web:
            self.crowd.kind = WebMember
        self.latencies = Latencies()
        self.figures = Figures(clients=job.clients)
        self.delivered = self.sent = 0
        self.sending = False

    async def work(self) -> None:
        """Do the job and fill ``figures``. BenchError when it cannot be done."""
        raise NotImplementedError

    def now(self) -> Moment:
        """Return this moment."""
        return Moment(time.monotonic(), usage(self.job.roots), time.process_time())

    def took(self, begin: Moment, end: Moment, count: int) -> None:
        """Fill the figures of ``count`` things that were done from ``begin`` to ``end``."""
        figures, seconds = self.figures, end.at - begin.at
        figures.count, figures.seconds = count, round(seconds, 3)
        figures.rate = round(count / seconds, 1)
        figures.generator = round((end.own - begin.own) / seconds, 3)
        if self.job.roots and count:
            figures.cpu = round((end.servers.cpu - begin.servers.cpu) / count * 1e6, 2)

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        await deferLater(self.reactor, seconds)

    async def until(self, reached: Callable[[], object], progress: Callable[[], object], seconds: float) -> bool:
        """Wait; return False when ``progress()`` has not changed for so long. BenchError when a client was lost."""
        last, since = progress(), self.reactor.seconds()
        while not reached():
            if self.crowd.wrong:
                raise BenchError(f"a client was lost: {self.crowd.wrong}")
            new, now = progress(), self.reactor.seconds()
            if new != last:
                last, since = new, now
            elif now - since > seconds:
                return False
            await self.sleep(0.01)
        return True

    async def drain(self, expected: Callable[[], int]) -> None:
        """Wait for the messages under way, and count those that did not arrive."""
        await self.until(lambda: self.delivered >= expected(), lambda: self.delivered, QUIET)
        self.figures.lost = max(0, expected() - self.delivered)
