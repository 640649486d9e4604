"""One conversation with devices here: where it stands, and who is given what comes next. No I/O.

Every message reaches :meth:`Conversation.hear`, whether it was stored by this server or told by the router. The next
number is delivered, a seen one is dropped, one ahead is held for a moment; when the gap stays, or the epoch has
grown, the log is read (``catching``) and :meth:`Conversation.read` takes what it says. The log is always right.
"""

from __future__ import annotations

from zope.interface import Interface

from fishchat.model.device import Device, Reading
from fishchat.model.message import Message
from fishchat.model.names import Position

#: Messages held ahead of a gap at most; more, and the log is read at once.
HELD = 512


class IReads(Interface):
    """What a conversation asks of the server around it."""

    def hold(conversation: Conversation) -> None:
        """Call ``conversation.give_up_holding()`` in 20 ms."""

    def catch_up(conversation: Conversation) -> None:
        """Read the log after the conversation's position into ``conversation.read``."""

    def feed(device: Device) -> None:
        """Feed the device's lagging readings from the log, while it has room."""

    def drop(reading: Reading) -> None:
        """The reading has seen all that its account may see: forget it."""


class Conversation:
    """Where one conversation stands here. :ivar version: of a topic's membership, None when it must be read again."""

    __slots__ = ("_reads", "behind", "catching", "epoch", "heard", "held", "live", "name", "seq", "version")

    def __init__(self, name: bytes, position: Position, reads: IReads, version: int | None = 0) -> None:
        self.name = name
        self.epoch, self.seq = position
        self.version = version
        self.live: list[Reading] = []
        self.behind: list[Reading] = []
        self.held: dict[int, Message] = {}
        self.catching = False
        #: The highest position told of while catching up.
        self.heard: Position = position
        self._reads = reads

    @property
    def position(self) -> Position:
        """The last position that the live devices were given."""
        return self.epoch, self.seq

    def hear(self, message: Message) -> None:
        """A stored message, perhaps seen before, perhaps ahead of others."""
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
        """The log holds ``position``, and it will not come by itself: read on from here."""
        self.heard = max(self.heard, position)
        if not self.catching:
            self.catching = True
            self._reads.catch_up(self)

    def give_up_holding(self) -> None:
        """What was missing has not come in time."""
        if self.held:
            self.behind_log((self.epoch, max(self.held)))

    def read(self, messages: list[Message], more: bool, trimmed: int) -> bool:
        """Take a page of the log after ``position``. Returns whether to read on.

        Retention has taken the numbers up to ``trimmed``.
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
        """Push which numbers can no longer be delivered, when the log goes on elsewhere."""
        gone = missing(self.seq, found.seq, trimmed)
        if gone is not None:
            line = gap_line(self.name, *gone)
            for reading in self.live:
                reading.device.push(line)

    def _release(self) -> None:
        held = self.held
        while (message := held.pop(self.seq + 1, None)) is not None:
            # The store may have been put back meanwhile: numbers of an earlier epoch are other messages.
            if message.epoch == self.epoch:
                self._deliver(message)
        for seq in [seq for seq, message in held.items() if message.position <= self.position]:
            del held[seq]
        if held:
            self._reads.hold(self)

    def _deliver(self, message: Message) -> None:
        """Give the next message to every live device: the hot loop of a topic."""
        before = self.position
        self.epoch, self.seq = position = message.epoch, message.seq
        sender = message.sender
        line, needs = message.line, message.needs
        full = None
        for reading in self.live:
            device = reading.device
            if device.key == sender or (needs and needs not in device.capabilities):
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
        """Those who have read the log to its end go live with the message that they have not seen."""
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
        """A device begins to read, behind; it is fed with ``settle``."""
        self.behind.append(reading)

    def settle(self, reading: Reading) -> None:
        """A reading was fed to the end of the log, or has just begun: live, waiting, or to be fed (again)."""
        reading.fed = False
        span = reading.next_span()
        if span is not None and span[1] is None:
            # What was said before the account came (again) is not for it, although this server may not know of it yet.
            reading.at = span[0]
        if not reading.open:
            if span is None:
                # What was pushed before the end may still be acknowledged, or every login would bring it again.
                if not reading.unacked:
                    self._reads.drop(reading)
                return
        elif reading.at == self.position:
            self._go_live(reading)
            return
        elif reading.at > self.position:
            # The log is ahead of what this server was told yet: it goes live when that comes.
            reading.fed = True
            return
        reading.device.lagging[reading] = None
        self._reads.feed(reading.device)

    def remove(self, reading: Reading) -> None:
        """The device is gone, or may see no more."""
        (self.live if reading.live else self.behind).remove(reading)

    def close(self, reading: Reading) -> None:
        """The account's sight of this conversation has ended: nothing more until the end of its span is known."""
        if reading.live:
            self._fall_behind(reading, self.position)
        reading.fed = False
        reading.device.lagging.pop(reading, None)


def missing(at: int, found: int, trimmed: int) -> tuple[int, int] | None:
    """The numbers that are gone when after number ``at`` the log goes on with ``found``; None if none are.

    What retention has taken, up to ``trimmed``, is gone; what is missing above that was erased, and nobody waits for
    it. A log that goes on with a number not above ``at`` was put back to an earlier state.
    """
    if found <= at:
        return found, at
    return (at + 1, min(found - 1, trimmed)) if trimmed > at else None


def gap_line(conversation: bytes, first: int, last: int) -> bytes:
    """The push that says so."""
    return b"RESP_GAP %s %d %d\r\n" % (conversation, first, last)
