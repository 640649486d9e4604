"""The msg_server: how its parts stand together, what it does by the clock, how it starts and ends."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from fishchat.bus import channels
from fishchat.config.schema import Config
from fishchat.errors import Refusal
from fishchat.features.contacts import handlers as contacts
from fishchat.features.messages import handlers as messages
from fishchat.features.messages import queries
from fishchat.features.topics import handlers as topics
from fishchat.interfaces import IBus
from fishchat.protocols.lines import MAX_LINE, MAX_TEXT
from fishchat.protocols.peer import Turn
from fishchat.protocols.replies import error_line
from fishchat.protocols.state import is_stranger
from fishchat.services.msg_server.delivery.rooms import Delivery
from fishchat.services.msg_server.delivery.router_hints import Hearing
from fishchat.services.msg_server.queue.commits import Commits
from fishchat.services.msg_server.queue.cursors import Cursors
from fishchat.services.msg_server.queue.lease import Lease
from fishchat.services.msg_server.sessions import registry
from fishchat.services.msg_server.sessions.authentication import Admission
from fishchat.services.msg_server.sessions.connection import ClientConnection, Handler
from fishchat.services.msg_server.sessions.hashing import Hashing
from fishchat.services.msg_server.sessions.neighbours import Neighbours
from fishchat.services.msg_server.sessions.registry import Logins
from fishchat.services.msg_server.sessions.revocations import Revoking
from fishchat.services.net.connection_limits import Bounds, ConnectionLimits, Refused
from fishchat.services.net.keepalive import EVERY, Keepalive
from fishchat.services.running.heartbeat import Load
from fishchat.storage.epoch import Epoch
from fishchat.storage.redis import Connection

#: Seconds that clients are given to have their last answers when the server stops.
LAST_WORDS = 1.0


class MsgServer(Service):
    """Holds clients; checks, stores and delivers their messages.

    :param writer: the connection of the queue, in which also questions are answered in their order.
    :param reader: the one of logs, memberships and sweeps, so that no catching up stands in front of a message.
    :param address: what clients are told to connect to; ``address_tls`` gives the same for those with TLS.
    """

    log = Logger()

    def __init__(
        self,
        config: Config,
        server: str,
        address: str,
        writer: Connection,
        reader: Connection,
        epoch: Epoch,
        bus: IBus,
        clock: IReactorTime,
        address_tls: Callable[[], str] = lambda: "",
    ) -> None:
        self.config = config
        self.id = server.encode()
        self.address = address
        self.address_tls = address_tls
        self.bus = bus
        self.clock = clock
        self.turn = Turn(clock)
        self.connection_limits: ConnectionLimits[ClientConnection] = ConnectionLimits(
            _bounds(config), config.limits.exempt, clock
        )
        self.keepalive = _keepalive(config.limits.login_seconds)
        shards = config.router.shards
        self.stream = channels.send_stream(_shard(self.id, shards)).encode()
        self.delivery = Delivery(reader, epoch, clock)
        self.lease = Lease(writer, epoch, self.id, clock, self._may_write, self._lost)
        self.commits = Commits(
            writer,
            self.turn,
            clock,
            self.stream,
            fence=lambda: self.lease.fence,
            mend=self.lease.mend,
            doubt=self._doubt,
            stored=self.delivery.stored,
        )
        self.cursors = Cursors(self.commits, self.delivery.dirty)
        self.logins = Logins(self, bus)
        self.neighbours = Neighbours(self.id, clock)
        self.hearing = Hearing(reader, self.delivery, self.id, shards)
        self.revoking = Revoking(reader, bus, self.logins.find, self.hearing.sweep)
        self.hashing = Hashing()
        self.admission = Admission(self, reader, self.hashing)
        self._greeting = (
            f"HELLO fishchat/1 server={server} auth={config.accounts.mode}"
            f" maxline={MAX_LINE} maxtext={MAX_TEXT} caps=ack"
        ).encode()
        self.handlers: dict[bytes, Handler] = handlers(self)
        self._chores = [
            (0.5, self.commits.expire),
            (1.0, self.cursors.flush),
            (1.0, self.hearing.compare),
            (1.0, self.revoking.compare),
            (EVERY, self._look_after),
        ]
        self._loops: list[LoopingCall] = []
        self._doubtful = False
        self._numbers = 0
        self._topic_events: list[tuple[str, str, str]] = []

    @property
    def ready(self) -> bool:
        """Whether clients can log in: the lease is held and authentication has what it needs."""
        return self.lease.fence is not None and self.admission.ready

    # -- clients

    def greeting(self, connection: ClientConnection) -> bytes:
        """The first line that a client hears."""
        mechanisms = self.admission.mechanisms(connection)
        sasl = b" sasl=" + b",".join(mechanisms) if mechanisms else b""
        return self._greeting + sasl + b"\r\n"

    @property
    def connections(self) -> Collection[ClientConnection]:
        """All of them, logged in or not."""
        return self.connection_limits.connections

    def connect(self, address: IAddress | None, secure: bool = False) -> ClientConnection | Refused | None:
        """The protocol for a new connection, or one that only says why it is not let in.

        With TLS it is None then: a handshake costs more than a refusal may.
        """
        host = address.host if isinstance(address, (IPv4Address, IPv6Address)) else ""
        refusal = self.connection_limits.refusal(host)
        if refusal is not None:
            return None if secure else Refused(refusal)
        self._numbers += 1
        return ClientConnection(self, self._numbers, host, secure)

    def topic_changed(self, topic: bytes, event: str, account: bytes) -> None:
        """Tell the manager what happened, and the other msg_servers to read the membership again: once a turn."""
        if not self._topic_events:
            self.turn.at_end(self._publish_topics)
        self._topic_events.append((topic.decode(), event, account.decode()))

    def _publish_topics(self) -> None:
        events, self._topic_events = self._topic_events, []
        for topic, event, account in events:
            status = channels.TopicStatus(topic=topic, event=event, account=account)
            self.bus.publish(channels.TOPIC_STATUS, status.encode())
        moved: dict[str, list[str]] = {}
        for topic, event, account in events:
            if event != "invited":
                moved.setdefault(topic, []).append(account)
        if moved:
            self.bus.publish(channels.TOPIC_SYNC, channels.TopicSync(topics=sorted(moved), accounts=moved).encode())

    def load(self) -> Load:
        """For the heartbeat."""
        figures = {
            "online": self.logins.count,
            "hashes": self.hashing.made,
            "messages": self.commits.answered - self.delivery.unstored,
            "calls": self.commits.calls,
            "hints": self.hearing.hints,
            "sweeps": self.hearing.sweeps,
            "conversations": len(self.delivery.conversations),
        }
        capacity = self.config.msg_server.capacity
        return Load(self.address, len(self.connections), capacity, figures, self.address_tls())

    # -- the store's side

    def _may_write(self) -> None:
        """The lease is this connection's: nothing that was sent before can still be stored."""
        if self._doubtful:
            self._doubtful = False
            self.delivery.sweep()
        self.commits.go_on()

    def _doubt(self) -> None:
        """Something may be stored that nobody here was told of."""
        self._doubtful = True
        self.delivery.sweep()

    def _lost(self) -> None:
        """The clients are not this server's any more: they log in again, here or elsewhere."""
        self.commits.refuse_all()
        for connection in list(self.connections):
            if connection.device is not None:
                connection.say_goodbye(self.neighbours.move_line(0, connection.secure))

    # -- the life of the service

    def startService(self) -> None:
        """Begin: listen to the others, look after the clients."""
        super().startService()
        self.lease.startService()
        self.hearing.start()
        self.hearing.listen(self.bus)
        self.neighbours.listen(self.bus)
        self.revoking.listen()
        for seconds, chore in self._chores:
            loop = LoopingCall(chore)
            loop.clock = self.clock
            loop.start(seconds, now=False)
            self._loops.append(loop)

    def stopService(self) -> Deferred[Any]:
        """Tell the clients, store what they have sent and acknowledged, give the name back."""
        super().stopService()
        return ensureDeferred(self._stop())

    async def _stop(self) -> None:
        for connection in list(self.connections):
            connection.send(self.neighbours.move_line(LAST_WORDS, connection.secure))
            connection.hold()
        await self.commits.when_idle()
        for connection in list(self.connections):
            connection.end()
            connection.close()
        await self.commits.when_idle()
        for loop in self._loops:
            loop.stop()
        self._loops.clear()
        waited = 0.0
        while self.connections and waited < LAST_WORDS:
            waited += 0.05
            await deferLater(self.clock, 0.05, lambda: None)
        for connection in list(self.connections):
            connection.abort()
        await self.lease.stopService()

    def _look_after(self) -> None:
        self.keepalive.check(self.connections, self.clock.seconds())


