"""The commands of a client about messages and conversations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from twisted.internet.defer import Deferred

from fishchat.client.asking import Asking
from fishchat.client.events import Conversation, HistoryItem, Readers
from fishchat.features.messages import client as messages
from fishchat.features.operations import client as operations
from fishchat.features.preferences import client as preferences
from fishchat.features.reports import client as reports
from fishchat.features.watching import client as watching


class MessageCalls(Asking):
    """Sending, changing and reading messages."""

    def send(self, to: str, text: str, reply: str | None = None, mention: Iterable[str] | None = None) -> Deferred[str]:
        """Send a message to an account or a ``#topic``. Fires with the message's id when it is stored.

        ``reply`` is the id of a message of the same conversation, which this one answers. ``mention`` has up to 16
        members of the topic, or ``"all"``; None: the words ``@name`` of the text. The id is empty when the message is
        stored but so old that the server no longer finds it. Fails with RefusedError.
        """
        return self._call(lambda: self._machine.send(to, text, reply, mention))

    def edit(
        self, message: str, text: str, was: str | None = None, mention: Iterable[str] | None = None
    ) -> Deferred[str]:
        """Replace the text of one's message. Fires with the id of the edit when it is stored.

        With ``was``, the id of the message or of its edit whose text one knows, it fails with ``CHANGED`` if another
        text stands by now. Edits, recalls, reactions and pins are stored once and in order with the messages that this
        device sends to the conversation. If nothing was to be changed, the id is that of the message or the operation
        that did it before, or empty. Fails with RefusedError, e.g. ``RIGHTS``, ``TOOLATE``, ``GONE``.
        """
        return self._operate(lambda: operations.edit(message, text, was, mention))

    def recall(self, message: str, reason: str = "") -> Deferred[str]:
        """Take back one's message, or as an admin of a topic one of its members. Fires with the id of the recall.

        The text is erased, and ``reason`` is shown in its place. Fails with RefusedError, e.g. ``RIGHTS``, ``TOOLATE``.
        """
        return self._operate(lambda: operations.recall(message, reason))

    def react(self, message: str, reaction: str) -> Deferred[str]:
        """React to a message with a word or an emoji of 1 to 32 bytes. Fires with the id of the reaction.

        Fails with RefusedError, e.g. ``FULL``.
        """
        return self._operate(lambda: operations.react(message, reaction))

    def unreact(self, message: str, reaction: str) -> Deferred[str]:
        """Take back one's reaction. Fails with RefusedError, e.g. ``NOTFOUND`` if there is none."""
        return self._operate(lambda: operations.unreact(message, reaction))

    def pin(self, message: str) -> Deferred[str]:
        """Pin a message; in a topic only admins may. Fails with RefusedError, e.g. ``RIGHTS``, ``FULL``."""
        return self._operate(lambda: operations.pin(message))

    def unpin(self, message: str) -> Deferred[str]:
        """Remove a pin. Fails with RefusedError, e.g. ``NOTFOUND`` if there is none."""
        return self._operate(lambda: operations.unpin(message))

    def message(self, message: str) -> Deferred[HistoryItem]:
        """Return one message, as history shows it. Fails with RefusedError."""
        return self._ask(lambda: operations.message(message))

    def versions(self, message: str) -> Deferred[list[HistoryItem]]:
        """List all texts of a message, the oldest first. Fails with RefusedError."""
        return self._ask(lambda: operations.versions(message))

    def reactions(self, message: str) -> Deferred[dict[str, list[str]]]:
        """Return reaction → the accounts that have given it to a message. Fails with RefusedError."""
        return self._ask(lambda: operations.reactions(message))

    def pins(self, conversation: str) -> Deferred[list[HistoryItem]]:
        """List the pinned messages of a conversation, in the order in which they were pinned."""
        return self._ask(lambda: operations.pins(conversation))

    def history(
        self, conversation: str, before: str | None = None, after: str | None = None, limit: int = 50
    ) -> Deferred[list[HistoryItem]]:
        """List up to ``limit`` (1 to 100) messages, oldest first: the newest ones, or those before or after an id."""
        return self._ask(lambda: messages.history(conversation, before, after, limit))

    def conversations(
        self, preview: bool = False, limit: int | None = None, before: str | None = None
    ) -> Deferred[list[Conversation]]:
        """List one's conversations, with the number of unread messages: all by name, or a page of them, newest first.

        The list is a page of up to ``limit`` (1 to 100; 50 if None) when one of the arguments is given. ``preview``
        adds the last message of each. For the next page, ``before`` is the ``place`` of the last one.
        """
        return self._ask(lambda: messages.conversations(preview, limit, before))

    def mark_read(self, upto: str) -> Deferred[None]:
        """Mark a conversation as read: up to the message with this id, or all of it. Fails with RefusedError."""
        return self._ask(lambda: messages.mark_read(upto))

    def set_conversation(
        self, conversation: str, setting: Literal["notify", "until", "pinned", "archived", "remark"], value: str
    ) -> Deferred[None]:
        """Set one setting of a conversation, for all devices of one's account. ``conversations`` returns them.

        ``notify`` is ``all``, ``mentions`` or ``none``, ``until`` the time at which that ends, in ms since 1970 or 0,
        ``pinned`` and ``archived`` are ``yes`` or ``no``, ``remark`` is a text of up to 64 characters or empty. They
        change what a client shows, never what it receives. Fails with RefusedError, e.g. ``NOTFOUND``.
        """
        return self._ask(lambda: preferences.set_conversation(conversation, setting, value))

    def report_message(self, message: str, reason: str = "") -> Deferred[None]:
        """Report the message with this id to the operators, who get a copy of it, with a reason of up to 256 bytes.

        Fails with RefusedError: ``NOTFOUND``, or ``FULL`` after 20 reports in a day.
        """
        return self._ask(lambda: reports.report_message(message, reason))

    def typing(self, conversation: str) -> Deferred[None]:
        """Show that one is typing to those who watch the conversation. Call it every 3 seconds while that lasts."""
        return self._ask(lambda: watching.typing(conversation))

    def readers(self, message_id: str) -> Deferred[Readers]:
        """Return which members have read up to a message. Fails with RefusedError, e.g. ``NOTFOUND``, ``FULL``."""
        return self._ask(lambda: watching.readers(message_id))

    def watch_conversation(self, conversation: str) -> Deferred[None]:
        """Watch who is typing in an account's conversation or a ``#topic``: ``on_event`` receives ``Typing``.

        In a topic of up to 50 members, ``on_read`` is called when a member has read messages. The watch ends with the
        connection, as for ``watch``. Fails with RefusedError, e.g. ``FULL`` for more than 8 conversations.
        """
        return self._ask(lambda: watching.watch_conversation(conversation))

    def unwatch_conversation(self, conversation: str) -> Deferred[None]:
        """Stop watching a conversation."""
        return self._ask(lambda: watching.unwatch_conversation(conversation))
