"""What clients do to messages and to topics in a run, as plain values; they are a part of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

#: A change that adds something, and the one that takes it away.
ADDS, REMOVES = ("react", "pin"), ("unreact", "unpin")


@dataclass(slots=True)
class Change:
    """An operation on a message that a device asked for.

    :ivar device: ``account/device``.
    :ivar kind: ``edit``, ``recall``, ``react``, ``unreact``, ``pin`` or ``unpin``.
    :ivar of: the id of the message, and ``origin`` its text as it was sent first.
    :ivar what: the new text, the reason or the reaction.
    :ivar id: the id in its ``OK``; empty if the server could not find it any more, None if there was no ``OK``.
    :ivar refused: the refusal, if that was the answer.
    """

    device: str
    conversation: str
    kind: str
    of: str
    origin: str
    what: str
    at: float = 0.0
    answered_at: float = inf
    id: str | None = None
    refused: str = ""

    @property
    def account(self) -> str:
        """The account of the device."""
        return self.device.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Told:
    """An operation as it was delivered to a device.

    :ivar after: how many messages had been delivered to the same login before.
    """

    conversation: str
    id: str
    by: str
    kind: str
    of: str
    what: str
    at: float = 0.0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as a reader found it.

    :ivar reader: how it was read: ``history of ms1``, ``versions``, ``export``.
    :ivar whole: whether the reader shows what was done to the message; an export and old versions do not.
    :ivar began: when the reading began.
    """

    reader: str
    conversation: str
    id: str
    from_: str
    text: str
    recalled: str = ""
    reactions: Mapping[str, int] = field(default_factory=dict)
    pinned: bool = False
    whole: bool = True
    began: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account was told of a conversation: up to which number it has read, and how many are unread."""

    account: str
    conversation: str
    read: int
    unread: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a conversation in the store.

    :ivar tombstones: those of recalled messages.
    """

    last: int
    log: frozenset[int]
    operations: frozenset[int]
    tombstones: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sight:
    """A topic as the store had it between two moments."""

    conversation: str
    began: float
    at: float
    owner: str
    members: frozenset[str]
    admins: frozenset[str]
    banned: frozenset[str]


@dataclass(slots=True)
class Tenure:
    """An ownership of a topic: the times when it was requested and when it had surely begun."""

    account: str
    asked: float
    begun: float = inf


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something forbidden that an account tried in a topic, and the word of the answer."""

    account: str
    conversation: str
    method: str
    word: str
    began: float
    at: float
