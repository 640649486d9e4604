"""What the generator is told to do, and what it found: one JSON document each way."""

from __future__ import annotations

from typing import Literal

import msgspec

#: What may be asked for at most, whatever is under test.
MOST_CLIENTS, MOST_SECONDS, MOST_RATE, MOST_MESSAGES = 20_000, 60.0, 50_000.0, 200_000
#: Seconds without any news after which a run is over, and its first seconds, which are not measured.
QUIET, WARM = 3.0, 1.0

Kind = Literal["p2p", "topic", "idle", "login", "storm", "replay"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    :ivar addresses: client number ``n`` connects to address ``n`` modulo their count.
    :ivar prefix: what all accounts of this run begin with; nobody has used it before.
    :ivar redis: where accounts with tokens are made; nothing where anybody may log in.
    :ivar roots: the server's processes; what they have started is found.
    :ivar rate: messages a second in all; 0: as fast as it goes.
    :ivar window: messages of a sender under way, when it goes as fast as it can.
    :ivar talkers: how many of the clients talk in pairs, the others being silent; 0: all.
    :ivar together: whether both of a pair are on the same server, each pair on the next one.
    :ivar senders: how many members of the topic write.
    :ivar messages: how many, when it is not a matter of time.
    :ivar kill: a process to be killed; when 0, a storm begins with cut connections.
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
    kill: int = 0

    @property
    def warm(self) -> float:
        """Seconds at the beginning that are not measured."""
        return min(WARM, self.seconds)


class Figures(msgspec.Struct, kw_only=True):
    """What came of it; None is what was not measured.

    :ivar count: deliveries, logins or returns that were measured, in so many ``seconds``.
    :ivar rate: of those a second.
    :ivar sent: messages a second, where each is delivered more than once.
    :ivar cpu: microseconds of the servers' processor time for each of ``count``.
    :ivar p50: milliseconds; so are the others.
    :ivar memory: KiB of the servers for each client.
    :ivar share: of one core that the servers use while nothing happens.
    :ivar generator: the share of one core that the generator used itself.
    :ivar lost: deliveries that did not come; ``doubled`` came twice, ``disorder`` not in their turn.
    :ivar refused: ``ERR`` replies; ``refusal`` is the first one.
    :ivar back: seconds until the last one was back.
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
