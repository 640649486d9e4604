"""The sessions of this server's clients: all of them by connection, the logged-in ones also by device."""

from __future__ import annotations

from collections.abc import Callable, Collection

from twisted.internet.interfaces import IReactorTime

from fishchat.bus import channels
from fishchat.config.schema import Limits
from fishchat.features.session.calls import logout
from fishchat.interfaces import IBus, IPeer
from fishchat.model.bucket import Bucket
from fishchat.model.device import Device
from fishchat.net.turn import Turn
from fishchat.services.msg_server.delivery.delivery import Delivery
from fishchat.services.msg_server.queue.commits import Commits
from fishchat.services.msg_server.queue.cursors import Cursors
from fishchat.services.msg_server.queue.items import Call
from fishchat.services.msg_server.sessions.neighbours import Neighbours
from fishchat.services.msg_server.sessions.session import Handler, Session
from fishchat.services.net.connection_limits import ConnectionLimits


class Sessions:
    """The registry of sessions; implements what a session asks of its server (``ISessions``).

    :param greeting: makes the first line for a peer.
    :ivar queue: the queue of the commands that need the store.
    :ivar handlers: verb → its handler.
    :ivar count: how many clients are logged in.
    """

    def __init__(
        self,
        server: bytes,
        limits: Limits,
        clock: IReactorTime,
        turn: Turn,
        bus: IBus,
        queue: Commits,
        handlers: dict[bytes, Handler],
        greeting: Callable[[IPeer], bytes],
        delivery: Delivery,
        cursors: Cursors,
        connection_limits: ConnectionLimits[Session],
        neighbours: Neighbours,
    ) -> None:
        self.queue = queue
        self.handlers = handlers
        self.count = 0
        self.move_line = neighbours.move_line
        self.feed = delivery.feed
        self.discard = cursors.discard
        self._greeting = greeting
        self._server = server
        self._limits = limits
        self._clock = clock
        self._turn = turn
        self._bus = bus
        self._delivery = delivery
        self._cursors = cursors
        self._connection_limits = connection_limits
        self._numbers = 0
        self._here: dict[bytes, Session] = {}
        self._came: list[str] = []
        self._went: list[str] = []

    @property
    def all(self) -> Collection[Session]:
        """The sessions of all connections, logged in or not."""
        return self._connection_limits.connections

    def find(self, key: bytes) -> Device | None:
        """Return the device that is logged in here as ``account/device``."""
        session = self._here.get(key)
        return session.device if session is not None else None

    # -- connections

    def open(self, peer: IPeer) -> Session:
        """Make the session of a new connection."""
        self._numbers += 1
        limits = self._limits
        bucket = Bucket(limits.rate, limits.burst, self._clock.seconds()) if limits.flood else None
        return Session(self, peer, self._clock, self._numbers, bucket)

    def greeting(self, session: Session) -> bytes:
        """Return the first line, see ``ISessions``."""
        return self._greeting(session.peer)

    def opened(self, session: Session) -> None:
        """Count a new session, see ``ISessions``."""
        self._connection_limits.enter(session, session.peer.host)

    def closed(self, session: Session) -> None:
        """Stop counting a session, see ``ISessions``."""
        self._connection_limits.leave(session, session.peer.host)

    # -- logging in

    def displace(self, key: bytes) -> None:
        """End the session of a device that has logged in again; keep what it has acknowledged."""
        old = self._here.pop(key, None)
        if old is None:
            return
        device, old.device = old.device, None
        if device is not None:
            self._cursors.flush(device)
            self._delivery.remove(device)
            self.count -= 1
        old.replaced()

    def enter(self, session: Session, device: Device) -> None:
        """Register a session that has just logged in."""
        # All devices of an account on this server share one limit.
        for other in self._delivery.presence.of(device.account):
            found = self._here.get(other.key)
            if found is not None:
                session.bucket = found.bucket
                break
        self._here[device.key] = session
        self.count += 1
        self._connection_limits.authenticated(session)

    def publish_came(self, device: Device) -> None:
        """Publish at the end of the turn that a device has logged in."""
        self._came.append(device.key.decode())
        self._announce()

    # -- logging out

    def forget(self, session: Session) -> None:
        """Store the cursors and the end of a session; do nothing if it was not logged in."""
        device, session.device = session.device, None
        if device is None:
            return
        self._cursors.flush(device)
        if self._here.get(device.key) is session:
            del self._here[device.key]
        self._delivery.remove(device)
        self.count -= 1
        self.log_out(session, device)

    def log_out(self, session: Session, device: Device) -> None:
        """Store and publish the end of a login."""
        self.end_in_store(device.account, device.name, session.number)
        self._went.append(device.key.decode())
        self._announce()

    def end_in_store(self, account: bytes, device: bytes, number: int) -> None:
        """Store that a session has ended, if the session was stored at all."""
        self.queue.add(Call.of(logout([account, device, number]), _done, _done))

    # -- news

    def _announce(self) -> None:
        if len(self._came) + len(self._went) == 1:
            self._turn.at_end(self._publish)

    def _publish(self) -> None:
        came, self._came = self._came, []
        went, self._went = self._went, []
        status = channels.ClientStatus(server=self._server.decode(), came=came, went=went)
        self._bus.publish(channels.CLIENT_STATUS, status.encode())


def _done(_: object) -> None:
    """Ignore the outcome: a session whose end was not stored ends with the next login or with the lease."""
