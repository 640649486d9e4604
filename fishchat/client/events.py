"""The events and errors that the client library reports: those of the features and its own."""

from __future__ import annotations

from dataclasses import dataclass

from fishchat.features.accounts.client import Device, Status
from fishchat.features.contacts.client import Contact, ContactRequest
from fishchat.features.items import HistoryItem
from fishchat.features.links.client import JoinRequest, Link, ListedTopic, NewLink
from fishchat.features.messages.client import Behind, Conversation, Gap, Message, Notice, Read
from fishchat.features.moderation.client import Ban
from fishchat.features.operations.client import Edited, Pinned, Reacted, ReactionSums, Recalled
from fishchat.features.requests import ClientError, Named, RefusedError
from fishchat.features.session.client import Moved, Synced
from fishchat.features.topics.client import Member, Topic
from fishchat.features.watching.client import Presence, Readers, Typing

__all__ = [
    "Ban",
    "Behind",
    "Broken",
    "ClientError",
    "ClosedError",
    "Contact",
    "ContactRequest",
    "Conversation",
    "Device",
    "Edited",
    "Ended",
    "Event",
    "Gap",
    "HistoryItem",
    "JoinRequest",
    "Link",
    "ListedTopic",
    "Member",
    "Message",
    "Moved",
    "Named",
    "NewLink",
    "Notice",
    "Online",
    "Operation",
    "Pinned",
    "Presence",
    "Reacted",
    "ReactionSums",
    "Read",
    "Readers",
    "Recalled",
    "RefusedError",
    "Settled",
    "StateError",
    "Status",
    "Synced",
    "TlsError",
    "Topic",
    "Typing",
]


class TlsError(ClientError):
    """Raised when the server cannot prove its identity or does not use TLS. The text says what to do."""


class StateError(ClientError):
    """Raised when the client's state cannot be saved, so that nothing may be sent. The text names the reason."""


class ClosedError(ClientError):
    """Raised when the client stopped before the command was answered. A send may be stored nevertheless."""


@dataclass(frozen=True, slots=True)
class Online:
    """The login was accepted."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The end of a call. ``value`` is its result, or the error with which it failed."""

    key: int
    value: object


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection is unusable: drop it and open another."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of the client: stopped, replaced by another login of this device, refused, revoked, or without a state.

    ``detail`` is the reason for which it was revoked, in the server's word, or for which the state cannot be saved.
    """

    reason: str
    error: ClientError | None = None
    detail: str = ""


#: An operation on a message.
Operation = Edited | Recalled | Reacted | Pinned
#: The events of the library; a feature may add others, which the machine passes on.
Event = Message | Notice | Operation | Online | Synced | Gap | Behind | Read | Settled | Moved | Broken | Ended
