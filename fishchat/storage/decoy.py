"""The key that hides which accounts exist."""

from __future__ import annotations

import os

from fishchat.interfaces import IStore


async def decoy_key(store: IStore) -> bytes:
    """Return the key that makes salts for accounts that do not exist: 32 bytes, permanent, for all msg_servers.

    The first caller creates it. Fails as ``IStore.run`` does.
    """
    # Read first: a full memory refuses even a SET that would change nothing.
    if await store.run("GET", "decoy") is None:
        await store.run("SET", "decoy", os.urandom(32), "NX")
    key: bytes = await store.run("GET", "decoy")
    return key
