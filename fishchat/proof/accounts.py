"""Accounts with tokens for clients of the lab and of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.python.failure import Failure

from fishchat.features.accounts.administration import Accounts
from fishchat.storage.redis import Connection, parse_url
from fishchat.storage.script import script

#: Accounts that are made at the same time; seconds to connect; days without a login after which a token ends; and the
#: greatest number of devices of an account.
AT_ONCE, CONNECT, DAYS, DEVICES = 500, 10.0, 1.0, 2
#: The device of a client that has only one.
DEVICE = b"main"


async def make_accounts(reactor: Any, url: str, names: Sequence[bytes]) -> list[bytes]:
    """Make accounts without passwords; return a token for the device ``main`` of each."""
    return await make_devices(reactor, url, [(name, DEVICE) for name in names])


async def make_devices(reactor: Any, url: str, devices: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Make the accounts of these devices, ``main`` first, and return a token for each device. Raises Refusal."""
    connection = Connection(
        parse_url(url), scripts=(script("accounts/create"), script("accounts/issue_token")), reactor=reactor
    )
    connection.startService()
    tokens: list[bytes] = []
    try:
        await connection.when_connected().addTimeout(CONNECT, reactor)
        accounts = Accounts(connection, DAYS)

        async def make(name: bytes, device: bytes) -> bytes:
            if device == DEVICE:
                await accounts.add(name, None)
            return await accounts.grant(name, device, DEVICES)

        for start in range(0, len(devices), AT_ONCE):
            made = [ensureDeferred(make(*device)) for device in devices[start : start + AT_ONCE]]
            for _, token in await DeferredList(made, consumeErrors=True):
                if isinstance(token, Failure):
                    token.raiseException()
                tokens.append(token)
    finally:
        await connection.stopService()
    return tokens
