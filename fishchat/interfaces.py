"""The seams: the interfaces through which parts use each other without knowing the implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from fishchat.protocols.flow import Flow
    from fishchat.storage.script import Script

Receiver = Callable[[bytes], None]


class IReloads(Interface):
    """An object that can reload its certificates."""

    def reload() -> object:
        """Reload the certificates; log an invalid one and keep the current one."""


class IBus(Interface):
    """Hints between the roles. Delivery is not guaranteed: a hint may be lost, and the store is authoritative."""

    def publish(channel: str, payload: bytes) -> None:
        """Send ``payload`` to the present subscribers; when the bus is away, it is dropped."""

    def subscribe(channel: str, receive: Receiver, ready: Callable[[], None] | None = None) -> None:
        """Call ``receive`` with every payload of ``channel``, from now until the bus stops.

        ``ready`` is called each time the subscription is confirmed, the first time and after every reconnection.
        Payloads sent in between are lost, so this is the moment to read the state from the store.
        """


class IStore(Interface):
    """A connection to the store. It hides nothing: see ``storage/redis.py`` for the four outcomes of a command."""

    connected: bool = Attribute("Whether a command would be sent now.")
    timeout: float = Attribute("Seconds after which an unanswered command fails as ``Unknown``.")
    on_connected: list[Callable[[], None]] = Attribute("Called after each connection, the first one included.")
    on_lost: list[Callable[[], None]] = Attribute("Called after a connection that counted as connected was lost.")

    def run(*args: bytes | str | int, timeout: Any = ...) -> Deferred[Any]:
        """Send one command.

        The Deferred fires with the reply. It fails with ``ReplyError`` (refused), ``Unavailable`` (at once: nothing was
        sent) or ``Unknown`` (perhaps done).
        """

    def call(script: Script, *values: Any) -> Deferred[Any]:
        """Run a script with these arguments; it fails as ``run`` does. Calls run, and are answered, in their order."""

    def drop(reason: str) -> None:
        """Give up the present connection, if there is one; what is in flight fails as ``Unknown``."""


class IPeer(Protocol):
    """The other end of a connection, over any transport. Lines include their ending.

    :ivar flow: whether the peer is read. :ivar host: the address that the peer connects from; empty when it is unknown.
    :ivar secure: whether the connection is encrypted. :ivar shaking: whether its handshake is still under way; nothing
    can be written before it is done. :ivar heard_at: the time of the last bytes that were read, in seconds of the
    server's clock. :ivar closing_since: when the server began to close the connection; None while it is open. :ivar
    web: whether it came through a web site: it then needs web addresses of other servers.
    """

    flow: Flow
    host: str
    secure: bool
    shaking: bool
    heard_at: float
    closing_since: float | None
    web: bool

    @property
    def binding(self) -> bytes | None:
        """Return the channel binding for a proof on this connection; None without encryption."""

    def send(self, line: bytes) -> None:
        """Write a line, in order. A line for a disconnected peer is dropped."""

    def hold(self, reason: int) -> None:
        """Stop reading the peer until ``read_on`` with the same reason; received data waits."""

    def read_on(self, reason: int) -> None:
        """Remove a reason. With the last one, waiting data is processed at the end of the turn."""

    def ignore(self) -> None:
        """Process no more data from the peer."""

    def close(self) -> None:
        """Write the pending output, then end the connection."""

    def abort(self) -> None:
        """End the connection at once."""

    def is_stuck(self, now: float) -> bool:
        """Return whether the peer has read nothing of its pending output for too long."""


class ISessionOwner(Protocol):
    """The operations of a session that a logged-in device uses."""

    @property
    def push(self) -> Callable[[bytes], None]:
        """Return the function that writes one whole line to the device."""

    def replaced(self) -> None:
        """End the session: the same device has logged in elsewhere."""

    def evicted(self) -> None:
        """End the session: the store does not know it any more."""

    def revoked(self, why: str) -> None:
        """End the session: the right to it was revoked, for the account or for the device alone."""
