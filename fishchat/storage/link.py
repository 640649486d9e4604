"""One connection to Redis as a service: made, prepared, watched, and made again without end."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from twisted.application.internet import ClientService
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, maybeDeferred, succeed
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.storage.address import Address, ClientCertificate, endpoint
from fishchat.storage.trouble import Trouble
from fishchat.storage.wire import Pipeline, StoreError, Unavailable

#: Seconds before the first retry, doubled each time, and the largest delay.
FIRST_DELAY, MOST_DELAY = 0.05, 1.0
#: Failures before the log reports them: some two seconds.
QUIET = 6
#: Seconds of a connection after which the delays start anew.
SETTLED = 1.0

#: Runs on every new connection before it counts as connected. A failure drops it, and the next one is tried.
Hook = Callable[[Pipeline], Awaitable[object]]
WireT = TypeVar("WireT", bound=Pipeline)


@implementer(IStreamClientEndpoint)
class _Noted:
    """An endpoint that reports why it could not connect; ClientService does not."""

    def __init__(self, inner: IStreamClientEndpoint, failed: Callable[[Failure], None]) -> None:
        self._inner = inner
        self._failed = failed

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        def note(failure: Failure) -> Failure:
            self._failed(failure)
            return failure

        return self._inner.connect(protocolFactory).addErrback(note)


class _Silent(Logger):
    """A silent logger: ClientService logs every retry, but ``Link`` reports the trouble once."""

    def info(self, format: str | None = None, **kwargs: object) -> None:
        """Drop the event; ``Link`` reports the trouble itself."""


class _Reconnecting(ClientService):
    _log = _Silent()


class _Wires(Factory):
    noisy = False

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return self._make()


class Link(Service, Generic[WireT]):
    """One connection that is made again whenever it is lost.

    Twisted's ``ClientService`` connects. The preparation is done here and not by its ``prepareConnection``, which fails
    when the connection is lost meanwhile (its state machine has no such transition).
    """

    log = Logger()

    def __init__(
        self,
        address: Address,
        *,
        timeout: float = 3.0,
        clock: IReactorTime | None = None,
        reactor: Any = None,
        trust_root: Any = None,
        certificate: ClientCertificate | None = None,
        jitter: Callable[[], float] = random.random,
        trouble: Trouble | None = None,
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.address = address
        self.timeout = timeout
        self.prepare: list[Hook] = []
        self.on_connected: list[Callable[[], None]] = []
        self.on_lost: list[Callable[[], None]] = []
        self._reactor = reactor
        self._clock: IReactorTime = reactor if clock is None else clock
        self._jitter = jitter
        #: Shared by the connections of a process, so that each problem is logged once.
        self._trouble = trouble or Trouble(self._clock)
        #: Failed attempts to connect since a connection lasted for ``SETTLED`` seconds.
        self.failures = 0
        self._since = 0.0
        self._wire: WireT | None = None
        self._ready = False
        self._waiters: list[Deferred[None]] = []
        #: The last failure; empty after a success.
        self.complaint = ""
        self._service = _Reconnecting(
            _Noted(endpoint(address, reactor, trust_root, certificate), self._complain),
            _Wires(self._make_wire),
            retryPolicy=self._delay,
            clock=self._clock,
        )

    @property
    def connected(self) -> bool:
        """Whether a command would be sent now."""
        return self._ready

    @property
    def waiting(self) -> bool:
        """Whether a command with a deadline waits for its reply."""
        return self._wire is not None and self._wire.bounded

    def when_connected(self) -> Deferred[None]:
        """Fires when connected, at once if so; fails with ``Unavailable`` when the service stops before."""
        if self._ready:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._forget)
        self._waiters.append(waiter)
        return waiter

    def _forget(self, waiter: Deferred[None]) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def startService(self) -> None:
        """Connect, now and whenever the connection is lost."""
        super().startService()
        self._service.startService()

    def stopService(self) -> Deferred[None]:
        """Let the commands in flight end (for ``timeout`` seconds at most), then disconnect for good."""
        super().stopService()
        self._ready = False
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.errback(Unavailable("stopped"))
        done = self._drained()
        done.addCallback(lambda _: self.drop("stopped"))
        done.addCallback(lambda _: self._service.stopService())
        # ClientService fires it within its own transition and cannot be started again from there.
        return done.addCallback(lambda _: deferLater(self._reactor, 0))

    def abandon(self, reason: str) -> Deferred[None]:
        """Disconnect for good and at once, as the end of the process would: commands in flight fail as ``Unknown``."""
        self.running = False
        done = maybeDeferred(self._service.stopService)
        self.drop(reason)
        return done

    def drop(self, reason: str) -> None:
        """Give up the present connection, if any; commands in flight fail as ``Unknown``."""
        if self._wire is not None:
            self._wire.drop(reason)

    def _make_wire(self) -> WireT:
        raise NotImplementedError

    def _drained(self) -> Deferred[None]:
        wire = self._wire
        if wire is None or not self.waiting:
            return succeed(None)
        # Replies are in order: this one follows all others, or the connection is lost.
        return wire.run("PING", timeout=self.timeout).addBoth(lambda _: None)

    def _delay(self, attempt: int) -> float:
        # ClientService resets its count after every TCP connection, even one that fails its preparation.
        self.failures += 1
        delay = min(FIRST_DELAY * 2.0 ** min(self.failures - 1, 10), MOST_DELAY)
        return delay * (0.75 + self._jitter() / 2)

    def _made(self, wire: WireT) -> None:
        self._wire = wire
        ensureDeferred(self._prepare(wire)).addCallbacks(
            lambda _: self._prepared(wire), lambda failure: self._unprepared(wire, failure)
        )

    async def _prepare(self, wire: WireT) -> None:
        address = self.address
        if address.password:
            login = (address.username, address.password) if address.username else (address.password,)
            await wire.run("AUTH", *login)
        if address.db:
            await wire.run("SELECT", address.db)
        # A Redis that is loading its data, or a replica without its primary, answers with that here.
        await wire.run("PING")
        for hook in self.prepare:
            await maybeDeferred(hook, wire)

    def _prepared(self, wire: WireT) -> None:
        if wire.closed or not self.running:
            return
        self._since = self._clock.seconds()
        self._ready = True
        self.complaint = ""
        self.log.info("connected to Redis at {address}", address=str(self.address))
        waiters, self._waiters = self._waiters, []
        self._tell(self.on_connected)
        for waiter in waiters:
            waiter.callback(None)

    def _unprepared(self, wire: WireT, failure: Failure) -> None:
        self._complain(failure)
        wire.drop("not ready")

    def _wire_lost(self, wire: WireT, reason: str) -> None:
        self._wire = None
        was_ready, self._ready = self._ready, False
        if not self.running:
            return
        if was_ready:
            if self._clock.seconds() - self._since >= SETTLED:
                self.failures = 0
            text = "connection to Redis at {address} lost: {why}"
            self._trouble.report(self.log, text, address=str(self.address), why=reason)
            self._tell(self.on_lost)

    def _tell(self, listeners: Sequence[Callable[[], None]]) -> None:
        for listener in list(listeners):
            try:
                listener()
            except Exception:
                self.log.failure("a listener of the connection to Redis failed")

    def _complain(self, failure: Failure) -> None:
        text = failure.getErrorMessage()
        if not self.running or failure.check(CancelledError):
            return
        self.complaint = text
        if self.failures < QUIET and type(failure.value) is not StoreError:
            # Redis starts at the same time, or is being restarted.
            return
        format = "Redis at {address} is not ready, trying again: {error}"
        self._trouble.report(self.log, format, address=str(self.address), error=text)
