"""A device that is logged in here, and its place in each conversation. No I/O.

A :class:`Reading` is *live* (at the position of its conversation) or *behind* (it has its own position and is fed from
the log). The number of unacknowledged pushes is limited: a device without room is moved behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from fishchat.model.names import START, Position, parse_position
from fishchat.model.operations import CAPABILITY

if TYPE_CHECKING:
    from fishchat.interfaces import ISessionOwner
    from fishchat.model.conversation import Conversation
    from fishchat.model.message import IEncoding, Message

#: The most unacknowledged pushes of one device, and the room that it needs before it is fed again.
WINDOW = 256
REFILL = WINDOW // 2
#: The room of a device of the plain profile: written messages count as received.
UNBOUNDED = 1 << 60


@lru_cache(maxsize=64)
def shared(capabilities: frozenset[bytes]) -> frozenset[bytes]:
    """Return an equal set that all clients with these capabilities share."""
    return capabilities


@lru_cache(maxsize=64)
def given_by(capabilities: frozenset[bytes]) -> frozenset[bytes]:
    """Return the capabilities by which a device is given messages.

    One of the plain profile is given operations, too: it can ignore what it need not acknowledge.
    """
    return capabilities if b"ack" in capabilities else capabilities | {CAPABILITY}


#: The part of a conversation that an account may see: after this position, up to that one (None: still open).
Span = tuple[Position, "Position | None"]


#: The spans of a conversation that an account sees as a whole, as most people see theirs.
EVERYTHING: list[Span] = [(START, None)]


def parse_spans(raw: bytes) -> list[Span]:
    """Parse the stored form of an account's spans in a conversation: ``b"0-0:"`` is ``[((0, 0), None)]``."""
    spans: list[Span] = []
    for part in raw.split(b",") if raw else ():
        after, _, upto = part.partition(b":")
        spans.append((parse_position(after), parse_position(upto) if upto else None))
    return spans


class Device:
    """One logged-in device of an account.

    :ivar key: ``account/device``, as the store names it.
    :ivar session: the stored form of this device's session while it is logged in here.
    :ivar epoch: the store's epoch at the login.
    :ivar owner: the session of the device; it is notified when the login ends elsewhere.
    :ivar push: takes one whole line; lines are written once a turn.
    :ivar capabilities: the capabilities that the client was granted at HELLO.
    :ivar given: the capabilities by which it is given messages: ``capabilities``, and operations if it is a person's.
    :ivar acks: whether the device acknowledges; without it, written messages count as received.
    :ivar encoding: the encoding of its pushes; None for plain lines.
    :ivar minute: the minute that a person was last shown, since 1970; 0 if none, None for a client that is no person.
    :ivar dirty: the server's set of readings whose cursor is not stored yet.
    :ivar room: how many more pushes the device may receive now.
    """

    __slots__ = (
        "_room_kept",
        "account",
        "acks",
        "capabilities",
        "dirty",
        "encoding",
        "epoch",
        "given",
        "key",
        "lagging",
        "left",
        "minute",
        "name",
        "owner",
        "push",
        "readings",
        "room",
        "session",
        "syncing",
    )

    def __init__(
        self,
        account: bytes,
        key: bytes,
        session: bytes,
        owner: ISessionOwner,
        capabilities: frozenset[bytes],
        dirty: set[Reading],
        epoch: int = 0,
        encoding: IEncoding | None = None,
        minute: int | None = None,
    ) -> None:
        self.account = account
        self.key = key
        self.name = key[len(account) + 1 :]
        self.session = session
        self.epoch = epoch
        self.owner = owner
        self.push = owner.push
        self.capabilities = capabilities
        self.acks = acks = b"ack" in capabilities
        self.given = given_by(capabilities)
        self.encoding = encoding
        self.minute = minute
        self.dirty = dirty
        self.room = WINDOW if acks else UNBOUNDED
        self.readings: dict[bytes, Reading] = {}
        #: Readings that wait to be fed from the log, in the order in which they fell behind.
        self.lagging: dict[Reading, None] = {}
        #: Readings that have ended: a new one must not repeat their messages, and a cursor may still need to be stored.
        self.left: dict[bytes, Reading] = {}
        #: Until RESP_SYNCED: the readings that have not reached the position of their conversation at the login.
        self.syncing: dict[Reading, Position] | None = {}
        self._room_kept: int | None = None

    @property
    def choked(self) -> bool:
        """Whether the transport is full."""
        return self._room_kept is not None

    def choke(self) -> None:
        """Stop pushing, because the transport is full."""
        if self._room_kept is None:
            self._room_kept, self.room = self.room, 0

    def unchoke(self) -> None:
        """Resume pushing, because the transport has room again."""
        if self._room_kept is not None:
            self.room, self._room_kept = self._room_kept, None

    def free(self, count: int) -> None:
        """Return the room of ``count`` acknowledged pushes."""
        if not self.acks:
            return
        if self._room_kept is None:
            self.room += count
        else:
            self._room_kept += count


