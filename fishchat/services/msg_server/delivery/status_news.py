"""Which watched accounts come online and leave.

Logins and logouts are published on ``/sysctrl/client-status``, where they may be lost. They only say of which accounts
the state may have changed: once a second the store is asked about these, and about some other watched accounts in
turn, so that every watcher is told the truth in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.bus import channels
from fishchat.features.watching import calls
from fishchat.features.watching.rows import presence_line
from fishchat.interfaces import IBus, IStore
from fishchat.model.device import Device
from fishchat.services.msg_server.delivery.watchers import Watchers
from fishchat.storage.redis import StoreError

#: Seconds after the last device of an account has gone until its watchers are told: it may only change its network.
GRACE = 10.0
#: The most accounts and watches of one call: it takes the store less than 5 ms.
ACCOUNTS, WATCHES = 1000, 200
#: Accounts that are looked at each second without news of them; more if that does not reach all of them in a minute.
LOOKED_AT, ROUND = 200, 60

#: A watcher, and the account that it watches.
Watch = tuple[Device, bytes]
T = TypeVar("T")


class StatusNews:
    """Push to watchers which accounts come online and leave."""

    log = Logger()

    def __init__(self, reader: IStore, watchers: Watchers, clock: IReactorTime) -> None:
        self._reader = reader
        self._watchers = watchers
        self._clock = clock
        #: Accounts to look at.
        self._due: set[bytes] = set()
        #: Account that a device has left → when its watchers may be told (seconds); in this order.
        self._leaving: dict[bytes, float] = {}
        self._others: Iterator[bytes] = iter(())
        reader.on_connected.append(self.doubt)

    def listen(self, bus: IBus) -> None:
        """Subscribe to the news. After every subscription all watched accounts are looked at."""
        bus.subscribe(channels.CLIENT_STATUS, self._heard, self.doubt)

    def doubt(self) -> None:
        """Look at all watched accounts, because news may have been missed."""
        self._due.update(self._watchers.accounts)

    def _heard(self, payload: bytes) -> None:
        watched = self._watchers.accounts
        if not watched:
            return
        status = channels.ClientStatus.decode(payload)
        self._due.update(account for account in _accounts(status.came) if account in watched)
        for account in _accounts((*status.went, *status.revoked)):
            if account in watched:
                self._leave(account)

    def _leave(self, account: bytes) -> None:
        """Begin the grace of an account anew."""
        self._leaving.pop(account, None)
        self._leaving[account] = self._clock.seconds() + GRACE

    # -- once a second

    def look(self) -> Deferred[None] | None:
        """Ask the store about the accounts that are due, and push what has changed. Call this once a second."""
        if not self._watchers.accounts:
            self._due.clear()
            self._leaving.clear()
            return None
        if not self._reader.connected:
            return None
        return ensureDeferred(self._look()).addErrback(self._failed)

    async def _look(self) -> None:
        watched = self._watchers.accounts
        gone = self._gone()
        due = [account for account in {*self._due, *gone, *self._next()} if account in watched]
        self._due.clear()
        try:
            for some in _pieces(due, ACCOUNTS):
                states = await calls.online(some).of(self._reader)
                to_tell = [
                    watch
                    for account, is_online in zip(some, states, strict=True)
                    for watch in self._changed(account, is_online, account in gone)
                ]
                for watches in _pieces(to_tell, WATCHES):
                    pairs = [(device.account, account) for device, account in watches]
                    self._tell(watches, await calls.presences(pairs).of(self._reader))
        except StoreError:
            for account in due:
                if account in watched:
                    watched[account].state = None
            self._due.update(due)
            raise

    def _gone(self) -> set[bytes]:
        """Return the accounts whose grace has ended, and take them from those that are leaving."""
        gone: set[bytes] = set()
        now = self._clock.seconds()
        while self._leaving and self._leaving[account := next(iter(self._leaving))] <= now:
            del self._leaving[account]
            gone.add(account)
        return gone

    def _next(self) -> Iterable[bytes]:
        """Return the next accounts in turn."""
        watched = self._watchers.accounts
        count = max(LOOKED_AT, len(watched) // ROUND + 1)
        some = list(islice(self._others, count))
        if len(some) < count:
            self._others = iter(list(watched))
            some += islice(self._others, count - len(some))
        return some

    def _changed(self, account: bytes, is_online: bool, is_gone: bool) -> list[Watch]:
        """Return the watches that may have to be told; none during the grace. ``is_gone`` says that it has ended."""
        watched = self._watchers.accounts.get(account)
        if watched is None:
            return []
        if is_online:
            self._leaving.pop(account, None)
        elif account in self._leaving and not is_gone:
            return []
        if watched.state is is_online:
            return []
        if not is_online and not is_gone and True in watched.told.values():
            self._leave(account)
            return []
        watched.state = is_online
        return [(device, account) for device, told in watched.told.items() if told is not is_online]

    def _tell(self, watches: Sequence[Watch], found: Iterable[calls.Seen]) -> None:
        """Push what watchers were not told yet. One that may not see an account any more is told that it is offline."""
        lines: dict[tuple[bytes, bool, int], bytes] = {}
        for (device, account), (is_online, ms) in zip(watches, found, strict=True):
            watched = self._watchers.accounts.get(account)
            if watched is None or watched.told.get(device, is_online) is is_online:
                continue
            if device.choked:
                watched.state = None
                continue
            key = account, is_online, ms
            line = lines.get(key)
            if line is None:
                line = lines[key] = presence_line(*key)
            device.push(line)
            watched.told[device] = is_online

    def _failed(self, failure: Failure) -> None:
        if failure.check(StoreError) is None:
            self.log.failure("the watched accounts could not be looked at", failure)


def _accounts(devices: Iterable[str]) -> Iterator[bytes]:
    """Yield the accounts of devices named ``account/device``."""
    return (device.partition("/")[0].encode() for device in devices)


def _pieces(values: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (values[start : start + most] for start in range(0, len(values), most))
