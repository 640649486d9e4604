"""Calls of the scripts that read profiles for lists."""

from __future__ import annotations

from fishchat.storage.ask import Ask
from fishchat.storage.packing import unpack
from fishchat.storage.script import script

#: The accounts of one step: a step takes less than 5 ms.
NAMED = 250

_NAMES = script("profiles/names")


def display_names(asker: bytes, accounts: list[bytes]) -> Ask[list[bytes]]:
    """Read the display names of up to ``NAMED`` accounts, in their order; empty if there is none for the asker."""
    return Ask(_NAMES, (asker, accounts), unpack)
