"""The first person's way in: an invitation where a login needs an account, and there is none yet."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from fishchat.config.schema import Config
from fishchat.features.accounts.administration import CODE_MINUTES, Accounts
from fishchat.services.launch.banner import page_address
from fishchat.services.redis.access import Access
from fishchat.storage.audit.calls import append
from fishchat.storage.redis import Connection, StoreError
from fishchat.web import static_directory

log = Logger()


async def invitation(config: Config, reactor: Any) -> str:
    """Return the code of an invitation for one account, which ends after ten minutes; empty if none is needed.

    It needs the pages, because it is shown as a link. A store that fails makes none: everything else runs without it.
    """
    if config.accounts.mode == "open" or not page_address(config) or static_directory() is None:
        return ""
    connection = Access(config, reactor).connection()
    connection.startService()
    try:
        await connection.when_connected()
        return await _invited(connection, config)
    except StoreError as error:
        log.warn("there is no invitation for the first account: {error}", error=error)
        return ""
    finally:
        await connection.stopService()


async def _invited(connection: Connection, config: Config) -> str:
    async def record(action: str, account: bytes, **fields: Any) -> None:
        event = {"kind": "admin", "by": "fishchat up", "action": action, "account": account, **fields}
        await append([event], config.retention.audit.count).of(connection)

    accounts = Accounts(connection, config.accounts.token_days, record)
    async for _ in accounts.names():
        return ""
    return (await accounts.invite(1, CODE_MINUTES / (24 * 60))).decode()
