"""A device that is logged in here, and what it has been given of each conversation. No I/O.

A :class:`Reading` is *live* (it stands where its conversation stands) or *behind* (it has a place of its own and is
fed from the log). What is unacknowledged is bounded: a device without room is moved behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fishchat.model.names import START, Position, parse_position

if TYPE_CHECKING:
    from fishchat.interfaces import ISessionOwner
    from fishchat.model.conversation import Conversation
    from fishchat.model.message import IEncoding

#: Unacknowledged pushes of one device at most, and how much room it needs before it is fed again.
WINDOW = 256
REFILL = WINDOW // 2
#: Room of a device of the plain profile: what is written counts as read.
UNBOUNDED = 1 << 60

#: What an account may see: after this position, up to that one (None: still open).
Span = tuple[Position, "Position | None"]


def parse_spans(raw: bytes) -> list[Span]:
    """``[((0, 0), None)]`` of ``b"0-0:"``: the store's form of what an account may see of a conversation."""
    spans: list[Span] = []
    for part in raw.split(b",") if raw else ():
        after, _, upto = part.partition(b":")
        spans.append((parse_position(after), parse_position(upto) if upto else None))
    return spans


class Device:
    """One logged-in device of an account.

    :ivar key: ``account/device``, as the store names it.
    :ivar session: what the store has as this device's session while it is here.
    :ivar epoch: the store's epoch when it logged in.
    :ivar owner: the session that it belongs to: told when the device may not stay.
    :ivar push: takes one whole line; writing happens once a turn.
    :ivar capabilities: what its client was granted at HELLO.
    :ivar acks: whether it acknowledges; else what is written counts as read.
    :ivar encoding: how messages become what it is sent; None for plain lines.
    :ivar dirty: the server's set of readings whose cursor is to be stored.
    :ivar room: how many more pushes it may be given now.
    """

    __slots__ = (
        "_room_kept",
        "account",
        "acks",
        "capabilities",
        "dirty",
        "encoding",
        "epoch",
        "key",
        "lagging",
        "left",
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
        self.encoding = encoding
        self.dirty = dirty
        self.room = WINDOW if acks else UNBOUNDED
        self.readings: dict[bytes, Reading] = {}
        #: Readings to be fed from the log, in the order in which they fell behind.
        self.lagging: dict[Reading, None] = {}
        #: What it no longer reads: should it read on, nothing is given twice, and a cursor may still have to be stored.
        self.left: dict[bytes, Reading] = {}
        #: Until RESP_SYNCED: the readings that are not yet where their conversation stood at the login.
        self.syncing: dict[Reading, Position] | None = {}
        self._room_kept: int | None = None

    def choke(self) -> None:
        """The transport is full: give it nothing more."""
        if self._room_kept is None:
            self._room_kept, self.room = self.room, 0

    def unchoke(self) -> None:
        """The transport takes again."""
        if self._room_kept is not None:
            self.room, self._room_kept = self._room_kept, None

    def free(self, count: int) -> None:
        """``count`` pushes were acknowledged."""
        if not self.acks:
            return
        if self._room_kept is None:
            self.room += count
        else:
            self._room_kept += count


class Reading:
    """One device's place in one conversation.

    :ivar at: the last position that it was given, while it is behind; a live one stands at its conversation's.
    :ivar acked: the last position that it acknowledged.
    :ivar unacked: pushes since then, never less than there are.
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
        #: Whether the log had no more when it was last asked.
        self.fed = False

    @property
    def position(self) -> Position:
        """The last position that the device was given."""
        return self.conversation.position if self.live else self.at

    @property
    def open(self) -> bool:
        """Whether the account may see what comes; a closed one is fed to its end and dropped."""
        return bool(self.spans) and self.spans[-1][1] is None

    def next_span(self) -> Span | None:
        """What to read next: after which position, up to which (None: to the end). None when nothing is left to see."""
        for after, upto in self.spans:
            if upto is None or upto > self.at:
                return max(after, self.at), upto
        return None

    def acknowledge(self, position: Position) -> bool:
        """Take an acknowledgement. False when it is above what the device was given; going back does nothing."""
        if position > self.position:
            return False
        if position > self.acked:
            # Nobody acknowledges what was not pushed: who sent much since the last push would never have room again.
            before, last = self.skipped
            top = before if last == self.position else self.position
            if position >= top:
                left, position = 0, self.position
            else:
                # One of an earlier epoch may have a higher number.
                left = max(0, min(self.unacked, top[1] - position[1]))
            self.device.free(self.unacked - left)
            self.unacked = left
            self.moved(position)
        return True

    def moved(self, position: Position) -> None:
        """The device has everything up to ``position``; its cursor is stored with the next batch."""
        self.acked = position
        self.device.dirty.add(self)

    def given(self, position: Position) -> None:
        """One push went out while behind."""
        self.at = position
        device = self.device
        if device.acks:
            device.room -= 1
            self.unacked += 1
        else:
            self.moved(position)

    def skip(self, position: Position) -> None:
        """Pass over what is not for this device: its own message, or what cannot be given any more."""
        before, self.at = self.at, position
        self.passed(before, position)

    def passed(self, before: Position, position: Position) -> None:
        """The one message after ``before``, or more, needed no push."""
        if not self.unacked:
            self.moved(position)
        elif self.skipped[1] == before:
            self.skipped = (self.skipped[0], position)
        else:
            self.skipped = (before, position)


def start_of(cursor: bytes, spans: list[Span]) -> Position:
    """Where a device stands at its login: at its cursor, or where its account's sight begins."""
    at = parse_position(cursor) if cursor else START
    return max(at, spans[0][0]) if spans else at
