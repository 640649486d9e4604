"""Services that start one after another and stop in reverse, each awaited."""

from __future__ import annotations

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.logger import Logger


class OrderedService(MultiService):
    """Children start in the order they were added; on stopping, each ends before the one below is asked to.

    Twisted's own MultiService asks all of them at once, so a store would be gone while its users still write.
    """

    log = Logger()

    def stopService(self) -> Deferred[None]:
        """Fires when all have stopped. One that fails to is logged and does not keep the others running."""
        Service.stopService(self)
        return ensureDeferred(self._stop_in_turn())

    async def _stop_in_turn(self) -> None:
        for child in reversed(list(self)):
            try:
                await maybeDeferred(child.stopService)
            except Exception:
                self.log.failure("{child} did not stop properly", child=child.name or type(child).__name__)
