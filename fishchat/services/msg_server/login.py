"""Coming and going: HELLO, SEND_CLIENT_ID, QUIT, and the sessions in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fishchat.bus import channels
from fishchat.errors import Refusal
from fishchat.interfaces import IBus
from fishchat.model.device import Device
from fishchat.protocols.commands import Command
from fishchat.protocols.server import error_line, help_lines, ok_line
from fishchat.protocols.state import Event, after
from fishchat.protocols.verbs import State
from fishchat.services.msg_server.logs import parse_talks
from fishchat.services.msg_server.operations import Call, Mark
from fishchat.storage.catalogue import LOGIN, LOGOUT

if TYPE_CHECKING:
    from fishchat.services.msg_server.connection import ClientConnection
    from fishchat.services.msg_server.service import MsgServer


def hello(connection: ClientConnection, command: Command) -> None:
    """Choose the profile."""
    for word in command.text.split():
        if word == b"caps=ack":
            connection.acks = True
    caps = b" caps=ack" if connection.acks else b""
    connection.answer(ok_line(command, b"fishchat/1" + caps))


def ping(connection: ClientConnection, command: Command) -> None:
    """A sign of life."""
    connection.answer(ok_line(command))


def tell(connection: ClientConnection, command: Command) -> None:
    """HELP."""
    connection.answer(help_lines(connection.commands, command))


def quit(connection: ClientConnection, command: Command) -> None:
    """Answer what was asked, then close."""

    def close() -> None:
        connection.say_goodbye(ok_line(command))

    connection.ignore()
    if connection.waiting:
        connection.server.commits.add(Mark(close))
    else:
        close()


class Logins:
    """The sessions of this server's clients, here and in the store."""

    def __init__(self, server: MsgServer, bus: IBus) -> None:
        self._server = server
        self._bus = bus
        self._came: list[str] = []
        self._went: list[str] = []
        #: Whoever is logged in or on the way, by ``account/device``.
        self.here: dict[bytes, ClientConnection] = {}
        self.count = 0

    def listen(self) -> None:
        """Hear of devices that logged in elsewhere."""
        self._bus.subscribe(channels.CLIENT_STATUS, self._status_heard, None)

    # -- coming

    def login(self, connection: ClientConnection, command: Command) -> None:
        """SEND_CLIENT_ID: the session is stored, then the conversations are read, in one step of the store."""
        account = command.fields[0]
        device = command.tags.get(b"device", b"main")
        connection.state = after(connection.state, Event.LOGIN)
        server = self._server
        key = account + b"/" + device
        server.delivery.login_begins()

        def settle(reply: Any) -> None:
            server.delivery.login_ends()
            if reply[0] == b"OK":
                self._welcome(connection, command, key, parse_talks(reply[2]))
            else:
                refuse(_refusal(reply[0].decode(), server))

        def fail(refusal: Refusal) -> None:
            server.delivery.login_ends()
            if refusal.word != "TRYAGAIN":
                # It may be stored all the same, and nobody would end that session.
                self._end_session(account, device, connection.number)
            refuse(refusal)

        def refuse(refusal: Refusal) -> None:
            connection.state = after(connection.state, Event.REFUSED)
            connection.answered(error_line(refusal, command.verb, command.tags))

        limits = server.config.limits
        forget = int(limits.device_days * 86_400_000)
        arguments = (account, device, connection.number, limits.devices, True, forget)
        connection.asked()
        # What the client has sent behind its login is looked at when that is through.
        connection.hold()
        server.commits.add(Call(LOGIN, arguments, settle, fail))

    def _welcome(self, connection: ClientConnection, command: Command, key: bytes, talks: list[Any]) -> None:
        server = self._server
        account, _, _ = key.partition(b"/")
        fence = server.lease.fence
        incarnation = fence.incarnation if fence else b""
        session = b"%s %s %d" % (server.id, incarnation, connection.number)
        connection.state = after(connection.state, Event.WELCOME)
        device = Device(
            account, key, session, connection.send, connection.replaced, connection.acks, server.delivery.dirty
        )
        device.evicted = connection.evicted
        connection.device = device
        old = self.here.pop(key, None)
        if old is not None:
            self._displace(old)
        if connection.state is State.CLOSING:
            self._logout(connection, device)
            return
        self.here[key] = connection
        self.count += 1
        connection.answered(ok_line(command, account))
        if connection.full_since is not None:
            device.choke()
        server.delivery.add(device, talks)
        self._came.append(key.decode())
        self._announce()

    def _displace(self, old: ClientConnection) -> None:
        """The same device logged in again: what it has acknowledged is kept, its session is the new one's."""
        if old.device is not None:
            self._server.cursors.flush(old.device)
            self._server.delivery.remove(old.device)
            self.count -= 1
            old.device = None
        old.replaced()

    # -- going

    def forget(self, connection: ClientConnection) -> None:
        """A connection ends: its cursors and the end of its session are stored."""
        device, connection.device = connection.device, None
        if device is None:
            return
        self._server.cursors.flush(device)
        if self.here.get(device.key) is connection:
            del self.here[device.key]
        self._server.delivery.remove(device)
        self.count -= 1
        self._logout(connection, device)

    def _logout(self, connection: ClientConnection, device: Device) -> None:
        self._end_session(device.account, device.name, connection.number)
        self._went.append(device.key.decode())
        self._announce()

    def _end_session(self, account: bytes, device: bytes, number: int) -> None:
        self._server.commits.add(Call(LOGOUT, ([account, device, number],), _done, _done))

    # -- telling others

    def _announce(self) -> None:
        if len(self._came) + len(self._went) == 1:
            self._server.turn.at_end(self._publish)

    def _publish(self) -> None:
        came, self._came = self._came, []
        went, self._went = self._went, []
        status = channels.ClientStatus(server=self._server.id.decode(), came=came, went=went)
        self._bus.publish(channels.CLIENT_STATUS, status.encode())

    def _status_heard(self, payload: bytes) -> None:
        for key, session in channels.ClientStatus.decode(payload).replaced.items():
            connection = self.here.get(key.encode())
            device = connection.device if connection is not None else None
            if device is not None and device.session == session.encode():
                device.replaced()


def _refusal(word: str, server: MsgServer) -> Refusal:
    if word == "DEVICES":
        return Refusal(word, limit=server.config.limits.devices)
    return Refusal("AUTH")


def _done(_: object) -> None:
    """Nobody waits for this; a session that could not be ended ends with the next login or with the lease."""
