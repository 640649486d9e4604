"""What an account says of itself and of others: its name, its devices, who may write to it and who may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fishchat.errors import Refusal
from fishchat.model.names import DISPLAY_LENGTH, is_display_name
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command
from fishchat.storage.accounts import days_in_ms, privacy_of, refusal_of
from fishchat.storage.redis import Script
from fishchat.storage.scripts import DEVICES, PROFILE, RELATE, RELATIONS, REVOKE, unpack

if TYPE_CHECKING:
    from fishchat.services.msg_server.sessions.connection import ClientConnection, Handler

#: Accounts that one account blocks or has as its contacts, at most.
RELATED = 1000

BLOCKED, CONTACT = b"b", b"c"


def relate(kind: bytes, wanted: bool) -> Handler:
    """The handler that makes another account ``BLOCKED`` or a ``CONTACT``, or ends that."""

    def handle(connection: ClientConnection, command: Command) -> None:
        arguments = (connection.account, command.fields[0], kind, wanted, RELATED)
        _change(connection, command, RELATE, arguments, command.fields[0])

    return handle


def related(kind: bytes) -> Handler:
    """The handler that lists whom the account has blocked, or its contacts."""

    def handle(connection: ClientConnection, command: Command) -> None:
        def take(reply: Any) -> bytes:
            return list_lines(command, [(name, False) for name in sorted(unpack(reply))])

        connection.ask(command, RELATIONS, (connection.account, kind), take, fenced=False, alone=True)

    return handle


def set_privacy(connection: ClientConnection, command: Command) -> None:
    """SEND_PRIVACY: who may begin to write to the account."""
    chosen = command.fields[0]
    _change(connection, command, PROFILE, (connection.account, b"privacy", privacy_of(chosen.decode())), chosen)


def set_name(connection: ClientConnection, command: Command) -> None:
    """SEND_NAME: what others are shown."""
    name = command.text.strip()
    if not is_display_name(name):
        text = "a display name must be text without control characters or characters that change its direction"
        raise Refusal("BADNAME", text, limit=DISPLAY_LENGTH)
    _change(connection, command, PROFILE, (connection.account, b"name", name), b"")


def devices(connection: ClientConnection, command: Command) -> None:
    """REQ_DEVICES."""

    def take(reply: Any) -> bytes:
        flat = iter(unpack(reply))
        rows = sorted(zip(flat, flat, flat, flat, strict=True))
        items = [b"%s %s %d %d" % (name, b"online" if on else b"offline", seen, ends) for name, on, seen, ends in rows]
        return list_lines(command, [(item, False) for item in items])

    life = days_in_ms(connection.server.config.accounts.token_days)
    connection.ask(command, DEVICES, (connection.account, life), take, fenced=False, alone=True)


def revoke_device(connection: ClientConnection, command: Command) -> None:
    """REVOKE_DEVICE: also the one that says it, which is then told so behind its answer."""
    device = command.fields[0]
    _change(connection, command, REVOKE, (connection.account, device), device)


def _change(
    connection: ClientConnection, command: Command, script: Script, arguments: tuple[Any, ...], answer: bytes
) -> None:
    def take(reply: Any) -> bytes:
        if reply[0] != b"OK":
            raise refusal_of(reply)
        return ok_line(command, answer)

    connection.ask(command, script, arguments, take, fenced=False)


#: Verb → what does it.
HANDLERS: dict[bytes, Callable[[ClientConnection, Command], None]] = {
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
