"""Commands that take several steps: a deadline for all of them together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from fishchat.errors import doubtful
from fishchat.protocols.exchange import IClock
from fishchat.protocols.replies import error_line
from fishchat.protocols.table import Command
from fishchat.services.msg_server.queue.commits import ANSWERED


class IStepping(Protocol):
    """The part of a session that steps use."""

    @property
    def clock(self) -> IClock:
        """The clock of the deadline."""

    def stepped(self, steps: Any) -> None:
        """Take note that these steps are over."""

    def say_goodbye(self, line: bytes) -> None:
        """Send a last line, then close."""


S = TypeVar("S", bound=IStepping)


class Steps(Generic[S]):
    """Several steps to the answer of one command, with a deadline for all of them together.

    :param stop: called at the deadline to answer; without it, the connection is closed because the outcome is unknown.
    """

    __slots__ = ("_deadline", "_stop", "command", "session")

    def __init__(self, session: S, command: Command, stop: Callable[[], None] | None = None) -> None:
        self.session = session
        self.command = command
        self._stop = stop
        self._deadline: Any = None

    def limit(self) -> None:
        """Start the deadline. After it, the client receives an answer."""
        self._deadline = self.session.clock.callLater(ANSWERED, self._late)

    def _late(self) -> None:
        self._deadline = None
        if self._stop is not None:
            self._stop()
            return
        # The client learns the outcome with its next connection.
        command = self.command
        self.session.say_goodbye(error_line(doubtful(), command.verb, command.tags))

    def end(self) -> None:
        """Cancel the deadline: the steps are complete, or the session has ended."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()
        self.session.stepped(self)
