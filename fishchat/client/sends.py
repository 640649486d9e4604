"""Numbering of one device's sends to one conversation, so that each message is stored once and in order. Pure.

An operation on a message is a send, too: it uses up a number like a message.

The server uses up a number only when it stores a message under it. Therefore a lane keeps every send until its ``OK``,
repeats it under the same number while it may be stored, and assigns another number only if it is certainly not stored.

Two facts make this correct. First, message n+1 is never stored before n, so all sends after an unstored number are
unstored too. Second, replies are received in the order of the commands. So after any reply but ``OK`` a lane sends
nothing until everything on the wire has been answered (it is *drained*), and then decides with complete information.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from fishchat.client.replies import expected
from fishchat.client.state import SavedSend
from fishchat.features.requests import RefusedError, Reply
from fishchat.model.message import with_tags

#: Seconds before a retry if the server named none.
RETRY = 1.0
#: This many INTERNAL replies to one send count as its refusal: a defect may affect the same message every time.
FAULTS = 3


@dataclass(slots=True)
class Outgoing:
    """One message or operation that has no ``OK`` yet; ``line`` is its command without the number.

    ``saved`` is what a state keeps of it.
    ``doubt``: it may be stored under ``cseq``. ``refusal``: it was refused, but an earlier attempt may be stored.
    ``again``: it was tried once more after the refusal. ``faults``: the number of INTERNAL replies.
    """

    key: int
    verb: bytes
    line: bytes
    saved: SavedSend
    cseq: int | None = None
    doubt: bool = False
    refusal: RefusedError | None = None
    again: bool = False
    faults: int = 0


@dataclass(slots=True)
class Flight:
    """A send on the wire. Number 0 asks for the counter: it is never stored and answered by ``GAP expected=n``."""

    lane: Lane
    item: Outgoing
    cseq: int

    @property
    def verb(self) -> bytes:
        """The verb that the reply repeats."""
        return self.item.verb

    @property
    def line(self) -> bytes:
        """The command, without its line ending."""
        return with_tags(self.item.line, b"cseq=%d" % self.cseq)

    def answered(self, reply: Reply, now: float) -> None:
        """Process the final reply."""
        self.lane.answered(self, reply, now)


Settle = Callable[[Outgoing, "bytes | RefusedError"], None]


class Lane:
    """The sends of this device to one conversation.

    ``settle(item, id)`` is called once for every stored send, with an empty id in the rare case that the store no
    longer finds it. ``settle(item, error)`` is called once for every refused send.

    :ivar next: the number for the next message that has none; None while the server's counter is unknown.
    """

    def __init__(self, settle: Settle, next_: int | None = None) -> None:
        self.next = next_
        self.not_before = 0.0
        self._settle = settle
        self._waiting: deque[Outgoing] = deque()
        self._flying: deque[Outgoing] = deque()
        self._back: list[Outgoing] = []
        self._stalled = False
        self._probing = False
        # Until the first OK only one send is on the wire, so that a wrong counter cannot break the order.
        self._sure = False
        self._expected: int | None = None
        self._unknown = False
        self._troubles = 0

    def add(self, item: Outgoing) -> None:
        """Queue ``item`` after all others."""
        self._waiting.append(item)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._flying) + len(self._back)

    def items(self) -> list[Outgoing]:
        """Return all sends that have no reply yet, in order."""
        return [*self._back, *self._flying, *self._waiting]

    @property
    def idle(self) -> bool:
        """Whether no message waits to be sent. Sent messages may still wait for their replies."""
        return not self._waiting

    @property
    def last(self) -> Outgoing:
        """The message that was added last; valid only if none was launched since."""
        return self._waiting[-1]

    @property
    def order(self) -> int:
        """The key of the next send; valid only while not idle."""
        return self._waiting[0].key

    def ready(self, now: float) -> bool:
        """Return whether ``launch`` may be called."""
        if not self._waiting or self._stalled or self._probing or now < self.not_before:
            return False
        return not self._flying or (self._sure and self.next is not None)

    def launch(self) -> Flight:
        """Return the next send, or a request for the counter, to put on the wire."""
        item = self._waiting[0]
        if self.next is None and (item.cseq is None or not item.doubt or item.refusal is not None):
            self._probing = True
            return Flight(self, item, 0)
        self._waiting.popleft()
        if self.next is not None:
            if item.cseq is None:
                item.cseq = self.next
            self.next = max(self.next, item.cseq + 1)
        assert item.cseq is not None
        self._flying.append(item)
        return Flight(self, item, item.cseq)

    def lost(self) -> None:
        """Handle the loss of the connection: all sends on the wire may be stored."""
        for item in self._flying:
            item.doubt = True
        self._waiting = deque(self.items())
        self._flying.clear()
        self._back = []
        if self._expected is not None:  # older than the sends that are now in doubt: ask again
            self.next = self._expected = None
        self._stalled = self._probing = self._sure = self._unknown = False

    def answered(self, flight: Flight, reply: Reply, now: float) -> None:
        """Process the final reply to ``flight``. Raises ValueError for a reply that breaks the protocol."""
        item, error = flight.item, reply.error
        if flight.cseq == 0:
            if error is None:
                raise ValueError("number 0 is never stored")
            self._probing = False
            self._probed(item, error, now)
            return
        self._flying.popleft()
        if error is None:
            self._accepted(item, flight.cseq, reply.rest)
        else:
            self._stalled = True
            self._failed(item, flight.cseq, error, now)
        if self._stalled and not self._flying:
            self._drained(now)

    def _accepted(self, item: Outgoing, cseq: int, message_id: bytes) -> None:
        self._sure = True
        self._troubles = 0
        if self._expected is not None:
            self._expected = max(self._expected, cseq + 1)
        self._settle(item, message_id)

    def _failed(self, item: Outgoing, cseq: int, error: RefusedError, now: float) -> None:
        word = error.word
        self._back.append(item)
        if word == "GAP":
            self._expected = expected(error)
        elif word == "CONFLICT":
            self._expected = expected(error)
            item.cseq, item.doubt = None, False
        elif word == "OLD":
            if item.doubt:
                self._back.pop()
                self._accepted(item, cseq, b"")
            else:
                item.cseq, self.next = None, None
        else:
            if word in ("UNKNOWN", "INTERNAL"):
                self._unknown = item.doubt = True
            if not self._transient(item, error, now):
                self._refused(item, cseq, error)

    def _refused(self, item: Outgoing, cseq: int, error: RefusedError) -> None:
        if item.doubt:  # an earlier attempt may be stored: the counter shows it
            item.refusal, self.next = error, None
            return
        # The number is not used up. Sends with later numbers will be answered by GAP with this number.
        if self.next == cseq + 1:
            self.next = cseq
        self._back.pop()
        self._settle(item, error)

    def _transient(self, item: Outgoing, error: RefusedError, now: float) -> bool:
        """Return whether ``error`` is temporary. If so, delay the lane."""
        if error.word == "INTERNAL":
            item.faults += 1
            if item.faults >= FAULTS:
                return False
        elif error.word not in ("TRYAGAIN", "UNKNOWN") and error.retry is None:
            return False
        self.not_before = max(self.not_before, now + (RETRY if error.retry is None else error.retry))
        return True

    def _drained(self, now: float) -> None:
        self._waiting.extendleft(reversed(self._back))
        self._back = []
        number, self._expected = self._expected, None
        unknown, self._unknown = self._unknown, False
        self._stalled = False
        if number is None:
            return
        if unknown:
            self.next = None
        else:
            self._align(number, now)
        self._sure = False

    def _probed(self, item: Outgoing, error: RefusedError, now: float) -> None:
        if error.word == "GAP":
            self._align(expected(error), now)
            self._sure = True
        elif self._transient(item, error, now):
            pass
        elif item.refusal is not None and item.refusal.word == "INTERNAL" and item.cseq is not None:
            # INTERNAL does not show whether it is stored. The reply under its own number does.
            item.refusal = None
            self.not_before = max(self.not_before, now + RETRY)
        else:
            self._waiting.popleft()
            self._settle(item, item.refusal or error)

    def _align(self, number: int, now: float) -> None:
        """Renumber all sends from ``number``, the server's counter. Nothing is on the wire."""
        settled: list[tuple[Outgoing, bytes | RefusedError]] = []
        waiting: deque[Outgoing] = deque()
        for item in self._waiting:
            maybe = item.doubt and item.cseq is not None and item.cseq < number
            if item.refusal is not None:
                if item.again or not maybe:
                    settled.append((item, b"" if maybe else item.refusal))
                    continue
                # Its number is used. If this message has it, a repetition returns the id, unless it is refused too.
                item.refusal, item.again = None, True
            if not maybe:
                item.cseq, item.doubt = None, False
            waiting.append(item)
        self._waiting = waiting
        self.next = number
        self._troubles += 1
        if self._troubles > 2:  # no tight loop with a server that contradicts itself
            self.not_before = max(self.not_before, now + min(0.05 * 2 ** min(self._troubles, 10), 5.0))
        for item, value in settled:
            self._settle(item, value)
