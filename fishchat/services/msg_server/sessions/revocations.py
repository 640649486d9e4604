"""Sessions that end elsewhere: replaced by another login of the device, or revoked.

The news is published on ``/sysctrl/client-status``, where it may be lost. The store counts revocations. This count is
compared once a second; after a difference, a sweep finds the devices that have no session any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.bus import channels
from fishchat.interfaces import IBus, IStore
from fishchat.model.device import Device
from fishchat.storage.redis import StoreError


class Revocations:
    """End the sessions of this server that were replaced or revoked elsewhere.

    :param find: returns the device that is logged in here under ``account/device``, or None.
    :param sweep: called when news was missed.
    """

    log = Logger()

    def __init__(
        self, reader: IStore, bus: IBus, find: Callable[[bytes], Device | None], sweep: Callable[[], None]
    ) -> None:
        self._reader = reader
        self._bus = bus
        self._find = find
        self._sweep = sweep
        #: The number of the last revocation; None before the store was asked.
        self._number: int | None = None
        #: While logins are under way: the sessions that ended meanwhile, and why (empty: replaced). The news may be
        #: received before the answer to the login itself.
        self._under_way = 0
        self._ended: dict[bytes, str] = {}

    def listen(self) -> None:
        """Subscribe to the news."""
        self._bus.subscribe(channels.CLIENT_STATUS, self._heard, None)

    def login_begins(self) -> None:
        """Begin to remember the sessions that end, until ``login_ends``."""
        self._under_way += 1

    def login_ends(self) -> None:
        """Forget the ended sessions when no login is under way any more."""
        self._under_way -= 1
        if not self._under_way:
            self._ended.clear()

    def welcomed(self, device: Device) -> None:
        """End the session of a device that has just logged in, if news of its end was received before."""
        why = self._ended.get(device.session)
        if why is not None:
            _end(device, why)

    def _heard(self, payload: bytes) -> None:
        status = channels.ClientStatus.decode(payload)
        for key, session in status.replaced.items():
            self._note_end(key, session, "")
        for key, told in status.revoked.items():
            why, _, session = told.partition(" ")
            self._note_end(key, session, why)
        if status.number:
            self._count(status.number)

    def _note_end(self, key: str, session: str, why: str) -> None:
        """End a session if it is logged in here; remember this while logins are under way."""
        if self._under_way:
            self._ended[session.encode()] = why
        device = self._find(key.encode())
        if device is not None and device.session == session.encode():
            _end(device, why)

    def _count(self, number: int) -> None:
        if self._number is not None and number > self._number + 1:
            self._sweep()
        self._number = max(number, self._number or 0)

    def compare(self) -> Deferred[Any]:
        """Compare with the count of the store. Call this once a second."""
        return ensureDeferred(self._compare()).addErrback(self._failed)

    async def _compare(self) -> None:
        if not self._reader.connected:
            return
        known = self._number
        stored = int(await self._reader.run("GET", "revocations") or 0)
        if known is None:
            self._number = max(stored, self._number or 0)
        elif stored > (self._number or 0) or stored < known:
            # Fewer: the store was restored from an earlier state.
            self._number = stored
            self._sweep()

    def _failed(self, failure: Failure) -> None:
        if failure.check(StoreError) is None:
            self.log.failure("the number of revocations could not be compared", failure)


def _end(device: Device, why: str) -> None:
    """End the session of a device that was revoked for a reason, or replaced without one."""
    if why:
        device.owner.revoked(why)
    else:
        device.owner.replaced()
