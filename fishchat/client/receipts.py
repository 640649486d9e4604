"""Received messages: delivered in order, never twice, and acknowledged only after they have been handled. Pure.

Each conversation has four positions. ``acked <= min(done, pushed)`` and ``done <= seen`` are always true:

``seen``    the last message delivered to the user; a push that is not above it is a repetition
``done``    everything up to here has been handled; a restarted program continues from here
``pushed``  the last push on this connection; an acknowledgement above it would be refused
``acked``   the last acknowledgement on this connection

In addition, ``top`` is the last message that this device knows of, its own messages included.
"""

from __future__ import annotations

from collections import deque

from fishchat.client.state import ClientState
from fishchat.model.names import START, Position, format_position, parse_position

#: An acknowledgement is sent after this many messages, or this many seconds after the first of them.
BATCH = 32
DELAY = 0.5
#: The runs of messages above ``done`` to keep per conversation: twice the messages that a server leaves unacknowledged.
RUNS = 512


Run = tuple[Position, Position]


def _text(position: Position) -> str:
    return format_position(position).decode()


class Place:
    """The positions of this device in one conversation."""

    __slots__ = (
        "acked",
        "announced",
        "before",
        "covered",
        "done",
        "finished",
        "known",
        "open",
        "pushed",
        "seen",
        "top",
    )

    def __init__(self, done: Position = START) -> None:
        self.seen = self.done = self.top = done
        # The last number that the server has reported as lost.
        self.announced = 0
        # The last position of the previous epoch, and the first of its numbers known to be lost.
        self.before, self.covered = START, 0
        self.pushed = self.acked = START
        self.open: deque[Position] = deque()
        self.finished: set[Position] = set()
        # Runs of messages that need no delivery: sent by this device itself, or handled in an earlier program.
        self.known: list[Run] = []

    @property
    def due(self) -> Position | None:
        """The position to acknowledge, if any."""
        position = min(self.done, self.pushed)
        return position if position > self.acked else None

    @property
    def ahead(self) -> list[Run]:
        """The runs above ``done`` that need not be delivered again; saved together with it."""
        return sorted([*self.known, *((one, one) for one in self.finished)])

    def sent(self, position: Position) -> None:
        """Record ``position`` as this device's own message."""
        if position <= self.seen:
            return
        if self.known:
            first, last = self.known[-1]
            if (last[0], last[1] + 1) == position:
                self.known[-1] = first, position
                return
        self.known.append((position, position))
        del self.known[:-RUNS]

    def overtaken(self, position: Position) -> Run | None:
        """Return the numbers that the store must have lost: ``position``, of a higher epoch, has one of them.

        Return None if the store has lost nothing that this device knows of, or if the loss was announced. A device's
        own message may be known before earlier messages of others. Then these reveal the rest of the loss.
        """
        top, announced = self.top, self.announced
        self.top, self.announced = max(top, position), 0
        if position[0] > top[0]:
            self.before, self.covered = top, top[1] + 1
        epoch, number = self.before[0], position[1]
        if position[0] <= epoch or number >= self.covered:
            return None
        first, last = max(number, announced + 1), self.covered - 1
        self.covered = number
        return ((epoch, first), (epoch, last)) if first <= last else None

    def arrived(self, position: Position) -> bool:
        """Record a push. Return whether the message is new to the user."""
        self.pushed = max(self.pushed, position)
        if position <= self.seen:
            return False
        self.seen = position
        self.open.append(position)
        if any(first <= position <= last for first, last in self.known):
            self.finish(position)
            return False
        return True

    def finish(self, position: Position) -> None:
        """Mark ``position`` as handled, perhaps before an earlier one. Raises ValueError if it was not delivered."""
        if position <= self.done or position in self.finished:
            return
        if position not in self.open:
            raise ValueError("only a message that was received can be acknowledged")
        self.finished.add(position)
        while self.open and self.open[0] in self.finished:
            self.done = self.open.popleft()
            self.finished.discard(self.done)
        self._prune()

    def finish_up_to(self, position: Position) -> None:
        """Mark ``position`` and all before it as handled. Raises ValueError if it was not delivered."""
        if position > self.seen:
            raise ValueError("only a message that was received can be acknowledged")
        while self.open and self.open[0] <= position:
            self.done = self.open.popleft()
            self.finished.discard(self.done)
        while self.open and self.open[0] in self.finished:
            self.done = self.open.popleft()
            self.finished.discard(self.done)
        self._prune()

    def _prune(self) -> None:
        while self.known and self.known[0][1] <= self.done:
            del self.known[0]


