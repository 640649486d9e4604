"""Clients that come: how much memory one takes that does nothing, what a login costs, and how long a storm takes."""

from __future__ import annotations

import os
import signal

from fishchat.proof.bench.measuring import Run

#: Clients that log in and go before anything is measured, so that what a server loads once is loaded.
FIRST = 20


class Idle(Run):
    """Logged in, and silent: memory for each, and what all of them together cost."""

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
        """Some come and go."""
        crowd = self.crowd
        names, crowd.names = crowd.names, crowd.names[:FIRST]
        await crowd.gather()
        crowd.close()
        crowd.names = names
        await self.sleep(self.job.warm)


class Login(Idle):
    """All log in, so many at a time, each on a connection of its own: by a token, where there are any."""

    async def work(self) -> None:
        await self.warm_up()
        begin = self.now()
        await self.crowd.gather()
        self.took(begin, self.now(), self.job.clients)
        self.crowd.close()


class Storm(Run):
    """All lose their connections at once, by their own doing or since the server was killed, and come back at once."""

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
