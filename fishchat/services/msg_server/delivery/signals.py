"""Signals: pushes that are never stored, such as ``RESP_READ``. A device that is away, or whose peer takes
nothing, misses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fishchat.features.registry import PUSHES
from fishchat.model.device import Device
from fishchat.model.message import UNKNOWN
from fishchat.services.msg_server.delivery.presence import Presence
from fishchat.services.msg_server.delivery.watchers import Watchers

#: Push → the capability that a device needs for it, and the one that a device of the account in its first field needs;
#: empty if it needs none.
_NEEDS = {push.name: (push.capability, push.own_capability or push.capability) for push in PUSHES}


class Signals:
    """Push signals to the devices that are logged in here."""

    def __init__(self, presence: Presence, watchers: Watchers) -> None:
        self._presence = presence
        self._watchers = watchers

    def push(self, recipients: Iterable[bytes], line: bytes, but: Device | None = None) -> None:
        """Push ``line``, without its ending, to accounts, devices (``account/device``), and watchers of a conversation.

        Devices without the capability of the push are passed over, and watchers that are of the account in its first
        field. ``but`` is the device that caused it, which knows already.
        """
        name, account = _head(line)
        needs, own_needs = _NEEDS.get(name, (UNKNOWN, UNKNOWN))
        ended = line + b"\r\n"
        for device in self._devices(recipients, account):
            needed = own_needs if device.account == account else needs
            if device is not but and not device.choked and (not needed or needed in device.capabilities):
                device.push(ended)

    def heard(self, recipients: bytes, line: bytes) -> None:
        """Push a signal from a router; ``recipients`` are separated by spaces."""
        self.push(recipients.split(b" "), line)

    def _devices(self, recipients: Iterable[bytes], subject: bytes) -> Iterator[Device]:
        for recipient in recipients:
            if recipient[:1] == b"#" or b"+" in recipient:
                yield from (device for device in self._watchers.of(recipient) if device.account != subject)
                continue
            account, _, name = recipient.partition(b"/")
            for device in self._presence.of(account):
                if not name or device.name == name:
                    yield device


def _head(line: bytes) -> tuple[bytes, bytes]:
    """Return the name of a push and its first field; tags may precede both."""
    if line[:1] == b"@":
        line = line.partition(b" ")[2]
    name, _, rest = line.partition(b" ")
    return name, rest.partition(b" ")[0]
