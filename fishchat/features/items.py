"""A message as an item of a list, for the client library: history, single messages, versions and pins. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fishchat.features.requests import text_of


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """A message of the past, with the text that stands now; ``time`` is in seconds since 1970.

    :ivar edited: the id of the edit by which the text stands; empty for a message that was never edited.
    :ivar reactions: reaction → how many accounts have given it. ``mine`` has those of one's own account.
    :ivar pinned: whether the message is pinned.
    :ivar recalled: the account that recalled the message; empty for all others. ``text`` is then only a sentence.
    :ivar reply: the id of the message that this one answers; empty if none.
    :ivar mention: the accounts that it mentions by its tag, or ``("all",)``.
    :ivar notice: whether it is an event from the server, and no message of an account.
    """

    id: str
    from_: str
    time: float
    text: str
    edited: str = ""
    reactions: Mapping[str, int] = field(default_factory=dict, hash=False)
    mine: tuple[str, ...] = ()
    pinned: bool = False
    recalled: str = ""
    reply: str = ""
    mention: tuple[str, ...] = ()
    notice: bool = False


def history_item(item: bytes, tags: Mapping[bytes, bytes]) -> HistoryItem:
    """Parse an item: ``<id> <from> <time in ms> <text>``. Raises ValueError or ProtocolError."""
    message_id, sender, when, text = item.split(b" ", 3)
    made = message_id.decode(), sender.decode(), int(when) / 1000, text_of(text, b"esc" in tags)
    if not tags:
        return HistoryItem(*made)

    def named(tag: bytes) -> str:
        return tags.get(tag, b"").decode("utf-8", "replace")

    return HistoryItem(
        *made,
        edited=named(b"edited"),
        reactions=sums_of(named(b"react")),
        mine=words_of(named(b"mine")),
        pinned=b"pinned" in tags,
        recalled=named(b"recalled"),
        reply=named(b"reply"),
        mention=words_of(named(b"mention")),
        notice=b"notice" in tags,
    )


def words_of(tag: str) -> tuple[str, ...]:
    """Return the words of a tag that are separated by commas."""
    return tuple(tag.split(",")) if tag else ()


def sums_of(tag: str) -> dict[str, int]:
    """Return reaction → how many accounts have given it. Raises ValueError."""
    sums = {}
    for one in words_of(tag):
        reaction, _, count = one.rpartition(":")
        if not reaction:
            raise ValueError(f"no sum of a reaction: {one!r}")
        sums[reaction] = int(count)
    return sums
