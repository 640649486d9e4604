"""A connection to one msg_server that asks all the time, and looks at the clock: is everything answered in time?"""

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

from fishchat.proof.lab.record import Recorder

#: P7: seconds within which every command on an open connection is answered; and what the lab's own turns may take.
ANSWERED, GRACE = 5.0, 0.7
#: Seconds between two rounds of commands, and before the next connection.
EVERY, AGAIN = 0.25, 0.5


class Probe:
    """Logs in at one port as an account of its own, and asks what needs the store and what does not.

    Without numbers and without repetition: here an ``UNKNOWN`` stays one.
    """

    def __init__(self, reactor: Any, port: int, account: str, recorder: Recorder) -> None:
        self.reactor = reactor
        self.account = account
        self.recorder = recorder
        #: Sends that had their ``OK``.
        self.stored = 0
        self.longest = 0.0
        self._port = port
        self._running = True
        self._line: Any = None

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        ensureDeferred(self._keep())

    def stop(self) -> None:
        """Ask no more."""
        self._running = False
        if self._line is not None:
            self._line.leave()

    async def _keep(self) -> None:
        factory: Any = Factory.forProtocol(lambda: _Line(self))
        factory.noisy = False
        while self._running:
            try:
                self._line = await HostnameEndpoint(self.reactor, "127.0.0.1", self._port).connect(factory)
                await self._line.gone()
            except ConnectError:
                pass
            await deferLater(self.reactor, AGAIN)


class _Line(LineOnlyReceiver):
    """One connection."""

    delimiter = b"\n"
    transport: Any

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._asked: deque[float] = deque()
        self._lost: Any = None
        self._closed = False
        self._asking = LoopingCall(self._ask)
        self._asking.clock = probe.reactor

    async def gone(self) -> None:
        """Return when it is lost."""
        while not self._closed:
            await deferLater(self._probe.reactor, EVERY)

    def leave(self) -> None:
        """Say good-bye."""
        if not self._closed:
            self.transport.loseConnection()

    def connectionMade(self) -> None:
        self._say(f"SEND_CLIENT_ID {self._probe.account}")
        self._asking.start(EVERY, now=False)

    def _ask(self) -> None:
        now = self._probe.reactor.seconds()
        if self._asked and now - self._asked[0] > ANSWERED + GRACE:
            self._probe.recorder.complain(
                f"{self._probe.account} waits for an answer for {now - self._asked[0]:.1f} s on an open connection"
            )
            self.transport.abortConnection()
            return
        if self._asked:
            # What a server has not read yet it need not answer, and it reads only so much ahead.
            return
        self._say(f"SEND_MESSAGE_P2P {self._probe.account} note")
        self._say("SEND_PING")
        self._say("REQ_CONVERSATIONS")

    def _say(self, line: str) -> None:
        self._asked.append(self._probe.reactor.seconds())
        self.sendLine(line.encode())

    def lineReceived(self, line: bytes) -> None:
        word = line.split(b" ", 1)[0]
        # A list is answered when it ends.
        if word not in (b"OK", b"ERR", b"END") or not self._asked:
            return
        probe = self._probe
        probe.stored += line.startswith(b"OK SEND_MESSAGE")
        probe.longest = max(probe.longest, probe.reactor.seconds() - self._asked.popleft())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closed = True
        self._asking.stop()
