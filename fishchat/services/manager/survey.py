"""What retention would remove, and whether the clocks can be believed. Nothing is removed here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from fishchat.config.schema import Keep, Retention
from fishchat.interfaces import IStore
from fishchat.model.names import kind
from fishchat.storage.logs.calls import survey, trim

#: 2020-01-01 00:00 UTC in ms. FishChat is younger, so a clock that shows an earlier time was not set.
EARLIEST = 1_577_836_800_000
#: Seconds that this machine's clock and Redis' may differ.
APART = 60
#: Conversations that one call examines, and entries that one step of removing examines.
SURVEY_STEP = 20
TRIM_STEP = 250


@dataclass
class Survey:
    """What one round of retention would do.

    :ivar now: Redis' time in ms, the only clock by which messages age.
    :ivar apart: seconds by which this machine's clock is ahead of Redis'.
    :ivar later: conversations whose last message has a time after ``now``.
    :ivar due: how many entries would be removed, by conversation; never too low.
    """

    retention: Retention
    now: int
    apart: float
    conversations: int = 0
    entries: int = 0
    later: int = 0
    due: dict[bytes, int] = field(default_factory=dict)

    @property
    def removable(self) -> int:
        """The number of entries that would be removed."""
        return sum(self.due.values())

    def oldest(self, keep: Keep) -> int:
        """Return the time in ms from which on messages are kept."""
        return int(self.now - keep.days * 86_400_000)

    def objection(self) -> str:
        """Return why nothing should be removed without a person's consent; empty if nothing speaks against it."""
        if abs(self.apart) > APART:
            return (
                f"this machine's clock and Redis' clock are {abs(self.apart):.0f} s apart; set both, for example by NTP"
            )
        if self.now < EARLIEST or self.later * 2 > self.conversations:
            return f"Redis' clock says {shown(self.now)}, which is before the stored messages; set the clock"
        if self.removable * 2 > self.entries:
            return (
                f"{self.removable} of {self.entries} messages would go, more than half; check the clock and the"
                " `retention` of the configuration"
            )
        return ""


async def look(store: IStore, retention: Retention, wall: Callable[[], float]) -> Survey:
    """Examine all conversations, in steps."""
    seconds, micros = await store.run("TIME")
    now = int(seconds) * 1000 + int(micros) // 1000
    found = Survey(retention, now, wall() - now / 1000)
    cursor = b"0"
    while True:
        cursor, keys = await store.run("SCAN", cursor, "MATCH", "log:*", "COUNT", 100)
        kinds: defaultdict[str, list[bytes]] = defaultdict(list)
        for key in keys:
            kinds[kind(key[4:])].append(key[4:])
        for one, names in kinds.items():
            for start in range(0, len(names), SURVEY_STEP):
                await _look_at(store, found, getattr(retention, one), names[start : start + SURVEY_STEP])
        if cursor == b"0":
            return found


async def _look_at(store: IStore, found: Survey, keep: Keep, names: list[bytes]) -> None:
    for name, each in zip(names, await survey(names, EARLIEST, found.oldest(keep), keep.count).of(store), strict=True):
        found.conversations += each.entries > 0
        found.entries += each.entries
        found.later += each.last > found.now + APART * 1000
        if each.due:
            found.due[name] = each.due


async def remove(store: IStore, found: Survey, conversation: bytes, goes_on: Callable[[], bool]) -> int:
    """Remove what is due in one conversation, in steps. Return how many entries were removed."""
    keep: Keep = getattr(found.retention, kind(conversation))
    removed, more = 0, True
    while more and goes_on():
        step, more = await trim(conversation, EARLIEST, found.oldest(keep), keep.count, TRIM_STEP).of(store)
        removed += step
    return removed


def shown(ms: int) -> str:
    """Format a time of Redis' clock."""
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
