"""The typed connections to Redis: ``Connection`` for commands, ``Subscriber`` for channels.

Both reconnect without end and hide nothing: a command either has a reply, or was refused (``ReplyError``), or was
certainly not done (``Unavailable``), or was perhaps done (``Unknown``). Nothing is queued while Redis is away, and
nothing is repeated without the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, fail
from zope.interface import implementer

from fishchat.interfaces import IStore, Receiver
from fishchat.storage.address import Address, parse_url
from fishchat.storage.link import Hook, Link
from fishchat.storage.script import Script, Scripts
from fishchat.storage.wire import (
    DEFAULT,
    CommandWire,
    Pipeline,
    Reply,
    ReplyError,
    StoreError,
    SubscriberWire,
    Unavailable,
    Unknown,
    _Default,
)

__all__ = [
    "Address",
    "Connection",
    "Hook",
    "Link",
    "Pipeline",
    "Reply",
    "ReplyError",
    "Script",
    "StoreError",
    "Subscriber",
    "Unavailable",
    "Unknown",
    "parse_url",
]


@implementer(IStore)
class Connection(Link[CommandWire]):
    """The connection for commands: pipelined, in order, never queued while away.

    ``scripts`` are loaded on every new connection; others are loaded when they are first called.
    """

    def __init__(self, address: Address, *, scripts: Sequence[Script] = (), **options: Any) -> None:
        super().__init__(address, **options)
        self._scripts = Scripts(self.run)
        self._load = list(scripts)
        if scripts:
            self.prepare.append(self._load_scripts)

    def run(self, *args: bytes | str | int, timeout: float | _Default | None = DEFAULT) -> Deferred[Reply]:
        """Send one command. The Deferred fires with its reply: bytes, int, None or a list of these.

        It fails with ``ReplyError`` (refused), ``Unavailable`` (at once: nothing was sent) or ``Unknown``
        (perhaps done: the connection was lost, or no reply came within ``timeout`` seconds, by default the
        connection's own). A missed timeout drops the connection, and all other commands in flight with it.
        """
        if not self._ready or self._wire is None:
            return fail(Unavailable("no connection to Redis"))
        return self._wire.run(*args, timeout=timeout)

    def call(self, script: Script, *values: Any) -> Deferred[Reply]:
        """Run ``script``; fails as ``run`` does. Calls keep their order; see ``Scripts`` for SCRIPT FLUSH."""
        return self._scripts.call(script, values)

    def _make_wire(self) -> CommandWire:
        return CommandWire(self._clock, self.timeout, self._made, self._wire_lost)

    async def _load_scripts(self, wire: Pipeline) -> None:
        loads = [wire.run("SCRIPT", "LOAD", script.source) for script in self._load]
        for (_, sha), script in zip(await _all(loads), self._load, strict=True):
            if sha != script.sha:
                raise StoreError(f"Redis calls {script} {sha!r}")

    def _wire_lost(self, wire: CommandWire, reason: str) -> None:
        super()._wire_lost(wire, reason)
        self._scripts.lost()


class _Subscription:
    __slots__ = ("ready", "receive")

    def __init__(self, receive: Receiver, ready: Callable[[], None] | None) -> None:
        self.receive = receive
        self.ready = ready


class Subscriber(Link[SubscriberWire]):
    """The connection for channels. It counts as connected when every channel is confirmed."""

    def __init__(self, address: Address, **options: Any) -> None:
        super().__init__(address, **options)
        self._channels: dict[bytes, list[_Subscription]] = {}
        self._live: SubscriberWire | None = None
        self.prepare.append(self._resubscribe)

    def subscribe(self, channel: str, receive: Receiver, ready: Callable[[], None] | None = None) -> None:
        """Call ``receive(payload)`` with every message of ``channel``, ``ready()`` after each confirmation.

        It may be called at any time, also more than once for a channel. A confirmation is received after the connection
        and after every reconnection.
        """
        name = channel.encode()
        subscription = _Subscription(receive, ready)
        self._channels.setdefault(name, []).append(subscription)
        if self._live is not None:
            wire = self._live
            # Subscribed again for a channel with other receivers: this receiver needs a confirmation of its own.
            confirmed = self._subscribe(wire, name, [subscription])
            confirmed.addErrback(lambda failure: self._unprepared(wire, failure))

    def _make_wire(self) -> SubscriberWire:
        return SubscriberWire(self._clock, self.timeout, self._made, self._wire_lost, receive=self._received)

    async def _resubscribe(self, wire: Pipeline) -> None:
        assert isinstance(wire, SubscriberWire)
        self._live = wire
        await _all([self._subscribe(wire, name, list(each)) for name, each in self._channels.items()])

    def _subscribe(self, wire: SubscriberWire, name: bytes, subscriptions: Sequence[_Subscription]) -> Deferred[None]:
        # One channel per call: confirmations are matched by their order, and each must name its channel.
        def confirmed(reply: Reply) -> None:
            if reply[:2] != [b"subscribe", name]:
                raise StoreError(f"asked for {name!r}, got {reply!r}")
            self._tell([each.ready for each in subscriptions if each.ready is not None])

        return wire.run("SUBSCRIBE", name).addCallback(confirmed)

    def _received(self, channel: bytes, payload: bytes) -> None:
        for subscription in self._channels.get(channel, ()):
            try:
                subscription.receive(payload)
            except Exception:
                self.log.failure("a receiver of {channel!r} failed", channel=channel)

    def _wire_lost(self, wire: SubscriberWire, reason: str) -> None:
        self._live = None
        super()._wire_lost(wire, reason)


async def _all(deferreds: Sequence[Deferred[Any]]) -> list[tuple[bool, Any]]:
    """Wait for all of them. The first failure is raised as itself."""
    results: list[tuple[bool, Any]] = await DeferredList(list(deferreds), consumeErrors=True)
    for success, result in results:
        if not success:
            result.raiseException()
    return results
