"""The workloads by name, with their needs and their jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fishchat.proof.bench.spec import Job


@dataclass(frozen=True)
class Wish:
    """The options of the command; None is the workload's own value.

    :ivar rate: the rate of pairs; a topic gets a hundredth of it, since every message is delivered to all.
    """

    clients: int | None = None
    seconds: float = 4.0
    rate: float = 1000.0
    size: int = 100
    messages: int = 10_000


@dataclass(frozen=True)
class Workload:
    """One workload.

    :ivar unit: what is counted.
    :ivar servers: the number of msg_servers that it needs.
    :ivar clients: the default number of clients.
    :ivar make: returns the rest of the job.
    :ivar web: whether its clients speak WebSocket.
    :ivar restarts: whether it kills a msg_server, which is then restarted.
    """

    sentence: str
    unit: str
    clients: int
    make: Callable[[Wish], dict[str, Any]]
    servers: int = 1
    restarts: bool = False
    web: bool = False

    def job(self, wish: Wish, addresses: list[str], prefix: str, redis: str, roots: list[int]) -> Job:
        """Return the job for the generator."""
        clients = wish.clients or self.clients
        common: dict[str, Any] = {"seconds": wish.seconds, "size": wish.size, "redis": redis, "roots": roots}
        # Pairs need an even number of clients.
        common["clients"] = max(2, clients + clients % 2)
        return Job(addresses=addresses[: self.servers], prefix=prefix, web=self.web, **{**common, **self.make(wish)})


def _replay(wish: Wish) -> dict[str, Any]:
    return {"kind": "replay", "messages": wish.messages, "clients": 11}


#: In the order of running. ``idle`` is first: memory that other workloads have freed would hide its need.
WORKLOADS: dict[str, Workload] = {
    "idle": Workload("logged in and silent", "clients", 2000, lambda _: {"kind": "idle"}),
    "idle-web": Workload("logged in over WebSocket and silent", "clients", 2000, lambda _: {"kind": "idle"}, web=True),
    "p2p": Workload("pairs, as fast as they can", "messages", 500, lambda _: {"kind": "p2p"}),
    "p2p-rate": Workload("pairs, at a rate", "messages", 500, lambda wish: {"kind": "p2p", "rate": wish.rate}),
    "p2p-web": Workload(
        "pairs over WebSocket, as fast as they can", "messages", 500, lambda _: {"kind": "p2p"}, web=True
    ),
    "p2p-web-rate": Workload(
        "pairs over WebSocket, at a rate",
        "messages",
        500,
        lambda wish: {"kind": "p2p", "rate": wish.rate},
        web=True,
    ),
    "edit": Workload("pairs, of which one edits, as fast as it can", "operations", 500, lambda _: {"kind": "edit"}),
    "edit-rate": Workload(
        "pairs, of which one edits, at a rate", "operations", 500, lambda wish: {"kind": "edit", "rate": wish.rate}
    ),
    "react": Workload("pairs, of which one reacts, as fast as it can", "operations", 500, lambda _: {"kind": "react"}),
    "react-rate": Workload(
        "pairs, of which one reacts, at a rate", "operations", 500, lambda wish: {"kind": "react", "rate": wish.rate}
    ),
    "topic": Workload(
        "one writes to a topic, as fast as it can", "deliveries", 500, lambda _: {"kind": "topic", "window": 4}
    ),
    "topic-web": Workload(
        "one writes to a topic over WebSocket, as fast as it can",
        "deliveries",
        500,
        lambda _: {"kind": "topic", "window": 4},
        web=True,
    ),
    "topic-rate": Workload(
        "ten members of a topic write, at a rate",
        "deliveries",
        500,
        lambda wish: {"kind": "topic", "rate": wish.rate / 100, "senders": 10},
    ),
    "login": Workload("log in, each once", "logins", 2000, lambda _: {"kind": "login"}),
    "storm": Workload("lose their connections at once", "logins", 1000, lambda _: {"kind": "storm"}),
    "storm-kill": Workload(
        "their msg_server is killed", "logins", 1000, lambda _: {"kind": "storm"}, servers=2, restarts=True
    ),
    "replay": Workload("a device was away while others wrote", "messages", 11, _replay),
    "cross": Workload(
        "pairs on two msg_servers, as fast as they can", "messages", 500, lambda _: {"kind": "p2p"}, servers=2
    ),
    "cross-rate": Workload(
        "pairs on two msg_servers, at a rate",
        "messages",
        500,
        lambda wish: {"kind": "p2p", "rate": wish.rate},
        servers=2,
    ),
    "topic-cross": Workload(
        "two write to a topic from two msg_servers, as fast as they can",
        "deliveries",
        500,
        lambda _: {"kind": "topic", "window": 4, "senders": 2},
        servers=2,
    ),
}
