"""The state that the small client must keep: the numbers of its sends, and its position in each conversation."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

from twisted.internet.defer import Deferred

from fishchat.proof.lab.minimal_wire import LOST, Answer

#: The greatest number of messages of a conversation under way.
WINDOW = 16
#: The number of own messages that are remembered above the last one received, in each conversation.
OWN = 1000
#: How often a message is sent again after the server failed by a defect of its own.
DEFECTS = 3
#: The longest delay in seconds before a message is sent again that was refused repeatedly.
PATIENCE = 2.0

#: Epoch and number, by which the ids of one conversation compare.
Position = tuple[int, int]


class Refused(Exception):
    """A refusal for good: the word of the server, and its sentence for people."""

    def __init__(self, word: str, text: str) -> None:
        super().__init__(f"{word} {text}")
        self.word, self.text = word, text


@dataclass(frozen=True)
class Message:
    """A message from somebody, or a notice that something happened."""

    id: str
    conversation: str
    from_: str
    text: str
    is_notice: bool = False


@dataclass(frozen=True)
class Gap:
    """Numbers of a conversation whose messages cannot be delivered any more."""

    conversation: str
    first: int
    last: int


@dataclass(frozen=True)
class Item:
    """A message of the history; ``time`` is in milliseconds."""

    id: str
    from_: str
    time: int
    text: str


@dataclass(eq=False)
class Send:
    """A message or an operation to be sent.

    ``number`` is 0 until it has one; ``uncertain``: it may be stored under its number.
    """

    words: str
    tag: str
    done: Deferred[str] = field(default_factory=Deferred)
    number: int = 0
    flying: bool = False
    uncertain: bool = False
    expected: int | None = None
    defects: int = 0
    is_operation: bool = False


@dataclass(eq=False)
class Outbox:
    """The sends to one conversation, in order. ``next`` is the next number; 0 if the server must be asked for it.

    After any answer but ``OK`` it is ``troubled``: nothing more is sent until everything under way is answered, so of
    each message one copy at most is under way.
    """

    next: int = 0
    queue: deque[Send] = field(default_factory=deque)
    troubled: bool = False
    delay: float = 0.0
    tries: int = 0

    def add(self, send: Send) -> None:
        """Add a message at the end."""
        self.queue.append(send)
        if self.next:
            send.number, self.next = self.next, self.next + 1

    def to_send(self) -> list[Send]:
        """Return what is to be sent now; a message with the number 0 only asks for the number."""
        if self.troubled or not self.queue:
            return []
        if not self.next:
            self.troubled = True
            return [self.queue[0]]
        return [send for send in islice(self.queue, WINDOW) if not send.flying]

    def is_settled(self) -> bool:
        """Return whether, after a problem, everything under way is answered."""
        return self.troubled and not any(send.flying for send in islice(self.queue, WINDOW))

    def answered(self, send: Send, answer: Answer) -> None:
        """Handle an answer; a message that is not settled stays in the queue."""
        send.flying = False
        self.troubled = self.troubled or answer.word != "OK"
        if answer.word == "OK" or (answer.word == "OLD" and send.uncertain):
            self.tries = 0
            self.queue.remove(send)
            send.done.callback(answer.text if answer.word == "OK" else "")
        elif answer.word in ("GAP", "CONFLICT", "OLD"):
            # OLD has no number: another message is stored under this one, so the count was lost.
            send.expected = int(answer.keys.get("expected", 0))
        elif answer is LOST or answer.passes or self._is_worth_another(send, answer.word):
            send.uncertain = send.uncertain or (send.number > 0 and answer.word != "TRYAGAIN")
            self.delay = max(self.delay, 0.0 if answer is LOST else answer.retry)
        else:
            self.refuse(send)
            send.done.errback(Refused(answer.word, answer.text))

    def _is_worth_another(self, send: Send, word: str) -> bool:
        send.defects += word == "INTERNAL"
        return word == "STATE" or (word == "INTERNAL" and send.defects <= DEFECTS)

    def calm(self) -> float:
        """Correct the numbers by the answers; return the seconds to wait before anything is sent again.

        The answer to the first message counts, the others follow from it.
        """
        if self.queue and self.queue[0].expected is not None:
            self.number_from(self.queue[0].expected)
        for send in self.queue:
            send.expected = None
        self.tries += 1
        growing = min(PATIENCE, 0.05 * 2.0 ** min(self.tries, 10)) if self.tries > 3 else 0.0
        delay, self.delay = max(self.delay, growing), 0.0
        return delay

    def number_from(self, first: int) -> None:
        """Number everything that waits; 0 means to ask for the number again."""
        self.next = first
        for send in self.queue:
            send.number = self.next
            self.next += self.next > 0

    def refuse(self, send: Send) -> None:
        """Remove a message that is never stored. Its number is free, unless the message may be stored after all."""
        self.queue.remove(send)
        if send.number and not send.uncertain:
            for later in self.queue:
                later.number -= later.number > send.number
            self.next -= 1

    def fail(self, why: Exception) -> None:
        """Fail everything that waits."""
        # A failed message may be stored all the same.
        self.next = 0 if self.queue else self.next
        while self.queue:
            self.queue.popleft().done.errback(why)


@dataclass(eq=False)
class Had:
    """The received part of one conversation: up to ``last``, own messages above it, and the last gap since then."""

    last: Position = (0, 0)
    own: set[Position] = field(default_factory=set)
    gap: tuple[int, int] = (0, -1)

    def is_known(self, position: Position) -> bool:
        """Return whether this message was received, or is our own and had its ``OK``."""
        return position <= self.last or position in self.own

    def is_told(self, first: int, last: int) -> bool:
        """Return whether this gap is known already; it is known from now on."""
        told = self.gap[0] <= first and last <= self.gap[1]
        self.gap = self.gap if told else (first, last)
        return told

    def lost_by(self, position: Position) -> int:
        """Return the highest number that is lost, if this one comes again under a higher epoch; otherwise 0."""
        return max((number for epoch, number in (self.last, *self.own) if epoch < position[0]), default=0)

    def reach(self, position: Position) -> None:
        """Record that everything up to this one was received; own messages that follow without a hole belong to it."""
        self.last = position
        if position[1] <= self.gap[1]:
            # The numbers of the gap are in use again, and may be lost again.
            self.gap = (0, -1)
        while (following := (self.last[0], self.last[1] + 1)) in self.own:
            self.last = following
        self.own = {own for own in self.own if own > self.last}

    def sent(self, position: Position) -> None:
        """Record an own message; it is not pushed to us on this connection."""
        epoch, number = position
        if number == self.last[1] + 1 and self.last[0] in (epoch, 0):
            self.reach(position)
        elif position > self.last:
            self.own.add(position)
            if len(self.own) > OWN:
                self.own.remove(min(self.own))


def position_of(id_: str) -> tuple[str, Position]:
    """Return the conversation of a message id, and its position there."""
    conversation, _, position = id_.rpartition(":")
    epoch, _, number = position.partition("-")
    return conversation, (int(epoch), int(number))
