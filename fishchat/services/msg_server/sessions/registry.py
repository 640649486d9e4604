"""Coming and going: HELLO, QUIT, and the sessions in the store. Who may come is the business of ``admission``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fishchat.bus import channels
from fishchat.errors import Refusal
from fishchat.interfaces import IBus
from fishchat.model.device import Device
from fishchat.protocols.replies import error_line, help_lines, ok_line
from fishchat.protocols.rows import State
from fishchat.protocols.state import Event, after
from fishchat.protocols.table import Command
from fishchat.services.msg_server.delivery.log_reader import parse_talks
from fishchat.services.msg_server.queue.items import Call, Mark
from fishchat.storage.accounts import days_in_ms
from fishchat.storage.scripts import LOGIN, LOGOUT

if TYPE_CHECKING:
    from fishchat.services.msg_server.service import MsgServer
    from fishchat.services.msg_server.sessions.connection import ClientConnection


def hello(connection: ClientConnection, command: Command) -> None:
    """Choose the profile. Capabilities that this server has not are passed over: the answer names what it grants."""
    for word in command.text.split():
        key, _, names = word.partition(b"=")
        if key == b"caps" and b"ack" in names.split(b","):
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


@dataclass(frozen=True, repr=False)
class Claim:
    """Who a client says to be.

    :ivar proof: by what ``login.lua`` decides whether that is so.
    :ivar answer: what stands behind the ``OK`` when it is.
    :ivar by_secret: whether a password was sent or proved, and not a token.
    :ivar makes: whether an account that is not there is made, or whom alone that one lets begin to write to it.
    """

    account: bytes
    device: bytes
    proof: tuple[Any, ...]
    answer: bytes
    by_secret: bool = False
    makes: bool | bytes = False


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

    def find(self, key: bytes) -> Device | None:
        """The device that is logged in here under ``account/device``."""
        connection = self.here.get(key)
        return connection.device if connection is not None else None

    # -- coming

    def enter(
        self,
        connection: ClientConnection,
        command: Command,
        claim: Claim,
    ) -> None:
        """The last step of a login: the proof is looked at, the session is stored, the conversations are read, in one
        step of the store.
        """
        server = self._server
        server.delivery.login_begins()
        server.revoking.login_begins()

        def through() -> None:
            server.delivery.login_ends()
            server.revoking.login_ends()

        def settle(reply: Any) -> None:
            if reply[0] == b"OK":
                self._welcome(connection, command, claim, parse_talks(reply[2]))
            else:
                self._give_back(connection, claim, reply[0])
                self.refuse(connection, command, _refusal(reply, server))
            through()

        def fail(refusal: Refusal) -> None:
            through()
            self._give_back(connection, claim, b"")
            if refusal.word != "TRYAGAIN":
                # It may be stored all the same, and nobody would end that session.
                self._end_session(claim.account, claim.device, connection.number)
            self.refuse(connection, command, refusal)

        limits = server.config.limits
        session = (claim.account, claim.device, connection.number)
        arguments = (*session, limits.devices, claim.makes, days_in_ms(limits.device_days), claim.proof)
        server.commits.add(Call(LOGIN, arguments, settle, fail))

    def _give_back(self, connection: ClientConnection, claim: Claim, word: bytes) -> None:
        """A right secret was no guess, although it led nowhere."""
        if claim.by_secret and word != b"AUTH":
            self._server.admission.spare(connection, claim.account)

    def refuse(self, connection: ClientConnection, command: Command, refusal: Refusal) -> None:
        """A login, or a step of one, comes to nothing."""
        connection.steps_end()
        connection.state = after(connection.state, Event.REFUSED)
        connection.answered(error_line(refusal, command.verb, command.tags))

    def _welcome(self, connection: ClientConnection, command: Command, claim: Claim, talks: list[Any]) -> None:
        connection.steps_end()
        server = self._server
        key = claim.account + b"/" + claim.device
        fence = server.lease.fence
        incarnation = fence.incarnation if fence else b""
        session = b"%s %s %d" % (server.id, incarnation, connection.number)
        connection.state = after(connection.state, Event.WELCOME)
        device = Device(
            claim.account, key, session, connection.send, connection.replaced, connection.acks, server.delivery.dirty
        )
        device.epoch = fence.epoch if fence else 0
        device.evicted = connection.evicted
        device.revoked = connection.revoked
        connection.device = device
        connection.by_secret = claim.by_secret
        old = self.here.pop(key, None)
        if old is not None:
            self._displace(old)
        if connection.state is State.CLOSING:
            self._logout(connection, device)
            return
        self._share_bucket(connection, device)
        self.here[key] = connection
        self.count += 1
        server.connection_limits.authenticated(connection)
        connection.answered(ok_line(command, claim.answer))
        if connection.full_since is not None:
            device.choke()
        server.delivery.add(device, talks)
        self._came.append(key.decode())
        self._announce()
        server.revoking.welcomed(device)

    def _share_bucket(self, connection: ClientConnection, device: Device) -> None:
        """What an account may send is for all of its devices here together."""
        for key in self._server.delivery.accounts.get(device.account, ()):
            other = self.here.get(key)
            if other is not None:
                connection.bucket = other.bucket
                return

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


def _refusal(reply: list[Any], server: MsgServer) -> Refusal:
    word = reply[0].decode()
    if word == "DEVICES":
        return Refusal(word, limit=server.config.limits.devices)
    if word == "FLOOD":
        return flood(reply[1])
    if word == "DISABLED":
        return Refusal("AUTH", "this account is disabled; ask the operator of this server")
    return Refusal("AUTH")


def flood(wait: int) -> Refusal:
    """Too many guesses: how long to wait, from ms."""
    text = "too many failed logins, sign-ups or password changes; wait, or log in with a token"
    return Refusal("FLOOD", text, retry=-(-wait // 1000))


def _done(_: object) -> None:
    """Nobody waits for this; a session that could not be ended ends with the next login or with the lease."""
