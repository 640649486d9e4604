"""Commands of several steps while the store does not answer."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import doubtful
from fishchat.protocols.rows import State
from fishchat.services.msg_server.queue.commits import ANSWERED
from fishchat.services.msg_server.queue.items import Barrier
from fishchat.services.msg_server.sessions.session import Session
from fishchat.test.support.memory_peer import MemoryPeer


class Server:
    """The parts of a server that a session uses, with a queue that stands still."""

    def __init__(self) -> None:
        self.queue = self
        self.waiting: list[Barrier] = []
        self.steps: list[Deferred[bytes]] = []
        self.changes = False
        self.handlers = {b"REQ_MEMBERS": self.work, b"SEND_PING": lambda session, command: session.answer(b"PING\r\n")}

    def work(self, session: Session, command: Any) -> None:
        """Begin a step that the test ends."""
        step: Deferred[bytes] = Deferred()
        self.steps.append(step)

        async def work() -> bytes:
            return await step

        session.perform(command, work(), changes=self.changes)

    def add(self, barrier: Barrier) -> None:
        """Add to the queue."""
        self.waiting.append(barrier)

    def greeting(self, session: Session) -> bytes:
        """Return the first line."""
        return b"HELLO\r\n"

    def opened(self, session: Session) -> None:
        """See ISessions."""

    closed = forget = opened


class InTime(SynchronousTestCase):
    """The deadline of a command."""

    def setUp(self) -> None:
        """One client that is logged in."""
        self.clock = Clock()
        self.server: Any = Server()
        self.peer = MemoryPeer(self.open, lambda call: self.clock.callLater(0, call))
        self.peer.take()

    def open(self, peer: Any) -> Session:
        """Return the session of the client."""
        self.session = Session(self.server, peer, self.clock, 1, None)
        self.session.state = State.ONLINE
        return self.session

    def test_question(self) -> None:
        """A question is to be sent again, and the next command is carried out."""
        self.peer.say("@id=1 REQ_MEMBERS pond", "SEND_PING")
        self.clock.advance(ANSWERED - 0.1)
        self.assertEqual(self.peer.take(), [])
        self.clock.advance(0.1)
        self.clock.advance(0)
        first, second = self.peer.take()
        self.assertTrue(first.startswith("@id=1 ERR REQ_MEMBERS TRYAGAIN retry=1 "), first)
        self.assertEqual((second, self.peer.closed, self.peer.flow.pending), ("PING", "", 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unknown_step(self) -> None:
        """A question whose step was not answered is to be sent again."""
        self.peer.say("REQ_MEMBERS pond")
        self.server.steps[0].errback(doubtful())
        [line] = self.peer.take()
        self.assertTrue(line.startswith("ERR REQ_MEMBERS TRYAGAIN retry=1 "), line)
        self.assertEqual(self.peer.closed, "")

    def test_change(self) -> None:
        """The outcome of a change is unknown, and the connection is closed."""
        self.server.changes = True
        self.peer.say("REQ_MEMBERS pond")
        self.clock.advance(ANSWERED)
        [line] = self.peer.take()
        self.assertTrue(line.startswith("ERR REQ_MEMBERS UNKNOWN retry=1 "), line)
        self.assertEqual(self.peer.closed, "closed")

    def test_in_turn(self) -> None:
        """Earlier commands are answered first."""
        self.session.asked()
        self.peer.say("REQ_MEMBERS pond")
        self.server.steps[0].callback(b"END\r\n")
        self.assertEqual(self.peer.take(), [])
        self.session.answered(b"OK\r\n")
        self.server.waiting.pop().settle()
        self.assertEqual(self.peer.take(), ["OK", "END"])
