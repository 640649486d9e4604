"""The bus over Redis' publish and subscribe: one connection publishes, one subscribes."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.interfaces import IBus, Receiver
from fishchat.storage.redis import Connection, ReplyError, StoreError, Subscriber


@implementer(IBus)
class RedisBus:
    """A bus on two connections, which its owner starts and stops. Commands may share the publishing one."""

    log = Logger()

    def __init__(self, connection: Connection, subscriber: Subscriber) -> None:
        self._connection = connection
        self._subscriber = subscriber
        #: The number of dropped payloads.
        self.dropped = 0
        self._refusal = ""

    def publish(self, channel: str, payload: bytes) -> None:
        """Send ``payload`` to the present subscribers; when Redis is away, it is dropped."""
        self._connection.run("PUBLISH", channel, payload).addErrback(self._lost)

    def subscribe(self, channel: str, receive: Receiver, ready: Callable[[], None] | None = None) -> None:
        """Call ``receive`` with every payload of ``channel``, ``ready`` after every confirmation."""
        self._subscriber.subscribe(channel, receive, ready)

    def _lost(self, failure: Failure) -> None:
        # The connection reports that it is away; a refusal by Redis would go unnoticed.
        self.dropped += 1
        error = failure.value
        if not isinstance(error, StoreError):
            self.log.failure("could not publish", failure)
        elif isinstance(error, ReplyError) and error.text != self._refusal:
            self._refusal = error.text
            self.log.error("Redis refuses PUBLISH: {text}", text=error.text)
