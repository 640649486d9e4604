"""Names of msg_servers: who may take one, and from whom."""

from __future__ import annotations

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from fishchat.services.running.lease import LEASE, is_dead, new_incarnation
from fishchat.test.support.cluster import ClusterCase
from fishchat.test.support.waiting import until


class Incarnations(SynchronousTestCase):
    """What a lease tells of its holder."""

    def holder(self, process: int) -> bytes:
        """The lease of another process of this machine."""
        return new_incarnation().rsplit(b"-", 1)[0] + b"-%d.3" % process

    def test_living(self) -> None:
        """A process that runs is not dead."""
        self.assertFalse(is_dead(self.holder(os.getppid())))

    def test_gone(self) -> None:
        """One that has ended is, and so is a predecessor with our own number, as in containers."""
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        self.assertTrue(is_dead(self.holder(ended.pid)))
        self.assertTrue(is_dead(self.holder(os.getpid())))

    def test_elsewhere(self) -> None:
        """Of another machine, or of what is no incarnation, nobody can tell."""
        for holder in (b"0a1b2c3d-elsewhere-1.2", b"abcdef.1", b"x-y-z", b""):
            self.assertFalse(is_dead(holder), holder)


class Names(ClusterCase):
    """Taking a name."""

    async def test_held_elsewhere(self) -> None:
        """A name that another machine holds and renews is left to it; once it is not renewed any more, it is taken."""
        cluster = await self.cluster(servers=0, routers=0)
        cluster.redis.command("SET", "lease:ms1", "0a1b2c3d-elsewhere-1.1", "PX", int(LEASE * 1000))
        cluster.redis.command("HSET", "servers", "ms1", "0a1b2c3d-elsewhere-1")
        cluster.add("ms1")
        lease = cluster.server("ms1").lease
        await until(lambda: lease._complained)
        self.assertIsNone(lease.fence)
        self.assertEqual(len(self.flushLoggedErrors()), 0)
        cluster.redis.command("PEXPIRE", "lease:ms1", 8000)
        await until(lambda: lease.fence is not None)
        await cluster.login("alice")
