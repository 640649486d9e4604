"""Removes old messages, events and reports: by age, then by count, and only if the clocks can be believed."""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from fishchat.config.schema import Retention
from fishchat.features.reports.calls import trim
from fishchat.interfaces import IStore
from fishchat.services.manager.rounds import Rounds
from fishchat.services.manager.survey import APART, Survey, look, remove
from fishchat.storage.audit.calls import append
from fishchat.storage.packing import days_in_ms

#: Seconds after which the same objection is logged again.
REMIND = 86400.0


class Trimmer(Rounds):
    """Trims all conversations."""

    def __init__(
        self, store: IStore, retention: Retention, clock: IReactorTime, wall: Callable[[], float] = time.time
    ) -> None:
        super().__init__(store, retention.every, clock)
        self._retention = retention
        self._wall = wall
        #: Entries removed since the start.
        self.removed = 0
        self._objected: float | None = None

    async def round(self) -> None:
        """Trim every conversation, unless a clock seems wrong or more than half of all messages would go."""
        found = await self.look()
        if objection := found.objection():
            self._object(objection)
            return
        self._objected = None
        await self.remove(found)

    async def look(self) -> Survey:
        """Return what is due now."""
        return await look(self._store, self._retention, self._wall)

    async def remove(self, found: Survey) -> None:
        """Remove what is due, and log how much that was."""
        removed = conversations = 0
        try:
            for conversation in found.due:
                step = await remove(self._store, found, conversation, lambda: bool(self.running))
                self.removed += step
                removed += step
                conversations += step > 0
        finally:
            if removed:
                self.log.info(
                    "retention removed {removed} messages from {conversations} of {all} conversations",
                    removed=removed,
                    conversations=conversations,
                    all=found.conversations,
                )

    def _object(self, objection: str) -> None:
        now = self._clock.seconds()
        if self._objected is None or now - self._objected >= REMIND:
            self._objected = now
            self.log.warn(
                "retention removes nothing: {objection}. `fishchat retention` shows what is due, and"
                " `fishchat retention --now` removes it in any case",
                objection=objection,
            )


class AuditTrimmer(Rounds):
    """Removes events of the audit record by their age, and reports by their age and number.

    Events are removed by their number when servers write them.
    """

    def __init__(
        self, store: IStore, retention: Retention, clock: IReactorTime, wall: Callable[[], float] = time.time
    ) -> None:
        super().__init__(store, retention.every, clock)
        self._keep = retention.audit
        self._reports = retention.reports
        self._wall = wall

    async def round(self) -> None:
        """Remove what is too old, unless the clocks differ: then the retention of messages logs it."""
        seconds, _ = await self._store.run("TIME")
        agree = abs(self._wall() - int(seconds)) <= APART
        if agree:
            await append((), self._keep.count, days_in_ms(self._keep.days)).of(self._store)
        await trim(self._reports.count, days_in_ms(self._reports.days) if agree else 0).of(self._store)
