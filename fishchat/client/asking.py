"""How the commands of a client are queued."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from fishchat.client.machine import Machine
from fishchat.features.requests import Numbered, Request

T = TypeVar("T")


class Asking:
    """The base of the methods for commands, independent of the connection that carries them."""

    _machine: Machine

    def _call(self, queue: Callable[[], int]) -> Deferred[Any]:
        """Return a Deferred for the command that ``queue`` queues; ``queue`` returns its key or raises RefusedError."""
        raise NotImplementedError

    def ask(self, request: Request[T]) -> Deferred[T]:
        """Send a request of any feature (``fishchat.features.<name>.client``), also one without a method here."""
        return self._call(lambda: self._machine.ask(request))

    def _ask(self, make: Callable[[], Request[T]]) -> Deferred[T]:
        return self._call(lambda: self._machine.ask(make()))

    def _operate(self, make: Callable[[], Numbered]) -> Deferred[str]:
        return self._call(lambda: self._machine.operate(make()))
