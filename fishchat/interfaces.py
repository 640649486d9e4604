"""The seams: what one part may ask of another without knowing how it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
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
