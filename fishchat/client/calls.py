"""What a user of the client may ask of the server: every method gives a Deferred that fires with the answer.

Each survives reconnections: what had no answer is asked again. Beside what is said there, every one fails with
RefusedError for what the server refuses and with ClosedError when the client stops first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from twisted.internet.defer import Deferred

from fishchat.client import requests
from fishchat.client.events import Conversation, Device, HistoryItem, Member, Status, Topic
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
        """Whether ``account`` is online, when it last was, and the name it shows. Fails with RefusedError."""
        return self._ask(lambda: requests.status(account))

    def set_name(self, name: str) -> Deferred[None]:
        """Have this name shown to others beside the account's. Fails with RefusedError."""
        return self._ask(lambda: requests.set_name(name))

    def change_password(self, password: str) -> Deferred[None]:
        """Have another password, for this client too; every device but this one has to log in by it.

        Fails with RefusedError: ``PASSWORD``, or ``STATE`` on a connection that was logged in by a token. So use a
        client that has the old password as its ``secret`` and no ``state``, right after its ``start``; if the
        connection is lost in between, ``STATE`` leaves open whether the password was changed.
        """
        return self._call(lambda: self._machine.change_password(password))

    def devices(self) -> Deferred[list[Device]]:
        """The devices of one's account."""
        return self._ask(requests.devices)

    def revoke_device(self, device: str) -> Deferred[None]:
        """End the token and the connection of a device of one's own. Fails with RefusedError, e.g. ``NOTFOUND``."""
        return self._ask(lambda: requests.revoke_device(device))

    def block(self, account: str) -> Deferred[None]:
        """Let ``account`` neither write to one nor see whether one is there; it is not told. May fail: RefusedError."""
        return self._ask(lambda: requests.block(account))

    def unblock(self, account: str) -> Deferred[None]:
        """End that. Fails with RefusedError."""
        return self._ask(lambda: requests.unblock(account))

    def blocked(self) -> Deferred[list[str]]:
        """The accounts that one has blocked."""
        return self._ask(requests.blocked)

    def add_contact(self, account: str) -> Deferred[None]:
        """Let ``account`` begin to write to one when only contacts may. Fails with RefusedError."""
        return self._ask(lambda: requests.add_contact(account))

    def remove_contact(self, account: str) -> Deferred[None]:
        """End that. Fails with RefusedError."""
        return self._ask(lambda: requests.remove_contact(account))

    def contacts(self) -> Deferred[list[str]]:
        """One's contacts."""
        return self._ask(requests.contacts)

    def set_privacy(self, who: Literal["everyone", "contacts"]) -> Deferred[None]:
        """Say who may begin to write to one. Fails with RefusedError."""
        return self._ask(lambda: requests.set_privacy(who))
