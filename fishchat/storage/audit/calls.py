"""The audit record in the store: appending, and reading from its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from fishchat.interfaces import IStore
from fishchat.model.audit import Event, ordered
from fishchat.storage.ask import Ask, ignored
from fishchat.storage.script import script

_APPEND = script("audit/append")
#: Events read in one step.
PAGE = 500


@dataclass(frozen=True)
class Recorded:
    """An event of the record: when it was recorded (ms since 1970), and its fields."""

    at: int
    fields: dict[str, str]


def append(events: Iterable[Event], most: int, lives: int = 0) -> Ask[None]:
    """Append events, and remove those beyond the ``most`` newest ones; with ``lives``, also those older than that (ms).

    Set ``lives`` only while the clock of the store is right: a clock that is ahead would remove everything.
    """
    flat = [[part for field in ordered(event) for part in field] for event in events]
    return Ask(_APPEND, (flat, most, lives), ignored)


async def newest_first(store: IStore, since: int = 0) -> AsyncIterator[Recorded]:
    """Yield the events since a time (ms since 1970), the newest one first."""
    upto = b"+"
    while True:
        entries = await store.run("XREVRANGE", "audit", upto, since, "COUNT", PAGE)
        for entry, flat in entries:
            words = [part.decode(errors="replace") for part in flat]
            yield Recorded(int(entry.partition(b"-")[0]), dict(zip(words[::2], words[1::2], strict=True)))
        if len(entries) < PAGE:
            return
        upto = b"(" + entries[-1][0]
