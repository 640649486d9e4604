"""The guess budgets: how many wrong secrets an account and a source may send. The hashes that are taken from a budget.

A guess is taken before the secret is checked, and refunded when the secret was right or was not checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from fishchat.errors import Refusal, tryagain
from fishchat.features.engine import Budget
from fishchat.features.session import calls
from fishchat.features.session.calls import Verifiers
from fishchat.services.msg_server.queue.commits import Commits
from fishchat.services.msg_server.sessions.hashing import Hashing
from fishchat.storage.ask import Ask

T = TypeVar("T")


class Guesses:
    """Take guesses, refund them, and hash.

    :param of_account: the budget of an account; ``of_address`` that of a source.
    """

    def __init__(self, queue: Commits, hashing: Hashing, of_account: Budget, of_address: Budget) -> None:
        self._queue = queue
        self._hashing = hashing
        self._of_account = of_account
        self.of_address = of_address

    def attempt(self, account: bytes, source: bytes) -> Deferred[Verifiers]:
        """Take a guess and return the verifiers of the account; fail with ``FLOOD`` after too many wrong ones."""
        return self.begin(calls.begin_guess(account, source, self._of_account, self.of_address))

    def begin(self, ask: Ask[T]) -> Deferred[T]:
        """Take from a budget by this call, before anything that the client asked for is done."""

        def failed(failure: Any) -> Any:
            if failure.check(Refusal) and failure.value.word == "UNKNOWN":
                # It may be taken, but nothing else can be done.
                raise tryagain() from None
            return failure

        return self.ask(ask).addErrback(failed)

    async def hashed(self, refund: Ask[Any], function: Callable[..., T], *arguments: Any) -> T:
        """Make a slow hash; make the call ``refund`` when there was no time for the hash."""
        try:
            return await self._hashing.run(function, *arguments)
        except Refusal as refusal:
            if refusal.word == "TRYAGAIN":
                self._give_back(refund)
            raise

    async def checked(self, account: bytes, source: bytes, function: Callable[..., T], *arguments: Any) -> T:
        """Make a slow hash after an attempt; refund its guess when there was no time for the hash."""
        return await self.hashed(self._refund(account, source), function, *arguments)

    def refund(self, account: bytes, source: bytes) -> None:
        """Refund a guess. Without this, a client that repeats a right password after ``TRYAGAIN`` would be shut out."""
        if self._of_account.most:
            self._give_back(self._refund(account, source))

    def ask(self, ask: Ask[T]) -> Deferred[T]:
        """Call the store through the queue, like every call for clients; fail with its Refusal."""
        return self._queue.ask(ask)

    def _refund(self, account: bytes, source: bytes) -> Ask[None]:
        return calls.refund_guess(account, source, self._of_account, self.of_address)

    def _give_back(self, refund: Ask[Any]) -> None:
        self.ask(refund).addErrback(lambda failure: failure.trap(Refusal))
