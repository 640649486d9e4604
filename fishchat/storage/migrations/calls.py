"""Calls of the scripts that change the format of the store."""

from __future__ import annotations

from fishchat.storage.ask import Ask, ignored
from fishchat.storage.script import script

_BEGIN = script("migrations/begin")
_FINISH = script("migrations/finish")
_TO_2 = script("migrations/to_2")


def begin(format: int) -> Ask[None]:
    """Record that the migration from this format has begun."""
    return Ask(_BEGIN, (format,), ignored)


def finish(earlier: int, next: int) -> Ask[None]:
    """Record that the migration from the earlier format is complete. Does nothing if another process did that."""
    return Ask(_FINISH, (earlier, next), ignored)


def to_2(conversations: list[bytes]) -> Ask[int]:
    """Move these conversations from format 1 to 2. Returns how many were changed; 0 in a store of format 2."""
    return Ask(_TO_2, (conversations,), int)
