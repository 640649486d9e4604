"""What the lab's own client must keep: the numbers of what it sends, and how far it has read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

from twisted.internet.defer import Deferred

#: Messages of one conversation that are under way at once.
WINDOW = 16
#: Own messages that are remembered above the last one given, in each conversation.
OWN = 1000

#: Epoch and number, by which the ids of one conversation compare.
Position = tuple[int, int]


@dataclass(eq=False)
class Send:
    """A message on its way out. ``number`` is 0 until it has one; ``uncertain``: it may be stored under its number."""

    words: str
    tag: str
    done: Deferred[str] = field(default_factory=Deferred)
    number: int = 0
    flying: bool = False
    uncertain: bool = False
    expected: int | None = None
    defects: int = 0


@dataclass(eq=False)
class Outbox:
    """What goes to one conversation, in order. ``next`` is the number of the next one; 0 when it must be asked for.

    After any answer but ``OK`` it is ``troubled``: nothing more is sent until all that is under way is answered, so of
    each message one copy at most is under way.
    """

    next: int = 0
    queue: deque[Send] = field(default_factory=deque)
    troubled: bool = False
    delay: float = 0.0
    tries: int = 0

    def add(self, send: Send) -> None:
        """Put it behind what waits."""
        self.queue.append(send)
        if self.next:
            send.number, self.next = self.next, self.next + 1

    def to_send(self) -> list[Send]:
        """What is to be sent now; with the number 0 it only asks for the number."""
        if self.troubled or not self.queue:
            return []
        if not self.next:
            self.troubled = True
            return [self.queue[0]]
        return [send for send in islice(self.queue, WINDOW) if not send.flying]

    def is_settled(self) -> bool:
        """Whether, after a trouble, all that was under way is answered."""
        return self.troubled and not any(send.flying for send in islice(self.queue, WINDOW))

    def calm(self) -> None:
        """Put right what the answers said of the numbers; the first one's counts, the others follow from it."""
        if self.queue and self.queue[0].expected is not None:
            self.number_from(self.queue[0].expected)
        for send in self.queue:
            send.expected = None
        self.tries += 1

    def number_from(self, first: int) -> None:
        """Number all that waits; from 0 on: ask for the number again."""
        self.next = first
        for send in self.queue:
            send.number = self.next
            self.next += self.next > 0

    def refuse(self, send: Send) -> None:
        """Take a message out that is never stored. Its number is free, if it cannot be stored nevertheless."""
        self.queue.remove(send)
        if send.number and not send.uncertain:
            for later in self.queue:
                later.number -= later.number > send.number
            self.next -= 1


@dataclass(eq=False)
class Had:
    """What was had of one conversation: all up to ``last``, own messages above it, and the gap told of since."""

    last: Position = (0, 0)
    own: set[Position] = field(default_factory=set)
    gap: tuple[int, int] = (0, -1)

    def is_known(self, position: Position) -> bool:
        """Whether this message was given to us, or is our own and was answered with ``OK``."""
        return position <= self.last or position in self.own

    def is_told(self, first: int, last: int) -> bool:
        """Whether these are gone is known; if it is not, it is from now on."""
        told = self.gap[0] <= first and last <= self.gap[1]
        self.gap = self.gap if told else (first, last)
        return told

    def lost_by(self, position: Position) -> int:
        """The highest number that is gone, if this one comes again under a higher epoch; else 0."""
        return max((number for epoch, number in (self.last, *self.own) if epoch < position[0]), default=0)

    def reach(self, position: Position) -> None:
        """All up to this one was had; own ones that follow without a hole belong to it."""
        self.last = position
        if position[1] <= self.gap[1]:
            # The numbers of the gap are in use again, and may be lost again.
            self.gap = (0, -1)
        while (following := (self.last[0], self.last[1] + 1)) in self.own:
            self.last = following
        self.own = {own for own in self.own if own > self.last}

    def sent(self, position: Position) -> None:
        """This one is our own; it is not given to us while this connection stands."""
        epoch, number = position
        if number == self.last[1] + 1 and self.last[0] in (epoch, 0):
            self.reach(position)
        elif position > self.last:
            self.own.add(position)
            if len(self.own) > OWN:
                self.own.remove(min(self.own))


def position_of(id_: str) -> tuple[str, Position]:
    """The conversation of a message id, and its place there."""
    conversation, _, position = id_.rpartition(":")
    epoch, _, number = position.partition("-")
    return conversation, (int(epoch), int(number))
