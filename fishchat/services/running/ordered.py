"""Services that start one after another and stop in reverse, each awaited."""

from __future__ import annotations

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.logger import Logger


class OrderedService(MultiService):
    """Children start in the order they were added; on stopping, each ends before the one below it is stopped.

    Twisted's own MultiService stops all of them at once, so the store would end while its users still write.
    """

    log = Logger()

    def stopService(self) -> Deferred[None]:
        """Fires when all children have stopped. A failure is logged and does not prevent the others from stopping."""
        Service.stopService(self)
        return ensureDeferred(self._stop_in_turn())

    async def _stop_in_turn(self) -> None:
        for child in reversed(list(self)):
            try:
                await maybeDeferred(child.stopService)
            except Exception:
                self.log.failure("{child} did not stop properly", child=child.name or type(child).__name__)
