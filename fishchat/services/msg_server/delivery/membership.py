"""Which devices of this server read a topic. Its members change by a command here, by news and by the store."""

from __future__ import annotations

from collections.abc import Iterable

from fishchat.model.conversation import Conversation
from fishchat.model.device import Device
from fishchat.model.names import Position
from fishchat.services.msg_server.delivery.log_reader import Known, Logs
from fishchat.services.msg_server.delivery.presence import Presence
from fishchat.services.msg_server.delivery.rooms import ILog, Rooms


class Membership:
    """Begin and end the readings of topics."""

    def __init__(self, presence: Presence, rooms: Rooms, logs: Logs, log: ILog) -> None:
        self._presence = presence
        self._rooms = rooms
        self._logs = logs
        self._log = log

    def joined(self, account: bytes, name: bytes, version: int, after: Position) -> None:
        """Begin the readings of an account that became a member of a topic by its own command."""
        self._rooms.expect_members(name)
        conversation = self._rooms.open(name, after, version)
        if conversation.version == version - 1:
            conversation.version = version
        elif conversation.version != version:
            conversation.version = None
        for device in self._presence.of(account):
            if name in device.readings:
                self._log.ask(device, name)
            else:
                self._rooms.update(device, Known(name, after, b"", [(after, None)], version))
        self._rooms.release(conversation)

    def changed(self, name: bytes, accounts: Iterable[bytes] = ()) -> None:
        """Read a topic's membership again with the next message, that of these accounts at once: they changed it.

        One that has left and watches the topic must not learn until the next message who is typing.
        """
        self._rooms.expect_members(name)
        for account in accounts:
            for device in self._presence.of(account):
                self._log.ask(device, name)
        conversation = self._rooms.conversations.get(name)
        if conversation is not None:
            conversation.version = None

    def left(self, account: bytes, name: bytes, version: int) -> None:
        """Close the readings of an account that ended its membership by its own command."""
        conversation = self._rooms.conversations.get(name)
        if conversation is None:
            return
        conversation.version = version if conversation.version == version - 1 else None
        for device in self._presence.of(account):
            self._close(device, conversation)

    def _close(self, device: Device, conversation: Conversation) -> None:
        reading = device.readings.get(conversation.name)
        if reading is not None:
            conversation.close(reading)
            self._log.ask(device, conversation.name)

    async def refresh(self, conversation: Conversation) -> None:
        """Read a topic's membership anew: close the readings of accounts that left, begin those of new members."""
        name = conversation.name
        version, last, members = await self._logs.members(name, self._presence.accounts)
        conversation.version = version
        if not conversation.live and not conversation.behind:
            conversation.epoch, conversation.seq = max(last, conversation.position)
        for reading in [*conversation.live, *conversation.behind]:
            # Also members that have left and joined again: they may not see the messages in between.
            if reading.open and reading.spans[-1][0] != members.get(reading.device.account):
                self._close(reading.device, conversation)
        for account in members.keys() & self._presence.accounts:
            for device in self._presence.of(account):
                reading_there = device.readings.get(name)
                if reading_there is None or not reading_there.open:
                    self._log.ask(device, name)
