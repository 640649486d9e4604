"""News of sessions that ended elsewhere: heard, heard too early, and not heard."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from fishchat.bus import channels
from fishchat.model.device import Device
from fishchat.services.msg_server.sessions.revocations import Revocations
from fishchat.storage.redis import Connection, parse_url
from fishchat.test.support.owners import Owner
from fishchat.test.support.redis_fixture import shared_redis
from fishchat.test.support.waiting import until
from fishchat.testing.memory_bus import Medium, MemoryBus

KEY, SESSION = "alice/main", "ms1 aaaa 7"


class RevocationsTests(TestCase):
    """One server's ear."""

    def setUp(self) -> None:
        """A store, a bus, and one device that is logged in."""
        self.redis = shared_redis()
        self.reader = Connection(parse_url(self.redis.url))
        self.reader.startService()
        self.addCleanup(self.reader.stopService)
        bus = MemoryBus(Medium(reactor))
        self.told: list[str] = []
        self.swept = 0
        self.here: dict[bytes, Device] = {}
        self.revoking = Revocations(self.reader, bus, self.here.get, self.sweep)

    def sweep(self) -> None:
        """Called when something was missed."""
        self.swept += 1

    def device(self, session: str = SESSION) -> Device:
        """A device with this session."""
        owner = Owner()
        owner.ends = self.told
        return Device(b"alice", KEY.encode(), session.encode(), owner, frozenset(), set())

    def say(self, **status: object) -> None:
        """The news arrive."""
        self.revoking._heard(channels.ClientStatus(server="", **status).encode())  # type: ignore[arg-type]

    def test_told(self) -> None:
        """The device whose session it is hears why; another session of the same device does not."""
        self.here[KEY.encode()] = self.device()
        self.say(revoked={KEY: f"disabled {SESSION}"}, number=1)
        self.say(revoked={KEY: "revoked ms1 aaaa 6"}, number=2)
        self.say(replaced={KEY: SESSION})
        self.assertEqual(self.told, ["disabled", "replaced"])
        self.assertEqual(self.swept, 0)

    def test_before_the_login_is_known(self) -> None:
        """The store may end a session before its own server has the answer to the login; then it is told then."""
        self.revoking.login_begins()
        self.say(revoked={KEY: f"deleted {SESSION}"}, number=1)
        self.say(replaced={KEY: "ms1 aaaa 9"})
        for number in (7, 8, 9):
            self.revoking.welcomed(self.device(f"ms1 aaaa {number}"))
        self.assertEqual(self.told, ["deleted", "replaced"])
        self.revoking.login_ends()
        self.revoking.welcomed(self.device())
        self.say(revoked={KEY: f"deleted {SESSION}"}, number=2)
        self.revoking.welcomed(self.device())
        self.assertEqual(self.told, ["deleted", "replaced"])

    def test_a_number_is_missing(self) -> None:
        """News that skip a number are a sign of news that were lost."""
        self.say(revoked={}, number=4)
        self.say(revoked={}, number=5)
        self.assertEqual(self.swept, 0)
        self.say(revoked={}, number=7)
        self.assertEqual(self.swept, 1)

    async def test_counted(self) -> None:
        """What the store has counted and nobody said is found; what was before the start is nobody's loss."""
        await until(lambda: self.reader.connected)
        self.redis.command("SET", "revocations", 3)
        await self.revoking.compare()
        self.assertEqual(self.swept, 0)
        self.redis.command("INCR", "revocations")
        await self.revoking.compare()
        self.assertEqual(self.swept, 1)
        self.say(revoked={}, number=5)
        self.redis.command("INCR", "revocations")
        await self.revoking.compare()
        self.assertEqual(self.swept, 1)
        # A store that was put back to an earlier state.
        self.redis.command("SET", "revocations", 2)
        await self.revoking.compare()
        self.assertEqual(self.swept, 2)
        await self.revoking.compare()
        self.assertEqual(self.swept, 2)
