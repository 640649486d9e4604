"""Redis for a world without a reactor: a real one, but every request and reply waits until the world passes it on.

``SyncConnection`` replaces ``fishchat.storage.redis.Connection``. On one connection requests are run and answered in
order; connections are independent. Requests lost with a connection fail as ``Unknown``, run or not, and those under
way may still be run later.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import hiredis
from twisted.internet.defer import Deferred, ensureDeferred, fail, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from fishchat.bus.channels import CLIENT_STATUS
from fishchat.interfaces import IStore
from fishchat.storage.packing import pack, unpack
from fishchat.storage.redis import ReplyError, Script, Unavailable, Unknown
from fishchat.storage.script import every_script
from fishchat.test.support.redis_fixture import RedisServer

_pack: Any = hiredis.pack_command

Arguments = tuple[bytes | str | int, ...]


class Observer(Protocol):
    """An observer of every script that Redis runs."""

    def asks(self, script: str, args: list[Any]) -> tuple[list[Arguments], list[Arguments]]:
        """Return the commands to run right before and right after a script, with nothing in between."""

    def ran(self, script: str, args: list[Any], before: list[Any], reply: Any) -> None:
        """Take note that a script has run; ``before`` are the replies to the first of these commands."""


class Store:
    """One blocking connection to a real Redis. Error replies are returned, not raised."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(self.server.path)
        self._reader = hiredis.Reader(replyError=ReplyError)
        self._ear = socket.socket(socket.AF_UNIX)
        self._ear.settimeout(10)
        self._ear.connect(self.server.path)
        self._heard = hiredis.Reader()
        self._ear.sendall(_pack(("SUBSCRIBE", CLIENT_STATUS)))
        self.many(*(("SCRIPT", "LOAD", script.source) for script in every_script()))

    def many(self, *commands: Arguments) -> list[Any]:
        """Return the replies to several commands, sent together."""
        self._socket.sendall(b"".join(_pack(words) for words in commands))
        return [self._next() for _ in commands]

    def command(self, *words: bytes | str | int) -> Any:
        """Return the reply to one command."""
        return self.many(words)[0]

    def said(self) -> list[bytes]:
        """Return the payloads that scripts have published on the status channel since the last call."""
        self._ear.sendall(_pack(("PING",)))
        found: list[bytes] = []
        while True:
            while (reply := self._heard.gets()) is False:
                self._heard.feed(self._ear.recv(65536))
            if reply[0] == b"pong":
                return found
            if reply[0] == b"message":
                found.append(reply[2])

    def _next(self) -> Any:
        while (reply := self._reader.gets()) is False:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("Redis closed the connection")
            self._reader.feed(data)
        return reply

    def empty(self) -> None:
        """Empty the store."""
        self.command("FLUSHALL")

    def kill(self) -> None:
        """Kill Redis and start it again on its data."""
        self.close()
        self.server.kill()
        self.server.start()
        self._connect()

    def close(self) -> None:
        """Close the connections."""
        self._socket.close()
        self._ear.close()

    def copy(self) -> dict[bytes, bytes]:
        """Return a copy of all stored data."""
        keys = self.command("KEYS", "*")
        return dict(zip(keys, self.many(*(("DUMP", key) for key in keys)), strict=True))

    def put_back(self, copy: dict[bytes, bytes]) -> None:
        """Restore the data from a copy."""
        self.many(("FLUSHALL",), *(("RESTORE", key, 0, value) for key, value in copy.items()))


class _Request:
    __slots__ = ("args", "looked", "result", "timer", "until")

    def __init__(self, args: Arguments) -> None:
        self.args = args
        self.result: Deferred[Any] = Deferred()
        self.timer: Any = None
        #: For a blocking read: when it times out, and after how many changes it was last tried.
        self.until: float | None = None
        self.looked = -1


class Network:
    """The Redis of several connections.

    :ivar run: the run id that it reports; change it to simulate a restart.
    :ivar changes: how many scripts have run: a blocked read is not repeated without a new one.
    :ivar late: requests of lost connections that may still arrive.
    """

    def __init__(self, store: Store, observer: Observer, scripts: Sequence[Script] | None = None) -> None:
        self.store = store
        self._names = {script.sha: script.name for script in (every_script() if scripts is None else scripts)}
        self.run = 1
        self.changes = 0
        self.connections: list[SyncConnection] = []
        self.late: list[deque[_Request]] = []
        self._observer = observer

    def call(self, args: Arguments) -> Any:
        """Run one command at Redis now."""
        if args[:2] == ("INFO", "server"):
            return b"run_id:%d\r\n" % self.run
        if args[0] != "EVALSHA":
            return self.store.command(*args)
        name, unpacked = self._names[bytes(args[1])], unpack(args[-1])  # type: ignore[arg-type]
        before, behind = self._observer.asks(name, unpacked)
        replies = self.store.many(*before, args, *behind)
        reply = replies[len(before)]
        assert not isinstance(reply, Exception), (name, unpacked, reply)
        self.changes += 1
        self._observer.ran(name, unpacked, replies[: len(before)], reply)
        return reply

    def arrive_late(self, number: int) -> None:
        """Run the next request of a lost connection all the same."""
        requests = self.late[number % len(self.late)]
        request = requests.popleft()
        if request.args[0] == "EVALSHA":  # nothing else changes anything
            self.call(request.args)
        if not requests:
            self.late.remove(requests)


