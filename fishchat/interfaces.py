"""The seams: what one part may ask of another without knowing how it is done."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import Interface

Receiver = Callable[[bytes], None]


class IReloads(Interface):
    """What reads its certificates again when it is told to."""

    def reload() -> object:
        """Do so; what is not good is logged and changes nothing."""


class IBus(Interface):
    """Hints between the roles. Nothing here is a promise: a hint may be lost, and the store tells the truth."""

    def publish(channel: str, payload: bytes) -> None:
        """Send ``payload`` to whoever listens now; when the bus is away, it is dropped."""

    def subscribe(channel: str, receive: Receiver, ready: Callable[[], None] | None = None) -> None:
        """Call ``receive`` with every payload of ``channel``, from now until the bus stops.

        ``ready`` is called each time the subscription is confirmed, the first time and after every reconnection:
        what was said in between is lost, so that is the moment to read the truth from the store.
        """