class Reading:
    """One device's place in one conversation.

    :ivar at: the last position that was pushed, while it is behind; a live one is at its conversation's position.
    :ivar acked: the last position that the device acknowledged.
    :ivar unacked: an upper bound of the pushes since then.
    :ivar skipped: the last positions in a row that were passed without a push while others were unacknowledged.
    """

    __slots__ = ("acked", "at", "conversation", "device", "fed", "live", "skipped", "spans", "unacked")

    def __init__(self, device: Device, conversation: Conversation, at: Position, spans: Iterable[Span]) -> None:
        self.device = device
        self.conversation = conversation
        self.at = at
        self.acked = at
        self.unacked = 0
        self.skipped = (at, at)
        self.spans = list(spans)
        self.live = False
        #: Whether the log had no more messages when it was last read.
        self.fed = False

    @property
    def position(self) -> Position:
        """The last position that was pushed to the device."""
        return self.conversation.position if self.live else self.at

    @property
    def open(self) -> bool:
        """Whether the account may see new messages; a closed reading is fed to its end and dropped."""
        return bool(self.spans) and self.spans[-1][1] is None

    def is_given(self, message: Message) -> bool:
        """Return whether a message that needs a capability is for this device: it has that, and sees the target."""
        if message.needs not in self.device.given:
            return False
        return message.of is None or self.sees(message.of)

    def sees(self, position: Position) -> bool:
        """Return whether the account may see the message at a position."""
        if self.spans == EVERYTHING:
            return True
        return any(after < position and (upto is None or position <= upto) for after, upto in self.spans)

    def next_span(self) -> Span | None:
        """Return the span to read next, None as its end for the end of the log; None if nothing is left to see."""
        for after, upto in self.spans:
            if upto is None or upto > self.at:
                return max(after, self.at), upto
        return None

    def spans_left(self) -> list[Span]:
        """Return all spans that are left to see, the first as ``next_span`` returns it."""
        return [(max(after, self.at), upto) for after, upto in self.spans if upto is None or upto > self.at]

    def acknowledge(self, position: Position) -> bool:
        """Take an acknowledgement. Returns False for one above the last push; an earlier position changes nothing."""
        if position > self.position:
            return False
        if position > self.acked:
            # Clients acknowledge only pushes. Without this, one that sent much since the last push would have no room.
            before, last = self.skipped
            top = before if last == self.position else self.position
            if position >= top:
                left, position = 0, self.position
            else:
                # A position of an earlier epoch may have a higher number.
                left = max(0, min(self.unacked, top[1] - position[1]))
            self.device.free(self.unacked - left)
            self.unacked = left
            self.moved(position)
        return True

    def moved(self, position: Position) -> None:
        """Move the cursor: the device has everything up to ``position``. It is stored with the next batch."""
        self.acked = position
        self.device.dirty.add(self)

    def given(self, position: Position) -> None:
        """Take note of one push while behind."""
        self.at = position
        device = self.device
        if device.acks:
            device.room -= 1
            self.unacked += 1
        else:
            self.moved(position)

    def skip(self, position: Position) -> None:
        """Pass over a message that is not for this device: its own, or one that can no longer be delivered."""
        before, self.at = self.at, position
        self.passed(before, position)

    def passed(self, before: Position, position: Position) -> None:
        """Take note that one or more messages after ``before`` needed no push."""
        if not self.unacked:
            self.moved(position)
        elif self.skipped[1] == before:
            self.skipped = (self.skipped[0], position)
        else:
            self.skipped = (before, position)


def start_of(cursor: bytes, spans: list[Span]) -> Position:
    """Return the position of a device at its login: its cursor, or the beginning of its account's first span."""
    at = parse_position(cursor) if cursor else START
    return max(at, spans[0][0]) if spans else at
