"""The sorted names of a topic's members, kept for a moment while clients page through a large topic."""

from __future__ import annotations

from dataclasses import dataclass

from fishchat.features.engine import ICall
from fishchat.features.topics import calls

#: Topics whose names are kept, and for how many seconds.
KEPT = 4
LIFE = 10.0


@dataclass(frozen=True)
class _Kept:
    version: int
    names: list[bytes]
    until: float


class MemberNames:
    """Reads the names of members.

    The store cannot list them in order, so a page needs all names. Those of a large topic are kept: the next page then
    asks only whether the membership version is still the same.
    """

    def __init__(self, call: ICall) -> None:
        self._call = call
        self._topics: dict[bytes, _Kept] = {}

    async def of(self, account: bytes, topic: bytes, now: float) -> list[bytes]:
        """Return the sorted names for ``account``, a member; ``now`` is in seconds."""
        kept = self._topics.get(topic)
        if kept is not None and kept.until <= now:
            kept = None
        first = await self._call(calls.member_names(account, topic, b"0", kept.version if kept else -1))
        if kept is not None and kept.version == first.version:
            return kept.names
        names = set(first.names)
        page = first
        while page.cursor != b"0":
            page = await self._call(calls.member_names(account, topic, page.cursor))
            names.update(page.names)
        found = sorted(names)
        # The names of a small topic take a single call, with or without this.
        if page is not first and page.version == first.version:
            self._keep(topic, _Kept(page.version, found, now + LIFE), now)
        return found

    def _keep(self, topic: bytes, kept: _Kept, now: float) -> None:
        topics = {name: each for name, each in self._topics.items() if each.until > now and name != topic}
        while len(topics) >= KEPT:
            del topics[next(iter(topics))]
        self._topics = {**topics, topic: kept}
