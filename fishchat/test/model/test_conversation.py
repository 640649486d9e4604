"""A conversation's rules, with the log and the hints played by hand."""

from __future__ import annotations

from collections import deque
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from fishchat.model.conversation import HELD, Conversation, IReads, gap_line, missing
from fishchat.model.device import Device, Reading
from fishchat.model.message import Message, from_body
from fishchat.model.names import START, Position
from fishchat.services.msg_server.delivery.log_reader import Page
from fishchat.services.msg_server.delivery.replay import SYNCED, Feeder
from fishchat.test.support.owners import Unending

NAME = b"alice+bob"
#: Unacknowledged pushes of a device in these tests, so that few messages fill it.
ROOM = 5


def message(epoch: int, seq: int, sender: bytes = b"alice") -> Message:
    """A message whose text is its number."""
    return from_body(NAME, epoch, seq, b"%s main -1 - %d" % (sender, seq), 1000 * seq)


@implementer(IReads)
class Reads:
    """What stands around a conversation: a log that answers when the test says so, timers, a feeder."""

    def __init__(self) -> None:
        self.log: list[Message] = []
        #: The last number that retention has taken.
        self.trimmed = 0
        self.held: deque[Conversation] = deque()
        self.reading: deque[Conversation] = deque()
        self.dropped: list[Reading] = []
        self._pages: deque[tuple[Deferred[Page], Page]] = deque()
        self.feeder = Feeder(self, self._refresh, 50)  # type: ignore[arg-type]

    async def _refresh(self, conversation: Conversation) -> None:
        raise AssertionError("the membership never changes here")

    async def page(self, name: bytes, after: Position, upto: Position | None, count: int = 100) -> Page:
        """For the feeder: answered by ``answer``."""
        waiting: Deferred[Page] = Deferred()
        # Read now, answered later: the log may go on meanwhile.
        found = self.after(after, upto, min(count, 3))
        self._pages.append((waiting, Page(0, found, len(found) >= min(count, 3), self.trimmed)))
        return await waiting

    def hold(self, conversation: Conversation) -> None:
        """See IReads."""
        self.held.append(conversation)

    def catch_up(self, conversation: Conversation) -> None:
        """See IReads."""
        self.reading.append(conversation)

    def feed(self, device: Device) -> None:
        """See IReads."""
        self.feeder.feed(device)

    def drop(self, reading: Reading) -> None:
        """See IReads."""
        self.dropped.append(reading)
        reading.conversation.remove(reading)

    # -- what a test lets happen

    def after(self, position: Position, upto: Position | None, count: int) -> list[Message]:
        """What the log holds."""
        return [one for one in self.log if one.position > position and (upto is None or one.position <= upto)][:count]

    def read(self, count: int = 3) -> bool:
        """One page for the conversation that waits longest. False when none waits."""
        if not self.reading:
            return False
        conversation = self.reading[0]
        found = self.after(conversation.position, None, count)
        if not conversation.read(found, len(found) >= count, self.trimmed):
            self.reading.popleft()
        return True

    def answer(self) -> bool:
        """One page for the feeder. False when it asks for none."""
        if not self._pages:
            return False
        waiting, page = self._pages.popleft()
        waiting.callback(page)
        return True

    def give_up(self) -> bool:
        """A hold ends. False when there is none."""
        if not self.held:
            return False
        self.held.popleft().give_up_holding()
        return True

    def settle(self) -> None:
        """Everything that is under way ends."""
        while self.read() or self.answer() or self.give_up():
            pass