class ClientFactory(Factory):
    """Makes the connections of one listener of a msg_server; ``secure`` says that TLS is in front of it."""

    noisy = False

    def __init__(self, server: MsgServer, secure: bool = False) -> None:
        self._server = server
        self._secure = secure

    def buildProtocol(self, addr: IAddress | None) -> ClientConnection | Refused | None:
        return self._server.connect(addr, self._secure)


def handlers(server: MsgServer) -> dict[bytes, Handler]:
    """Which function does what a verb asks; a test compares it with the command table."""
    return {
        b"HELLO": registry.hello,
        b"SEND_CLIENT_ID": server.admission.log_in,
        b"SEND_AUTH": server.admission.authenticate,
        b"CREATE_CLIENT": server.admission.sign_up,
        b"SEND_PASSWORD": server.admission.change_password,
        **contacts.HANDLERS,
        b"SEND_PING": registry.ping,
        b"HELP": registry.tell,
        b"QUIT": registry.quit,
        b"SEND_MESSAGE_P2P": messages.send_p2p,
        b"SEND_MESSAGE_TOPIC": messages.send_topic,
        b"SEND_ACK": messages.acknowledge,
        b"SEND_READ": messages.read,
        b"CREATE_TOPIC": topics.create,
        b"JOIN_TOPIC": topics.join,
        b"LEAVE_TOPIC": topics.leave,
        b"INVITE_TOPIC": topics.invite,
        b"DISMISS_TOPIC": topics.dismiss,
        b"LOCATE_TOPIC_MSG_ADDR": topics.locate,
        b"REQ_HISTORY": queries.history,
        b"REQ_CONVERSATIONS": queries.conversations,
        b"REQ_CLIENT_STATUS": queries.status,
        b"REQ_TOPICS": queries.topics,
        b"REQ_MEMBERS": queries.members,
    }


def _shard(server: bytes, shards: int) -> int:
    """Which stream a msg_server writes to: always the same one, so that its messages keep their order."""
    return sum(server) % shards


def _bounds(config: Config) -> Bounds:
    """Return the connection limits of a msg_server; without ``limits.flood`` only its capacity."""
    limits, capacity = config.limits, config.msg_server.capacity
    if not limits.flood:
        return Bounds(capacity)
    return Bounds(capacity, limits.per_address, limits.before_login, limits.strangers_per_address, limits.accepts)


def _keepalive(login_seconds: float) -> Keepalive[ClientConnection]:
    """Return the keepalive of a msg_server: only a client that has not logged in has a time limit, and no pings."""
    late_line = error_line(Refusal("STATE", "login timed out; connect again", limit=f"{login_seconds:g}s"), None, {})

    def late(connection: ClientConnection) -> None:
        connection.say_goodbye(late_line)

    def gone(connection: ClientConnection) -> None:
        connection.end()
        connection.abort()

    return Keepalive(
        login_seconds,
        late,
        gone,
        is_limited=lambda connection: is_stranger(connection.state),
        is_pinged=lambda connection: not is_stranger(connection.state),
    )
