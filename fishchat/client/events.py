"""What the client library reports to its user: the events of the features, those of the library, and errors."""

from __future__ import annotations

from dataclasses import dataclass

from fishchat.features.accounts.client import Device, Status
from fishchat.features.messages.client import Conversation, Gap, HistoryItem, Message, Notice, Read
from fishchat.features.requests import ClientError, RefusedError
from fishchat.features.session.client import Moved, Synced
from fishchat.features.topics.client import Member, Topic

__all__ = [
    "Broken",
    "ClientError",
    "ClosedError",
    "Conversation",
    "Device",
    "Ended",
    "Event",
    "Gap",
    "HistoryItem",
    "Member",
    "Message",
    "Moved",
    "Notice",
    "Online",
    "Read",
    "RefusedError",
    "Settled",
    "Status",
    "Synced",
    "TlsError",
    "Topic",
]


class TlsError(ClientError):
    """The server could not prove its identity, or speaks no TLS. The text says what to do."""


class ClosedError(ClientError):
    """The client stopped before the command was answered. A send may be stored all the same."""


@dataclass(frozen=True, slots=True)
class Online:
    """The login was accepted."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A call ended: ``value`` is its result, or the error it failed with."""

    key: int
    value: object


@dataclass(frozen=True, slots=True)
class Broken:
    """This connection is of no further use: drop it and make another."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The client has ended: stopped, replaced by another login of this device, its login refused or revoked.

    ``detail``: why it was revoked, in the server's word.
    """

    reason: str
    error: RefusedError | None = None
    detail: str = ""


#: The events of the library; a feature may add others, which the machine passes on.
Event = Message | Notice | Online | Synced | Gap | Read | Settled | Moved | Broken | Ended
