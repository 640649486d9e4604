"""The key that hides which accounts exist."""

from __future__ import annotations

import os

from fishchat.interfaces import IStore


async def decoy_key(store: IStore) -> bytes:
    """The key from which salts are made for accounts that do not exist: 32 bytes, for all msg_servers and for ever.

    The first caller makes it. Fails as ``IStore.run`` does.
    """
    # Asked first: a full memory refuses even a SET that would change nothing.
    if await store.run("GET", "decoy") is None:
        await store.run("SET", "decoy", os.urandom(32), "NX")
    key: bytes = await store.run("GET", "decoy")
    return key
