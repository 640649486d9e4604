"""Problems with Redis in the log: neither one line for each connection, nor silence for ever."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import LogEvent, Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from fishchat.config.schema import Config, Redis
from fishchat.services.redis.access import Access
from fishchat.storage.trouble import AGAIN, Trouble


class Reports(SynchronousTestCase):
    def setUp(self) -> None:
        self.told: list[str] = []
        self.clock = Clock()
        self.trouble = Trouble(self.clock)

    def observe(self, event: LogEvent) -> None:
        """Note the text of an event."""
        self.told.append(formatEvent(event))

    def report(self, why: str) -> None:
        """Report a problem as a connection does."""
        self.trouble.report(Logger(observer=self.observe), "Redis is away: {why}", why=why)  # type: ignore[arg-type]

    def test_once(self) -> None:
        """Several connections have one problem: that is one line; another problem is another one."""
        for why in ("refused", "refused", "wrong {password}", "refused"):
            self.report(why)
        self.assertEqual(self.told, ["Redis is away: refused", "Redis is away: wrong {password}"])

    def test_each_minute(self) -> None:
        """While a problem lasts, it is logged once a minute."""
        for _ in range(150):
            self.report("refused")
            self.clock.advance(1)
        self.assertEqual(len(self.told), 3)
        self.clock.advance(AGAIN)
        self.report("refused")
        self.assertEqual(len(self.told), 4)

    def test_shared(self) -> None:
        """All connections of a process report to one place."""
        access = Access(Config(redis=Redis(url="redis://127.0.0.1:1")), self.clock)
        links = [access.connection(), access.connection(), access.subscriber()]
        self.assertEqual(len({id(link._trouble) for link in links}), 1)
