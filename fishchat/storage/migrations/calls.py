"""Calls of the scripts that change the format of the store."""

from __future__ import annotations

from fishchat.storage.ask import Ask
from fishchat.storage.script import script

_TO_2 = script("migrations/to_2")


def to_2(conversations: list[bytes]) -> Ask[int]:
    """Move these conversations from format 1 to 2. Returns how many were changed."""
    return Ask(_TO_2, (conversations,), int)
