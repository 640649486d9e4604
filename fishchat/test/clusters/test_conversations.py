"""Play every file of ``conversations`` against roles in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import WORDS
from fishchat.features.accounts.administration import Accounts
from fishchat.features.accounts.calls import create_code, create_invitation
from fishchat.features.registry import VERBS
from fishchat.model.secrets.tokens import fingerprint
from fishchat.services.gateway.rows import GATEWAY_VERBS
from fishchat.services.gateway.service import Gateway
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.waiting import until
from fishchat.testing.conversation_runner import (
    CONVERSATIONS,
    Failed,
    matches,
    needs_faults,
    play,
    put_in,
    settings,
    steps,
)

FILES = sorted(CONVERSATIONS.glob("*.txt"))
#: Refusals that no client can cause by its commands alone; other tests cover them.
NOT_BY_TALKING = {
    "OLD": "takes a thousand messages; test_scripts_send has it",
    "INTERNAL": "a defect of ours",
    "MALFORMED": "the end of a connection in a line; test_peer has it",
}


class Talking:
    """A client of a cluster with the interface of the runner."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, data: bytes) -> None:
        """See Talker."""
        self._client.write(data)

    async def hear(self, seconds: float) -> bytes | None:
        """See Talker."""
        client = self._client
        await until(lambda: client.lines or client.closed, seconds)
        return client.lines.pop(0).encode() if client.lines else None

    def drop(self) -> None:
        """See Talker."""
        self._client.drop()


class Stage:
    """The stage of a conversation: a cluster, and the actions of sentences that begin with ``the``."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    async def connect(self, server: str) -> Talking:
        """Open a new connection."""
        return Talking(self.cluster.connect(server))

    async def act(self, what: str) -> None:
        """Carry out such a sentence."""
        if what == "store hangs":
            self.cluster.redis.pause()
        elif what == "store goes on":
            self.cluster.redis.resume()
            await self.cluster.ready()
        elif what == "sessions are stored":
            await self.cluster.settled()
        elif what.startswith("operator "):
            await self._operate(*what.split()[1:])
        else:
            raise AssertionError("no such sentence")

    async def _operate(self, does: str, name: str, *more: str) -> None:
        """Carry out a command of the operator's command line."""
        connection = self.cluster.roles["ms1"].parts.speaker
        accounts = Accounts(connection, 30)
        act = {"disables": accounts.disable, "enables": accounts.enable, "deletes": accounts.erase}
        if does == "offers":
            await create_invitation(fingerprint(name.encode()), 1, 60_000).of(connection)
        elif does == "links":
            # ``the operator links alice fcc_code``
            await create_code(fingerprint(more[0].encode()), name.encode(), 60_000).of(connection)
        else:
            await act[does](name.encode())


class Played(ClusterCase):
    """One test for each file; ``test_offline_delivery`` plays ``offline-delivery.txt``."""

    async def play(self, path: Path) -> None:
        """Start with an empty store."""
        given = {"limits.join_notices": 100, **settings(path)}
        wanted: dict[str, Any] = {key.replace(".", "__"): value for key, value in given.items()}
        redis = self.own_redis() if needs_faults(path) else None
        cluster = await self.cluster(gateways=1, redis=redis, **wanted)
        stage = Stage(cluster)
        gateway = cluster.roles["gateway1"].find(Gateway)
        await until(lambda: gateway.placement.count == 2)
        await play(path, stage.connect, stage.act)


def _test(path: Path) -> Callable[[Played], Any]:
    async def test(self: Played) -> None:
        await self.play(path)

    test.__doc__ = path.read_text().splitlines()[0].removeprefix("# ")
    return test


for _path in FILES:
    setattr(Played, "test_" + _path.stem.replace("-", "_"), _test(_path))


class Complete(SynchronousTestCase):
    """The files are the documentation of the protocol, so nothing is left out."""

    def setUp(self) -> None:
        """Read all lines sent and received in any file."""
        found = [step for path in FILES for step in steps(path)]
        self.said = {word for step in found if step.how == ">" for word in step.what.upper().split()}
        self.heard = {word for step in found if step.how.startswith("<") for word in step.what.split()}

    def test_verbs(self) -> None:
        """Every verb, by its name and by its alias, is sent in some file."""
        words = {word.decode() for verb in (*VERBS, *GATEWAY_VERBS) for word in (verb.name, verb.alias)}
        self.assertEqual(words - {""} - self.said, set())

    def test_refusals(self) -> None:
        """Every refusal that a client can cause is received in some file."""
        self.assertEqual(set(WORDS) - self.heard, set(NOT_BY_TALKING))


class Runner(SynchronousTestCase):
    """The form of the files."""

    def test_matches(self) -> None:
        """``…`` matches anything; a name matches one word or a part of it, the same each time."""
        self.assertEqual(matches("OK $id", "OK a+b:7-1", {}), {"id": "a+b:7-1"})
        self.assertEqual(matches("OK a+b:$epoch-1", "OK a+b:7-1", {}), {"epoch": "7"})
        self.assertEqual(matches("OK a+b:$epoch-2", "OK a+b:7-2", {"epoch": "7"}), {"epoch": "7"})
        self.assertIsNone(matches("OK a+b:$epoch-2", "OK a+b:8-2", {"epoch": "7"}))
        self.assertIsNone(matches("OK $id", "OK two words", {}))
        self.assertEqual(matches("$a $a", "x x", {}), {"a": "x"})
        self.assertIsNone(matches("$a $a", "x y", {}))
        self.assertEqual(matches("ERR … FULL …", "ERR JOIN_TOPIC FULL limit=2 it is", {}), {})
        self.assertIsNone(matches("a.c", "abc", {}))

    def test_put_in(self) -> None:
        """Captured words are sent."""
        self.assertEqual(put_in("ACK $id now", {"id": "x"}), "ACK x now")
        self.assertRaises(KeyError, put_in, "ACK $id", {})

    def test_misunderstood(self) -> None:
        """A line that means nothing is an error with its place, not a comment."""
        path = Path(self.mktemp())
        path.write_text("# fine\n\nalice> PING\n> PING\n")
        error = self.assertRaises(Failed, steps, path)
        self.assertIn(":4: not understood", str(error))


class Failing(ClusterCase):
    """A conversation that differs from its file."""

    async def test_told(self) -> None:
        """The error names the place, the expected and the received line."""
        path = Path(self.mktemp())
        path.write_text("alice> PING\nalice< OK SEND_PONG\n")
        stage = Stage(await self.cluster(servers=1, routers=0))
        error = await self.assertFailure(ensure(play(path, stage.connect)), Failed)
        self.assertIn(":2: alice<OK SEND_PONG: heard: OK SEND_PING", str(error))


def ensure(coroutine: Any) -> Any:
    """Return the conversation as a Deferred, for ``assertFailure``."""
    from twisted.internet.defer import Deferred

    return Deferred.fromCoroutine(coroutine)
