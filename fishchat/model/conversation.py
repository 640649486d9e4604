"""One conversation with devices here: its position, and the delivery of its messages to these devices. No I/O.

Every message reaches :meth:`Conversation.hear`, from this server's own commits or from the router. The next number is
delivered, a seen number is dropped, and a number ahead is held for a moment. If the gap remains, or the epoch has
grown, the log is read (``catching``) and :meth:`Conversation.read` takes its pages. The log is always right.
"""

from __future__ import annotations

from zope.interface import Interface

from fishchat.model.device import Device, Reading
from fishchat.model.message import Message
from fishchat.model.names import Position

#: The most messages held ahead of a gap; with more of them the log is read at once.
HELD = 512


class IReads(Interface):
    """The functions of the server that a conversation uses."""

    def hold(conversation: Conversation) -> None:
        """Call ``conversation.give_up_holding()`` in 20 ms."""

    def catch_up(conversation: Conversation) -> None:
        """Read the log after the conversation's position into ``conversation.read``."""

    def feed(device: Device) -> None:
        """Feed the device's lagging readings from the log, while it has room."""

    def drop(reading: Reading) -> None:
        """Forget a reading that has seen all that its account may see."""


class Conversation:
    """One conversation with devices here.

    :ivar version: the membership version of a topic; None when the membership must be read again.
    """

    __slots__ = ("_reads", "behind", "catching", "epoch", "heard", "held", "live", "name", "seq", "version")

    def __init__(self, name: bytes, position: Position, reads: IReads, version: int | None = 0) -> None:
        self.name = name
        self.epoch, self.seq = position
        self.version = version
        self.live: list[Reading] = []
        self.behind: list[Reading] = []
        self.held: dict[int, Message] = {}
        self.catching = False
        #: The highest position received while catching up.
        self.heard: Position = position
        self._reads = reads

    @property
    def position(self) -> Position:
        """The last position that was delivered to the live devices."""
        return self.epoch, self.seq

    def hear(self, message: Message) -> None:
        """Take a stored message, perhaps seen before, perhaps ahead of others."""
        seq = message.seq
        if message.epoch == self.epoch and seq == self.seq + 1 and not self.catching:
            self._deliver(message)
            if self.held:
                self._release()
        elif (message.epoch, seq) <= (self.epoch, self.seq):
            return
        elif self.catching or message.epoch != self.epoch or len(self.held) >= HELD:
            self.behind_log((message.epoch, seq))
        else:
            if not self.held:
                self._reads.hold(self)
            self.held[seq] = message

    def behind_log(self, position: Position) -> None:
        """Read the log up to ``position``, because its message will not be received otherwise."""
        self.heard = max(self.heard, position)
        if not self.catching:
            self.catching = True
            self._reads.catch_up(self)

    def give_up_holding(self) -> None:
        """Read the log, because the missing messages were not received in time."""
        if self.held:
            self.behind_log((self.epoch, max(self.held)))

    def read(self, messages: list[Message], more: bool, trimmed: int) -> bool:
        """Take a page of the log after ``position``. Returns whether to read the next page.

        Retention has removed the numbers up to ``trimmed``.
        """
        for message in messages:
            if message.seq != self.seq + 1:
                self._lost(message, trimmed)
            self._deliver(message)
        if more or (messages and self.heard > self.position):
            return True
        self.catching = False
        self._release()
        return False

    def _lost(self, found: Message, trimmed: int) -> None:
        """Push the numbers that can no longer be delivered, if the log continues with a later number."""
        gone = missing(self.seq, found.seq, trimmed)
        if gone is not None:
            line = gap_line(self.name, *gone)
            for reading in self.live:
                reading.device.push(line)

    def _release(self) -> None:
        held = self.held
        while (message := held.pop(self.seq + 1, None)) is not None:
            # The store may have been restored meanwhile: numbers of an earlier epoch belong to other messages.
            if message.epoch == self.epoch:
                self._deliver(message)
        for seq in [seq for seq, message in held.items() if message.position <= self.position]:
            del held[seq]
        if held:
            self._reads.hold(self)

    def _deliver(self, message: Message) -> None:
        """Push the next message to every live device: the hot loop of a topic."""
        before = self.position
        self.epoch, self.seq = position = message.epoch, message.seq
        sender = message.sender
        line, needs = message.line, message.needs
        full = None
        for reading in self.live:
            device = reading.device
            if device.key == sender or (needs and not reading.is_given(message)):
                reading.passed(before, position)
            elif device.room > 0:
                device.push(line if device.encoding is None else message.rendered(device.encoding))
                if device.acks:
                    device.room -= 1
                    reading.unacked += 1
                else:
                    reading.moved(position)
            elif full is None:
                full = [reading]
            else:
                full.append(reading)
        for reading in full or ():
            self._fall_behind(reading, before)
        if self.behind:
            self._join_up(message)

    def _join_up(self, message: Message) -> None:
        """Make live the readings that have read the log to its end, and deliver to them the unseen message."""
        for reading in [one for one in self.behind if one.fed]:
            if reading.at == message.position:
                self._go_live(reading)
            elif reading.at < message.position:
                self.settle(reading)

    def _fall_behind(self, reading: Reading, at: Position) -> None:
        self.live.remove(reading)
        self.behind.append(reading)
        reading.live, reading.fed, reading.at = False, False, at
        reading.device.lagging[reading] = None

    def _go_live(self, reading: Reading) -> None:
        self.behind.remove(reading)
        self.live.append(reading)
        reading.live = True

    def add(self, reading: Reading) -> None:
        """Add a reading, behind; ``settle`` feeds it."""
        self.behind.append(reading)

    def settle(self, reading: Reading) -> None:
        """Make a reading live, waiting or lagging, after it was fed to the end of the log or has just begun."""
        reading.fed = False
        span = reading.next_span()
        if span is not None and span[1] is None:
            # The account may not see messages from before it joined, also if this server has not received them yet.
            reading.at = span[0]
        if not reading.open:
            if span is None:
                # Messages pushed before the end may still be acknowledged; otherwise every login would repeat them.
                if not reading.unacked:
                    self._reads.drop(reading)
                return
        elif span is None or span[1] is not None:
            # The messages after the end of this span are not for the account. Live, it would receive them, too.
            pass
        elif reading.at == self.position:
            self._go_live(reading)
            return
        elif reading.at > self.position:
            # The log is ahead of this server: the reading goes live when the server receives these messages.
            reading.fed = True
            return
        reading.device.lagging[reading] = None
        self._reads.feed(reading.device)

    def remove(self, reading: Reading) -> None:
        """Remove a reading whose device has disconnected or may see no more."""
        (self.live if reading.live else self.behind).remove(reading)

    def close(self, reading: Reading) -> None:
        """Push nothing more to an account that may no longer see new messages, until the end of its span is known."""
        if reading.live:
            self._fall_behind(reading, self.position)
        reading.fed = False
        reading.device.lagging.pop(reading, None)


def missing(at: int, found: int, trimmed: int) -> tuple[int, int] | None:
    """Return the range of lost numbers if the log continues after ``at`` with ``found``; None if no number is lost.

    The numbers that retention has removed, up to ``trimmed``, are lost. Missing numbers above them were erased, and no
    client waits for these. A log that continues with a number not above ``at`` was restored from an earlier state.
    """
    if found <= at:
        return found, at
    return (at + 1, min(found - 1, trimmed)) if trimmed > at else None


def gap_line(conversation: bytes, first: int, last: int) -> bytes:
    """Return the push ``RESP_GAP`` for a range of numbers, as its row in ``features/messages/rows.py`` writes it."""
    # Written by hand because the hot path calls it and the model imports no rows. A test compares the two.
    return b"RESP_GAP %s %d %d\r\n" % (conversation, first, last)
