"""The seams: what one part may ask of another without knowing how it is done."""

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
    """Hints between the roles. Nothing here is a promise: a hint may be lost, and the store tells the truth."""

    def publish(channel: str, payload: bytes) -> None:
        """Send ``payload`` to whoever listens now; when the bus is away, it is dropped."""

    def subscribe(channel: str, receive: Receiver, ready: Callable[[], None] | None = None) -> None:
        """Call ``receive`` with every payload of ``channel``, from now until the bus stops.

        ``ready`` is called each time the subscription is confirmed, the first time and after every reconnection:
        what was said in between is lost, so that is the moment to read the truth from the store.
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
    """The other side of a connection, whatever carries it. Lines have their ending.

    :ivar flow: whether the peer is read.
    :ivar host: the address that the peer connects from; empty when it is unknown.
    :ivar secure: whether the connection is encrypted.
    :ivar shaking: whether its handshake is still under way; nothing can be written before it is done.
    :ivar heard_at: when something was last read, in seconds of the server's clock.
    """

    flow: Flow
    host: str
    secure: bool
    shaking: bool
    heard_at: float

    @property
    def binding(self) -> bytes | None:
        """What a proof on this connection is bound to; None without encryption."""

    def send(self, line: bytes) -> None:
        """Write a line, in order. A peer that is gone takes nothing."""

    def hold(self, reason: int) -> None:
        """Stop reading the peer until ``read_on`` with the same reason; what has arrived waits."""

    def read_on(self, reason: int) -> None:
        """Remove a reason. With the last one, what has waited is read at the end of the turn."""

    def ignore(self) -> None:
        """Process nothing more of what the peer sends."""

    def close(self) -> None:
        """Write what was sent, then end the connection."""

    def abort(self) -> None:
        """End the connection at once."""

    def is_stuck(self, now: float) -> bool:
        """Return whether the peer has taken nothing of what is written to it for too long."""


class ISessionOwner(Protocol):
    """What a logged-in device asks of the session that it belongs to."""

    @property
    def push(self) -> Callable[[bytes], None]:
        """What takes one whole line for the device."""

    def replaced(self) -> None:
        """End the session: the same device has logged in elsewhere."""

    def evicted(self) -> None:
        """End the session: the store does not know it any more."""

    def revoked(self, why: str) -> None:
        """End the session: the right to it was taken back from the account, or from the device alone."""
