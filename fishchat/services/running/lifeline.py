"""End a role with the ``fishchat up`` that started it, however that process ended.

The parent holds the other end of a pipe on standard input and never writes. When the parent ends, even by SIGKILL, the
kernel closes that end, and this process stops its reactor, so that its services end properly.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.services.running.ordered import OrderedService

VARIABLE = "FISHCHAT_LIFELINE"


@implementer(IReadDescriptor)
class Lifeline(Service):
    """Stops the reactor at the end of file on ``descriptor``."""

    log = Logger()

    def __init__(self, descriptor: int = 0, reactor: Any = None) -> None:
        self._descriptor = descriptor
        self._reactor = reactor

    def startService(self) -> None:
        """Begin to watch the descriptor."""
        super().startService()
        if self._reactor is None:
            from twisted.internet import reactor

            self._reactor = reactor
        self._reactor.addReader(self)

    def stopService(self) -> None:
        """Stop watching the descriptor."""
        super().stopService()
        self._reactor.removeReader(self)

    def fileno(self) -> int:
        """Return the descriptor that the reactor watches."""
        return self._descriptor

    def doRead(self) -> None:
        """Ignore data; stop the reactor at the end of file."""
        if os.read(self._descriptor, 4096) == b"":
            self._lost()

    def connectionLost(self, reason: Failure) -> None:
        """Stop: the reactor found the descriptor broken, or removes all descriptors as it ends."""
        if self.running:
            self._lost()

    def logPrefix(self) -> str:
        """Return the name for logs."""
        return "lifeline"

    def _lost(self) -> None:
        self._reactor.removeReader(self)
        self.log.warn("the parent process is gone: stopping")
        # The reactor may be stopping already, which is the goal.
        with suppress(ReactorNotRunning):
            self._reactor.stop()


def with_lifeline(service: MultiService) -> OrderedService:
    """Return the result of a role's ``makeService``: ``service``, with a lifeline if ``fishchat up`` started this
    process.
    """
    both = OrderedService()
    if os.environ.get(VARIABLE) == "stdin":
        Lifeline().setServiceParent(both)
        if os.getpgrp() != os.getpid():
            # Ctrl+C in a terminal signals the whole group; `up` ends its roles itself, in order.
            os.setpgid(0, 0)
    service.setServiceParent(both)
    return both
