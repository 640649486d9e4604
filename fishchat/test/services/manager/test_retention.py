"""Rounds of retention that remove nothing, because a clock may be wrong or too much would go."""

from __future__ import annotations

import time

from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from fishchat.services.manager.retention import REMIND, Trimmer
from fishchat.services.manager.survey import EARLIEST
from fishchat.test.support.cluster import ClusterCase

DAY = 86400.0


class Rounds(ClusterCase):
    """Nothing goes unless the clocks can be believed, and what went is logged."""

    async def begin(self, *, wall: float = 0.0) -> None:
        """A manager whose machine's clock is ``wall`` seconds ahead of Redis'."""
        self.notes: list[LogEvent] = []

        @implementer(ILogObserver)
        def note(event: LogEvent) -> None:
            self.notes.append(event)

        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        self.cluster_ = await self.cluster(servers=0, routers=0, managers=1)
        self.clock = Clock()
        store = self.cluster_.roles["manager1"].parts.speaker
        self.trimmer = Trimmer(store, self.cluster_.config.retention, self.clock, lambda: time.time() + wall)
        self.trimmer.startService()
        self.addCleanup(self.trimmer.stopService)

    def fill(self, conversation: str, *ages: float) -> None:
        """Messages of so many days ago in a conversation, the oldest first."""
        redis = self.cluster_.redis
        now = int(redis.command("TIME")[0])
        for number, age in enumerate(ages, 1):
            stamp = int((now - age * DAY) * 1000)
            redis.command("XADD", f"log:{conversation}", f"1-{number}", "t", stamp, "m", "a main -1 - x")

    def left(self) -> int:
        """How many messages there are."""
        redis = self.cluster_.redis
        return sum(redis.command("XLEN", key) for key in redis.command("KEYS", "log:*"))

    def objections(self) -> list[str]:
        """The objections that were logged as warnings since the last call."""
        found = [str(note["objection"]) for note in self.notes if note.get("objection")]
        self.assertTrue(all(note["log_level"] is LogLevel.warn for note in self.notes if note.get("objection")))
        self.notes.clear()
        return found

    async def test_removed_is_logged(self) -> None:
        """An ordinary round removes what is old, and logs how much that was."""
        await self.begin()
        self.fill("alice+bob", 500, 400, 3, 2, 1)
        self.fill("#fishing", 3, 2, 1)
        await self.trimmer.round()
        self.assertEqual((self.left(), self.trimmer.removed), (6, 2))
        [note] = [note for note in self.notes if "removed" in note]
        self.assertEqual((note["removed"], note["conversations"], note["all"]), (2, 1, 2))

    async def test_first_day(self) -> None:
        """An empty store, and one in which everything is new, cause no objection."""
        await self.begin()
        await self.trimmer.round()
        self.fill("alice+bob", 0.1, 0)
        await self.trimmer.round()
        self.assertEqual((self.objections(), self.left()), ([], 2))

    async def apart(self, wall: float) -> None:
        """Check that nothing is removed while the manager's clock is ahead or behind, and that the log says so."""
        await self.begin(wall=wall)
        self.fill("alice+bob", 400, 1, 1, 1)
        await self.trimmer.round()
        self.assertEqual(self.left(), 4)
        [objection] = self.objections()
        self.assertRegex(objection, "clocks? .* [0-9]+ s apart; set both")

    async def test_manager_ahead(self) -> None:
        """While the manager's clock is ahead of Redis', nothing is removed."""
        await self.apart(800 * DAY)

    async def test_manager_behind(self) -> None:
        """While the manager's clock is behind Redis', nothing is removed."""
        await self.apart(-70)

    async def test_both_clocks_ahead(self) -> None:
        """When the one clock of both is years ahead, everything seems old: nothing is removed."""
        await self.begin()
        self.fill("alice+bob", 800, 800, 800)
        self.fill("#fishing", 801, 1)
        await self.trimmer.round()
        self.assertEqual(self.left(), 5)
        self.assertIn("4 of 5 messages would go", self.objections()[0])

    async def test_half_may_go(self) -> None:
        """Half of the messages is not too much."""
        await self.begin()
        self.fill("alice+bob", 400, 399, 2, 1)
        await self.trimmer.round()
        self.assertEqual((self.objections(), self.left()), ([], 2))

    async def test_clock_went_back(self) -> None:
        """When Redis' time is before the last messages, nothing is removed."""
        await self.begin()
        self.fill("alice+bob", 400, 2, 1, 0, -400)
        await self.trimmer.round()
        self.assertEqual(self.left(), 5)
        self.assertIn("which is before the stored messages; set the clock", self.objections()[0])

    async def test_clock_was_ahead_once(self) -> None:
        """A few messages with a time in the future, of a clock that is right again, do not end retention for years."""
        await self.begin()
        self.fill("alice+bob", 400, 2, 1)
        self.fill("alice+carol", -800)
        self.fill("#fishing", 2, 1, 0)
        await self.trimmer.round()
        self.assertEqual((self.objections(), self.left()), ([], 6))

    async def test_clock_without_battery(self) -> None:
        """Messages that were stored in 1970, before the clock was set, are not taken for old ones."""
        await self.begin()
        redis = self.cluster_.redis
        redis.command("XADD", "log:alice+bob", "1-1", "t", 300_000, "m", "a main -1 - x")
        self.fill("#fishing", 400, 2, 1)
        await self.trimmer.round()
        self.assertEqual((self.objections(), self.left()), ([], 3))
        self.assertEqual(redis.command("XLEN", "log:alice+bob"), 1)
        self.assertLess(300_000, EARLIEST)

    async def test_once_a_day(self) -> None:
        """An objection is repeated daily, not with every round, and again when it returns."""
        await self.begin()
        self.fill("alice+bob", 800)
        for _ in range(3):
            await self.trimmer.round()
        self.assertEqual(len(self.objections()), 1)
        self.clock.advance(REMIND)
        await self.trimmer.round()
        self.assertEqual(len(self.objections()), 1)
        self.fill("#fishing", 1)
        await self.trimmer.round()
        self.assertEqual((self.objections(), self.left()), ([], 1))
        self.cluster_.redis.command("DEL", "log:#fishing")
        self.fill("alice+carol", 800)
        await self.trimmer.round()
        self.assertEqual(len(self.objections()), 1)

    async def test_many_conversations(self) -> None:
        """More than one step examines."""
        await self.begin()
        for number in range(150):
            self.fill(f"alice+user{number}", 400, 1)
        await self.trimmer.round()
        self.assertEqual(self.left(), 150)
