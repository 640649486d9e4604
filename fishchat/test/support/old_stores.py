"""Stores made by earlier versions, with the answers that their clients received."""

from __future__ import annotations

import json
import lzma
from importlib.resources import files
from pathlib import Path
from typing import Any

from fishchat.test.support.redis_fixture import RedisServer

_STORES = files("fishchat.test.support") / "stores"

#: The content of the store of format 1: 40 accounts, 12 topics of which retention had trimmed the longer ones, a
#: deleted account, blocks, invitations, and 5,000 messages.
ACCOUNTS_MODE = "signup"


def put_format_1(directory: Path) -> None:
    """Write the files of a stopped Redis with a store of format 1 into ``directory``."""
    packed = (_STORES / "format-1.aof.xz").read_bytes()
    (directory / "appendonly.aof").write_bytes(lzma.decompress(packed))


def seen_in_format_1() -> dict[str, Any]:
    """Return, by account, its token for the device ``phone``, and the items of its lists and histories as sent."""
    seen: dict[str, Any] = json.loads(lzma.decompress((_STORES / "format-1.json.xz").read_bytes()))
    return seen


def format_1() -> RedisServer:
    """Return a running Redis with a store of format 1."""
    server = RedisServer(start=False)
    put_format_1(server.data)
    server.start()
    return server
