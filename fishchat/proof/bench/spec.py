"""The job of the generator, and the figures that it found: one JSON document each way."""

from __future__ import annotations

from typing import Literal

import msgspec

#: The greatest values that may be requested.
MOST_CLIENTS, MOST_SECONDS, MOST_RATE, MOST_MESSAGES = 20_000, 60.0, 50_000.0, 200_000
#: Seconds without progress after which a run is over, and its first seconds, which are not measured.
QUIET, WARM = 3.0, 1.0

Kind = Literal["p2p", "edit", "react", "topic", "idle", "login", "storm", "replay"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    :ivar addresses: client number ``n`` connects to address ``n`` modulo their count.
    :ivar prefix: the prefix of all accounts of this run, which nobody has used before.
    :ivar redis: the URL of the store in which accounts with tokens are made; empty if anybody may log in.
    :ivar roots: the server's processes; their descendants are found.
    :ivar rate: messages a second of all senders; 0 is as fast as they can.
    :ivar window: messages of a sender under way when it sends as fast as it can.
    :ivar talkers: the number of clients that talk in pairs while the others are silent; 0 is all.
    :ivar together: whether both clients of a pair are on the same server, each pair on the next one.
    :ivar senders: the number of members of the topic that send.
    :ivar messages: the number of messages, if it is not a matter of time.
    :ivar web: whether the clients speak WebSocket.
    :ivar kill: a process to be killed; if 0, a storm begins with cut connections.
    """

    kind: Kind
    addresses: list[str]
    prefix: str
    clients: int
    redis: str = ""
    roots: list[int] = []
    seconds: float = 4.0
    rate: float = 0.0
    window: int = 8
    size: int = 100
    talkers: int = 0
    together: bool = False
    senders: int = 1
    messages: int = 0
    web: bool = False
    kill: int = 0

    @property
    def warm(self) -> float:
        """The seconds at the beginning that are not measured."""
        return min(WARM, self.seconds)


class Figures(msgspec.Struct, kw_only=True):
    """The results of one run; None means not measured.

    :ivar count: the deliveries, logins or reconnections that were measured, in so many ``seconds``. :ivar rate: their
    number a second. :ivar sent: messages a second, if each is delivered more than once. :ivar cpu: microseconds of the
    servers' processor time for each of ``count``. :ivar p50: milliseconds; so are the others. :ivar memory: KiB of the
    servers for each client. :ivar share: the share of one core that the servers use while nothing happens. :ivar
    generator: the share of one core that the generator used. :ivar lost: deliveries that did not arrive; ``doubled``
    arrived twice, ``disorder`` out of order. :ivar refused: the number of ``ERR`` replies; ``refusal`` is the first
    one. :ivar back: seconds until the last client was logged in again.
    """

    clients: int = 0
    count: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    sent: float | None = None
    cpu: float | None = None
    p50: float | None = None
    p99: float | None = None
    p999: float | None = None
    memory: float | None = None
    share: float | None = None
    generator: float = 0.0
    lost: int = 0
    doubled: int = 0
    disorder: int = 0
    refused: int = 0
    refusal: str = ""
    back: float | None = None
    error: str = ""
