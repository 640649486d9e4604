"""A role that ``fishchat up`` started ends with it, however that ended.

The parent holds the other end of a pipe on standard input and never writes. When the parent is gone, even by
SIGKILL, the kernel closes that end, and this process stops its reactor, so that its services end properly.
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
    """Stops the reactor when ``descriptor`` is at its end."""

    log = Logger()

    def __init__(self, descriptor: int = 0, reactor: Any = None) -> None:
        self._descriptor = descriptor
        self._reactor = reactor

    def startService(self) -> None:
        """Watch, from now on."""
        super().startService()
        if self._reactor is None:
            from twisted.internet import reactor

            self._reactor = reactor
        self._reactor.addReader(self)

    def stopService(self) -> None:
        """Watch no more."""
        super().stopService()
        self._reactor.removeReader(self)

    def fileno(self) -> int:
        """What the reactor watches."""
        return self._descriptor

    def doRead(self) -> None:
        """Something came, which is ignored, or the end."""
        if os.read(self._descriptor, 4096) == b"":
            self._lost()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor found the descriptor broken, or removes all of them as it ends."""
        if self.running:
            self._lost()

    def logPrefix(self) -> str:
        """The name in logs."""
        return "lifeline"

    def _lost(self) -> None:
        self._reactor.removeReader(self)
        self.log.warn("the parent process is gone: stopping")
        # When it is stopping already, that is all we want.
        with suppress(ReactorNotRunning):
            self._reactor.stop()


def with_lifeline(service: MultiService) -> OrderedService:
    """What a role's ``makeService`` returns: ``service``, with a lifeline if ``fishchat up`` started this."""
    both = OrderedService()
    if os.environ.get(VARIABLE) == "stdin":
        Lifeline().setServiceParent(both)
        if os.getpgrp() != os.getpid():
            # Ctrl+C in a terminal goes to the whole group; `up` ends its roles itself, in order.
            os.setpgid(0, 0)
    service.setServiceParent(both)
    return both