class Peer:
    """A device and the messages that were delivered to it."""

    def __init__(self, reads: Reads, key: bytes, acks: bool, at: Position = START) -> None:
        self.reads = reads
        self.key = key
        owner = Unending()
        self.lines = owner.lines
        account = key.partition(b"/")[0]
        self.device = Device(account, key, b"", owner, frozenset([b"ack"] if acks else []), set())
        if acks:
            self.device.room = ROOM
        self.reading: Reading
        self.at = at
        self.acked = at

    def fail(self) -> None:
        """Nobody is replaced here."""
        raise AssertionError

    def login(self, conversation: Conversation) -> None:
        """As a login does, with a log that ends where it ends now."""
        last = self.reads.log[-1].position if self.reads.log else START
        device = self.device
        self.reading = device.readings[NAME] = Reading(device, conversation, self.at, [(START, None)])
        conversation.add(self.reading)
        device.syncing = {}
        if self.at < last:
            device.syncing[self.reading] = last
            device.lagging[self.reading] = None
        self.reads.feeder.begin(device)

    @property
    def got(self) -> list[int]:
        """The numbers of its messages."""
        return [int(line.split()[3]) for line in self.lines if line.startswith(b"RESP_MESSAGE")]

    def acknowledge(self, skip: int = 0) -> bool:
        """Acknowledge what it has, but for the last ``skip``. False when there was nothing to acknowledge."""
        ids = [line.split()[2].rpartition(b":")[2].split(b"-") for line in self.lines if b"RESP_MESSAGE" in line]
        ids = ids[: len(ids) - skip] if skip else ids
        if not ids:
            return False
        position = (int(ids[-1][0]), int(ids[-1][1]))
        if position <= self.acked:
            return False
        self.acked = position
        assert self.reading.acknowledge(position)
        self.reads.feeder.feed(self.device)
        return True


