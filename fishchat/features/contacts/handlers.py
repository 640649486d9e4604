"""What an account says of itself and of others: its name, its devices, who may write to it and who may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fishchat.errors import Refusal
from fishchat.features.accounts import calls as accounts
from fishchat.features.accounts.calls import DeviceInfo
from fishchat.features.contacts import calls
from fishchat.features.contacts.calls import BLOCKED, CONTACT
from fishchat.model.names import DISPLAY_LENGTH, is_display_name
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.ask import Ask
from fishchat.storage.packing import days_in_ms

if TYPE_CHECKING:
    from fishchat.services.msg_server.sessions.session import Handler, Session

#: Accounts that one account blocks or has as its contacts, at most.
RELATED = 1000


def relate(kind: bytes, wanted: bool) -> Handler:
    """The handler that makes another account ``BLOCKED`` or a ``CONTACT``, or ends that."""

    def handle(connection: Session, command: Command) -> None:
        other = command.fields[0]
        _change(connection, command, calls.set_relation(connection.account, other, kind, wanted, RELATED), other)

    return handle


def related(kind: bytes) -> Handler:
    """The handler that lists whom the account has blocked, or its contacts."""

    def handle(connection: Session, command: Command) -> None:
        def take(names: list[bytes]) -> bytes:
            return list_lines(command, [(name, False) for name in names])

        connection.ask(command, calls.related(connection.account, kind), take, alone=True)

    return handle


def set_privacy(connection: Session, command: Command) -> None:
    """SEND_PRIVACY: who may begin to write to the account."""
    chosen = command.fields[0]
    _change(connection, command, accounts.set_privacy(connection.account, chosen.decode()), chosen)


def set_name(connection: Session, command: Command) -> None:
    """SEND_NAME: what others are shown."""
    name = command.text.strip()
    if not is_display_name(name):
        text = "a display name must be text without control characters or characters that change its direction"
        raise Refusal("BADNAME", text, limit=DISPLAY_LENGTH)
    _change(connection, command, accounts.set_name(connection.account, name), b"")


def devices(connection: Session, command: Command) -> None:
    """Handle REQ_DEVICES: list the account's devices."""

    def take(found: list[DeviceInfo]) -> bytes:
        return list_lines(command, [(_device_item(device), False) for device in found])

    life = days_in_ms(connection.server.config.accounts.token_days)
    connection.ask(command, accounts.devices(connection.account, life), take, alone=True)


def _device_item(device: DeviceInfo) -> bytes:
    online = b"online" if device.online else b"offline"
    return b"%s %s %d %d" % (device.device.encode(), online, device.seen, device.token_ends)


def revoke_device(connection: Session, command: Command) -> None:
    """REVOKE_DEVICE: also the device that sends it, which is notified after its answer."""
    device = command.fields[0]
    _change(connection, command, accounts.revoke(connection.account, device), device)


def _change(connection: Session, command: Command, ask: Ask[object], answer: bytes) -> None:
    connection.ask(command, ask, lambda _: ok_line(command, answer))


#: Verb → what does it.
HANDLERS: dict[bytes, Callable[[Session, Command], None]] = {
    b"REQ_DEVICES": devices,
    b"REVOKE_DEVICE": revoke_device,
    b"BLOCK_CLIENT": relate(BLOCKED, True),
    b"UNBLOCK_CLIENT": relate(BLOCKED, False),
    b"REQ_BLOCKED": related(BLOCKED),
    b"ADD_CONTACT": relate(CONTACT, True),
    b"REMOVE_CONTACT": relate(CONTACT, False),
    b"REQ_CONTACTS": related(CONTACT),
    b"SEND_PRIVACY": set_privacy,
    b"SEND_NAME": set_name,
}
