"""The client on Twisted: connects, reconnects after losses, runs callbacks, and returns Deferreds for replies.

Twisted's ClientService is not used because it connects to one endpoint only, and treats a TCP connection as a success:
it would retry a server that accepts connections but fails the login without a growing delay.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, fail, maybeDeferred, succeed
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger

from fishchat.client.addresses import Addresses
from fishchat.client.calls import Calls
from fishchat.client.driver import Driver
from fishchat.client.events import (
    Behind,
    Broken,
    ClientError,
    ClosedError,
    Ended,
    Gap,
    Message,
    Moved,
    Notice,
    Online,
    Operation,
    Read,
    RefusedError,
    Settled,
    StateError,
    Synced,
    TlsError,
)
from fishchat.client.link import Link
from fishchat.client.machine import Machine
from fishchat.client.security import Security, Tls
from fishchat.client.state import ClientState, Store
from fishchat.client.warnings import Warnings

#: Seconds before the first reconnection, the longest delay, and how long a connection must last to count as a success.
FIRST_DELAY = 0.05
LONGEST_DELAY = 5.0
STEADY = 5.0
#: Seconds that stopping waits for the reply to QUIT, and moving waits for the last replies.
GOODBYE = 5.0


class Connection(Link):
    """The connection of a client; all of its events are passed to the client.

    :ivar gone: fires when the connection is lost.
    """

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client
        self.gone: Deferred[None] = Deferred()

    def opened(self) -> None:
        """Report the new connection to the client."""
        self._client._connected(self)

    def secured(self, binding: bytes | None) -> None:
        """Report the completed TLS handshake to the machine."""
        self._client._machine.secured(binding)

    def received(self, lines: list[bytes]) -> None:
        """Process lines from the server, without their endings."""
        self._client._received(lines)

    def lost(self, reason: BaseException | None) -> None:
        """Report to the client that the connection is lost, and why."""
        self._client._lost(reason)
        self.gone.callback(None)


class Client(Calls):
    """One device of one account, kept connected.

    Every send is stored exactly once and in order, even if connections and servers fail. Every message is delivered to
    ``on_message`` in order. It is acknowledged when ``on_message`` returns, or when the Deferred or coroutine that it
    returns is done. A failing callback is logged, and its message is acknowledged as well. With ``manual_ack``, the
    program acknowledges by calling ``ack``. Without an ``on_message`` nothing is acknowledged, and the server keeps the
    messages.

    With a ``state`` in a store (``FileState``), all this is true across restarts of the program too. The state is saved
    before anything that depends on it is sent: an answer that ``on_message`` sends before it returns is sent exactly
    once.

    The client logs in by a token if its state has one; every login by ``secret`` leaves a token there. Without a token,
    or if the server no longer accepts it, the client proves the ``secret``. This computes for 0.2 s and blocks the
    reactor. A ``secret`` that is itself a token (``fct_…``) is sent as it is. If the server revokes a token
    (``RESP_REVOKED``), a client with a password logs in by it; a client without one ends.

    :param tls: how to connect to servers and gateways. None: TLS with a certificate from an authority that the system
        trusts, but plain text on this machine (loopback). True: such TLS everywhere. A path: TLS, trusting only the
        authorities in that PEM file. False: plain text, over the network too, where anyone on the way can read the
        secret and everything else. Raises OSError or ValueError for a file that contains no certificates.
    :param lazy: whether a device that was away for long receives only the newest messages of each conversation.
        ``on_behind`` is called with each range of older ones, which ``history`` returns. A range is part of the state
        until ``on_behind`` returns, or until the Deferred or coroutine that it returns is done. A restarted program is
        called again with the others.
    :param own_reads: whether ``on_read`` is also called when another device of one's own account has read messages.
    :param operations: whether ``on_operation`` is called when messages are edited, recalled, pinned or reacted to.
    :ivar on_message, on_notice, on_operation, on_synced, on_gap, on_behind, on_read, on_event, on_closed: the
        callbacks; None: no callback.
        ``on_operation(event)`` receives an ``Edited``, ``Recalled``, ``Reacted`` or ``Pinned``, in order with the
        messages. It is acknowledged as a message is, and at once if there is no callback. So are notices, if there is
        an ``on_message``.
        ``on_event(event)`` receives the events of features that have no callback of their own.
        ``on_closed(reason)`` is called once: ``stopped``, ``replaced`` (this device logged in elsewhere), ``refused``
        (the login was refused), ``revoked`` (the server revoked the login, and no other secret is available) or
        ``state`` (the state could not be saved at the start).

    The client warns when it cannot connect, and why: in the log, or on stderr if the program has not begun a log.
    """

    _log = Logger()

    def __init__(
        self,
        account: str,
        *,
        secret: str | None = None,
        device: str = "main",
        gateway: str | None = None,
        servers: Sequence[str] = ("127.0.0.1:19000",),
        tls: Tls = None,
        reactor: Any,
        state: ClientState | Store | None = None,
        manual_ack: bool = False,
        lazy: bool = False,
        own_reads: bool = False,
        operations: bool = False,
    ) -> None:
        self.account, self.device, self.manual_ack = account, device, manual_ack
        self.on_message: Callable[[Message], object] | None = None
        self.on_notice: Callable[[Notice], object] | None = None
        self.on_operation: Callable[[Operation], object] | None = None
        self.on_synced: Callable[[], object] | None = None
        self.on_gap: Callable[[Gap], object] | None = None
        self.on_behind: Callable[[Behind], object] | None = None
        self.on_read: Callable[[Read], object] | None = None
        self.on_event: Callable[[object], object] | None = None
        self.on_closed: Callable[[str], object] | None = None
        self._reactor = reactor
        store: Store | None = None
        if state is not None and not isinstance(state, ClientState):
            store = state
            state = state.load()
        self._machine = Machine(
            account,
            device,
            secret=secret,
            state=state,
            manual_ack=True,
            lazy=lazy,
            own_reads=own_reads,
            operations=operations,
        )
        self._warnings = Warnings()
        self._driver = Driver(
            reactor,
            self._machine,
            store,
            tell=self._tell,
            send=self._send,
            drop=self._drop,
        )
        self._security = Security(tls, self._warnings)
        self._addresses = Addresses(reactor, gateway, servers, self._security)
        self._connection: Connection | None = None
        self._address = ""
        self._online_at: float | None = None
        #: Attempts to connect that failed since a connection lasted for ``STEADY`` seconds.
        self.failures = 0
        self._calls: dict[int, Deferred[Any]] = {}
        self._starting: list[Deferred[None]] = []
        self._stopping: list[Deferred[None]] = []
        self._ended: Ended | None = None
        self._running: Deferred[None] | None = None
        self._moving: IDelayedCall | None = None

    # Life.

    def start(self) -> Deferred[None]:
        """Connect, and stay connected. Fires at the first login.

        Fails with RefusedError if the login is refused, and with StateError if the state cannot be saved. The client is
        closed then.
        """
        if self._ended is not None:
            return fail(self._closed_error())
        if self._running is None:
            try:
                self._driver.save()
            except StateError as error:
                self._end(Ended("state", error, str(error)))
                return fail(error)
            self._running = ensureDeferred(self._run())
            self._running.addErrback(lambda failure: failure.trap(CancelledError))
        if self._online_at is not None:
            return succeed(None)
        self._starting.append(Deferred())
        return self._starting[-1]

    def stop(self) -> Deferred[None]:
        """Send the last acknowledgements and QUIT, then close the connection. Fires when it is closed.

        Calls without a reply by then fail with ClosedError. A state in a store keeps the sends.
        """
        if self._ended is not None and self._connection is None:
            return succeed(None)
        self._stopping.append(Deferred())
        waiting = self._stopping[-1]
        self._machine.close()
        if self._connection is not None:
            goodbye = self._reactor.callLater(GOODBYE, self._drop)
            waiting.addBoth(_cancel, goodbye)
        self._driver.flush()
        return waiting

    @property
    def is_online(self) -> bool:
        """Whether the client is connected and logged in at the moment."""
        return self._online_at is not None

    @property
    def server(self) -> str:
        """The address of the msg_server that it is connected to, or connects to; empty while none is chosen."""
        return self._address

    @property
    def state(self) -> ClientState:
        """The state with which the next Client of this device continues where this one stopped."""
        return self._machine.snapshot()

    def ack(self, message: Message | Notice | Operation) -> None:
        """Acknowledge this message or operation and all before it in its conversation, with ``manual_ack``."""
        self._machine.finish_up_to(message.id, self._reactor.seconds())
        self._driver.flush_soon()

    def _call(self, queue: Callable[[], int]) -> Deferred[Any]:
        if self._ended is not None:
            return fail(self._closed_error())
        try:
            key = queue()
        except RefusedError as error:
            return fail(error)
        self._calls[key] = Deferred()
        self._driver.flush_soon()
        return self._calls[key]

    # Connecting.

    async def _run(self) -> None:
        while self._ended is None:
            try:
                self._address = ""
                self._address = await self._addresses.choose()
                factory = Factory.forProtocol(lambda: Connection(self))
                factory.noisy = False
                connection: Any = await self._security.endpoint(self._reactor, self._address).connect(factory)
                await connection.gone
            except CancelledError:
                raise
            except Exception as error:
                self._warn(error)
                self._addresses.failed(self._address)
                self.failures += 1
            if self._ended is None:
                await deferLater(self._reactor, self._delay())

    def _warn(self, error: object) -> None:
        # An error of TLS says by itself with which server, and what to do.
        known = isinstance(error, TlsError) or not self._address
        self._warnings.warn(error if known else f"no connection to {self._address}: {error}; trying again")

    def _delay(self) -> float:
        """Return a doubling delay with jitter, so that the clients of a failed server do not all reconnect at once."""
        longest = min(FIRST_DELAY * 2.0 ** min(max(self.failures - 1, 0), 16), LONGEST_DELAY)
        return longest * random.uniform(0.5, 1.0)

    def _connected(self, connection: Connection) -> None:
        if self._ended is not None:
            connection.abort()
            return
        self._connection = connection
        self._machine.connected(self._reactor.seconds())
        self._driver.flush()

    def _received(self, lines: list[bytes]) -> None:
        now = self._reactor.seconds()
        for line in lines:
            self._machine.received(line, now)
        self._driver.flush()

    def _lost(self, reason: BaseException | None) -> None:
        wrong = self._security.failure(self._address, reason)
        # Of a connection that the client itself has aborted, the reason was told before.
        early = self._online_at is None and self._ended is None and not isinstance(reason, ConnectionAborted)
        if wrong is not None or early:
            self._warn(wrong or "it was lost before the login")
        self._connection = None
        self._moving = _cancel(None, self._moving)
        now = self._reactor.seconds()
        if self._online_at is not None and now - self._online_at >= STEADY:
            self.failures = 0
        else:
            self.failures += 1
            if self._online_at is None:
                self._addresses.failed(self._address)
        self._online_at = None
        self._machine.lost()
        self._driver.flush()
        self._finish_stopping()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abort()

    def _move(self, move: Moved) -> None:
        if self._moving is None:
            self._addresses.failed(self._address)
            self._addresses.prefer(move.address)
            # Moves are spread over half of the time, so that the clients of a drained server do not all move at once.
            self._moving = self._reactor.callLater(random.uniform(0.0, move.within / 2), self._leave)

    def _leave(self) -> None:
        self._machine.drain()
        self._moving = self._reactor.callLater(GOODBYE, self._drop)
        self._driver.flush()

    def _send(self, lines: list[bytes]) -> None:
        if self._connection is not None:
            self._connection.send(lines)

    # Events of the machine.

    def _tell(self, event: object) -> None:
        if isinstance(event, Settled):
            self._settle(event)
        elif isinstance(event, Message):
            self._hand(self.on_message, event)
        elif isinstance(event, Notice):
            # The notices of a topic must not keep its messages from a program that wants only these.
            self._hand(self.on_notice or (_ignore if self.on_message else None), event)
        elif isinstance(event, Operation):
            self._hand(self.on_operation or _ignore, event)
        elif isinstance(event, Behind):
            self._hand(self.on_behind, event)
        elif isinstance(event, Online):
            self._online()
        elif isinstance(event, Moved):
            self._move(event)
        elif isinstance(event, Broken):
            self._warn(event.reason)
            self._drop()
        elif isinstance(event, Ended):
            self._end(event)
        else:
            self._report(event)

    def _report(self, event: object) -> None:
        if isinstance(event, Synced):
            self._run_callback(self.on_synced)
        elif isinstance(event, Gap):
            self._run_callback(self.on_gap, event)
        elif isinstance(event, Read):
            self._run_callback(self.on_read, event)
        else:
            self._run_callback(self.on_event, event)

    def _settle(self, event: Settled) -> None:
        call = self._calls.pop(event.key, None)
        if call is None:  # sent by an earlier program
            if isinstance(event.value, ClientError):
                self._log.warn("a send of an earlier run was refused: {error}", error=event.value)
        elif isinstance(event.value, ClientError):
            call.errback(event.value)
        else:
            call.callback(event.value)

    def _hand(self, callback: Callable[[Any], object] | None, event: Message | Notice | Operation | Behind) -> None:
        if callback is None:
            return
        running = self._run_callback(callback, event)
        if self.manual_ack and not isinstance(event, Behind) and callback is not _ignore:
            return
        if running.called and not running.paused:
            self._handled(event)
        else:
            running.addCallback(lambda _: self._handled(event))
            running.addCallback(lambda _: self._driver.flush_soon())

    def _handled(self, event: Message | Notice | Operation | Behind) -> None:
        if isinstance(event, Behind):
            self._machine.finish_range(event)
        else:
            self._machine.finish(event.id, self._reactor.seconds())

    def _run_callback(self, callback: Callable[..., object] | None, *args: object) -> Deferred[object]:
        if callback is None:
            return succeed(None)
        running: Deferred[object] = maybeDeferred(callback, *args)
        running.addErrback(lambda failure: self._log.failure("a callback of the client failed", failure))
        return running

    def _online(self) -> None:
        self._online_at = self._reactor.seconds()
        self._warnings.clear()
        self._addresses.worked(self._address)
        starting, self._starting = self._starting, []
        for waiting in starting:
            waiting.callback(None)

    # The end.

    def _end(self, ended: Ended) -> None:
        self._ended = ended
        self._driver.stop()
        _cancel(None, self._moving)
        if self._connection is not None:
            # With TLS the peer takes part in closing, and may fail to.
            self._moving = self._reactor.callLater(GOODBYE, self._drop)
            self._connection.close()
        elif self._running is not None:
            self._running.cancel()
        starting, self._starting = self._starting, []
        calls, self._calls = self._calls, {}
        for waiting in (*starting, *calls.values()):
            waiting.errback(ended.error or self._closed_error())
        self._run_callback(self.on_closed, ended.reason)
        if self._connection is None:
            self._finish_stopping()

    def _finish_stopping(self) -> None:
        if self._ended is None:
            return
        stopping, self._stopping = self._stopping, []
        for waiting in stopping:
            waiting.callback(None)

    def _closed_error(self) -> ClosedError:
        ended = self._ended or Ended("stopped")
        why = f"{ended.reason} ({ended.detail})" if ended.detail else ended.reason
        return ClosedError(f"the client is closed: {why}")


def _ignore(event: object) -> None:
    """Do nothing with an operation or a notice for which the program has no callback."""


def _cancel(result: Any, call: IDelayedCall | None) -> Any:
    if call is not None and call.active():
        call.cancel()
    return result
