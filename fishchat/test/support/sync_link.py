"""A client's connection in the world of ``sync_world``: the server's transport and the wire behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReactorTime
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from fishchat.test.support.sync_oracle import Login, Stored

#: The other side is gone.
END = b""


class Listener(Protocol):
    """Whose connection it is: a client; ``link`` is the one that it uses now."""

    link: Link | None

    def written(self, link: Link, line: str) -> None:
        """The server has written a line."""

    def heard(self, link: Link, line: str) -> None:
        """It has arrived."""

    def ended(self, link: Link) -> None:
        """The server has closed the connection."""


@dataclass
class Sent:
    """A message that its sender has not given up.

    :ivar cseq: None without a number.
    :ivar on: the connection on which it was last sent and not yet answered.
    """

    conversation: str
    text: str
    cseq: int | None
    on: Link | None = None


@dataclass
class Asked:
    """A command that waits for its final reply."""

    verb: str
    sent: Sent | None = None
    done: Callable[[str], None] | None = None


class Link(StringTransport):
    """What is under way in both directions, and what was asked.

    :ivar found: what the login on this connection found in the store.
    :ivar server: the name of the server.
    :ivar pushed: conversation → what was written on this connection, in order.
    :ivar gaps: conversations with a RESP_GAP since the last message.
    :ivar early: whether something was acknowledged before it was given on this connection.
    """

    def __init__(self, device: Listener, protocol: Any, clock: IReactorTime, found: Callable[[], Login | None]) -> None:
        super().__init__()
        self.device = device
        self.protocol = protocol
        self.clock = clock
        self.found = found
        self.to_server: deque[bytes] = deque()
        self.to_client: deque[bytes] = deque()
        self.asked: deque[Asked] = deque()
        self.listing = False
        self.server = ""
        self.online = self.synced = False
        self.reading = True
        self.left = self.over = self.early = False
        self.pushed: dict[str, list[Stored]] = {}
        self.gaps: set[str] = set()

    # -- the server's side

    def write(self, data: bytes) -> None:
        """On its way to the client."""
        assert data.endswith(b"\r\n")
        if self.over or self.disconnecting:
            return
        for line in data[:-2].split(b"\r\n"):
            if not self.left:
                self.to_client.append(line)
            self.device.written(self, line.decode())

    def pauseProducing(self) -> None:
        """The server does not read."""
        self.reading = False

    def resumeProducing(self) -> None:
        """It reads again."""
        self.reading = True

    def loseConnection(self) -> None:
        """The server closes; both sides notice in time."""
        if not self.disconnecting:
            self.disconnecting = True
            self.to_client.append(END)
            self.clock.callLater(0, self._lost, ConnectionDone())

    def abortConnection(self) -> None:
        """The server cuts it off."""
        self.to_client.clear()
        self.loseConnection()

    def _lost(self, reason: Exception) -> None:
        if not self.over:
            self.over = True
            self.to_server.clear()
            # What was to be written at the end of this turn counts as written, for a person who has just gone.
            for line in self.protocol.gathered.splitlines():
                self.device.written(self, line.decode())
            self.protocol.connectionLost(Failure(reason))

    # -- the client's side

    def say(self, line: str, asked: Asked | None = None) -> None:
        """On its way to the server."""
        if not self.over:
            self.to_server.append(line.encode() + b"\r\n")
            if asked is not None:
                self.asked.append(asked)

    def arrive(self) -> None:
        """The server gets the next line, or learns that the client has gone."""
        if not self.to_server or not self.reading or self.over:
            return
        line = self.to_server.popleft()
        if line is END:
            self._lost(ConnectionLost())
        elif not self.disconnecting:
            self.protocol.dataReceived(line)

    def leave(self, clean: bool) -> None:
        """The client goes; what it said last may be lost."""
        self.left = True
        self.to_client.clear()
        if not clean:
            self.to_server.clear()
        self.to_server.append(END)

    def vanish(self) -> None:
        """The server is no more; it wrote what it wrote."""
        self.over = True
        self.to_server.clear()
        self.to_client.append(END)

    def hear(self) -> None:
        """The client reads the next line."""
        if not self.to_client:
            return
        line = self.to_client.popleft()
        if line is END:
            self.device.ended(self)
        else:
            self.device.heard(self, line.decode())
