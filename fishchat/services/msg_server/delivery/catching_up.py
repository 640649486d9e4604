"""Read the log for a device or a conversation that may have missed something, and for all of them (a sweep)."""

from __future__ import annotations

from twisted.internet.defer import DeferredSemaphore, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.model.conversation import Conversation
from fishchat.model.device import Device
from fishchat.services.msg_server.delivery.log_reader import Known, Logs
from fishchat.services.msg_server.delivery.membership import Membership
from fishchat.services.msg_server.delivery.presence import Presence
from fishchat.services.msg_server.delivery.rooms import Rooms
from fishchat.storage.epoch import Epoch
from fishchat.storage.redis import StoreError

#: The most conversations and devices that read from the store at the same time; a sweep of many must not flood it.
READERS = 32


class CatchingUp:
    """Read messages that were missed."""

    log = Logger()

    def __init__(self, logs: Logs, presence: Presence, rooms: Rooms, membership: Membership, epoch: Epoch) -> None:
        self._logs = logs
        self._presence = presence
        self._rooms = rooms
        self._membership = membership
        self._epoch = epoch
        self._readers = DeferredSemaphore(READERS)
        self._to_sweep: set[Device] = set()

    def ask(self, device: Device, name: bytes) -> None:
        """Read the device's place in this conversation from the store, and begin or end its reading there."""
        ensureDeferred(self._ask(device, name)).addErrback(self._not_read)

    async def _ask(self, device: Device, name: bytes) -> None:
        known = await self._logs.talk(device.account, device.name, name)
        if self._presence.is_here(device) and known.spans:
            self._take(device, known)

    def _take(self, device: Device, known: Known) -> None:
        """Take the stored state of a device's conversation, and read on if the log continues."""
        self._rooms.update(device, known)
        conversation = self._rooms.conversations.get(known.name)
        if conversation is None or known.name not in device.readings:
            return
        if conversation.version != known.version:
            # One of the two is older than a change of the membership: the next message finds out.
            conversation.version = None
        if known.last > conversation.position:
            conversation.behind_log(known.last)

    def catch_up(self, conversation: Conversation) -> None:
        """Read the log after the conversation's position."""
        self._readers.run(self._read, conversation).addErrback(self._not_read)

    async def _read(self, conversation: Conversation) -> None:
        try:
            while True:
                page = await self._logs.page(conversation.name, conversation.position, None)
                if page.version != conversation.version:
                    await self._membership.refresh(conversation)
                elif not conversation.read(page.messages, page.more, page.trimmed):
                    break
        finally:
            # If the store is unavailable, nothing is read: the next sweep finds that the log continues.
            conversation.catching = False
        self._rooms.release(conversation)

    def sweep(self) -> None:
        """Read for every device what its login would read, because something may have been missed."""
        self._rooms.sweep()
        for device in self._presence:
            if device not in self._to_sweep:
                self._to_sweep.add(device)
                self._readers.run(self._sweep, device).addErrback(self._not_read)

    async def _sweep(self, device: Device) -> None:
        self._to_sweep.discard(device)
        session, talks = await self._logs.talks(device.account, device.name)
        if not self._presence.is_here(device):
            return
        if session != device.session:
            # Only a login that replaced the device ends it for good; otherwise it may log in again, here or elsewhere.
            # A restarted store may be an older copy, and that session may be an old one.
            same = not session or session.split()[::2] == device.session.split()[::2]
            is_sure = not same and device.epoch == self._epoch.current
            (device.owner.replaced if is_sure else device.owner.evicted)()
            return
        for known in talks:
            self._take(device, known)
        self._rooms.feed(device)

    def _not_read(self, failure: Failure) -> None:
        # The store is unavailable: everything is swept after its return.
        if failure.check(StoreError) is None:
            self.log.failure("a conversation could not be read", failure)
