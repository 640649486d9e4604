"""Keepalive, alone: what it does with a connection, and when. ``test_keepalive`` tries it in a msg_server."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.protocols.flow import LIST, Flow
from fishchat.protocols.peer import HANDSHAKE
from fishchat.services.net.keepalive import GONE_AFTER, PING_AFTER, Keepalive


class Connection:
    """What keepalive asks of one, and a list of what it did."""

    def __init__(self) -> None:
        self.heard_at = self.since = 0.0
        self.shaking = self.pinged = self.stuck = self.limited = False
        self.said_hello = True
        self.closing_since: float | None = None
        self.flow = Flow()
        self.done: list[str] = []

    @property
    def peer(self) -> Connection:
        """Both in one."""
        return self

    def is_stuck(self, now: float) -> bool:
        return self.stuck

    def send(self, line: bytes) -> None:
        self.done.append(line.decode().strip())

    def abort(self) -> None:
        self.done.append("abort")


class Rules(SynchronousTestCase):
    """One connection at one moment."""

    def setUp(self) -> None:
        self.connection = Connection()
        self.keepalive: Keepalive[Connection] = Keepalive(
            60.0,
            late=lambda one: one.done.append("late"),
            gone=lambda one: one.done.append("gone"),
            is_limited=lambda one: one.limited,
            is_pinged=lambda one: not one.limited,
        )

    def at(self, now: float) -> list[str]:
        """What is done at this time."""
        self.connection.done.clear()
        self.keepalive.check([self.connection], now)
        return list(self.connection.done)

    def test_silence(self) -> None:
        """A ping, once in a silence, then the end."""
        self.assertEqual(
            [self.at(PING_AFTER - 1), self.at(PING_AFTER), self.at(PING_AFTER + 5)], [[], ["RESP_PING"], []]
        )
        self.assertEqual(self.at(GONE_AFTER), ["gone"])
        self.connection.heard_at = GONE_AFTER
        self.assertEqual(self.at(GONE_AFTER + 1), [])
        self.assertEqual(self.at(GONE_AFTER + PING_AFTER), ["RESP_PING"])

    def test_person(self) -> None:
        """A client that never said HELLO may be silent, and is asked nothing."""
        self.connection.said_hello = False
        self.assertEqual([self.at(PING_AFTER), self.at(10 * GONE_AFTER)], [[], []])
        self.connection.stuck = True
        self.assertEqual(self.at(10 * GONE_AFTER), ["abort"])

    def test_closing(self) -> None:
        """A connection that is being closed is not closed again; one that takes nothing is still cut off."""
        self.connection.closing_since = 1.0
        self.connection.limited = True
        self.assertEqual(self.at(10 * GONE_AFTER), [])
        self.connection.stuck = True
        self.assertEqual(self.at(10 * GONE_AFTER), ["abort"])

    def test_not_read(self) -> None:
        """A connection that is not read cannot be silent."""
        self.connection.flow.hold(LIST)
        self.assertEqual(self.at(10 * GONE_AFTER), [])

    def test_late(self) -> None:
        """Where the time limit holds, it ends the connection, whatever is heard; no pings there."""
        self.connection.limited = True
        self.assertEqual(self.at(59), [])
        self.connection.heard_at = 60.0
        self.assertEqual(self.at(60), ["late"])
        slow: Keepalive[Connection] = Keepalive(
            1000.0, lambda one: one.done.append("late"), lambda one: None, is_pinged=lambda one: False
        )
        slow.check([self.connection], 60 + PING_AFTER)
        self.assertEqual(self.connection.done, ["late"])

    def test_handshake(self) -> None:
        """One that does not end is cut off; until then nothing is sent."""
        self.connection.shaking = True
        self.assertEqual([self.at(HANDSHAKE - 1), self.at(HANDSHAKE)], [[], ["abort"]])

    def test_stuck(self) -> None:
        """A peer that takes nothing is cut off."""
        self.connection.stuck = True
        self.assertEqual(self.at(1), ["abort"])
