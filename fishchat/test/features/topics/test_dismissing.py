"""DISMISS_TOPIC: the answer does not wait for the last member."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import doubtful
from fishchat.features.topics.handlers import RELEASING, Topics
from fishchat.model.device import Device
from fishchat.services.msg_server.sessions.session import Session
from fishchat.storage.ask import Ask


class Noted:
    """Stands for the rooms, the membership and the news; notes what it was called for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def told(self, *_: Any) -> None:
        """A notice was delivered."""
        self.calls.append("told")

    def changed(self, *_: Any) -> None:
        """A membership changed."""
        self.calls.append("changed")


class Answers(SynchronousTestCase):
    """A topic that is dismissed, by a store that answers when the test says so."""

    def setUp(self) -> None:
        """Send the command."""
        self.clock = Clock()
        self.noted = Noted()
        noted: Any = self.noted
        self.asked: list[Deferred[Any]] = []
        self.lines: list[bytes] = []
        topics = Topics(noted, noted, noted, self.call, 0, b"stream", lambda _: b"")
        command = Session.commands.parse(b"DISMISS_TOPIC pond")
        topics.dismiss(self, command)  # type: ignore[arg-type]

    account = b"alice"

    @property
    def device(self) -> Device:
        """See ISession."""
        return Device(b"alice", b"alice/main", b"", self, frozenset(), set())  # type: ignore[arg-type]

    def push(self, line: bytes) -> None:
        """See ISessionOwner."""

    def perform(self, command: Any, work: Any) -> None:
        """See ISession."""
        Deferred.fromCoroutine(work).addCallback(self.lines.append)

    def call(self, ask: Ask[Any]) -> Deferred[Any]:
        """Ask the store."""
        done: Deferred[Any] = Deferred()
        self.asked.append(done.addCallback(ask.parse))
        return done

    def dismissed(self) -> None:
        """Let the store answer the first call."""
        self.asked[0].callback([b"OK", b"#pond", 7, 3, b"alice main -1 n DISMISSED pond", 2, 1])

    def assert_answered(self, calls: int) -> None:
        """The answer was sent, after so many calls."""
        self.assertEqual(self.lines, [b"OK DISMISS_TOPIC pond\r\n"])
        self.assertEqual((self.noted.calls, len(self.asked)), (["told", "changed", "changed"], calls))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_all_released(self) -> None:
        """The answer follows the last step."""
        self.dismissed()
        self.asked[1].callback(1)
        self.assertEqual(self.lines, [])
        self.asked[2].callback(0)
        self.assert_answered(3)

    def test_hanging(self) -> None:
        """A store that answers no more does not delay it for long."""
        self.dismissed()
        self.clock.advance(RELEASING - 0.1)
        self.assertEqual(self.lines, [])
        self.clock.advance(0.1)
        self.assert_answered(2)

    def test_slow(self) -> None:
        """Steps end when their time is over."""
        self.dismissed()
        for _ in range(4):
            self.asked[-1].callback(1)
            self.clock.advance(RELEASING / 4)
        self.assert_answered(6)

    def test_late(self) -> None:
        """After a slow dismissal no step begins."""
        self.clock.advance(RELEASING)
        self.dismissed()
        self.assert_answered(1)

    def test_failing(self) -> None:
        """A step that fails is left to the manager."""
        self.dismissed()
        self.asked[1].errback(doubtful())
        self.assert_answered(2)
