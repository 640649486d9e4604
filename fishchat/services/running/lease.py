"""A role's right to write: a lease of its name in the store, under the store's epoch.

A msg_server that did not renew its lease may be declared dead, and its clients log in elsewhere. From then on it
must not write for them. Therefore the scripts compare the incarnation and the epoch of every write
(``Fence``). A role without clients holds a lease in the same way to store messages (``logs/append``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.interfaces import IStore
from fishchat.services.running.incarnation import is_dead, new_incarnation
from fishchat.storage.ask import Ask
from fishchat.storage.epoch import Epoch
from fishchat.storage.fence import Fence
from fishchat.storage.servers import calls

#: Seconds for which a lease is valid, and between two renewals.
LEASE = 15.0
RENEW = 5.0


#: Seconds until the next attempt to take a name that another incarnation holds.
AGAIN = 1.0


class Names(Protocol):
    """The store calls of one kind of name.

    :ivar held: the text for people when another process has the name; ``remedy`` follows it in the log.
    """

    held: str
    remedy: str

    def take(self, name: bytes, token: bytes, lease: int, take: bool | bytes) -> Ask[bytes]:
        """Take the name or keep it. Returns ``KEPT``, ``NEW``, ``LOST`` or ``TAKEN``. ``lease`` is in ms.

        ``take`` is False to keep it only, True to take it if it is free, or the holder to replace.
        """

    def give_back(self, name: bytes, incarnation: bytes) -> Ask[None]:
        """Release the name."""


class MsgServerNames:
    """The names of msg_servers, to which messages are routed.

    :param features: the features that this version understands, see ``lib/enabled.lua``.
    """

    held = "another msg_server lives under the id {name}"
    remedy = "set msg_server.id of one of them to another name"

    def __init__(self, features: Iterable[str] = ()) -> None:
        self._features = " ".join(sorted(features)).encode()

    def take(self, name: bytes, token: bytes, lease: int, take: bool | bytes) -> Ask[bytes]:
        """Take or keep the name, see ``Names``."""
        return calls.register(name, token, lease, take, self._features)

    def give_back(self, name: bytes, incarnation: bytes) -> Ask[None]:
        """Release the name, see ``Names``."""
        return calls.retire(name, incarnation)


class RoleNames:
    """The names of roles that store messages and have no clients of their own."""

    held = "another process holds the name {name}"
    remedy = "stop one of them"

    def take(self, name: bytes, token: bytes, lease: int, take: bool | bytes) -> Ask[bytes]:
        """Take or keep the name, see ``Names``."""
        return calls.hold(name, token, lease, take)

    def give_back(self, name: bytes, incarnation: bytes) -> Ask[None]:
        """Release the name, see ``Names``."""
        return calls.release(name, incarnation)


class Lease(Service):
    """Take the name, renew the lease, and report its loss.

    :param held: called each time the right to write is gained, also again after a break.
    :param lost: called when the clients of this server are no longer its own.
    :ivar trouble: the reason why there is no right to write, if it is a living process with the same name.
    :param names: the calls for the kind of name; the calls of a msg_server if None.
    """

    log = Logger()

    def __init__(
        self,
        connection: IStore,
        epoch: Epoch,
        server: bytes,
        clock: IReactorTime,
        held: Callable[[], None],
        lost: Callable[[], None],
        names: Names | None = None,
    ) -> None:
        self.server = server
        self.incarnation = new_incarnation()
        self._connection = connection
        self._epoch = epoch
        self._names = names or MsgServerNames()
        self._held = held
        self._lost = lost
        #: Whether the store knows this incarnation, and whether this connection may write under it.
        self._registered = self._ready = False
        #: Whether to take the name: only a free one, or also from the holder that is named here.
        self._take: bool | bytes = True
        self.trouble = ""
        #: The holder that was found last, and for how long its lease was valid (ms).
        self._rival: tuple[bytes, int] = (b"", 0)
        self._clock = clock
        self._asking = False
        self._writer = 0
        self._renewal = LoopingCall(self.renew)
        self._renewal.clock = clock
        connection.on_connected.append(self._connected)
        connection.on_lost.append(self._disconnected)

    @property
    def fence(self) -> Fence | None:
        """The lease and epoch under which to write; None without the right to write."""
        return self._fence if self._ready else None

    @property
    def _fence(self) -> Fence:
        return Fence(self.server, self.incarnation, self._epoch.current, self._writer)

    def startService(self) -> None:
        """Start to take and renew the name."""
        super().startService()
        # Not earlier: a daemon has another number after its start.
        self.incarnation = new_incarnation()
        self._renewal.start(RENEW, now=False)

    def stopService(self) -> Deferred[Any]:
        """Stop, and release the name."""
        super().stopService()
        self._renewal.stop()
        self._ready = False
        if not self._connection.connected:
            return maybeDeferred(lambda: None)
        retired = self._names.give_back(self.server, self.incarnation).of(self._connection)
        return ensureDeferred(retired).addErrback(lambda _: None)

    def _connected(self) -> None:
        self._writer += 1
        self._asking = False
        self.renew()

    def _disconnected(self) -> None:
        # The lease is not lost, the store decides that. But nothing is written before the new connection has it.
        self._ready = False

    def renew(self) -> None:
        """Renew the lease now."""
        if not self._connection.connected or self._asking or not self.running:
            return
        self._asking = True
        ask = self._names.take(self.server, self._fence.token, int(LEASE * 1000), self._take)
        ensureDeferred(ask.of(self._connection)).addCallbacks(self._answered, self._failed)

    def mend(self, word: str) -> None:
        """Renew lease or epoch after a write was refused as ``LEASE`` or ``EPOCH``."""
        if word == "EPOCH":
            # The epoch is read on every new connection, so reconnecting is the one way to learn it.
            self._connection.drop("the epoch of the store has grown")
        else:
            self.renew()

    def _answered(self, reply: bytes) -> None:
        self._asking = False
        if reply in (b"KEPT", b"NEW"):
            if reply == b"NEW":
                self.log.info("{server} is registered", server=self.server.decode())
            self._registered, self._ready, self._take = True, True, False
            self.trouble, self._rival = "", (b"", 0)
            self._held()
            return
        self._ready = False
        if self._registered:
            self._registered = False
            self.log.error("{server} lost its lease", server=self.server.decode())
            self._lost()
            self.incarnation = new_incarnation()
        elif reply == b"TAKEN":
            ensureDeferred(self._consider()).addErrback(self._failed)
            return
        self._take = True
        self.renew()

    async def _consider(self) -> None:
        """Take the name from a dead incarnation at once. Leave it to any other one until its lease ends."""
        key = b"lease:" + self.server
        holder, left = await self._connection.run("GET", key), await self._connection.run("PTTL", key)
        self._take = True
        if holder is None or is_dead(holder):
            # The holder is named: another newcomer may have taken the name from it meanwhile.
            self._take = holder or True
            self.renew()
            return
        before, was_left = self._rival
        self._rival = (holder, left)
        if not before:
            text = "{server}: waiting for the end of the lease that process {holder} has on this name"
            self.log.info(text, server=self.server.decode(), holder=holder.decode("ascii", "replace"))
        elif (holder != before or left > was_left) and not self.trouble:
            # A lease grows only by its holder, which therefore runs.
            self.trouble = self._names.held.format(name=self.server.decode())
            self.log.critical("{trouble}: {remedy}", trouble=self.trouble, remedy=self._names.remedy)
        self._clock.callLater(AGAIN, self.renew)

    def _failed(self, failure: Failure) -> None:
        self._asking = False
        self.log.warn("the lease could not be renewed: {error}", error=failure.getErrorMessage())