class Hearing(SynchronousTestCase):
    """What becomes of one message."""

    def setUp(self) -> None:
        """One device, live at the beginning."""
        self.reads = Reads()
        self.conversation = Conversation(NAME, (1, 0), self.reads)
        self.peer = self.join(b"bob/main")

    def join(self, key: bytes, acks: bool = False) -> Peer:
        """One more."""
        peer = Peer(self.reads, key, acks, (1, 0))
        peer.login(self.conversation)
        self.reads.settle()
        return peer

    def store(self, *seqs: int, epoch: int = 1) -> list[Message]:
        """Into the log."""
        found = [message(epoch, seq) for seq in seqs]
        self.reads.log += found
        return found

    def test_interface(self) -> None:
        """The test's stand-in is what a conversation asks for."""
        verifyObject(IReads, self.reads)

    def test_epoch(self) -> None:
        """A higher epoch reads the log before it is believed."""
        self.store(1)
        (second,) = self.store(2, epoch=2)
        self.conversation.hear(second)
        self.assertEqual(self.peer.got, [])
        self.reads.settle()
        self.assertEqual(self.peer.got, [1, 2])

    def test_in_order(self) -> None:
        """The next one is delivered at once, a seen one is dropped."""
        for one in self.store(1, 2):
            self.conversation.hear(one)
            self.conversation.hear(one)
        self.conversation.hear(self.reads.log[0])
        self.assertEqual(self.peer.got, [1, 2])
        self.assertFalse(self.reads.reading)

    def test_held(self) -> None:
        """One ahead waits for a moment; when the missing one comes, nobody reads the log."""
        first, second, third = self.store(1, 2, 3)
        self.conversation.hear(third)
        self.conversation.hear(second)
        self.assertEqual(self.peer.got, [])
        self.conversation.hear(first)
        self.assertEqual(self.peer.got, [1, 2, 3])
        self.reads.settle()
        self.assertEqual(self.peer.got, [1, 2, 3])

    def test_held_too_long(self) -> None:
        """When it does not come, the log has it."""
        *_, third = self.store(1, 2, 3)
        self.conversation.hear(third)
        self.assertTrue(self.reads.give_up())
        self.reads.settle()
        self.assertEqual(self.peer.got, [1, 2, 3])

    def test_too_many_held(self) -> None:
        """What is held is bounded: the log is read instead."""
        for one in self.store(*range(1, HELD + 4))[1:]:
            self.conversation.hear(one)
        self.assertTrue(self.reads.reading)
        self.reads.settle()
        self.assertEqual(self.peer.got, list(range(1, HELD + 4)))

    def test_trimmed(self) -> None:
        """Numbers that the log does not have any more are announced."""
        self.store(1)
        self.conversation.hear(self.reads.log[0])
        self.store(5, 6)
        self.reads.trimmed = 4
        self.conversation.hear(self.reads.log[2])
        self.reads.settle()
        self.assertEqual(self.peer.got, [1, 5, 6])
        self.assertEqual(self.peer.lines[2], b"RESP_GAP alice+bob 2 4\r\n")

    def test_erased(self) -> None:
        """Numbers whose messages were erased are passed over; what retention took before them is announced."""
        self.store(1)
        self.conversation.hear(self.reads.log[0])
        self.store(5, 8)
        self.reads.trimmed = 2
        self.conversation.hear(self.reads.log[2])
        self.reads.settle()
        self.assertEqual(self.peer.got, [1, 5, 8])
        self.assertEqual([line for line in self.peer.lines if b"GAP" in line], [b"RESP_GAP alice+bob 2 2\r\n"])

    def test_put_back(self) -> None:
        """A log that was put back goes on below: what was delivered and is gone is announced."""
        for one in self.store(1, 2, 3, 4):
            self.conversation.hear(one)
        del self.reads.log[2:]
        (again,) = self.store(3, epoch=2)
        self.conversation.hear(again)
        self.reads.settle()
        self.assertEqual(self.peer.got, [1, 2, 3, 4, 3])
        self.assertEqual(self.peer.lines[-2], b"RESP_GAP alice+bob 3 4\r\n")

    def test_own(self) -> None:
        """The sending device gets no echo, and its cursor passes its message."""
        sender = self.join(b"alice/main", acks=True)
        self.conversation.hear(self.store(1)[0])
        self.assertEqual((self.peer.got, sender.got), ([1], []))
        self.assertEqual(sender.reading.acked, (1, 1))

    def test_own_above_unacknowledged(self) -> None:
        """It does not pass what the device has not acknowledged."""
        sender = self.join(b"alice/main", acks=True)
        self.conversation.hear(message(1, 1, b"bob"))
        self.conversation.hear(message(1, 2))
        self.assertEqual(sender.reading.acked, (1, 0))

    def test_left_and_joined(self) -> None:
        """A device whose account left and joined again, unnoticed here, receives nothing from between the spans."""
        reads = Reads()
        reads.log = [message(1, seq) for seq in range(1, 7)]
        conversation = Conversation(NAME, (1, 2), reads)
        peer = Peer(reads, b"bob/main", False)
        reading = Reading(peer.device, conversation, (1, 2), [((1, 0), (1, 3)), ((1, 5), None)])
        peer.device.readings[NAME] = peer.reading = reading
        conversation.add(reading)
        peer.device.syncing = None
        conversation.settle(reading)
        self.assertFalse(reading.live)
        conversation.behind_log((1, 6))
        reads.settle()
        self.assertEqual(peer.got, [3, 6])
        self.assertTrue(reading.live)

    def test_closed(self) -> None:
        """A subscription whose span ended is fed to the end of the span and dropped."""
        for one in self.store(1, 2):
            self.conversation.hear(one)
        reading = self.peer.reading
        reading.spans = [(START, (1, 2))]
        self.conversation.close(reading)
        self.conversation.hear(self.store(3)[0])
        self.conversation.settle(reading)
        self.assertEqual(self.reads.dropped, [reading])
        self.assertEqual(self.peer.got, [1, 2])

    def test_missing(self) -> None:
        """Which numbers are gone: above when trimmed, below when put back; none that was erased."""
        self.assertEqual(missing(3, 7, 6), (4, 6))
        self.assertEqual(missing(3, 7, 5), (4, 5))
        self.assertIsNone(missing(3, 7, 3))
        self.assertEqual([missing(7, 5, trimmed) for trimmed in (0, 9)], [(5, 7)] * 2)
        self.assertEqual(gap_line(b"#a", 4, 6), b"RESP_GAP #a 4 6\r\n")


#: What may happen next, each as often as it is listed.
HAPPENINGS = (
    *["store"] * 5,
    *["hear"] * 4,
    "hear late",
    "hear twice",
    "lose",
    "epoch",
    "give up",
    *["read"] * 2,
    *["answer"] * 3,
    *["acknowledge"] * 2,
    "come",
    "go",
)


