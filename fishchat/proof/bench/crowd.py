"""Many clients in one process: how one speaks, and how all of them log in."""

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

#: Logins under way at a time, and seconds in which one more has to come in.
AT_ONCE, PATIENCE = 32, 30.0
#: Seconds between two tries to connect: from, to.
AGAIN = (0.1, 0.4)
#: Seconds that a connection may take to be logged in when it is tried again. A client for which the server's kernel had
#: no room may believe to be connected, and hear nothing.
LATE = 10.0
#: How one begins, what ends a login, and the words with which everything goes wrong.
_HELLO = HELLO.line(b"1", text=b"caps=ack") + b"\r\n"
_SYNCED, _ERROR = RESP_SYNCED.line() + b"\r\n", b"ERR "


class BenchError(Exception):
    """It cannot be measured; the text says why."""


class Member(Protocol):
    """One client. Whole lines go to ``heard``, as many as came together.

    :ivar name: its account.
    :ivar early: takes what comes during the login, in the same way, if anything is to be done with that.
    :ivar heard: takes what comes behind the login, in pieces that end with a line.
    :ivar said: messages that it has sent.
    :ivar got: the number of the last message that it was given.
    """

    heard: Callable[[bytes], None]

    def __init__(self, name: bytes, token: bytes) -> None:
        self.name = name
        self.said = self.got = 0
        self.ready: Callable[[], None] = _nothing
        self.lost: Callable[[str], None] = _ignored
        self.early: Callable[[Member, bytes], None] | None = None
        self._token = token
        self._rest = b""
        self.heard = self._greeted

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.setTcpNoDelay(True)

    def write(self, data: bytes) -> None:
        """Say these lines: at once, if nothing waits before them. Twisted's way costs as much as all else here."""
        transport: Any = self.transport
        if not transport.dataBuffer and not transport._tempDataBuffer:
            # Full, or gone: Twisted finds out which.
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
        """End the connection, as a loss."""
        transport: Any = self.transport
        transport.abortConnection()

    def close(self) -> None:
        """Go without a word; nobody is told."""
        self.lost = _ignored
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    def ask(self, line: bytes, answer: bytes) -> Deferred[None]:
        """Say a line; fires when the answer begins as it should, else fails. Pushes meanwhile are not looked at."""
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
        self.write(_HELLO + SEND_CLIENT_ID.line(self.name, text=self._token) + b"\r\n")

    def _logged_in(self, lines: bytes) -> None:
        if self.early is not None:
            self.early(self, lines)
        if lines.endswith(_SYNCED):
            self.heard = _ignored
            self.ready()
        elif _ERROR in lines:
            self.lost(lines[lines.index(_ERROR) :].partition(b"\r")[0].decode())


def _nothing() -> None:
    """Nobody waits."""


def _ignored(_: object) -> None:
    """Nobody looks."""


class Ticket(ClientFactory):
    """One client's way in: it connects, and again when that fails, until it is logged in."""

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

    :ivar members: those that are in.
    :ivar when: when each came, in that order.
    :ivar patient: whether a connection that is refused or lost is tried again.
    :ivar together: whether the two of a pair connect to the same address.
    :ivar wrong: what went wrong with one of them; nothing when all are well.
    :ivar early: see Member.
    """

    def __init__(self, reactor: Any, addresses: Sequence[str], names: Sequence[bytes], tokens: Sequence[bytes]) -> None:
        self._reactor = reactor
        self._addresses = [parse_address(address) for address in addresses]
        self.names, self.tokens = names, tokens
        self.members: list[Member] = []
        self.when: list[float] = []
        self.patient = self.together = False
        self.wrong = ""
        self.early: Callable[[Member, bytes], None] | None = None
        self._next = self._in = self._under_way = self._most = 0

    def make(self, number: int) -> Member:
        """A client that knows who it is."""
        member = Member(self.names[number], self.tokens[number] if self.tokens else b"")
        member.early = self.early
        return member

    def watch(self, member: Member) -> IDelayedCall:
        """Give it up if it is not in in time; to be cancelled when it is."""
        late: IDelayedCall = self._reactor.callLater(LATE if self.patient else PATIENCE, member.give_up)
        return late

    async def gather(self, at_once: int = AT_ONCE) -> None:
        """Log everybody in, so many at a time. BenchError when one of them fails, or nothing happens any more."""
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
                raise BenchError(f"{self._in} of {count} clients are in; nobody has come for {PATIENCE:g} s")
            await deferLater(self._reactor, 0.01)
        if self.wrong:
            raise BenchError(f"client {self._in + 1} of {count} did not come in: {self.wrong}")

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
        """One more is in."""
        self.members[number] = member
        self.when.append(self._reactor.seconds())
        self._in += 1
        self._under_way -= 1
        self._fill()

    def lost(self, number: int, why: str) -> None:
        """One could not connect, or lost its connection on the way in or later."""
        if self.patient and self.members[number] is None:
            self._reactor.callLater(random.uniform(*AGAIN), self._connect, number)
        elif not self.patient:
            self.wrong = self.wrong or why

    def close(self) -> None:
        """All go."""
        for member in self.members:
            if member is not None:
                member.close()
