"""Connections to the Redis of a configuration, embedded or external."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fishchat.config.paths import redis_url
from fishchat.config.schema import Config
from fishchat.services.redis.credentials import credentials
from fishchat.storage.redis import Connection, Script, Subscriber, parse_url
from fishchat.storage.trouble import Trouble


class Access:
    """Makes connections without starting them. StartError when a file that ``config.redis`` names is unusable."""

    def __init__(self, config: Config, reactor: Any, clock: Any = None) -> None:
        self.address = parse_url(redis_url(config))
        self._options: dict[str, Any] = {
            "timeout": config.redis.timeout,
            "reactor": reactor,
            "clock": clock or reactor,
            "trouble": Trouble(clock or reactor),
            **credentials(config.redis),
        }

    def connection(self, scripts: Sequence[Script] = ()) -> Connection:
        """Return a connection for commands and these scripts."""
        return Connection(self.address, scripts=scripts, **self._options)

    def subscriber(self) -> Subscriber:
        """Return a connection for subscriptions."""
        return Subscriber(self.address, **self._options)