class Play:
    """A conversation with some devices, to which anything may happen."""

    def __init__(self) -> None:
        self.reads = Reads()
        self.conversation = Conversation(NAME, START, self.reads)
        self.epoch = 1
        self.hints: list[Message] = []
        self.peers: dict[bytes, Peer] = {}
        #: What each device was given in earlier connections.
        self.before: dict[bytes, list[int]] = {}
        for key in (b"alice/main", b"bob/main", b"bob/desk"):
            self.come(key)

    def come(self, key: bytes) -> None:
        """Log in; one device does not acknowledge."""
        at = START
        seen = self.before.setdefault(key, [])
        if seen:
            at = next(one.position for one in self.reads.log if one.seq == seen[-1])
        self.peers[key] = Peer(self.reads, key, key != b"bob/desk", at)
        self.peers[key].login(self.conversation)

    def go(self, key: bytes) -> None:
        """Go, with everything acknowledged that came: then nothing is given again."""
        peer = self.peers.pop(key)
        self.before[key] += peer.got
        peer.device.lagging.clear()
        peer.device.syncing = None
        self.conversation.remove(peer.reading)

    def happen(self, what: str, number: int) -> None:
        """One step; what cannot happen now does not."""
        if what == "store":
            sender = (b"alice", b"bob")[number % 2]
            one = message(self.epoch, len(self.reads.log) + 1, sender)
            self.reads.log.append(one)
            self.hints.append(one)
        elif what == "epoch":
            self.epoch += 1
        elif what.startswith("hear") and self.hints:
            index = number % len(self.hints) if what == "hear late" else 0
            hint = self.hints[index] if what == "hear twice" else self.hints.pop(index)
            self.conversation.hear(hint)
        elif what == "lose" and self.hints:
            self.hints.pop(number % len(self.hints))
        elif what == "come" and b"alice/main" not in self.peers:
            self.come(b"alice/main")
        elif what == "go" and b"alice/main" in self.peers:
            self.go(b"alice/main")
        elif what == "acknowledge":
            peer = list(self.peers.values())[number % len(self.peers)]
            if peer.device.acks:
                peer.acknowledge(number % 3)
        else:
            step: Any = {"give up": self.reads.give_up, "read": self.reads.read, "answer": self.reads.answer}
            step.get(what, bool)()

    def sweep(self) -> None:
        """Every hint that is left is lost; a sweep finds it."""
        last = self.reads.log[-1].position if self.reads.log else START
        for peer in self.peers.values():
            reading = peer.reading
            if not reading.live and not reading.fed and reading not in peer.device.lagging and not peer.device.syncing:
                self.conversation.settle(reading)
            self.reads.feeder.feed(peer.device)
        if last > self.conversation.position:
            self.conversation.behind_log(last)
        self.reads.settle()
        while any([peer.acknowledge() for peer in self.peers.values() if peer.device.acks]):
            self.reads.settle()


class Properties(SynchronousTestCase):
    """Delivery is complete for every loss and delay of hints."""

    # Shrinking a play of this length takes minutes, so what fails is shown as it is.
    @settings(deadline=None, max_examples=150, phases=(Phase.explicit, Phase.reuse, Phase.generate))
    @given(st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 99)), min_size=60, max_size=180))
    def test_every_message_once_in_order(self, happenings: list[tuple[str, int]]) -> None:
        """Every device that stays gets every message of the others once, in order, and never more than its room."""
        play = Play()
        for what, number in happenings:
            play.happen(what, number)
            for peer in play.peers.values():
                if peer.device.acks:
                    unacked = sum(seq > peer.acked[1] for seq in peer.got)
                    assert unacked <= ROOM, unacked
        play.sweep()
        for key, peer in play.peers.items():
            wanted = [one.seq for one in play.reads.log if one.sender != key]
            assert play.before[key] + peer.got == wanted, (key, play.before[key] + peer.got, wanted)
            assert peer.lines.count(SYNCED) == 1
            assert not any(line.startswith(b"RESP_GAP") for line in peer.lines)
