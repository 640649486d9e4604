"""A connection to one msg_server that sends commands all the time, and measures how long each answer takes."""

from __future__ import annotations

from collections import deque
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.task import LoopingCall, deferLater
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from fishchat.features.messages.rows import REQ_CONVERSATIONS, SEND_MESSAGE_P2P
from fishchat.features.session.rows import SEND_CLIENT_ID, SEND_PING
from fishchat.proof.lab.record import Recorder

#: P7: seconds within which every command on an open connection is answered; and the lab's own delay.
ANSWERED, GRACE = 5.0, 0.7
#: Seconds between two rounds of commands, and before the next connection.
EVERY, AGAIN = 0.25, 0.5


class Probe:
    """Logs in to one msg_server as an account of its own, and sends commands that need the store and that do not.

    It sends without numbers and repeats nothing: here an ``UNKNOWN`` stays one.

    :param server: the id of the msg_server.
    :ivar secret: the token of its account, if it needs one.
    :ivar stored: the number of its messages that had their ``OK``.
    :ivar longest: the longest time in seconds that an answer took.
    """

    def __init__(self, reactor: Any, port: int, server: str, recorder: Recorder) -> None:
        self.reactor = reactor
        self.server = server
        self.account = f"probe-{server}"
        self.secret = ""
        self.recorder = recorder
        self.stored = 0
        self.longest = 0.0
        self._port = port
        self._running = True
        self._paused = False
        self._line: Line | None = None

    def start(self) -> None:
        """Connect, and connect again whenever the connection is lost."""
        ensureDeferred(self._keep())

    def stop(self) -> None:
        """Disconnect for good."""
        self._running = False
        if self._line is not None:
            self._line.leave()

    @property
    def paused(self) -> bool:
        """Whether its msg_server cannot answer now, because a fault has stopped the process."""
        return self._paused

    def pause(self) -> None:
        """Expect no answer for now."""
        self._paused = True

    def resume(self) -> None:
        """Expect answers again; the time for those that are due begins now."""
        self._paused = False
        if self._line is not None:
            self._line.restart_clock()

    def connection(self) -> Line:
        """Return the protocol of its next connection."""
        self._line = Line(self)
        return self._line

    async def _keep(self) -> None:
        factory: Any = Factory.forProtocol(self.connection)
        factory.noisy = False
        while self._running:
            try:
                line: Any = await HostnameEndpoint(self.reactor, "127.0.0.1", self._port).connect(factory)
                await line.gone()
            except ConnectError:
                pass
            await deferLater(self.reactor, AGAIN)


class Line(LineOnlyReceiver):
    """One connection of the probe."""

    delimiter = b"\n"
    transport: Any

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        #: When each command without an answer was sent, and since when its answer is awaited.
        self._asked: deque[tuple[float, float]] = deque()
        self._lost: Any = None
        self._closed = False
        self._asking = LoopingCall(self._ask)
        self._asking.clock = probe.reactor

    async def gone(self) -> None:
        """Wait until the connection is lost."""
        while not self._closed:
            await deferLater(self._probe.reactor, EVERY)

    def leave(self) -> None:
        """Close the connection."""
        if not self._closed:
            self.transport.loseConnection()

    def restart_clock(self) -> None:
        """Await all due answers from now on."""
        now = self._probe.reactor.seconds()
        self._asked = deque((sent, now) for sent, _ in self._asked)

    def connectionMade(self) -> None:
        account, secret = self._probe.account.encode(), self._probe.secret.encode()
        self._say(SEND_CLIENT_ID.line(account, text=secret))
        self._asking.start(EVERY, now=False)

    def _ask(self) -> None:
        now = self._probe.reactor.seconds()
        if self._asked and not self._probe.paused and now - self._asked[0][1] > ANSWERED + GRACE:
            waited = now - self._asked[0][1]
            self._probe.recorder.complain(
                "slow", f"{self._probe.account} has waited {waited:.1f} s for an answer on an open connection"
            )
            self.transport.abortConnection()
            return
        if self._asked:
            # A server need not answer unread commands, and it reads only so much ahead.
            return
        self._say(SEND_MESSAGE_P2P.line(self._probe.account.encode(), text=b"note"))
        self._say(SEND_PING.line())
        self._say(REQ_CONVERSATIONS.line())

    def _say(self, line: bytes) -> None:
        now = self._probe.reactor.seconds()
        self._asked.append((now, now))
        self.sendLine(line)

    def lineReceived(self, line: bytes) -> None:
        word = line.split(b" ", 1)[0]
        # The answer to a list is complete when it ends.
        if word not in (b"OK", b"ERR", b"END") or not self._asked:
            return
        probe = self._probe
        sent, since = self._asked.popleft()
        if line.startswith(b"OK SEND_MESSAGE"):
            probe.stored += 1
            probe.recorder.probed(probe.server, round(sent, 4))
        elif line.startswith(b"ERR SEND_CLIENT_ID"):
            # A server without its lease refuses logins for a while.
            self.leave()
        probe.longest = max(probe.longest, probe.reactor.seconds() - since)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closed = True
        self._asking.stop()
