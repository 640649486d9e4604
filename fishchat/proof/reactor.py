"""Work of this process that has the reactor to itself: it is started for the work and stopped with it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from fishchat.net.clock import use_monotonic


def with_reactor(make: Callable[[Any], Coroutine[Any, Any, dict[str, Any]]]) -> dict[str, Any]:
    """Run the reactor for the coroutine that ``make`` returns; return its result, or raise its error.

    A signal cancels it; KeyboardInterrupt is raised when it has cleaned up.
    """
    from twisted.internet import reactor

    use_monotonic(reactor)
    ended: list[Any] = []
    interrupted: list[bool] = []

    async def whole() -> dict[str, Any]:
        # An error before it first waits must stop the reactor, too.
        return await make(reactor)

    def interrupt(work: Deferred[Any]) -> Deferred[Any]:
        interrupted.append(True)
        work.cancel()
        return work

    def end(result: Any, trigger: Any) -> None:
        ended.append(result)
        if not interrupted:
            reactor.removeSystemEventTrigger(trigger)
            reactor.stop()

    def go() -> None:
        work: Deferred[Any] = ensureDeferred(whole())
        work.addBoth(end, reactor.addSystemEventTrigger("before", "shutdown", interrupt, work))

    reactor.callWhenRunning(go)
    reactor.run()
    if interrupted or not ended:
        raise KeyboardInterrupt
    if isinstance(ended[0], Failure):
        ended[0].raiseException()
    figures: dict[str, Any] = ended[0]
    return figures
