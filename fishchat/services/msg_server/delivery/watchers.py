"""Which devices of this server watch accounts and conversations. Nothing of this is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from fishchat.errors import Refusal
from fishchat.model.device import Device

K = TypeVar("K")
V = TypeVar("V")


class Watched:
    """An account with watchers here.

    :ivar told: each watcher, and whether the account is online as far as the watcher was told.
    :ivar state: whether the account is online as far as all watchers were told that may know; None when a watcher may
        have been told something else.
    """

    __slots__ = ("state", "told")

    def __init__(self) -> None:
        self.state: bool | None = None
        self.told: dict[Device, bool] = {}


class Watchers:
    """The watchers (``IWatchers``). A device that watches nothing has no entry.

    :ivar accounts: the watched accounts.
    """

    def __init__(self) -> None:
        self.accounts: dict[bytes, Watched] = {}
        self._conversations: dict[bytes, set[Device]] = {}
        self._accounts_of: dict[Device, set[bytes]] = {}
        self._conversations_of: dict[Device, set[bytes]] = {}

    # -- accounts

    def watch_account(self, device: Device, account: bytes, most: int) -> None:
        """Begin to watch an account, see ``IWatchers``."""
        _add(self._accounts_of, device, account, most)
        watched = self.accounts.get(account)
        if watched is None:
            watched = self.accounts[account] = Watched()
        watched.told[device] = False
        # The store may not answer now: the next look finds what the device was not told.
        watched.state = None

    def told_first(self, device: Device, account: bytes, is_online: bool) -> bool:
        """Take note of what the store answered when a watch began, see ``IWatchers``."""
        watched = self.accounts.get(account)
        if watched is None or device not in watched.told:
            return False
        if watched.state is not is_online:
            watched.state = None
        if watched.told[device] and not is_online:
            # A later answer of the store was told before this one.
            return False
        watched.told[device] = is_online
        return True

    def unwatch_account(self, device: Device, account: bytes) -> None:
        """Stop watching an account."""
        if _remove(self._accounts_of, device, account):
            self._drop_account(device, account)

    def _drop_account(self, device: Device, account: bytes) -> None:
        watched = self.accounts[account]
        del watched.told[device]
        if not watched.told:
            del self.accounts[account]

    # -- conversations

    def watch_conversation(self, device: Device, conversation: bytes, most: int) -> None:
        """Begin to watch a conversation, see ``IWatchers``."""
        _add(self._conversations_of, device, conversation, most)
        self._conversations.setdefault(conversation, set()).add(device)

    def unwatch_conversation(self, device: Device, conversation: bytes) -> None:
        """Stop watching a conversation."""
        if _remove(self._conversations_of, device, conversation):
            _remove(self._conversations, conversation, device)

    def of(self, conversation: bytes) -> Iterator[Device]:
        """Yield the devices that watch a conversation and may still see it."""
        is_topic = conversation[:1] == b"#"
        for device in tuple(self._conversations.get(conversation, ())):
            if is_topic:
                reading = device.readings.get(conversation)
                if reading is None or not reading.open:
                    continue
            yield device

    # -- the end

    def forget(self, device: Device) -> None:
        """Forget a device that has disconnected."""
        for account in self._accounts_of.pop(device, ()):
            self._drop_account(device, account)
        for conversation in self._conversations_of.pop(device, ()):
            _remove(self._conversations, conversation, device)


def _add(of: dict[Device, set[bytes]], device: Device, name: bytes, most: int) -> None:
    """Add a name to those of a device. Raises Refusal for one more than ``most``."""
    names = of.get(device)
    if names is None:
        names = of[device] = set()
    elif name not in names and len(names) >= most:
        raise Refusal("FULL", limit=most)
    names.add(name)


def _remove(of: dict[K, set[V]], key: K, value: V) -> bool:
    """Remove a value from the set of a key, and an empty set. Returns whether it was there."""
    values = of.get(key)
    if values is None or value not in values:
        return False
    values.remove(value)
    if not values:
        del of[key]
    return True
