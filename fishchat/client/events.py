"""What the client library tells its user: messages, the rest of the pushes, and errors. Plain values, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


class ClientError(Exception):
    """Whatever a call of the client library may fail with."""


class RefusedError(ClientError):
    """The server (or the library, where no server could accept it) refused a command.

    :ivar word: the stable word of the error line, e.g. ``NOTMEMBER``.
    :ivar text: the sentence for a person.
    :ivar extra: the ``key=value`` pairs of the error line, e.g. ``{"limit": "7168"}``.
    """

    def __init__(self, word: str, text: str = "", extra: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{word}: {text}" if text else word)
        self.word = word
        self.text = text
        self.extra: dict[str, str] = dict(extra or {})

    @property
    def retry(self) -> float | None:
        """Seconds after which the same command may succeed; None when it will not by waiting."""
        try:
            return min(max(float(self.extra["retry"]), 0.0), 60.0)
        except (KeyError, ValueError):
            return None


class TlsError(ClientError):
    """The server could not prove who it is, or speaks no TLS. The text says what to do."""


class ClosedError(ClientError):
    """The client stopped before the command was answered. A send may be stored all the same."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message from somebody, or from another device of one's own account (then ``from_`` is oneself)."""

    from_: str
    text: str
    id: str
    conversation: str
    topic: str | None = None

    @property
    def reply_to(self) -> str:
        """Where an answer goes: ``#topic``, or the sender."""
        return self.from_ if self.topic is None else f"#{self.topic}"


@dataclass(frozen=True, slots=True)
class Notice:
    """What concerns the account alone, e.g. ``INVITED fishing``. Numbered and acknowledged like a message."""

    from_: str
    text: str
    id: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Online:
    """The login was accepted."""


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything missed has been delivered; what follows is live."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages ``first`` to ``last`` (numbers) of a conversation cannot be delivered any more."""

    conversation: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Read:
    """``account`` has read up to message ``id``."""

    account: str
    id: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A call ended: ``value`` is its result, or the error it failed with."""

    key: int
    value: object


@dataclass(frozen=True, slots=True)
class Moved:
    """The server asks to go elsewhere within so many seconds: to ``address``, or (None) where the gateway says."""

    address: str | None
    within: float


@dataclass(frozen=True, slots=True)
class Broken:
    """This connection is of no use any more: drop it and make another."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The client is through: stopped, replaced by another login of this device, its login refused or taken back.

    ``detail``: why it was taken back, in the server's word.
    """

    reason: str
    error: RefusedError | None = None
    detail: str = ""


Event = Message | Notice | Online | Synced | Gap | Read | Settled | Moved | Broken | Ended


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """A message of the past; ``time`` is in seconds since 1970."""

    id: str
    from_: str
    time: float
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of one's own: its last number, the number read, how many are unread."""

    conversation: str
    last: int
    read: int
    unread: int


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that one is a member of."""

    topic: str
    owner: str
    kind: Literal["open", "invitation"]
    members: int


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a topic, and the number up to which it has read."""

    account: str
    owner: bool
    read: int


@dataclass(frozen=True, slots=True)
class Status:
    """Whether an account is online, when it last was (seconds since 1970; 0.0: never), and the name it shows."""

    account: str
    online: bool
    last_seen: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A device of one's own: when it last was online and when its token ends (seconds since 1970; 0.0: never, none)."""

    device: str
    online: bool
    last_seen: float
    token_ends: float
