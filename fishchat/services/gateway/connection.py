"""One client of the gateway: every command is answered at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from fishchat.errors import ProtocolError, Refusal
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.features.session import handlers as session
from fishchat.interfaces import IPeer
from fishchat.model.bucket import Bucket
from fishchat.protocols.exchange import Exchange
from fishchat.protocols.lines import MAX_LINE
from fishchat.protocols.replies import echo
from fishchat.protocols.table import BadCommand, Command, Table
from fishchat.services.gateway.rows import GATEWAY_COMMANDS

#: Seconds after which a client should ask again when there is no msg_server: one heartbeat.
RETRY = 2

GREETING = b"HELLO fishchat/1 server=gateway maxline=%d\r\n" % MAX_LINE


class _Commands(Table):
    """The table of the gateway's verbs. A verb of a msg_server is refused with a hint."""

    def parse(self, line: bytes) -> Command:
        try:
            return super().parse(line)
        except ProtocolError as error:
            if error.word != "UNKNOWN_VERB":
                raise
            self._parse_elsewhere(line)
            raise

    def _parse_elsewhere(self, line: bytes) -> None:
        hint = Refusal("STATE", "not a verb of the gateway; SERVER returns the address of a msg_server")
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
    """The methods of the gateway that a session calls."""

    def enter(self, client: GatewaySession) -> bool:
        """Count a new client; False when there is no room for it."""

    def leave(self, client: GatewaySession) -> None:
        """Forget a client whose connection has ended."""

    def choose(self, secure: bool) -> Sequence[str]:
        """Return the addresses of msg_servers for one client, the first to use; empty when none is known."""

    def bucket(self) -> Bucket | None:
        """Return the rate limit for the commands of a new client."""


class GatewaySession(Exchange):
    """The session of one client."""

    __slots__ = ("_gateway",)

    commands = _Commands(GATEWAY_COMMANDS.verbs, GATEWAY_COMMANDS.groups, GATEWAY_COMMANDS.terms)

    def __init__(self, gateway: IClients, peer: IPeer, clock: IReactorTime) -> None:
        super().__init__(peer, clock)
        self._gateway = gateway
        self.bucket = gateway.bucket()

    def opened(self) -> None:
        """Refuse the client when there is no room."""
        if not self._gateway.enter(self):
            self.refuse(Refusal("BUSY", "the gateway is full; try again later", retry=RETRY), None, {})
            self.peer.close()

    def greet(self) -> None:
        """Send the first line."""
        self.peer.send(GREETING)

    def closed(self) -> None:
        """Free the room of the client."""
        self._gateway.leave(self)

    def carry_out(self, command: Command) -> None:
        """Answer a command."""
        HANDLERS[command.verb.name](self, command)

    def answer(self, line: bytes) -> None:
        """Answer a command."""
        self.peer.send(line)

    def quit(self, line: bytes) -> None:
        """Send a last line, then close the connection."""
        self.peer.send(line)
        self.peer.close()

    def choose_server(self, command: Command) -> None:
        """Handle REQ_MSG_SERVER: answer with the addresses of msg_servers."""
        addresses = self._gateway.choose(self.peer.secure)
        if not addresses:
            raise Refusal("TRYAGAIN", "no msg_server is available; try again later", retry=RETRY)
        line = f"SELECT_MSG_SERVER_FOR_CLIENT {' '.join(addresses)}\r\n"
        self.answer(echo(command.tags) + line.encode())


#: Verb → its handler.
HANDLERS: dict[bytes, Callable[[GatewaySession, Command], None]] = {
    **session.COMMON,
    b"HELLO": session.hello,
    b"REQ_MSG_SERVER": GatewaySession.choose_server,
}
