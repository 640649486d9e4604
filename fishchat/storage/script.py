"""The Lua scripts: named by their path in the package, and by SHA-1 in Redis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha1
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from fishchat.storage import header, loader
from fishchat.storage.packing import pack
from fishchat.storage.wire import Reply, ReplyError, Unavailable


class Script:
    """One script; ``script`` returns those of the package.

    :ivar name: its path, such as ``topics/create``. :ivar source: the text that Redis runs. :ivar fenced: whether its
    first arguments are the fence of a msg_server.
    """

    def __init__(self, name: str, source: bytes, *, fenced: bool = False) -> None:
        self.name = name
        self.source = source
        self.fenced = fenced
        # Redis names a script by this hash; it protects nothing.
        self.sha = sha1(source, usedforsecurity=False).hexdigest().encode()

    def __repr__(self) -> str:
        return f"<Script {self.name}>"


@cache
def script(name: str) -> Script:
    """Return the script at a path. FileNotFoundError when there is none, ValueError when its header is wrong."""
    text = loader.read(name)
    try:
        return Script(name, loader.assemble(text), fenced=header.parse(text).fenced)
    except ValueError as error:
        raise ValueError(f"{name}.lua: {error}") from error


def every_script() -> Sequence[Script]:
    """Return all scripts of the package, by name."""
    return [script(name) for name in loader.names()]


class _Call:
    __slots__ = ("packed", "result", "retried", "script")

    def __init__(self, script: Script, packed: bytes) -> None:
        self.script = script
        self.packed = packed
        self.result: Deferred[Reply] = Deferred()
        self.retried = False


class Scripts:
    """Runs scripts on one connection, in the order of the calls, even when Redis forgot them.

    Scripts are loaded on every new connection, so NOSCRIPT means that they were flushed meanwhile. Then all further
    script calls are held until the calls in flight are answered, the scripts are loaded again, and all calls that Redis
    did not know run in their order, each once more at most. Two limits: a call of another script that Redis still knew
    has overtaken by then, and commands that are not scripts are not held. A caller that needs those in order waits for
    the reply.
    """

    def __init__(self, run: Callable[..., Deferred[Reply]]) -> None:
        self._run = run
        self._in_flight = 0
        #: Calls to make when none is in flight any more; None in normal operation.
        self._held: list[_Call] | None = None

    def call(self, script: Script, values: tuple[Any, ...]) -> Deferred[Reply]:
        """Run ``script`` with these arguments; fails as ``run`` does."""
        call = _Call(script, pack(*values))
        if self._held is None:
            self._send(call)
        else:
            self._held.append(call)
        return call.result

    def lost(self) -> None:
        """Handle the end of the connection: held calls were certainly not done."""
        held, self._held = self._held, None
        for call in held or ():
            call.result.errback(Unavailable("no connection to Redis"))

    def _send(self, call: _Call) -> None:
        asked = self._run("EVALSHA", call.script.sha, 0, call.packed)
        # Counted only now: a command that cannot be sent has no reply to wait for.
        self._in_flight += 1
        asked.addCallbacks(self._done, self._failed, callbackArgs=(call,), errbackArgs=(call,))

    def _done(self, reply: Reply, call: _Call) -> None:
        self._in_flight -= 1
        call.result.callback(reply)
        self._go_on()

    def _failed(self, failure: Failure, call: _Call) -> None:
        self._in_flight -= 1
        error = failure.value
        if isinstance(error, ReplyError) and error.word == "NOSCRIPT" and not call.retried:
            call.retried = True
            if self._held is None:
                self._held = []
            # Replies are in the order of the calls, and calls held untried are newer than all of them.
            self._held.insert(sum(each.retried for each in self._held), call)
        else:
            call.result.errback(failure)
        self._go_on()

    def _go_on(self) -> None:
        if self._held is None or self._in_flight:
            return
        held, self._held = self._held, None
        for script in {call.script.sha: call.script for call in held}.values():
            # The following calls show a refusal.
            self._run("SCRIPT", "LOAD", script.source).addErrback(lambda _: None)
        for call in held:
            self._send(call)
