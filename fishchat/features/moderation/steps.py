"""Work of several calls: room for one more ban or mute, and the list of the banned accounts."""

from __future__ import annotations

from fishchat.errors import Refusal
from fishchat.features.engine import ICall
from fishchat.features.moderation import calls
from fishchat.features.moderation.calls import Actor, Ban, Change
from fishchat.storage.ask import Ask


async def with_room(call: ICall, ask: Ask[Change], topic: bytes, which: bytes) -> Change:
    """Ban or mute by ``ask``; if there are too many, remove those that have lapsed and ask again.

    Fails with the Refusal.
    """
    try:
        return await call(ask)
    except Refusal as refusal:
        if refusal.word != "FULL":
            raise
    cursor = b"0"
    while (cursor := await call(calls.lapse(topic, which, cursor))) != b"0":
        pass
    return await call(ask)


async def all_banned(call: ICall, by: Actor, topic: bytes) -> list[Ban]:
    """List the accounts that are banned from a topic, by name. Fails with the Refusal."""
    found: dict[bytes, Ban] = {}
    cursor, page = await call(calls.list_banned(by, topic, b"0"))
    while True:
        found.update((ban.account, ban) for ban in page)
        if cursor == b"0":
            return [found[account] for account in sorted(found)]
        cursor, page = await call(calls.list_banned(by, topic, cursor))
