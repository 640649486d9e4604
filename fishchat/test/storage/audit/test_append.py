"""The audit record in the store."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred

from fishchat.model.audit import Event
from fishchat.storage.audit.calls import PAGE, Recorded, append, newest_first
from fishchat.test.support.account_runner import AccountCase, Plain
from fishchat.test.support.script_runner import LONG, on_each_redis


@on_each_redis
class Appending(AccountCase):
    """The newest events are kept, up to a number and an age."""

    def append(self, *events: Event, most: int = 100, lives: int = LONG) -> None:
        """Append events."""
        self.successResultOf(ensureDeferred(append(events, most, lives).of(Plain(self.runner))))

    def read(self, since: int = 0) -> list[Recorded]:
        """Read the record."""

        async def collect() -> list[Recorded]:
            return [event async for event in newest_first(Plain(self.runner), since)]

        found: list[Recorded] = self.successResultOf(ensureDeferred(collect()))
        return found

    def test_kept(self) -> None:
        """Events are read as they were recorded, the newest one first, with the store's time."""
        self.append({"kind": "login", "account": b"alice", "device": b""}, {"kind": "refused", "address": "::1"})
        newest, oldest = self.read()
        self.assertEqual(newest.fields, {"kind": "refused", "address": "::1"})
        self.assertEqual(oldest.fields, {"kind": "login", "account": "alice"})
        self.assert_about(newest.at, self.now())
        self.assertEqual(self.read(self.now() + 60_000), [])

    def test_count(self) -> None:
        """Beyond the number the oldest events go."""
        for n in range(5):
            self.append({"kind": "login", "account": b"a%d" % n}, most=3)
        self.assertEqual([event.fields["account"] for event in self.read()], ["a4", "a3", "a2"])

    def test_age(self) -> None:
        """Old events go, also when nothing is added."""
        self.command("XADD", "audit", self.now() - LONG - 1000, "kind", "login")
        self.append({"kind": "admin"})
        self.assertEqual([event.fields["kind"] for event in self.read()], ["admin"])
        self.command("DEL", "audit")
        self.command("XADD", "audit", "1-1", "kind", "login")
        self.append({"kind": "admin"}, lives=0)
        self.assertEqual(len(self.read()), 2)

    def test_pages(self) -> None:
        """A long record is read in steps, each event once."""
        count = 2 * PAGE + 1
        for start in range(0, count, 100):
            self.append(*[{"account": str(n)} for n in range(start, min(start + 100, count))], most=10_000)
        self.assertEqual([event.fields["account"] for event in self.read()], [str(n) for n in reversed(range(count))])
