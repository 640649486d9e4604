"""Finishes the deletions that owners of accounts began."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from fishchat.features.accounts.administration import Accounts
from fishchat.interfaces import IStore
from fishchat.services.manager.rounds import Rounds
from fishchat.storage.redis import Unavailable, Unknown

#: Seconds between two rounds.
EVERY = 5.0


class Erasures(Rounds):
    """Erases the messages and memberships of accounts that a client has deleted. Repeating a step changes nothing."""

    def __init__(self, store: IStore, clock: IReactorTime) -> None:
        super().__init__(store, EVERY, clock)
        self._accounts = Accounts(store, 0)

    async def round(self) -> None:
        """Finish all deletions."""
        for account in await self._store.run("SMEMBERS", "erasing"):
            if not self.running:
                return
            try:
                await self._accounts.erase(account)
            except (Unavailable, Unknown):
                raise
            except Exception:
                self.log.failure("the deletion of {account} could not be finished", account=account.decode())
