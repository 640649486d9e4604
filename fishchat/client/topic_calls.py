"""The commands of a client about topics."""

from __future__ import annotations

from typing import Literal

from twisted.internet.defer import Deferred

from fishchat.client.asking import Asking
from fishchat.client.events import Ban, Member, Topic
from fishchat.features.links import client as links
from fishchat.features.links.client import JoinRequest, Link, ListedTopic, NewLink
from fishchat.features.moderation import client as moderation
from fishchat.features.topics import client as topics


class TopicCalls(Asking):
    """Topics: the ways in, and running them."""

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

    def topics(self) -> Deferred[list[Topic]]:
        """List the topics that one is a member of."""
        return self._ask(topics.topics)

    def members(self, topic: str) -> Deferred[list[Member]]:
        """List the members of a topic that one is a member of. Fails with RefusedError."""
        return self._ask(lambda: topics.members(topic))
