"""The scrub of the manager: once a day, if anything was erased."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from twisted.internet.interfaces import IReactorTime

from fishchat.config.schema import Config
from fishchat.interfaces import IStore
from fishchat.services.manager.rounds import Rounds
from fishchat.services.manager.scrub import Scrub, ScrubError
from fishchat.storage.scrub import calls

#: Seconds between two rounds, and from a scrub that failed to the next one.
EVERY = 60.0
AFTER_FAILURE = 3600.0


class NightlyScrub(Rounds):
    """Scrubs at the configured time of day, by the local clock.

    What was already erased when the manager starts is scrubbed at once if that time has passed since the last scrub.
    """

    def __init__(
        self, store: IStore, config: Config, clock: IReactorTime, wall: Callable[[], float] = time.time
    ) -> None:
        super().__init__(store, EVERY, clock)
        self._at = config.retention.scrub
        self._config = config
        self._wall = wall
        self._waiting = self._last = self._conversations = 0
        #: When there was nothing to scrub, in seconds since 1970: a time of day before that has been seen to.
        self._clean = 0.0
        self._failed_at: float | None = None

    def figures(self) -> dict[str, int]:
        """Return the figures of the heartbeat, as of the last round."""
        return {"unscrubbed": self._waiting, "scrubbed": self._conversations, "scrubbed_at": self._last}

    async def round(self) -> None:
        """Scrub if it is time."""
        await self._look()
        if self._is_time():
            await self._scrub()
            await self._look()

    async def _look(self) -> None:
        found = await calls.state(self._store)
        self._waiting, self._last = found.waiting, found.last
        if not found.is_due:
            self._clean = self._wall()

    def _is_time(self) -> bool:
        failed = self._failed_at
        if not self._at or (failed is not None and self._clock.seconds() - failed < AFTER_FAILURE):
            return False
        return max(self._clean, self._last / 1000) < latest(self._at, self._wall())

    async def _scrub(self) -> None:
        scrub = Scrub(self._store, self._clock, self._config, lambda: bool(self.running))
        try:
            done = await scrub.run()
        except ScrubError as error:
            self._failed_at = self._clock.seconds()
            self.log.warn("the scrub was not completed: {error}", error=str(error))
            return
        self._failed_at = None if done.complete else self._clock.seconds()
        self._conversations += done.conversations
        self.log.info(
            "scrubbed {conversations} conversations, {entries} entries; {postponed} wait for the next scrub",
            conversations=done.conversations,
            entries=done.entries,
            postponed=done.postponed,
        )


def latest(time_of_day: str, now: float) -> float:
    """Return the last moment that had this local time, ``hh:mm``. Times are in seconds since 1970."""
    hour, minute = map(int, time_of_day.split(":"))
    today = datetime.fromtimestamp(now).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (today if today.timestamp() <= now else today - timedelta(days=1)).timestamp()
