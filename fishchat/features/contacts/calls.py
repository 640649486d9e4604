"""Calls of the scripts by which accounts block each other and keep contacts."""

from __future__ import annotations

from fishchat.storage.ask import Ask, nothing
from fishchat.storage.packing import unpack
from fishchat.storage.script import script

_SET = script("contacts/set")
_LIST = script("contacts/list")

#: The relations that an account may have to another one.
BLOCKED, CONTACT = b"b", b"c"


def set_relation(account: bytes, other: bytes, kind: bytes, wanted: bool, most: int) -> Ask[None]:
    """Make another account ``BLOCKED`` or a ``CONTACT``, or end this. ``most`` limits an account's relations."""
    return Ask(_SET, (account, other, kind, wanted, most), nothing)


def related(account: bytes, kind: bytes) -> Ask[list[bytes]]:
    """List the accounts that an account has blocked, or its contacts, by name."""
    return Ask(_LIST, (account, kind), lambda packed: sorted(unpack(packed)))
