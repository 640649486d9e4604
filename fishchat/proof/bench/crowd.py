"""Many clients in one process: the protocol of one, and how all of them log in."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from fishchat.features.session.rows import HELLO, RESP_SYNCED, SEND_CLIENT_ID
from fishchat.net.addresses import parse_address

#: Logins under way at the same time, and seconds in which one more has to succeed.
AT_ONCE, PATIENCE = 32, 30.0
#: Seconds between two attempts to connect: from, to.
AGAIN = (0.1, 0.4)
#: Seconds that a login may take before another attempt. A client for which the server's kernel had no room may believe
#: it is connected, and receive nothing.
LATE = 10.0
#: The first lines of a client, the end of a login, and the beginning of every error.
_SYNCED, _ERROR = RESP_SYNCED.line() + b"\r\n", b"ERR "


class BenchError(Exception):
    """Nothing could be measured; the text is the reason."""


class Member(Protocol):
    """One client. It passes complete lines to ``heard``, as many as arrived together.

    :ivar name: its account. :ivar capabilities: what it asks for at HELLO. :ivar early: receives lines during the login
    in the same way, if it is set. :ivar heard: receives lines after the login, in pieces that end with a line. :ivar
    said: the number of messages that it has sent. :ivar got: the number of the last message that it received.
    """

    heard: Callable[[bytes], None]

    def __init__(self, name: bytes, token: bytes) -> None:
        self.name = name
        self.said = self.got = 0
        self.ready: Callable[[], None] = _nothing
        self.lost: Callable[[str], None] = _ignored
        self.early: Callable[[Member, bytes], None] | None = None
        self.capabilities = b"ack"
        self._token = token
        self._rest = b""
        self.heard = self._greeted

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.setTcpNoDelay(True)

    def write(self, data: bytes) -> None:
        """Write these lines, at once if nothing waits. Twisted's way costs as much as everything else here."""
        transport: Any = self.transport
        if not transport.dataBuffer and not transport._tempDataBuffer:
            # The buffer is full, or the connection has ended: Twisted finds out which.
            with suppress(OSError):
                data = data[transport.socket.send(data) :]
        if data:
            transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        if not end:
            self._rest += data
        elif self._rest or end < len(data):
            whole, self._rest = self._rest + data[:end], data[end:]
            self.heard(whole)
        else:
            self.heard(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost(reason.getErrorMessage())

    def give_up(self) -> None:
        """Abort the connection, as if it were lost."""
        transport: Any = self.transport
        transport.abortConnection()

    def close(self) -> None:
        """Abort the connection without calling ``lost``."""
        self.lost = _ignored
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    def ask(self, line: bytes, answer: bytes) -> Deferred[None]:
        """Write a line; fires with the expected answer, and fails on an error. Ignores pushes meanwhile."""
        answered: Deferred[None] = Deferred()

        def heard(lines: bytes) -> None:
            if answer in lines:
                self.heard = _ignored
                answered.callback(None)
            elif _ERROR in lines:
                self.heard = _ignored
                answered.errback(BenchError(lines[lines.index(_ERROR) :].partition(b"\r")[0].decode()))

        self.heard = heard
        self.write(line)
        return answered

    def _greeted(self, lines: bytes) -> None:
        if not lines.startswith(b"HELLO "):
            self.lost(lines.partition(b"\r")[0].decode("utf-8", "replace"))
            return
        self.heard = self._logged_in
        self.write(_hello(self.capabilities) + SEND_CLIENT_ID.line(self.name, text=self._token) + b"\r\n")

    def _logged_in(self, lines: bytes) -> None:
        if self.early is not None:
            self.early(self, lines)
        if lines.endswith(_SYNCED):
            self.heard = _ignored
            self.ready()
        elif _ERROR in lines:
            self.lost(lines[lines.index(_ERROR) :].partition(b"\r")[0].decode())


def _hello(capabilities: bytes) -> bytes:
    return HELLO.line(b"1", text=b"caps=" + capabilities) + b"\r\n"


def _nothing() -> None:
    """Ignore the end of the connection."""


def _ignored(_: object) -> None:
    """Ignore the value."""


class Ticket(ClientFactory):
    """Connects one client, repeatedly if that fails, until it is logged in."""

    noisy = False

    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd = crowd
        self._number = number

    def buildProtocol(self, addr: Any) -> Member:
        member = self._crowd.make(self._number)
        late = self._crowd.watch(member)

        def ready() -> None:
            late.cancel()
            self._crowd.came(self._number, member)

        def lost(why: str) -> None:
            if late.active():
                late.cancel()
            self._crowd.lost(self._number, why)

        member.ready, member.lost = ready, lost
        return member

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self._crowd.lost(self._number, reason.getErrorMessage())


class Crowd:
    """Clients by number, each logged in to one of the addresses.

    :ivar members: the clients that are logged in.
    :ivar when: the time of each login, in that order.
    :ivar patient: whether a client whose connection is refused or lost tries again.
    :ivar together: whether both clients of a pair connect to the same address.
    :ivar capabilities: what each client asks for, separated by commas.
    :ivar wrong: the first error of a client; empty if there was none.
    :ivar early: see Member.
    :ivar kind: makes the protocol of a client.
    """

    def __init__(self, reactor: Any, addresses: Sequence[str], names: Sequence[bytes], tokens: Sequence[bytes]) -> None:
        self._reactor = reactor
        self._addresses = [parse_address(address) for address in addresses]
        self.names, self.tokens = names, tokens
        self.members: list[Member] = []
        self.when: list[float] = []
        self.patient = self.together = False
        self.capabilities = b"ack"
        self.wrong = ""
        self.early: Callable[[Member, bytes], None] | None = None
        self.kind: Callable[[bytes, bytes], Member] = Member
        self._next = self._in = self._under_way = self._most = 0

    def make(self, number: int) -> Member:
        """Return the client of this number."""
        member = self.kind(self.names[number], self.tokens[number] if self.tokens else b"")
        member.capabilities = self.capabilities
        member.early = self.early
        return member

    def watch(self, member: Member) -> IDelayedCall:
        """Return a timer that gives the client up; to be cancelled when it is logged in."""
        late: IDelayedCall = self._reactor.callLater(LATE if self.patient else PATIENCE, member.give_up)
        return late

    async def gather(self, at_once: int = AT_ONCE) -> None:
        """Log everybody in, so many at a time. BenchError when one fails, or when nothing happens any more."""
        count = len(self.names)
        self.members = [None] * count  # type: ignore[list-item]
        self.when.clear()
        self._next = self._in = self._under_way = 0
        self._most = at_once
        last, since = -1, self._reactor.seconds()
        self._fill()
        while self._in < count and not self.wrong:
            if self._in != last:
                last, since = self._in, self._reactor.seconds()
            elif self._reactor.seconds() - since > PATIENCE:
                raise BenchError(
                    f"{self._in} of {count} clients are logged in; there was no other login for {PATIENCE:g} s"
                )
            await deferLater(self._reactor, 0.01)
        if self.wrong:
            raise BenchError(f"client {self._in + 1} of {count} could not log in: {self.wrong}")

    def _fill(self) -> None:
        while self._next < len(self.names) and self._under_way < self._most:
            self._under_way += 1
            self._connect(self._next)
            self._next += 1

    def _connect(self, number: int) -> None:
        place = number // 2 if self.together else number
        host, port = self._addresses[place % len(self._addresses)]
        self._reactor.connectTCP(host, port, Ticket(self, number), timeout=PATIENCE)

    def came(self, number: int, member: Member) -> None:
        """Count one more login."""
        self.members[number] = member
        self.when.append(self._reactor.seconds())
        self._in += 1
        self._under_way -= 1
        self._fill()

    def lost(self, number: int, why: str) -> None:
        """Handle a client that could not connect, or whose connection was lost."""
        if self.patient and self.members[number] is None:
            self._reactor.callLater(random.uniform(*AGAIN), self._connect, number)
        elif not self.patient:
            self.wrong = self.wrong or why

    def close(self) -> None:
        """Disconnect all clients."""
        for member in self.members:
            if member is not None:
                member.close()
