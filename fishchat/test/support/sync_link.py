"""A client's connection in the world of ``sync_world``: the server's transport, and the wire to the client."""

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

#: The other side has disconnected.
END = b""


class Listener(Protocol):
    """The client of a connection; ``link`` is its current connection."""

    link: Link | None

    def written(self, link: Link, line: str) -> None:
        """Take note of a line that the server has written."""

    def heard(self, link: Link, line: str) -> None:
        """Take a line that has arrived."""

    def ended(self, link: Link) -> None:
        """Take note that the server has closed the connection."""


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
    """The lines under way in both directions, and the commands without a reply.

    :ivar found: the stored data that the login on this connection found.
    :ivar server: the name of the server.
    :ivar pushed: conversation → messages written on this connection, in order.
    :ivar gaps: conversations with a RESP_GAP since the last message.
    :ivar told: RESP_BEHIND → the messages that it passed over.
    :ivar early: whether a message was acknowledged before it was pushed on this connection.
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
        self.told: dict[str, list[Stored]] = {}

    # -- the server's side

    def write(self, data: bytes) -> None:
        """Put data on the wire to the client."""
        assert data.endswith(b"\r\n")
        if self.over or self.disconnecting:
            return
        for line in data[:-2].split(b"\r\n"):
            if not self.left:
                self.to_client.append(line)
            self.device.written(self, line.decode())

    def pauseProducing(self) -> None:
        """Stop reading at the server."""
        self.reading = False

    def resumeProducing(self) -> None:
        """Resume reading at the server."""
        self.reading = True

    def loseConnection(self) -> None:
        """Close by the server; both sides notice later."""
        if not self.disconnecting:
            self.disconnecting = True
            self.to_client.append(END)
            self.clock.callLater(0, self._lost, ConnectionDone())

    def abortConnection(self) -> None:
        """Abort by the server."""
        self.to_client.clear()
        self.loseConnection()

    def _lost(self, reason: Exception) -> None:
        if not self.over:
            self.over = True
            self.to_server.clear()
            # Lines for the end of this turn count as written, for a person who has just disconnected.
            for line in self.protocol.gathered.splitlines():
                self.device.written(self, line.decode())
            self.protocol.connectionLost(Failure(reason))

    # -- the client's side

    def say(self, line: str, asked: Asked | None = None) -> None:
        """Put a line on the wire to the server."""
        if not self.over:
            self.to_server.append(line.encode() + b"\r\n")
            if asked is not None:
                self.asked.append(asked)

    def arrive(self) -> None:
        """Deliver the next line, or the disconnection, to the server."""
        if not self.to_server or not self.reading or self.over:
            return
        line = self.to_server.popleft()
        if line is END:
            self._lost(ConnectionLost())
        elif not self.disconnecting:
            self.protocol.dataReceived(line)

    def leave(self, clean: bool) -> None:
        """Disconnect the client; its last lines may be lost."""
        self.left = True
        self.to_client.clear()
        if not clean:
            self.to_server.clear()
        self.to_server.append(END)

    def vanish(self) -> None:
        """End the connection by the death of the server; lines already written stay."""
        self.over = True
        self.to_server.clear()
        self.to_client.append(END)

    def hear(self) -> None:
        """Deliver the next line to the client."""
        if not self.to_client:
            return
        line = self.to_client.popleft()
        if line is END:
            self.device.ended(self)
        else:
            self.device.heard(self, line.decode())
