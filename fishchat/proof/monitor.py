"""The servers of a FishChat, as its monitor shows them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.task import deferLater
from twisted.web.client import Agent, HTTPConnectionPool, readBody

#: Seconds for an answer of the monitor, and between two questions.
ANSWER, EVERY = 2.0, 0.05


async def shown_by_monitor(reactor: Any, port: int) -> list[dict[str, Any]]:
    """Return what the monitor shows of each server that is alive; nothing if it cannot be asked."""
    pool = HTTPConnectionPool(reactor, persistent=False)
    url = b"http://127.0.0.1:%d/servers" % port
    try:
        response = await Agent(reactor, pool=pool).request(b"GET", url).addTimeout(ANSWER, reactor)
        body = await readBody(response).addTimeout(ANSWER, reactor)
        servers = json.loads(body)["servers"]
    except Exception:
        # It has not started yet, or was killed while it answered.
        return []
    return [server for server in servers if server["state"] == "alive"]


async def heard_by_monitor(reactor: Any, port: int) -> dict[str, int]:
    """Return the processes that the monitor shows as alive, by name; none if it cannot be asked."""
    return {name_of(one): one["pid"] for one in await shown_by_monitor(reactor, port)}


def name_of(shown: dict[str, Any]) -> str:
    """Return the process of `fishchat up --processes` that is a msg_server, and the role of any other server."""
    if shown["role"] != "msg_server":
        return str(shown["role"])
    # With an external Redis the name of the machine follows.
    return str(shown["id"]).partition("-")[0]


async def heard_of(reactor: Any, port: int, enough: Callable[[dict[str, int]], bool], seconds: float) -> None:
    """Wait until ``enough`` accepts the processes that the monitor shows; AssertionError after ``seconds``."""
    deadline = reactor.seconds() + seconds
    while not enough(heard := await heard_by_monitor(reactor, port)):
        assert reactor.seconds() < deadline, f"after {seconds} s the monitor shows only {sorted(heard)}"
        await deferLater(reactor, EVERY)