@implementer(IStore)
class SyncConnection:
    """A connection, see the module. ``done`` and ``give`` are the two halves of a command."""

    def __init__(self, network: Network, clock: IReactorTime, name: str) -> None:
        self.name = name
        self.timeout = 3.0
        self.prepare: list[Callable[[Any], Awaitable[object]]] = []
        self.on_connected: list[Callable[[], None]] = []
        self.on_lost: list[Callable[[], None]] = []
        self.connected = False
        self.requests: deque[_Request] = deque()
        self.replies: deque[tuple[_Request, Any]] = deque()
        self._open = self._ended = False
        self._network = network
        self._clock = clock

    # -- the interface of the real one

    def run(self, *args: bytes | str | int, timeout: Any = None) -> Deferred[Any]:
        """Run one command. Returns its reply, or fails with one of the three errors."""
        if not self.connected:
            return fail(Unavailable("no connection to Redis"))
        return self._ask(args, timeout or self.timeout)

    def call(self, script: Script, *values: Any) -> Deferred[Any]:
        """Run a script."""
        return self.run("EVALSHA", script.sha, 0, pack(*values))

    def drop(self, reason: str) -> None:
        """Drop the connection; another one is made soon."""
        if not self._open:
            return
        was_ready, self._open, self.connected = self.connected, False, False
        left = self._leave()
        if was_ready:
            for listener in list(self.on_lost):
                listener()
        for request in left:
            if request.timer.active():
                request.timer.cancel()
            request.result.errback(Unknown(reason))
        self._clock.callLater(0.05, self._connect)

    # -- connecting

    def start(self) -> None:
        """Connect now and after every loss."""
        self._network.connections.append(self)
        self._clock.callLater(0, self._connect)

    def vanish(self) -> None:
        """End with the process: no callback is called."""
        self._open, self.connected, self._ended = False, False, True
        self._network.connections.remove(self)
        self._leave()

    def _connect(self) -> None:
        if self._open or self._ended:
            return
        self._open = True
        ensureDeferred(self._prepare()).addCallbacks(self._ready, lambda failure: failure.trap(Unknown))

    async def _prepare(self) -> None:
        wire = _Wire(self._ask)
        for hook in self.prepare:
            await maybeDeferred(hook, wire)

    def _ready(self, _: object) -> None:
        self.connected = True
        for listener in list(self.on_connected):
            listener()

    def _leave(self) -> list[_Request]:
        left = [*(request for request, _ in self.replies), *self.requests]
        if self.requests:
            self._network.late.append(self.requests)
        self.replies.clear()
        self.requests = deque()
        return left

    def _ask(self, args: Arguments, timeout: float = 3.0) -> Deferred[Any]:
        request = _Request(args)
        if "BLOCK" in args:
            request.until = self._clock.seconds() + int(args[args.index("BLOCK") + 1]) / 1000
        request.timer = self._clock.callLater(timeout, self.drop, "no reply in time")
        self.requests.append(request)
        return request.result

    # -- steps of the world

    @property
    def asks(self) -> bool:
        """Return whether Redis can run a request of this connection now."""
        if not self.requests:
            return False
        request = self.requests[0]
        if request.until is None or request.looked != self._network.changes:
            return True
        return self._clock.seconds() >= request.until

    def do(self) -> None:
        """Run the next request at Redis. One that blocks may continue to wait."""
        if not self.requests:
            return
        request = self.requests[0]
        args = request.args
        if request.until is not None:
            block = args.index("BLOCK")
            args = args[:block] + args[block + 2 :]
        reply = self._network.call(args)
        if request.until is not None and reply is None and self._clock.seconds() < request.until:
            request.looked = self._network.changes
            return
        self.requests.popleft()
        self.replies.append((request, reply))

    def give(self) -> None:
        """Deliver the next reply."""
        if not self.replies:
            return
        request, reply = self.replies.popleft()
        if request.timer.active():
            request.timer.cancel()
        if isinstance(reply, Exception):
            request.result.errback(reply)
        else:
            request.result.callback(reply)


class _Wire:
    """The wire that the hooks of ``prepare`` receive."""

    def __init__(self, ask: Callable[[Arguments], Deferred[Any]]) -> None:
        self._ask = ask

    def run(self, *args: bytes | str | int) -> Deferred[Any]:
        """Run one command, although the connection does not count as made yet."""
        return self._ask(args)
