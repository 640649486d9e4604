"""Read receipts: ``RESP_READ`` to the devices of the other side. Never stored; a device that is away misses them."""

from __future__ import annotations

from fishchat.features.messages.rows import RESP_READ
from fishchat.model.names import accounts_of, parse_position
from fishchat.services.msg_server.delivery.presence import Presence


class Receipts:
    """Pushes receipts."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    def heard(self, name: bytes, body: bytes) -> None:
        """Push what a router reports: an account at another server has read."""
        account, _, _, _, position = body.split(b" ", 4)
        self.push(name, account, position)

    def push(self, name: bytes, reader: bytes, position: bytes) -> None:
        """Push that ``reader`` has read the conversation up to ``position``."""
        line = RESP_READ.line(reader, (name, *parse_position(position))) + b"\r\n"
        for account in accounts_of(name):
            if account != reader:
                for device in self._presence.of(account):
                    device.push(line)
