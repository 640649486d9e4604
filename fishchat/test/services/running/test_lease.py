"""Names of msg_servers: who may take one, and from whom."""

from __future__ import annotations

from fishchat.services.running.incarnation import new_incarnation
from fishchat.services.running.lease import LEASE
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.waiting import until

#: A process of another machine or container.
ELSEWHERE = b"0a1b2c3d-elsewhere-1-42"


class Names(ClusterCase):
    """Taking a name."""

    async def beside(self, holder: bytes, left: float = LEASE) -> Cluster:
        """A msg_server that finds its name held by another process, whose lease ends after some seconds."""
        cluster = await self.cluster(servers=0, routers=0)
        cluster.redis.command("SET", "lease:ms1", holder + b".1", "PX", int(left * 1000))
        cluster.redis.command("HSET", "servers", "ms1", holder)
        cluster.add("ms1")
        return cluster

    async def test_held_elsewhere(self) -> None:
        """A name that another process holds and renews is left to it, and clients are told; when its lease ends, the
        name is taken.
        """
        cluster = await self.beside(ELSEWHERE)
        lease = cluster.server("ms1").lease
        await until(lambda: lease._rival[0])
        self.assertEqual(lease.trouble, "")
        cluster.redis.command("PEXPIRE", "lease:ms1", int(LEASE * 1000) + 5000)
        await until(lambda: lease.trouble)
        self.assertIsNone(lease.fence)
        self.assertEqual(len(self.flushLoggedErrors()), 0)
        alice = cluster.connect()
        await alice.expect("HELLO …")
        await alice.ask(
            "LOGIN alice", "ERR SEND_CLIENT_ID TRYAGAIN retry=1 another msg_server lives under the id ms1; …"
        )
        cluster.redis.command("PEXPIRE", "lease:ms1", 500)
        await until(lambda: lease.fence is not None)
        self.assertEqual(lease.trouble, "")
        await cluster.login("alice")

    async def test_ended_elsewhere(self) -> None:
        """Nobody complains of a holder elsewhere that has ended: its lease is not renewed any more."""
        cluster = await self.beside(ELSEWHERE, 2.5)
        lease = cluster.server("ms1").lease
        await until(lambda: lease.fence is not None)
        self.assertEqual(lease.trouble, "")

    async def test_ended_here(self) -> None:
        """The name of a process of this machine that has ended is taken at once."""
        cluster = await self.beside(new_incarnation())
        lease = cluster.server("ms1").lease
        await until(lambda: lease.fence is not None, seconds=2)
