"""What a user of the client may ask of the server: every method gives a Deferred that fires with the answer.

Each survives reconnections: what had no answer is asked again. Beside what is said there, every one fails with
RefusedError for what the server refuses and with ClosedError when the client stops first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from twisted.internet.defer import Deferred

from fishchat.client import requests
from fishchat.client.events import Conversation, HistoryItem, Member, Status, Topic
from fishchat.client.machine import Machine

T = TypeVar("T")


class Calls:
    """The calls, without the connection that carries them."""

    _machine: Machine

    def _call(self, queue: Callable[[], int]) -> Deferred[Any]:
        """A Deferred for what ``queue`` queues; it returns the key, or raises RefusedError."""
        raise NotImplementedError

    def _ask(self, make: Callable[[], requests.Request[T]]) -> Deferred[T]:
        return self._call(lambda: self._machine.ask(make()))

    def send(self, to: str, text: str) -> Deferred[str]:
        """Send to an account or a ``#topic``. Fires with the message's id when it is stored.

        The id is empty when the message is stored but so old that the server no longer finds it. Fails with
        RefusedError.
        """
        return self._call(lambda: self._machine.send(to, text))

    def ping(self) -> Deferred[None]:
        """Ask the server for a sign of life."""
        return self._ask(requests.ping)

    def create_topic(self, topic: str, kind: Literal["open", "invitation"] = "open") -> Deferred[None]:
        """Make a topic and own it. Fails with RefusedError, e.g. ``EXISTS``."""
        return self._ask(lambda: requests.create_topic(topic, kind))

    def join(self, topic: str) -> Deferred[None]:
        """Become a member. Fails with RefusedError, e.g. ``NOTFOUND``, ``INVITEONLY``, ``FULL``."""
        return self._ask(lambda: requests.join(topic))

    def leave(self, topic: str) -> Deferred[None]:
        """End one's membership. Fails with RefusedError, e.g. ``OWNER``."""
        return self._ask(lambda: requests.leave(topic))

    def invite(self, topic: str, account: str) -> Deferred[None]:
        """Let ``account`` join, and tell it. Fails with RefusedError."""
        return self._ask(lambda: requests.invite(topic, account))

    def dismiss(self, topic: str) -> Deferred[None]:
        """End a topic of one's own. Fails with RefusedError."""
        return self._ask(lambda: requests.dismiss(topic))

    def history(
        self, conversation: str, before: str | None = None, after: str | None = None, limit: int = 50
    ) -> Deferred[list[HistoryItem]]:
        """At most ``limit`` (1 to 100) messages, oldest first; the newest, or those next to the id that is named."""
        return self._ask(lambda: requests.history(conversation, before, after, limit))

    def conversations(self) -> Deferred[list[Conversation]]:
        """One's conversations, with what is unread in them."""
        return self._ask(requests.conversations)

    def topics(self) -> Deferred[list[Topic]]:
        """The topics that one is a member of."""
        return self._ask(requests.topics)

    def members(self, topic: str) -> Deferred[list[Member]]:
        """The members of a topic of one's own. Fails with RefusedError."""
        return self._ask(lambda: requests.members(topic))

    def mark_read(self, message_id: str) -> Deferred[None]:
        """Say that a person has read up to this message. Fails with RefusedError."""
        return self._ask(lambda: requests.mark_read(message_id))

    def status(self, account: str) -> Deferred[Status]:
        """Whether ``account`` is online, and when it last was. Fails with RefusedError."""
        return self._ask(lambda: requests.status(account))
