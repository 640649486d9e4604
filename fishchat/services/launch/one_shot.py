"""One call to the store, for a command that ends with the result.

The store is the configured Redis, or the embedded one of the data directory, whether servers run or not. A data
directory without a store is refused, unless the command may begin one. Nothing is written to standard output. The log
of the services shows only defects.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, TimeoutError, ensureDeferred
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogBeginner, textFileLogObserver
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.config.paths import data_path
from fishchat.config.schema import Config
from fishchat.net.clock import use_monotonic
from fishchat.services.redis import program
from fishchat.services.redis.access import Access
from fishchat.services.redis.visit import RedisVisit
from fishchat.services.running.errors import StartError
from fishchat.storage.format import check_format
from fishchat.storage.redis import Connection, StoreError, Unavailable, Unknown
from fishchat.storage.settings import check_settings

#: Seconds that Redis may be away.
PATIENCE = 10.0

T = TypeVar("T")
#: The work; its argument is the connection.
Work = Callable[[Connection], Coroutine[Any, Any, T]]


class ConsoleError(StartError):
    """The work failed, or its outcome is unknown. The text contains the remedy."""


@implementer(ILogObserver)
class Notes:
    """Observes the log and keeps the last of the worst problems of Redis."""

    def __init__(self) -> None:
        self.trouble = ""
        self._level = LogLevel.debug
        self._defects = textFileLogObserver(sys.stderr)

    def __call__(self, event: LogEvent) -> None:
        """Take one log event."""
        if "log_failure" in event:
            self._defects(event)
            return
        text, level = event.get("text") or event.get("error"), event.get("log_level", LogLevel.debug)
        if text and level >= self._level:
            self.trouble, self._level = str(text).rstrip("."), level


def has_store(config: Config) -> bool:
    """Return whether there is a store; an external one counts as there."""
    return bool(config.redis.url) or program.has_data(data_path(config))


def run(config: Config, work: Work[T], *, any_format: bool = False, creates: bool = False) -> T:
    """Run ``work`` on a reactor of its own and return its result. Call it once in a process.

    ``creates`` is for the work that begins a store where there is none.

    Raises what ``work`` raises, ConsoleError in place of its StoreError, StartError when the store cannot be used, and
    KeyboardInterrupt when the process is stopped before the end.
    """

    def ask(reactor: Any, notes: Notes) -> Coroutine[Any, Any, T]:
        return with_store(config, work, reactor, notes, any_format=any_format, creates=creates)

    return run_with(ask)


def run_with(ask: Callable[[Any, Notes], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine, which may use several stores, on a reactor of its own. Otherwise as ``run``."""
    from twisted.internet import reactor

    use_monotonic(reactor)
    notes = Notes()
    globalLogBeginner.beginLoggingTo([notes], redirectStandardIO=False)
    outcomes: list[T | Failure] = []
    reactor.callWhenRunning(_begin, reactor, partial(ask, reactor, notes), outcomes.append)
    reactor.run()
    [outcome] = outcomes
    if isinstance(outcome, Failure):
        if outcome.check(CancelledError):
            raise KeyboardInterrupt
        outcome.raiseException()
    return outcome


def _begin(reactor: Any, ask: Callable[[], Coroutine[Any, Any, T]], take: Callable[[T | Failure], None]) -> None:
    """Run the work, then stop the reactor. If the reactor is stopped earlier, it waits for the cleanup."""
    ended: Deferred[None] = Deferred()
    stopping = False

    def stop_asking() -> Deferred[None]:
        nonlocal stopping
        stopping = True
        # A second Ctrl+C ends this process at once. A Redis that it started then ends by itself.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        asked.cancel()
        return ended

    def finish(outcome: T | Failure) -> None:
        take(outcome)
        ended.callback(None)
        if not stopping:
            reactor.stop()

    reactor.addSystemEventTrigger("before", "shutdown", stop_asking)
    asked = ensureDeferred(ask())
    asked.addBoth(finish)


async def with_store(
    config: Config,
    work: Work[T],
    reactor: Any,
    notes: Notes,
    patience: float = PATIENCE,
    *,
    any_format: bool = False,
    creates: bool = False,
) -> T:
    """Run ``work`` on a running reactor. ``notes`` observes the log for problems of Redis.

    ``any_format`` is for the work that changes the format of the store, ``creates`` for the work that begins one.
    """
    if not creates:
        _check_store(config)
    access = Access(config, reactor)
    connection = access.connection()
    visit = RedisVisit(config, reactor, patience)
    try:
        try:
            await visit.begin()
            connection.startService()
            await connection.when_connected().addTimeout(patience, reactor)
        except TimeoutError:
            reason = notes.trouble or connection.complaint.rstrip(".")
            why = f": {reason}" if reason else ""
            raise StartError(f"no answer from Redis at {access.address} for {patience:g} seconds{why}") from None
        try:
            problems = await check_settings(connection, config.redis.durability)
            if not any_format:
                problems += await check_format(connection)
            if problems:
                raise StartError(f"Redis at {access.address} cannot be used: " + "; ".join(problems))
            return await work(connection)
        except StoreError as error:
            raise ConsoleError(_explained(error)) from error
    finally:
        if connection.running:
            if not connection.connected:
                # The result exists, so a slow end is not worth waiting for.
                connection.drop("too late")
            await connection.stopService()
        await visit.end()


def _check_store(config: Config) -> None:
    """Raise StartError when there is no store: looking for an account in a wrong directory must not begin one there."""
    data = data_path(config)
    # Of a directory that is closed to this user, the visit says so.
    if not has_store(config) and (os.access(data, os.X_OK) or not os.path.isdir(data)):
        raise StartError(
            f"there is no FishChat in {data}, and nothing was made there; if it has another directory, name it with "
            "--data DIR or FISHCHAT__DATA"
        )


def _explained(error: StoreError) -> str:
    if isinstance(error, Unavailable):
        return f"lost the connection to Redis before the command was complete ({error}); run it again"
    if isinstance(error, Unknown):
        return f"lost the connection to Redis, and the command may have taken effect ({error}); check, or run it again"
    return f"Redis refused the command: {error}"
