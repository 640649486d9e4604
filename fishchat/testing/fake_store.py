"""A store in memory that knows nothing: every command and call waits until the test, or a subclass, answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail
from zope.interface import implementer

from fishchat.interfaces import IStore
from fishchat.storage.packing import pack, unpack
from fishchat.storage.script import Script
from fishchat.storage.wire import Unavailable, Unknown


class Asked:
    """One command or call.

    :ivar script: the script, None for a command.
    :ivar values: as the store receives them, texts as bytes; of a command its words.
    """

    def __init__(self, script: Script | None, values: list[Any]) -> None:
        self.script = script
        self.values = values
        self.result: Deferred[Any] = Deferred()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asked) and (self.script, self.values) == (other.script, other.values)

    __hash__ = None  # type: ignore[assignment]

    def answer(self, reply: Any) -> None:
        """Fire the result with this reply, or fail it with this exception."""
        if isinstance(reply, Exception):
            self.result.errback(reply)
        else:
            self.result.callback(reply)


@implementer(IStore)
class FakeStore:
    """Connected from the start. ``asked`` holds what is not answered yet, oldest first."""

    def __init__(self, timeout: float = 3.0) -> None:
        self.connected = True
        self.timeout = timeout
        self.on_connected: list[Callable[[], None]] = []
        self.on_lost: list[Callable[[], None]] = []
        self.asked: list[Asked] = []

    def run(self, *args: bytes | str | int, timeout: Any = None) -> Deferred[Any]:
        """Ask for a command."""
        return self._ask(Asked(None, list(args)))

    def call(self, script: Script, *values: Any) -> Deferred[Any]:
        """Ask for a script."""
        return self._ask(Asked(script, unpack(pack(*values))))

    def _ask(self, asked: Asked) -> Deferred[Any]:
        if not self.connected:
            return fail(Unavailable("no connection to Redis"))
        self.asked.append(asked)
        self.was_asked()
        return asked.result

    def was_asked(self) -> None:
        """For a subclass that answers by itself, in a later turn: ``asked`` has grown by one."""

    def answer(self, reply: Any) -> None:
        """Answer the oldest; an exception makes it fail."""
        self.asked.pop(0).answer(reply)

    def drop(self, reason: str) -> None:
        """Lose the connection, as after a missed deadline. ``connect`` makes another one."""
        if not self.connected:
            return
        self.connected = False
        for listener in list(self.on_lost):
            listener()
        while self.asked:
            self.answer(Unknown(reason))

    def connect(self) -> None:
        """Be connected, again or for the first time."""
        self.connected = True
        for listener in list(self.on_connected):
            listener()
