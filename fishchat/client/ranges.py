"""The ranges of messages that were not pushed (``RESP_BEHIND``), kept until the program has handled them. Pure."""

from __future__ import annotations

from fishchat.client.events import Behind
from fishchat.client.state import ClientState


class Ranges:
    """The ranges that are not handled yet; within a conversation they do not overlap."""

    def __init__(self) -> None:
        self._kept: list[Behind] = []

    def save(self, state: ClientState) -> None:
        """Write the ranges into ``state``."""
        for one in self._kept:
            state.behind.setdefault(one.conversation, []).append((one.first, one.last))

    def restore(self, state: ClientState) -> list[Behind]:
        """Continue with the ranges that an earlier program did not handle, and return them."""
        self._kept = [Behind(name, *ends) for name, ranges in state.behind.items() for ends in ranges]
        return list(self._kept)

    def told(self, range: Behind) -> list[Behind]:
        """Keep a range. Returns the parts of it that were not kept already."""
        parts = [range] if range.first <= range.last else []
        for kept in self._kept:
            if kept.conversation == range.conversation:
                parts = [rest for part in parts for rest in _without(part, kept)]
        self._kept += parts
        return parts

    def finish(self, range: Behind) -> None:
        """Forget a range, because it is handled. Raises ValueError for one that is not kept."""
        self._kept.remove(range)


def _without(part: Behind, kept: Behind) -> list[Behind]:
    """Return what is left of a range without another one of the same conversation."""
    below = Behind(part.conversation, part.first, min(part.last, kept.first - 1))
    above = Behind(part.conversation, max(part.first, kept.last + 1), part.last)
    return [one for one in (below, above) if one.first <= one.last]
