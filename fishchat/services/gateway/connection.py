"""One client of the gateway: every command is answered at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from fishchat.errors import ProtocolError, Refusal
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.model.bucket import Bucket
from fishchat.protocols.lines import MAX_LINE
from fishchat.protocols.peer import LineServer, Turn
from fishchat.protocols.replies import echo, help_lines, ok_line
from fishchat.protocols.table import BadCommand, Command, Table
from fishchat.services.gateway.rows import GATEWAY_VERBS, GROUPS

#: Seconds after which a client should ask again when there is no msg_server: one heartbeat.
RETRY = 2

GREETING = b"HELLO fishchat/1 server=gateway maxline=%d\r\n" % MAX_LINE


class _Commands(Table):
    """The gateway's verbs, and a hint for those of a msg_server."""

    def parse(self, line: bytes) -> Command:
        try:
            return super().parse(line)
        except ProtocolError as error:
            if error.word != "UNKNOWN_VERB":
                raise
            self._parse_elsewhere(line)
            raise

    def _parse_elsewhere(self, line: bytes) -> None:
        hint = Refusal("STATE", "not a verb of the gateway; REQ_MSG_SERVER returns the address of a msg_server")
        try:
            command = MSG_SERVER_COMMANDS.parse(line)
        except BadCommand as error:
            if error.verb is None:
                return
            raise BadCommand(hint, error.verb, error.tags) from None
        except ProtocolError:
            return
        raise BadCommand(hint, command.verb, command.tags)


class IClients(Protocol):
    """The methods of the gateway that a connection calls."""

    def enter(self, client: GatewayConnection) -> bool:
        """Count a new client; False when there is no room for it."""

    def leave(self, client: GatewayConnection) -> None:
        """Forget a client whose connection is gone."""

    def choose(self, secure: bool) -> Sequence[str]:
        """Return the addresses of msg_servers for one client, the first to use; empty when none is known."""

    def bucket(self) -> Bucket | None:
        """Return what bounds the commands of a new client."""


class GatewayConnection(LineServer):
    """The connection of one client."""

    commands = _Commands(GATEWAY_VERBS, GROUPS)

    def __init__(self, gateway: IClients, turn: Turn, clock: IReactorTime, host: str, secure: bool = False) -> None:
        super().__init__(turn, clock, secure)
        self._gateway = gateway
        self.host = host
        self.since = self.heard_at
        self.pinged = False
        self.bucket = gateway.bucket()

    def connectionMade(self) -> None:
        """Greet, unless there is no room."""
        super().connectionMade()
        if not self._gateway.enter(self):
            self.refuse(Refusal("BUSY", "the gateway is full; try again later", retry=RETRY), None, {})
            self.close()
        elif not self.secure:
            self.greet()

    def greet(self) -> None:
        """Send the first line."""
        self.send(GREETING)

    def connection_ended(self) -> None:
        """Free its room."""
        self._gateway.leave(self)

    def command_received(self, command: Command) -> None:
        """Answer a command."""
        self._HANDLERS[command.verb.name](self, command)

    def _server(self, command: Command) -> None:
        addresses = self._gateway.choose(self.secure)
        if not addresses:
            nobody = Refusal("TRYAGAIN", "no msg_server is available; try again later", retry=RETRY)
            self.refuse(nobody, command.verb, command.tags)
            return
        line = f"SELECT_MSG_SERVER_FOR_CLIENT {' '.join(addresses)}\r\n"
        self.send(echo(command.tags) + line.encode())

    def _hello(self, command: Command) -> None:
        self.send(ok_line(command, b"fishchat/1"))

    def _ping(self, command: Command) -> None:
        self.send(ok_line(command))

    def _help(self, command: Command) -> None:
        self.send(help_lines(self.commands, command))

    def _quit(self, command: Command) -> None:
        self.send(ok_line(command))
        self.close()

    _HANDLERS: dict[bytes, Callable[[GatewayConnection, Command], None]] = {
        b"REQ_MSG_SERVER": _server,
        b"HELLO": _hello,
        b"SEND_PING": _ping,
        b"HELP": _help,
        b"QUIT": _quit,
    }
