"""The guess budget: how many wrong secrets an account and a source may send, and the hashes that cost a guess each.

A guess is taken before the secret is checked, and refunded when the secret was right or was not checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from fishchat.config.schema import Limits
from fishchat.errors import Refusal, tryagain
from fishchat.features.session import calls
from fishchat.features.session.calls import Verifiers
from fishchat.services.msg_server.queue.commits import Commits
from fishchat.services.msg_server.sessions.hashing import Hashing
from fishchat.storage.ask import Ask

T = TypeVar("T")


class Guesses:
    """Take guesses, refund them, and hash.

    :ivar limits: arguments for the scripts: the number of guesses (0 for any number), and the ms in which they count.
    """

    def __init__(self, queue: Commits, hashing: Hashing, limits: Limits) -> None:
        self._queue = queue
        self._hashing = hashing
        self.limits = (limits.guesses if limits.flood else 0, max(1, int(limits.guess_seconds * 1000)))

    async def attempt(self, account: bytes, source: bytes) -> Verifiers:
        """Take a guess and return the verifiers of the account; raise Refusal ``FLOOD`` after too many wrong ones."""
        try:
            return await self.ask(calls.begin_guess(account, source, *self.limits))
        except Refusal as refusal:
            # The guess may be taken, but nothing that the client asked for is done.
            if refusal.word == "UNKNOWN":
                raise tryagain() from None
            raise

    async def hashed(self, account: bytes, source: bytes, function: Callable[..., T], *arguments: Any) -> T:
        """Make a slow hash after an attempt; refund its guess when there was no time for the hash."""
        try:
            return await self._hashing.run(function, *arguments)
        except Refusal as refusal:
            if refusal.word == "TRYAGAIN":
                self.refund(account, source)
            raise

    def refund(self, account: bytes, source: bytes) -> None:
        """Refund a guess. Without this, a client that repeats a right password after ``TRYAGAIN`` would be shut out."""
        guesses, within = self.limits
        if guesses:
            given = self.ask(calls.refund_guess(account, source, within))
            given.addErrback(lambda failure: failure.trap(Refusal))

    def ask(self, ask: Ask[T]) -> Deferred[T]:
        """Call the store through the queue, like every call for clients; fail with its Refusal."""
        return self._queue.ask(ask)
