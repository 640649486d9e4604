"""Clients that log in: the memory of one that is idle, the cost of a login, and the duration of a storm."""

from __future__ import annotations

import os
import signal

from fishchat.proof.bench.measuring import Run

#: The number of clients that log in and leave before anything is measured, so that the server has loaded everything.
FIRST = 20


class Idle(Run):
    """Clients that are logged in and silent: the memory of each, and the cost of all of them together."""

    async def work(self) -> None:
        await self.warm_up()
        before = self.now()
        await self.crowd.gather()
        await self.sleep(self.job.warm)
        begin = self.now()
        await self.sleep(self.job.seconds)
        end = self.now()
        self.took(begin, end, self.job.clients)
        if self.job.roots:
            self.figures.memory = round((begin.servers.memory - before.servers.memory) / self.job.clients / 1024, 2)
            self.figures.share = round((end.servers.cpu - begin.servers.cpu) / (end.at - begin.at), 5)
        self.figures.rate, self.figures.cpu = 0.0, None
        self.crowd.close()

    async def warm_up(self) -> None:
        """Have some clients log in and leave."""
        crowd = self.crowd
        names, crowd.names = crowd.names, crowd.names[:FIRST]
        await crowd.gather()
        crowd.close()
        crowd.names = names
        await self.sleep(self.job.warm)


class Login(Idle):
    """All clients log in, so many at a time, each on a connection of its own; by a token if there are any."""

    async def work(self) -> None:
        await self.warm_up()
        begin = self.now()
        await self.crowd.gather()
        self.took(begin, self.now(), self.job.clients)
        self.crowd.close()


class Storm(Run):
    """All clients lose their connections at once, or their server is killed, and reconnect at once."""

    async def work(self) -> None:
        crowd, job = self.crowd, self.job
        await crowd.gather()
        await self.sleep(self.job.warm)
        crowd.patient = True
        begin = self.now()
        if job.kill:
            os.kill(job.kill, signal.SIGKILL)
        crowd.close()
        await crowd.gather(at_once=job.clients)
        self.took(begin, self.now(), job.clients)
        for when in crowd.when:
            self.latencies.add(when - begin.at)
        self.latencies.put(self.figures)
        self.figures.back = round(max(crowd.when) - begin.at, 2)
        crowd.close()
