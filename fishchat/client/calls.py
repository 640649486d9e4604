"""The commands of a client: every method returns a Deferred that fires with the result.

Commands survive reconnections: a command without a reply is sent again. Every command fails with RefusedError if the
server refuses it, and with ClosedError if the client stops first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

from twisted.internet.defer import Deferred

from fishchat.client.events import (
    Ban,
    Contact,
    ContactRequest,
    Conversation,
    Device,
    HistoryItem,
    Member,
    Readers,
    Status,
    Topic,
)
from fishchat.client.machine import Machine
from fishchat.features.accounts import client as accounts
from fishchat.features.contacts import client as contacts
from fishchat.features.links import client as links
from fishchat.features.links.client import JoinRequest, Link, ListedTopic, NewLink
from fishchat.features.messages import client as messages
from fishchat.features.moderation import client as moderation
from fishchat.features.operations import client as operations
from fishchat.features.preferences import client as preferences
from fishchat.features.reports import client as reports
from fishchat.features.requests import Named, Numbered, Request
from fishchat.features.session import client as session
from fishchat.features.topics import client as topics
from fishchat.features.watching import client as watching

T = TypeVar("T")


class Calls:
    """The methods for commands, independent of the connection that carries them."""

    _machine: Machine

    def _call(self, queue: Callable[[], int]) -> Deferred[Any]:
        """Return a Deferred for the command that ``queue`` queues; ``queue`` returns its key or raises RefusedError."""
        raise NotImplementedError

    def ask(self, request: Request[T]) -> Deferred[T]:
        """Send a request of any feature (``fishchat.features.<name>.client``), also one without a method here."""
        return self._call(lambda: self._machine.ask(request))

    def _ask(self, make: Callable[[], Request[T]]) -> Deferred[T]:
        return self._call(lambda: self._machine.ask(make()))

    def send(self, to: str, text: str, reply: str | None = None, mention: Iterable[str] | None = None) -> Deferred[str]:
        """Send a message to an account or a ``#topic``. Fires with the message's id when it is stored.

        ``reply`` is the id of a message of the same conversation, which this one answers. ``mention`` has up to 16
        members of the topic, or ``"all"``; None: the words ``@name`` of the text. The id is empty when the message is
        stored but so old that the server no longer finds it. Fails with RefusedError.
        """
        return self._call(lambda: self._machine.send(to, text, reply, mention))

    def _operate(self, make: Callable[[], Numbered]) -> Deferred[str]:
        return self._call(lambda: self._machine.operate(make()))

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

    def ping(self) -> Deferred[None]:
        """Check that the connection is alive."""
        return self._ask(session.ping)

    def create_topic(
        self,
        topic: str,
        kind: topics.Kind = "open",
        write: Literal["all", "admins"] = "all",
        history: Literal["joined", "all"] = "joined",
        listed: bool = False,
    ) -> Deferred[None]:
        """Create a topic and own it. Fails with RefusedError, e.g. ``EXISTS``.

        ``kind`` says who can join it, ``write`` who may write, ``history`` whether new members may read what was sent
        before they joined; a ``listed`` topic appears in the directory.
        """
        return self._ask(lambda: topics.create_topic(topic, kind, write, history, listed))

    def join(self, topic: str, text: str = "") -> Deferred[bool]:
        """Join a topic. Fires with whether one is a member now; if not, its admins were asked, with this text.

        Fails with RefusedError, e.g. ``NOTFOUND``, ``INVITEONLY``, ``BANNED``, ``FULL``.
        """
        return self._ask(lambda: topics.join(topic, text))

    def leave(self, topic: str) -> Deferred[None]:
        """End one's membership. Fails with RefusedError, e.g. ``OWNER``."""
        return self._ask(lambda: topics.leave(topic))

    def invite(self, topic: str, account: str) -> Deferred[None]:
        """Invite ``account`` to a topic, and notify it. Fails with RefusedError."""
        return self._ask(lambda: topics.invite(topic, account))

    def create_link(
        self, topic: str, seconds: int | None = None, uses: int | None = None, approval: bool = False
    ) -> Deferred[NewLink]:
        """Create a link into a topic. It is good for ``seconds`` (None: 7 days) and for ``uses`` accounts (None: all).

        With ``approval`` it leads to a request only. Fails with RefusedError, e.g. ``RIGHTS``.
        """
        return self._ask(lambda: links.create_link(topic, seconds, uses, approval))

    def revoke_link(self, topic: str, link: str) -> Deferred[int]:
        """Revoke a link by its code or id, or ``all``. Fires with how many were revoked. Fails with RefusedError."""
        return self._ask(lambda: links.revoke_link(topic, link))

    def links(self, topic: str) -> Deferred[list[Link]]:
        """List the links of a topic that one is an admin of. Fails with RefusedError."""
        return self._ask(lambda: links.links(topic))

    def join_link(self, code: str, text: str = "") -> Deferred[tuple[str, bool]]:
        """Join a topic by a link. Fires with the topic, and with whether one is a member now, as ``join`` does.

        Fails with RefusedError, e.g. ``NOTFOUND`` for a link that is not good any more.
        """
        return self._ask(lambda: links.join_link(code, text))

    def join_requests(self, topic: str) -> Deferred[list[JoinRequest]]:
        """List the requests to join a topic that one is an admin of, oldest first. Fails with RefusedError."""
        return self._ask(lambda: links.join_requests(topic))

    def accept_member(self, topic: str, account: str) -> Deferred[None]:
        """Accept the request of an account to join. Fails with RefusedError, e.g. ``NOTFOUND``, ``FULL``."""
        return self._ask(lambda: links.accept_member(topic, account))

    def refuse_member(self, topic: str, account: str, reason: str = "") -> Deferred[None]:
        """Refuse the request of an account to join, and notify it. Fails with RefusedError."""
        return self._ask(lambda: links.refuse_member(topic, account, reason))

    def directory(
        self, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> Deferred[list[ListedTopic]]:
        """List the topics of the directory by name: up to ``limit`` (1 to 100; 100 if None) after a name."""
        return self._ask(lambda: links.directory(prefix, after, limit))

    def dismiss(self, topic: str) -> Deferred[None]:
        """Close a topic of one's own. Fails with RefusedError."""
        return self._ask(lambda: topics.dismiss(topic))

    def set_topic(self, topic: str, setting: str, value: str) -> Deferred[None]:
        """Change a setting of a topic, such as ``slow``; an empty value removes a name or a text.

        Fails with RefusedError: ``RIGHTS`` without the right, ``FIELDS`` for a value that the setting cannot have.
        """
        return self._ask(lambda: moderation.set_topic(topic, setting, value))

    def describe_topic(self, topic: str) -> Deferred[dict[str, str]]:
        """Return the settings of a topic by name, and its ``owner``, ``members`` and one's own ``role``.

        Fails with RefusedError, e.g. ``NOTMEMBER``.
        """
        return self._ask(lambda: moderation.describe(topic))

    def set_role(self, topic: str, account: str, role: Literal["admin", "member"]) -> Deferred[None]:
        """Make a member an admin, or an admin a member. Fails with RefusedError, e.g. ``RIGHTS``."""
        return self._ask(lambda: moderation.set_role(topic, account, role))

    def transfer(self, topic: str, account: str) -> Deferred[None]:
        """Make another member the owner of one's topic. Fails with RefusedError, e.g. ``RIGHTS``, ``NOTMEMBER``."""
        return self._ask(lambda: moderation.transfer(topic, account))

    def kick(self, topic: str, account: str, reason: str = "") -> Deferred[None]:
        """End a membership. Fails with RefusedError, e.g. ``RIGHTS``."""
        return self._ask(lambda: moderation.kick(topic, account, reason))

    def ban(self, topic: str, account: str, reason: str = "", seconds: int | None = None) -> Deferred[None]:
        """Keep an account out of a topic, for ever if ``seconds`` is None. Fails with RefusedError, e.g. ``RIGHTS``."""
        return self._ask(lambda: moderation.ban(topic, account, reason, seconds))

    def unban(self, topic: str, account: str) -> Deferred[None]:
        """End a ban. Fails with RefusedError: ``NOTFOUND`` if there is none."""
        return self._ask(lambda: moderation.unban(topic, account))

    def banned(self, topic: str, after: str | None = None, limit: int | None = None) -> Deferred[list[Ban]]:
        """List the accounts that are banned from a topic, by name: the first 1,000, or those after a name.

        Fails with RefusedError, e.g. ``RIGHTS``.
        """
        return self._ask(lambda: moderation.banned(topic, after, limit))

    def mute(self, topic: str, account: str, reason: str = "", seconds: int | None = None) -> Deferred[None]:
        """Let a member read, but not write, for a day if ``seconds`` is None. Fails with RefusedError."""
        return self._ask(lambda: moderation.mute(topic, account, reason, seconds))

    def unmute(self, topic: str, account: str) -> Deferred[None]:
        """End a mute. Fails with RefusedError: ``NOTFOUND`` if there is none."""
        return self._ask(lambda: moderation.unmute(topic, account))

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

    def topics(self) -> Deferred[list[Topic]]:
        """List the topics that one is a member of."""
        return self._ask(topics.topics)

    def members(self, topic: str) -> Deferred[list[Member]]:
        """List the members of a topic that one is a member of. Fails with RefusedError."""
        return self._ask(lambda: topics.members(topic))

    def mark_read(self, upto: str) -> Deferred[None]:
        """Mark a conversation as read: up to the message with this id, or all of it. Fails with RefusedError."""
        return self._ask(lambda: messages.mark_read(upto))

    def status(self, account: str) -> Deferred[Status]:
        """Return whether ``account`` is online, when it last was, and its display name. Fails with RefusedError."""
        return self._ask(lambda: accounts.status(account))

    def names(self, of: Iterable[str]) -> Deferred[dict[str, str]]:
        """Return the display names of up to 100 accounts, by account. Accounts without one are left out.

        An account that does not exist or hides its status has none. Fails with RefusedError.
        """
        return self._ask(lambda: accounts.names(of))

    def set_name(self, name: str) -> Deferred[None]:
        """Set the display name that others see. Fails with RefusedError."""
        return self._ask(lambda: accounts.set_name(name))

    def change_password(self, password: str) -> Deferred[None]:
        """Change the password. This client uses it from then on; all other devices must log in with it.

        Fails with RefusedError: ``PASSWORD``, or ``STATE`` on a connection that was logged in by a token. Therefore use
        a client that has the old password as its ``secret`` and no ``state``, right after its ``start``. If the
        connection is lost in between, ``STATE`` does not show whether the password was changed.
        """
        return self._call(lambda: self._machine.change_password(password))

    def delete_account(self, password: str) -> Deferred[None]:
        """Delete the account and everything that it wrote, for ever. The client then stops, as for ``deleted``.

        Fails with RefusedError: ``AUTH`` for a wrong password, ``STATE`` where a login needs none. Fails with
        ClosedError when the answer was lost; the next login then shows whether the account exists.
        """
        return self._ask(lambda: accounts.delete_account(password))

    def devices(self) -> Deferred[list[Device]]:
        """List the devices of one's account."""
        return self._ask(accounts.devices)

    def revoke_device(self, device: str) -> Deferred[None]:
        """Revoke a device's token and close its connection. Fails with RefusedError, e.g. ``NOTFOUND``."""
        return self._ask(lambda: accounts.revoke_device(device))

    def block(self, account: str) -> Deferred[None]:
        """Block ``account``: it cannot write or see the status, and is not notified. Fails with RefusedError."""
        return self._ask(lambda: contacts.block(account))

    def unblock(self, account: str) -> Deferred[None]:
        """Unblock ``account``. Fails with RefusedError."""
        return self._ask(lambda: contacts.unblock(account))

    def blocked(self) -> Deferred[list[Named]]:
        """List the accounts that one has blocked: strings, each with the display name as ``name``."""
        return self._ask(contacts.blocked)

    def add_contact(self, account: str, remark: str | None = None) -> Deferred[None]:
        """Add a contact, which may start a conversation when only contacts may. Fails with RefusedError.

        ``remark`` (up to 64 characters) is for oneself; an empty one removes it, None leaves it as it is.
        """
        return self._ask(lambda: contacts.add_contact(account, remark))

    def remove_contact(self, account: str) -> Deferred[None]:
        """Remove a contact. Fails with RefusedError."""
        return self._ask(lambda: contacts.remove_contact(account))

    def contacts(self) -> Deferred[list[Contact]]:
        """List one's contacts: strings, each with the display name as ``name`` and one's own ``remark``."""
        return self._ask(contacts.contacts)

    def ask_contact(self, account: str, text: str = "") -> Deferred[None]:
        """Ask ``account`` to become a contact, with a text of up to 256 bytes, once a day.

        Succeeds for every name, also if there is no such account. The notice ``CONTACT <account>`` reports that the
        other account has accepted; nothing reports a refusal. Fails with RefusedError, e.g. ``FULL``.
        """
        return self._ask(lambda: contacts.ask_contact(account, text))

    def contact_requests(self) -> Deferred[list[ContactRequest]]:
        """List the accounts that have asked one to become their contact, the oldest request first."""
        return self._ask(contacts.contact_requests)

    def accept_contact(self, account: str) -> Deferred[None]:
        """Accept the request of ``account``: both become contacts. Fails with RefusedError, e.g. ``NOTFOUND``."""
        return self._ask(lambda: contacts.accept_contact(account))

    def refuse_contact(self, account: str) -> Deferred[None]:
        """Refuse the request of ``account``, which is not notified. Fails with RefusedError, e.g. ``NOTFOUND``."""
        return self._ask(lambda: contacts.refuse_contact(account))

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

    def set_privacy(self, who: Literal["everyone", "contacts"]) -> Deferred[None]:
        """Set which accounts may start a conversation with one. Fails with RefusedError."""
        return self._ask(lambda: accounts.set_privacy(who))

    def watch(self, account: str) -> Deferred[None]:
        """Watch whether ``account`` is online: ``on_event`` receives a ``Presence`` at once and with each change.

        The watch ends with the connection: call this in ``on_synced``, after each login. Fails with RefusedError,
        e.g. ``FULL`` for more than 200 accounts.
        """
        return self._ask(lambda: watching.watch(account))

    def unwatch(self, account: str) -> Deferred[None]:
        """Stop watching an account."""
        return self._ask(lambda: watching.unwatch(account))

    def watch_conversation(self, conversation: str) -> Deferred[None]:
        """Watch who is typing in an account's conversation or a ``#topic``: ``on_event`` receives ``Typing``.

        In a topic of up to 50 members, ``on_read`` is called when a member has read messages. The watch ends with the
        connection, as for ``watch``. Fails with RefusedError, e.g. ``FULL`` for more than 8 conversations.
        """
        return self._ask(lambda: watching.watch_conversation(conversation))

    def unwatch_conversation(self, conversation: str) -> Deferred[None]:
        """Stop watching a conversation."""
        return self._ask(lambda: watching.unwatch_conversation(conversation))

    def typing(self, conversation: str) -> Deferred[None]:
        """Show that one is typing to those who watch the conversation. Call it every 3 seconds while that lasts."""
        return self._ask(lambda: watching.typing(conversation))

    def readers(self, message_id: str) -> Deferred[Readers]:
        """Return which members have read up to a message. Fails with RefusedError, e.g. ``NOTFOUND``, ``FULL``."""
        return self._ask(lambda: watching.readers(message_id))
