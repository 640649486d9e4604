"""The msg_server: how its parts are connected, what it does by the clock, how it starts and stops."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from fishchat.bus import channels
from fishchat.config.schema import Config
from fishchat.errors import Refusal
from fishchat.features.engine import Engine
from fishchat.features.registry import FEATURES
from fishchat.features.registry import handlers as make_handlers
from fishchat.interfaces import IBus, IStore
from fishchat.net.turn import Turn
from fishchat.protocols.flow import STOPPING
from fishchat.protocols.peer import LinePeer
from fishchat.services.msg_server.delivery.delivery import Delivery
from fishchat.services.msg_server.delivery.router_hints import RouterHints
from fishchat.services.msg_server.delivery.status_news import StatusNews
from fishchat.services.msg_server.delivery.topic_news import TopicNews
from fishchat.services.msg_server.queue.commits import Commits
from fishchat.services.msg_server.queue.cursors import Cursors
from fishchat.services.msg_server.sessions.authentication import Authentication
from fishchat.services.msg_server.sessions.entry import Entry
from fishchat.services.msg_server.sessions.greeting import Greeting
from fishchat.services.msg_server.sessions.guesses import Guesses
from fishchat.services.msg_server.sessions.hashing import Hashing
from fishchat.services.msg_server.sessions.neighbours import Neighbours
from fishchat.services.msg_server.sessions.registry import Sessions
from fishchat.services.msg_server.sessions.revocations import Revocations
from fishchat.services.msg_server.sessions.session import Handler, Session, way_of
from fishchat.services.msg_server.settings import bounds, feature_settings, guess_budgets, keepalive
from fishchat.services.net.connection_limits import ConnectionLimits, Refused
from fishchat.services.net.keepalive import EVERY
from fishchat.services.running.audit import Audit
from fishchat.services.running.heartbeat import Load
from fishchat.services.running.lease import Lease, MsgServerNames
from fishchat.storage.epoch import Epoch
from fishchat.storage.fence import Fence

#: Seconds that clients have to receive their last answers when the server stops.
LAST_WORDS = 1.0


class MsgServer(Service):
    """The server of the clients: it checks, stores and delivers their messages.

    :param writer: the connection of the queue, for writes and for reads that keep their order among them.
    :param reader: the connection for logs, memberships and sweeps, so that no replay delays a message.
    :param address: the address to which clients connect; ``address_tls`` returns the address for clients with TLS.
    """

    log = Logger()

    def __init__(
        self,
        config: Config,
        server: str,
        address: str,
        writer: IStore,
        reader: IStore,
        epoch: Epoch,
        bus: IBus,
        clock: IReactorTime,
        address_tls: Callable[[], str] = lambda: "",
        hashing: Hashing | None = None,
        make_lease: Callable[..., Lease] = Lease,
    ) -> None:
        self.config = config
        self.id = server.encode()
        self.address = address
        self.address_tls = address_tls
        #: Where pages connect, without and with TLS; empty if they cannot.
        self.address_web = ""
        self.address_web_tls: Callable[[], str] = lambda: ""
        self.clock = clock
        self._bus = bus
        self._reader = reader
        self._turn = Turn(clock)
        self._doubtful = False
        self._loops: list[LoopingCall] = []
        shard = _shard(self.id, config.router.shards)
        self.stream = channels.send_stream(shard).encode()
        self.delivery = Delivery(reader, epoch, clock, config.limits.lazy)
        names = MsgServerNames(feature.name for feature in FEATURES)
        self.lease = make_lease(writer, epoch, self.id, clock, self._may_write, self._lost, names)
        self.commits = Commits(
            writer,
            self._turn,
            clock,
            self.stream,
            fence=self._fence,
            trouble=lambda: self.lease.trouble,
            mend=self.lease.mend,
            doubt=self._doubt,
            stored=self.delivery.outcomes.stored,
        )
        self._make_news()
        self._assemble_sessions(hashing or Hashing())
        self._chores = [
            (0.5, self.commits.expire),
            (1.0, self.cursors.flush),
            (1.0, self.router_hints.compare),
            (1.0, self.revocations.compare),
            (1.0, self.status_news.look),
            (1.0, self.audit.flush),
            (EVERY, self._look_after),
        ]

    def _make_news(self) -> None:
        """Make the parts that exchange news with the other servers."""
        delivery = self.delivery
        self.topic_news = TopicNews(self._bus, self._turn, delivery.membership)
        self.router_hints = RouterHints(
            self._reader, delivery.rooms, delivery.signals, delivery.sweep, self.id, self.config.router.shards
        )
        self.status_news = StatusNews(self._reader, delivery.watchers, self.clock)
        self.neighbours = Neighbours(self.id, self.clock)

    def _assemble_sessions(self, hashing: Hashing) -> None:
        """Make the parts that serve clients, from a new connection to the handlers of its commands."""
        config, limits = self.config, self.config.limits
        self.hashing = hashing
        self.connection_limits: ConnectionLimits[Session] = ConnectionLimits(bounds(config), limits.exempt, self.clock)
        self.keepalive = keepalive(limits.login_seconds)
        self.cursors = Cursors(self.commits, self.delivery.rooms.dirty)
        self.audit = Audit(self.id, self._reader, config.retention.audit)
        guesses = Guesses(self.commits, hashing, *guess_budgets(limits))
        self.authentication = Authentication(config.accounts, self._reader, hashing, guesses)
        self.greeting = Greeting(self.id, config, self.authentication)
        handlers: dict[bytes, Handler] = {}
        self.sessions = Sessions(
            self.id,
            limits,
            self.clock,
            self._turn,
            self._bus,
            self.commits,
            handlers,
            self.greeting.line,
            self.delivery,
            self.cursors,
            self.connection_limits,
            self.neighbours,
        )
        self.revocations = Revocations(self._reader, self._bus, self.sessions.find, self.router_hints.sweep)
        entry = Entry(
            self.id,
            limits,
            self._fence,
            self._source,
            self.authentication,
            guesses,
            self.audit,
            self.sessions,
            self.delivery,
            self.revocations,
        )
        # The handlers need the entry, which needs the sessions, which need the handlers.
        handlers.update(make_handlers(self._engine(entry, guesses)))

    def _engine(self, entry: Entry, guesses: Guesses) -> Engine:
        delivery = self.delivery
        return Engine(
            feature_settings(self.config),
            self.stream,
            self.commits.ask,
            entry,
            guesses,
            self.audit,
            self._source,
            delivery.rooms,
            delivery.membership,
            self.topic_news,
            delivery.signals,
            delivery.watchers,
            self._address,
        )

    @property
    def ready(self) -> bool:
        """Whether clients can log in: the lease is held and authentication has what it needs."""
        return self.lease.fence is not None and self.authentication.ready

    # -- clients

    def _address(self, secure: bool) -> bytes:
        return (self.address_tls() if secure else self.address).encode()

    def _source(self, host: str) -> bytes:
        return self.connection_limits.source(host).encode()

    def connect(self, address: IAddress | None, secure: bool = False) -> LinePeer | Refused | None:
        """Return the protocol for a new connection, or one that only sends the refusal.

        A refused connection with TLS gets None, because a handshake costs more than a refusal may.
        """
        host = address.host if isinstance(address, (IPv4Address, IPv6Address)) else ""
        refusal = self.connection_limits.refusal(host)
        if refusal is not None:
            return None if secure else Refused(refusal)
        return self.peer(host, secure)

    def peer(self, host: str, secure: bool = False) -> LinePeer:
        """Return the protocol of one accepted client."""
        return LinePeer(self.sessions.open, self._turn, self.clock, host, secure)

    def connect_web(self, address: IAddress | None, secure: bool) -> LinePeer | Refusal:
        """Return the peer of a new client over WebSocket, or why there is no room for it."""
        host = address.host if isinstance(address, (IPv4Address, IPv6Address)) else ""
        refusal = self.connection_limits.refusal(host)
        if refusal is not None:
            return refusal
        # Imported here: a process without a web site does not need the library.
        from fishchat.protocols.websocket import WebSocketPeer

        return WebSocketPeer(self.sessions.open, self._turn, self.clock, host, secure)

    @property
    def connections(self) -> Collection[Session]:
        """The sessions of all connections, logged in or not."""
        return self.sessions.all

    def load(self) -> Load:
        """Return the load for the heartbeat."""
        figures = {
            "online": self.sessions.count,
            "hashes": self.hashing.made,
            "messages": self.commits.answered - self.delivery.outcomes.unstored,
            "calls": self.commits.calls,
            "hints": self.router_hints.hints,
            "sweeps": self.router_hints.sweeps,
            "conversations": len(self.delivery.rooms.conversations),
            **self.audit.figures(),
        }
        capacity = self.config.msg_server.capacity
        web = self.address_web, self.address_web_tls()
        return Load(self.address, len(self.connections), capacity, figures, self.address_tls(), *web)

    # -- the store

    def _fence(self) -> Fence | None:
        return self.lease.fence

    def _may_write(self) -> None:
        """Resume writing: the lease belongs to this connection, so nothing sent before can still be stored."""
        if self._doubtful:
            self._doubtful = False
            self.delivery.sweep()
        self.commits.go_on()

    def _doubt(self) -> None:
        """Sweep after an unknown outcome: messages may be stored that were not delivered here."""
        self._doubtful = True
        self.delivery.sweep()

    def _lost(self) -> None:
        """Move all clients after the loss of the lease: they log in again, here or elsewhere."""
        self.commits.refuse_all()
        for session in list(self.sessions.all):
            if session.device is not None:
                session.evicted()

    # -- the life of the service

    def startService(self) -> None:
        """Start: subscribe to the other servers, begin the periodic work."""
        super().startService()
        self.lease.startService()
        self.router_hints.start()
        self.router_hints.listen(self._bus)
        self.topic_news.listen()
        self.neighbours.listen(self._bus)
        self.revocations.listen()
        self.status_news.listen(self._bus)
        for seconds, chore in self._chores:
            loop = LoopingCall(chore)
            loop.clock = self.clock
            loop.start(seconds, now=False)
            self._loops.append(loop)

    def stopService(self) -> Deferred[Any]:
        """Notify the clients, store what they have sent and acknowledged, release the name."""
        super().stopService()
        return ensureDeferred(self._stop())

    async def _stop(self) -> None:
        for session in list(self.sessions.all):
            session.peer.send(self.neighbours.move_line(LAST_WORDS, way_of(session.peer)))
            session.peer.hold(STOPPING)
        await self.commits.when_idle()
        for session in list(self.sessions.all):
            session.end()
            session.peer.close()
        await self.commits.when_idle()
        for loop in self._loops:
            loop.stop()
        self._loops.clear()
        await self.audit.flush()
        waited = 0.0
        while self.sessions.all and waited < LAST_WORDS:
            waited += 0.05
            await deferLater(self.clock, 0.05, lambda: None)
        for session in list(self.sessions.all):
            session.peer.abort()
        await self.lease.stopService()

    def _look_after(self) -> None:
        self.keepalive.check(self.sessions.all, self.clock.seconds())


def _shard(server: bytes, shards: int) -> int:
    """Return the shard of a msg_server: always the same one, so that its messages keep their order."""
    return sum(server) % shards
