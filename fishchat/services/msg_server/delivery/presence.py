"""Which devices are logged in at this server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView

from fishchat.model.device import Device


class Presence:
    """The logged-in devices, by account."""

    def __init__(self) -> None:
        self._accounts: dict[bytes, dict[bytes, Device]] = {}

    def __bool__(self) -> bool:
        return bool(self._accounts)

    @property
    def accounts(self) -> KeysView[bytes]:
        """The accounts with a device here."""
        return self._accounts.keys()

    def of(self, account: bytes) -> list[Device]:
        """Return the devices of one account."""
        devices = self._accounts.get(account)
        return list(devices.values()) if devices else []

    def of_all(self, accounts: Iterable[bytes]) -> list[Device]:
        """Return the devices of several accounts."""
        return [device for account in accounts for device in self.of(account)]

    def __iter__(self) -> Iterator[Device]:
        for devices in list(self._accounts.values()):
            yield from list(devices.values())

    def is_here(self, device: Device) -> bool:
        """Return whether this very device is logged in here."""
        return self._accounts.get(device.account, {}).get(device.key) is device

    def add(self, device: Device) -> None:
        """Add a device, in place of an earlier one of the same name."""
        self._accounts.setdefault(device.account, {})[device.key] = device

    def remove(self, device: Device) -> None:
        """Remove this very device."""
        if self.is_here(device):
            devices = self._accounts[device.account]
            del devices[device.key]
            if not devices:
                del self._accounts[device.account]
