"""Who of this server's devices reads a topic, as its members change: by a command here, by news, by the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fishchat.model.conversation import Conversation
from fishchat.model.device import Device
from fishchat.model.names import Position
from fishchat.services.msg_server.delivery.log_reader import Known, Logs

if TYPE_CHECKING:
    from fishchat.services.msg_server.delivery.rooms import Delivery


class Membership:
    """The part of ``Delivery`` that begins and ends readings of topics."""

    def __init__(self, delivery: Delivery, logs: Logs) -> None:
        self._delivery = delivery
        self._logs = logs
        self._accounts = delivery.accounts
        self._conversations = delivery.conversations

    def joined(self, account: bytes, name: bytes, version: int, after: Position) -> None:
        """An account of this server became a member of a topic by its own command."""
        self._delivery.populate(name)
        conversation = self._delivery.open(name, after, version)
        if conversation.version == version - 1:
            conversation.version = version
        elif conversation.version != version:
            conversation.version = None
        for device in list(self._accounts.get(account, {}).values()):
            if name in device.readings:
                self._delivery.ask(device, name)
            else:
                self._delivery.update(device, Known(name, after, b"", [(after, None)], version))
        self._delivery.desert(conversation)

    def changed(self, name: bytes, accounts: Iterable[bytes] = ()) -> None:
        """A topic's membership changed, by these accounts: read it again with the next message."""
        self._delivery.populate(name)
        for account in accounts:
            for device in self._accounts.get(account, {}).values():
                if name not in device.readings:
                    self._delivery.ask(device, name)
        conversation = self._conversations.get(name)
        if conversation is not None:
            conversation.version = None

    def left(self, account: bytes, name: bytes, version: int) -> None:
        """An account of this server ended its membership by its own command."""
        conversation = self._conversations.get(name)
        if conversation is None:
            return
        conversation.version = version if conversation.version == version - 1 else None
        for device in list(self._accounts.get(account, {}).values()):
            self._close(device, conversation)

    def _close(self, device: Device, conversation: Conversation) -> None:
        reading = device.readings.get(conversation.name)
        if reading is not None:
            conversation.close(reading)
            self._delivery.ask(device, conversation.name)

    async def refresh(self, conversation: Conversation) -> None:
        """Read a topic's membership anew: who may not read on is closed, who is new begins to read."""
        name = conversation.name
        version, last, members = await self._logs.members(name, self._accounts)
        conversation.version = version
        if not conversation.live and not conversation.behind:
            conversation.epoch, conversation.seq = max(last, conversation.position)
        for reading in [*conversation.live, *conversation.behind]:
            # Also whoever has left and come back: what was said in between is not theirs.
            if reading.open and reading.spans[-1][0] != members.get(reading.device.account):
                self._close(reading.device, conversation)
        for account in members.keys() & self._accounts.keys():
            for device in self._accounts[account].values():
                reading_there = device.readings.get(name)
                if reading_there is None or not reading_there.open:
                    self._delivery.ask(device, name)
