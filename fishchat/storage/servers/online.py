"""The devices that are connected now, by the sessions in the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from fishchat.interfaces import IStore

#: Devices read in one step.
PAGE = 200


@dataclass(frozen=True)
class Online:
    """A connected device: its server, and since when (ms since 1970)."""

    account: str
    device: str
    server: str
    since: int


async def online(store: IStore) -> AsyncIterator[Online]:
    """Yield every device that is connected, server by server, unordered; one may appear twice."""
    servers = await store.run("HGETALL", "servers")
    for server, incarnation in zip(servers[::2], servers[1::2], strict=True):
        cursor = b"0"
        while True:
            cursor, keys = await store.run("SSCAN", b"on:%s:%s" % (server, incarnation), cursor, "COUNT", PAGE)
            for key in keys:
                account, _, device = key.partition(b"/")
                since = await store.run("HGET", b"seen:" + account, device)
                yield Online(account.decode(), device.decode(), server.decode(), int(since or 0))
            if cursor == b"0":
                break
