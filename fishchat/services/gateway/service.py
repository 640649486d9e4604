"""The gateway: tells a client which msg_server to connect to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, ServerFactory
from twisted.internet.task import LoopingCall

from fishchat.bus import channels
from fishchat.config.schema import Config, Limits
from fishchat.errors import ProtocolError, Refusal
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.interfaces import IBus
from fishchat.model.bucket import Bucket
from fishchat.model.placement import Placement
from fishchat.model.sources import Sources
from fishchat.protocols.lines import MAX_LINE
from fishchat.protocols.peer import HANDSHAKE, STUCK, LineServer, Turn
from fishchat.protocols.replies import echo, help_lines, ok_line
from fishchat.protocols.table import BadCommand, Command, Table
from fishchat.services.gateway.rows import GATEWAY_VERBS
from fishchat.services.net.listen import CHAT, Listener
from fishchat.services.role import Parts, standalone
from fishchat.services.role_options import RoleOptions
from fishchat.services.running import heartbeat
from fishchat.services.running.heartbeat import Load

#: Seconds of silence after which a client is pinged, and after which it is gone; between two looks at all.
SILENT, DEAD, SWEEP = 90.0, 120.0, 5.0
#: Seconds that clients have to take what is written to them when the gateway stops.
LINGER = 1.0
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
        hint = Refusal("STATE", "say this to a msg_server; REQ_MSG_SERVER tells you which")
        try:
            command = MSG_SERVER_COMMANDS.parse(line)
        except BadCommand as error:
            if error.verb is None:
                return
            raise BadCommand(hint, error.verb, error.tags) from None
        except ProtocolError:
            return
        raise BadCommand(hint, command.verb, command.tags)


class GatewayConnection(LineServer):
    """One client."""

    commands = _Commands(GATEWAY_VERBS)

    def __init__(self, gateway: Gateway, turn: Turn, clock: IReactorTime, secure: bool = False) -> None:
        super().__init__(turn, clock, secure)
        self._gateway = gateway
        self._pinged_at: float | None = None
        self._since = self.heard_at
        self.bucket = gateway.bucket()

    def connectionMade(self) -> None:
        """Greet, unless there is no room."""
        super().connectionMade()
        if not self._gateway.came(self):
            self.refuse(Refusal("BUSY", "the gateway has no room; come back later", retry=RETRY), None, {})
            self.close()
        elif not self.secure:
            self.greet()

    def greet(self) -> None:
        """The first line."""
        self.send(GREETING)

    def connection_ended(self) -> None:
        """The gateway forgets it."""
        self._gateway.went(self)

    def command_received(self, command: Command) -> None:
        """Every command is answered at once."""
        self._HANDLERS[command.verb.name](self, command)

    def look(self, now: float) -> None:
        """Ping it when it is silent, end it when it stays so, takes nothing of what is written to it, or only stays.

        Nobody has to do here for longer than a login may take, and there is room for so many only.
        """
        silent = now - self.heard_at
        if self.is_stuck(now):
            self.abort()
        elif self.shaking:
            if now - self._since >= HANDSHAKE:
                self.abort()
        elif now - self._since >= self._gateway.patience or (silent >= DEAD and self._pinged_at == self.heard_at):
            self.close()
        elif silent >= SILENT and self._pinged_at != self.heard_at:
            self._pinged_at = self.heard_at
            self.send(b"RESP_PING\r\n")

    def _server(self, command: Command) -> None:
        addresses = self._gateway.placement.choose(self.clock.seconds(), self.secure)
        if not addresses:
            nobody = Refusal("TRYAGAIN", "no msg_server is there at the moment; ask again", retry=RETRY)
            self.refuse(nobody, command.verb, command.tags)
            return
        self._gateway.placed += 1
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


class Gateway(Service, ServerFactory):
    """The clients that are connected, and what is known of the msg_servers."""

    noisy = False

    def __init__(self, bus: IBus, placement: Placement, limits: Limits, clock: IReactorTime) -> None:
        self.placement = placement
        #: Answers given with an address.
        self.placed = 0
        self._limits = limits
        self._clock = clock
        self._turn = Turn(clock)
        self._clients: dict[GatewayConnection, str] = {}
        self._sources = Sources(limits.exempt)
        self._per_source: dict[str, int] = {}
        self._sweep = LoopingCall(self._look)
        self._sweep.clock = clock
        self._empty: Deferred[None] | None = None
        heartbeat.listen(bus, self._heard)

    def buildProtocol(self, addr: IAddress | None) -> GatewayConnection:
        """Called by Twisted for each client."""
        return GatewayConnection(self, self._turn, self._clock)

    def build_secure(self, addr: IAddress | None) -> GatewayConnection | None:
        """The same for clients with TLS; None, before a handshake, when there is no room."""
        host = addr.host if isinstance(addr, (IPv4Address, IPv6Address)) else ""
        return GatewayConnection(self, self._turn, self._clock, secure=True) if self.has_room(host) else None

    def startService(self) -> None:
        """Look after the clients."""
        super().startService()
        self._sweep.start(SWEEP, now=False)

    def stopService(self) -> Deferred[None]:
        """Fires when no client is connected any more: a second at most for what is being written."""
        super().stopService()
        if self._sweep.running:
            self._sweep.stop()
        if not self._clients:
            return succeed(None)
        empty = self._empty = Deferred()
        cut = self._clock.callLater(LINGER, self._cut)
        empty.addCallback(lambda _: cut.cancel() if cut.active() else None)
        for client in list(self._clients):
            client.close()
        return empty

    @property
    def patience(self) -> float:
        """Seconds that a client may stay: enough to ask, and to type it."""
        return max(DEAD + STUCK, self._limits.login_seconds)

    def bucket(self) -> Bucket | None:
        """How fast a new client may ask."""
        limits = self._limits
        return Bucket(limits.rate, limits.burst, self._clock.seconds()) if limits.flood else None

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def has_room(self, host: str) -> bool:
        """Whether one more may come. Whoever connects here never logs in, so those limits count."""
        limits = self._limits
        source = self._sources.name(host)
        crowded = limits.flood and source and self._per_source.get(source, 0) >= limits.per_address
        return len(self._clients) < limits.before_login and not crowded

    def came(self, client: GatewayConnection) -> bool:
        """Whether there is room for it, which it then takes."""
        host = _host(client)
        if not self.has_room(host):
            return False
        source = self._clients[client] = self._sources.name(host)
        self._per_source[source] = self._per_source.get(source, 0) + 1
        return True

    def went(self, client: GatewayConnection) -> None:
        """It is gone."""
        source = self._clients.pop(client, None)
        if source is not None:
            self._per_source[source] -= 1
            if not self._per_source[source]:
                del self._per_source[source]
        if not self._clients and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)

    def _heard(self, said: channels.Heartbeat) -> None:
        if said.role != "msg_server":
            return
        if said.stopping:
            self.placement.stopping(said.id, said.pid)
            return
        if not said.has_addresses():
            return
        free = said.capacity - said.clients
        self.placement.heard(said.id, said.pid, said.address, free, self._clock.seconds(), said.address_tls)

    def _look(self) -> None:
        now = self._clock.seconds()
        for client in list(self._clients):
            client.look(now)

    def _cut(self) -> None:
        for client in list(self._clients):
            client.abort()


class _Secure(Factory):
    """Makes the connections that have TLS."""

    noisy = False

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def logPrefix(self) -> str:
        return "Gateway"

    def buildProtocol(self, addr: IAddress | None) -> GatewayConnection | None:
        return self._gateway.build_secure(addr)


def _host(client: GatewayConnection) -> str:
    transport: Any = client.transport
    peer = transport.getPeer()
    return peer.host if isinstance(peer, (IPv4Address, IPv6Address)) else ""


class Options(RoleOptions):
    """``twistd fishchat-gateway``."""

    role = "gateway"


def build(parts: Parts) -> Sequence[IService]:
    """The gateway's services, in the order of their start."""
    config: Config = parts.config
    section = config.gateway
    placement = Placement(section.servers, SystemRandom(), section.servers_tls)
    gateway = Gateway(parts.bus, placement, config.limits, parts.clock)
    listeners = [Listener(section.listen, gateway, "gateway.listen", parts.reactor)]

    def load() -> Load:
        figures = {"placed": float(gateway.placed)}
        return Load(section.listen, gateway.clients, figures=figures, address_tls=section.listen_tls)

    told: Callable[[], Load] = load
    if section.listen_tls:
        creator = parts.certificates.creator(CHAT)
        secure = _Secure(gateway)
        listeners.append(Listener(section.listen_tls, secure, "gateway.listen_tls", parts.reactor, creator))
        told = parts.certificates.counted(load)
    return [gateway, *listeners, parts.heartbeat("gateway", told)]


def makeService(options: Options) -> IService:
    """Called by ``twistd``."""
    return standalone(options.config, build)