class Receipts:
    """All conversations of a device, and the acknowledgements that are due."""

    def __init__(self) -> None:
        self.places: dict[bytes, Place] = {}
        self._dirty: dict[bytes, Place] = {}
        self._count = 0
        self._since: float | None = None

    def save(self, state: ClientState) -> None:
        """Write the handled positions into ``state``."""
        for conversation, place in self.places.items():
            token = conversation.decode()
            state.done[token] = _text(place.done)
            if ahead := place.ahead:
                state.ahead[token] = [(_text(first), _text(last)) for first, last in ahead]

    def restore(self, state: ClientState) -> None:
        """Continue after the messages that an earlier program handled. Raises ValueError for an invalid position."""
        for conversation, done in state.done.items():
            place = self._place(conversation.encode())
            place.seen = place.done = parse_position(done.encode())
            known = state.ahead.get(conversation, [])
            place.known = [(parse_position(first.encode()), parse_position(last.encode())) for first, last in known]
            place.top = max([place.done, *(last for _, last in place.known)])

    def _place(self, conversation: bytes) -> Place:
        place = self.places.get(conversation)
        if place is None:
            place = self.places[conversation] = Place()
        return place

    def lost(self) -> None:
        """Handle the loss of the connection. Repeated messages show later which acknowledgements did not arrive."""
        for place in self.places.values():
            place.pushed = place.acked = START
        self._clear()

    def sent(self, conversation: bytes, position: Position) -> None:
        """Record ``position`` as a stored message of this device."""
        self._place(conversation).sent(position)

    def overtaken(self, conversation: bytes, position: Position) -> Run | None:
        """Return the numbers that the store must have lost, given this message; see ``Place``."""
        return self._place(conversation).overtaken(position)

    def announced(self, conversation: bytes, last: int) -> None:
        """Record that the server has reported the messages up to this number as lost."""
        self._place(conversation).announced = last

    def arrived(self, conversation: bytes, position: Position, now: float) -> bool:
        """Record a push. Return whether to deliver the message to the user."""
        place = self._place(conversation)
        news = place.arrived(position)
        if not news:  # the server has not received its acknowledgement
            self._note(conversation, place, now)
        return news

    def finish(self, conversation: bytes, position: Position, now: float) -> None:
        """Mark one message as handled. Raises ValueError if it was not received."""
        place = self._place(conversation)
        place.finish(position)
        self._note(conversation, place, now)

    def finish_up_to(self, conversation: bytes, position: Position, now: float) -> None:
        """Mark a message and all before it as handled. Raises ValueError if it was not received."""
        place = self._place(conversation)
        place.finish_up_to(position)
        self._note(conversation, place, now)

    def _note(self, conversation: bytes, place: Place, now: float) -> None:
        if place.due is None:
            return
        self._dirty[conversation] = place
        self._count += 1
        if self._since is None:
            self._since = now

    @property
    def deadline(self) -> float | None:
        """The latest time to send the acknowledgements; None if none are due."""
        return None if self._since is None else self._since + DELAY

    def due(self, now: float) -> bool:
        """Return whether it is time to acknowledge."""
        return self._since is not None and (self._count >= BATCH or now >= self._since + DELAY)

    def take(self) -> list[bytes]:
        """Return the ids to acknowledge now, one per conversation."""
        ids = []
        for conversation, place in self._dirty.items():
            if (position := place.due) is not None:
                place.acked = position
                ids.append(conversation + b":" + format_position(position))
        self._clear()
        return ids

    def _clear(self) -> None:
        self._dirty = {}
        self._count = 0
        self._since = None
