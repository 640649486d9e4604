"""A peer in memory, without transport, reactor or lines to split. It shows that a session needs no more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from fishchat.errors import ProtocolError
from fishchat.interfaces import IPeer
from fishchat.protocols.exchange import Exchange
from fishchat.protocols.flow import FULL, LINES, SHARE, Flow

#: Schedules a call for the end of the turn.
Later = Callable[[Callable[[], None]], object]


class MemoryPeer:
    """A client in the same process.

    :ivar heard: the lines that the server has sent, without line endings.
    :ivar closed: how the connection ended: empty, ``closed`` or ``aborted``.
    """

    def __init__(
        self, serve: Callable[[IPeer], Exchange], at_end: Later, host: str = "192.0.2.1", secure: bool = False
    ) -> None:
        self.flow = Flow()
        self.host = host
        self.secure = secure
        self.shaking = self.web = False
        self.heard_at = 0.0
        self.closing_since: float | None = None
        self.heard: list[str] = []
        self.closed = ""
        self._at_end = at_end
        self._backlog: deque[str] = deque()
        self._ignoring = False
        self.session = serve(self)
        self.session.opened()
        self.session.greet()

    # -- the client's side

    def say(self, *commands: str) -> None:
        """Send the server these commands."""
        for command in commands:
            if self.flow.reasons:
                self._backlog.append(command)
            else:
                self._process(command)

    def stop_reading(self) -> None:
        """Stop reading; lines that are sent all the same are kept."""
        self.hold(FULL)
        self.session.full()

    def start_reading(self) -> None:
        """Start reading again."""
        self.read_on(FULL)
        self.session.free()

    def leave(self) -> None:
        """End the connection."""
        if not self.closed:
            self.closed = "left"
        self.session.closed()

    def take(self) -> list[str]:
        """Return the lines received since the last time."""
        heard, self.heard = self.heard, []
        return heard

    # -- the server's side

    @property
    def binding(self) -> bytes | None:
        """See IPeer."""
        return b"memory" if self.secure else None

    def send(self, line: bytes) -> None:
        """See IPeer."""
        if not self.closed:
            assert line.endswith(b"\r\n")
            self.heard += line.decode().split("\r\n")[:-1]

    def hold(self, reason: int) -> None:
        """See IPeer."""
        self.flow.hold(reason)

    def read_on(self, reason: int) -> None:
        """See IPeer."""
        if self.flow.release(reason):
            self._at_end(self._process_backlog)

    def ignore(self) -> None:
        """See IPeer."""
        self._ignoring = True

    def close(self) -> None:
        """See IPeer."""
        self.ignore()
        self.closed = self.closed or "closed"

    def abort(self) -> None:
        """See IPeer."""
        self.ignore()
        self.closed = "aborted"

    def is_stuck(self, now: float) -> bool:
        """See IPeer."""
        return False

    def _process_backlog(self) -> None:
        if not self.flow.resume():
            return
        for _ in range(LINES):
            if not self._backlog or self.flow.held:
                break
            self._process(self._backlog.popleft())
        if self.flow.held:
            return
        if self._backlog:
            self.hold(SHARE)
            self.read_on(SHARE)
        else:
            self.flow.drained()

    def _process(self, line: str) -> None:
        if self._ignoring:
            return
        try:
            command = self.session.commands.parse(line.encode())
        except ProtocolError as error:
            self.session.misread(error)
        else:
            self.session.received(command)
