"""The queue of what is written: flights, their order, and what is said when the store is away."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import Refusal
from fishchat.model.message import PLAIN
from fishchat.model.operations import EDIT, RECALL, UNREACT, Operation, Times
from fishchat.net.turn import Turn
from fishchat.services.msg_server.queue.commits import ANSWERED, CALLS, Commits
from fishchat.services.msg_server.queue.items import (
    BYTES,
    MENTIONING,
    MESSAGES,
    OPERATIONS,
    RECALLS,
    Barrier,
    Batch,
    Call,
    Change,
    Recall,
    Recalls,
    Send,
)
from fishchat.storage.ask import Ask
from fishchat.storage.fence import Fence
from fishchat.storage.logs.calls import OPERATE, SEND
from fishchat.storage.redis import ReplyError, Unknown
from fishchat.storage.script import script
from fishchat.testing.fake_store import FakeStore

STATUS = script("accounts/status")


class BatchStore(FakeStore):
    """Answered by the test."""

    def answer(self, reply: Any = None) -> None:
        """Answer the oldest call: a batch with the numbers of its messages, unless ``reply`` says otherwise."""
        oldest = self.asked[0]
        if reply is None and oldest.script is SEND:
            reply = [b"OK", list(range(1, len(oldest.values[5]) // 6 + 1)), [], b"1700000000000"]
        super().answer(reply)


class Asker:
    """Notes the outcomes of messages."""

    def __init__(self, said: list[Any]) -> None:
        self._said = said

    def stored(self, token: Any, message_id: bytes, time: int) -> None:
        """See IAsker."""
        self._said.append(message_id.decode())

    def failed(self, token: Any, refusal: Refusal) -> None:
        """See IAsker."""
        self._said.append(refusal.word)


class CommitsCase(SynchronousTestCase):
    """A queue on a connection that answers when told so. ``said`` has all answers, in order."""

    def setUp(self) -> None:
        """With a right to write."""
        self.clock = Clock()
        self.store = BatchStore()
        self.fence: Fence | None = Fence(b"ms1", b"x", 7)
        self.mended: list[str] = []
        self.doubts = 0
        self.said: list[Any] = []
        self.events: list[LogEvent] = []
        observer: Any = self.events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.asker: Any = Asker(self.said)
        self.commits = Commits(
            self.store,
            Turn(self.clock),
            self.clock,
            b"/sysctrl/send",
            fence=lambda: self.fence,
            mend=self.mended.append,
            doubt=self.doubt,
            stored=self.stored,
        )

    def doubt(self) -> None:
        """Nobody knows whether something was stored."""
        self.doubts += 1

    def stored(self, sends: list[Send], results: list[Any], versions: dict[bytes, int], epoch: int, time: int) -> None:
        """As delivery does, without devices."""
        for send, result in zip(sends, results, strict=True):
            send.asker.stored(send.token, b"%s:%d-%d" % (send.conversation, epoch, result), time)

    def send(self, text: bytes = b"x", name: bytes = b"a+b") -> None:
        """A message."""
        self.commits.add(Send(self.asker, text, name, b"a/main", -1, PLAIN, text, b"a main -1 - " + text, b"a", b"b"))

    def change(self, kind: bytes = EDIT) -> None:
        """An operation."""
        make = Recall if kind == RECALL else Change
        wanted = Operation(b"a+b", kind, b"7-1", kind + b";of=7-1", b"x", Times(-1, -1, True))
        self.commits.add(make(self.asker, b"x", wanted, b"a", b"main", -1))

    def call(self, name: str) -> None:
        """Another call, whose answer is its name."""

        def refused(refusal: Refusal) -> None:
            self.said.append(f"{name} {refusal.word}")

        self.commits.add(Call(STATUS, (name,), lambda _: self.said.append(name), refused))

    def mark(self, name: str) -> None:
        """Something without the store."""
        self.commits.add(Barrier(lambda: self.said.append(name)))

    def turn(self, seconds: float = 0) -> None:
        """The turn ends, and time passes."""
        self.clock.advance(seconds)

    def sizes(self) -> list[int]:
        """How many messages each call on its way holds; -1 for other scripts."""
        return [len(each.values[5]) // 6 if each.script is SEND else -1 for each in self.store.asked]


class Typed(CommitsCase):
    """Typed calls."""

    def test_strange_reply(self) -> None:
        """A reply that cannot be parsed fails the call, and the queue goes on."""
        failed: list[str] = []

        def parse(reply: Any) -> int:
            return int(reply[7])

        call = Call.of(Ask(STATUS, (b"a",), parse), self.said.append, lambda refusal: failed.append(refusal.word))
        self.commits.add(call)
        self.call("next")
        self.turn()
        self.store.answer([])
        self.store.answer([])
        self.assertEqual((failed, self.said), (["INTERNAL"], ["next"]))
        self.assertEqual(len(self.flushLoggedErrors(IndexError)), 1)


class Flights(CommitsCase):
    """What goes together."""

    def test_one_turn(self) -> None:
        """What comes in one turn goes as one call; under the fence, with the accounts whose places are asked."""
        for _ in range(3):
            self.send()
        self.assertEqual(self.store.asked, [])
        self.turn()
        (call,) = self.store.asked
        assert self.fence is not None
        self.assertEqual(call.values[:4], [*self.fence.args, b"/sysctrl/send"])
        self.assertEqual(sorted(call.values[4]), [b"a", b"b"])
        self.store.answer()
        self.assertEqual(self.said, ["a+b:7-1", "a+b:7-2", "a+b:7-3"])

    def test_one_at_a_time(self) -> None:
        """What comes while a flight is away is the next one."""
        self.send()
        self.turn()
        for _ in range(10):
            self.send()
            self.turn()
        self.assertEqual(self.sizes(), [1])
        self.store.answer()
        self.assertEqual(self.sizes(), [10])

    def test_operations(self) -> None:
        """A flight ends with its 200th operation. Messages, recalls and other operations make calls of their own."""
        for _ in range(OPERATIONS + 1):
            self.change()
        self.turn()
        self.assertEqual([len(each.values[6]) // 9 for each in self.store.asked], [OPERATIONS])
        self.store.answer([b"OK", list(range(1, OPERATIONS + 1)), [], b"1700000000000"])
        self.assertEqual([len(each.values[6]) // 9 for each in self.store.asked], [1])
        for kind in (UNREACT, EDIT, RECALL, UNREACT):
            self.change(kind)
        self.send()
        self.store.answer([b"OK", [1], [], b"1700000000000"])
        found = [(each.script, each.values[4]) for each in self.store.asked]
        # A full memory does not stop a call that only takes away.
        self.assertEqual(found[:3], [(OPERATE, False), (OPERATE, True), (OPERATE, True)])
        self.assertEqual([each for each, _ in found[3:]], [SEND])

    def test_bounds(self) -> None:
        """A flight ends with its 500th message, with the one that makes it 256 KiB, or with the 200th other call."""
        for _ in range(2 * MESSAGES + 1):
            self.send()
        self.turn()
        seen = []
        while self.store.asked:
            seen += self.sizes()
            self.store.answer()
        self.assertEqual(seen, [MESSAGES, MESSAGES, 1])
        for _ in range(100):
            self.send(b"x" * 7000)
        self.turn()
        (packed,) = self.sizes()
        # The message that fills a batch is still in it.
        self.assertLess((packed - 1) * 7000, BYTES)
        self.assertGreater(packed * 7020, BYTES)
        while self.store.asked:
            self.store.answer()
        for n in range(CALLS + 1):
            self.call(str(n))
        self.turn()
        self.assertEqual(len(self.store.asked), CALLS)

    def test_bounds_of_work(self) -> None:
        """Messages that may mention members fill a batch sooner, and so do recalls: they take the store longer."""

        def send(conversation: bytes, peer: bytes, form: bytes, text: bytes) -> Send:
            return Send(self.asker, None, conversation, b"a/x", -1, form, text, text, b"a", peer)

        most = BYTES // MENTIONING
        for topic, tagged in ((b"hi @b", PLAIN), (b"hi", b"-;mention=b")):
            batch = Batch()
            self.assertEqual(
                [batch.add(send(b"#t", b"", tagged, topic)) for _ in range(most)], [*[False] * (most - 1), True]
            )
        for peer, text in ((b"b", b"a@b"), (b"", b"hi")):
            batch = Batch()
            filled = [batch.add(send(b"a+b" if peer else b"#t", peer, PLAIN, text)) for _ in range(MESSAGES)]
            self.assertEqual(filled.index(True), MESSAGES - 1)
        recalls = Recalls()
        times = Times(0, 0, True)
        wanted = Operation(b"a+b", RECALL, b"7-1", b"recall;of=7-1", b"", times)
        filled = [recalls.add(Recall(self.asker, None, wanted, b"a", b"x", -1)) for _ in range(RECALLS)]
        self.assertEqual(filled.index(True), RECALLS - 1)

    def test_order(self) -> None:
        """Calls and marks keep their place between the messages."""
        self.send()
        self.call("call")
        self.mark("mark")
        self.send()
        self.mark("last")
        self.turn()
        self.assertEqual(self.sizes(), [1, -1, 1])
        for _ in range(3):
            self.store.answer()
        self.assertEqual(self.said, ["a+b:7-1", "call", "mark", "a+b:7-1", "last"])

    def test_mark_in_the_next_flight(self) -> None:
        """A mark that comes while a flight is away stays behind its answers."""
        self.send()
        self.turn()
        self.mark("mark")
        self.send()
        self.turn()
        self.store.answer()
        self.assertEqual(self.said, ["a+b:7-1", "mark"])

    def test_overlap(self) -> None:
        """The next flight is on its way before the answers of the last one are handed out."""
        sizes: list[list[int]] = []
        self.send()
        self.turn()
        self.send()
        self.send()
        self.asker.stored = lambda *_: sizes.append(self.sizes())
        self.store.answer()
        self.assertEqual(sizes, [[2]])

    def test_nothing_to_do(self) -> None:
        """Marks alone need no call."""
        self.mark("one")
        self.mark("two")
        self.turn()
        self.assertEqual((self.said, self.store.asked), (["one", "two"], []))

    def test_idle(self) -> None:
        """Idle is when everything is answered, not before."""
        self.send()
        self.turn()
        self.commits.when_idle().addCallback(lambda _: self.said.append("idle"))
        self.send()
        self.store.answer()
        self.assertEqual(self.said, ["a+b:7-1"])
        self.store.answer()
        self.assertEqual(self.said, ["a+b:7-1", "a+b:7-1", "idle"])

    def test_failing_receiver(self) -> None:
        """One whose answer cannot be taken does not keep the others from theirs."""

        def broken(reply: Any) -> None:
            raise ZeroDivisionError

        self.commits.add(Call(STATUS, (), broken, lambda _: None))
        self.call("next")
        self.turn()
        self.store.answer(1)
        self.store.answer(1)
        self.assertEqual(self.said, ["next"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class Away(CommitsCase):
    """The store cannot be reached."""

    def test_not_sent(self) -> None:
        """What could not be sent within its time is certainly not stored, and marks keep their place."""
        self.store.connected = False
        self.send()
        self.mark("mark")
        self.call("call")
        self.turn(1)
        self.commits.expire()
        self.assertEqual(self.said, [])
        self.turn(1)
        self.commits.expire()
        self.assertEqual(self.said, ["TRYAGAIN", "mark", "call TRYAGAIN"])
        self.store.connected = True
        self.commits.go_on()
        self.assertEqual(self.store.asked, [])

    def test_back_in_time(self) -> None:
        """What has waited for less goes when the store is back."""
        self.store.connected = False
        self.send()
        self.turn(1)
        self.commits.expire()
        self.store.connected = True
        self.commits.go_on()
        self.assertEqual(self.sizes(), [1])

    def test_unknown(self) -> None:
        """What was sent and not answered is perhaps stored: said so, and what is known is doubted."""
        self.send()
        self.call("call")
        self.turn()
        self.store.connected = False
        for _ in range(2):
            self.store.answer(Unknown("lost"))
        self.assertEqual(self.said, ["UNKNOWN", "call UNKNOWN"])
        self.assertGreater(self.doubts, 0)

    def test_answers_in_order(self) -> None:
        """While a flight hangs nothing behind it is refused; when it has ended, what waited too long is, in order."""
        self.send()
        self.turn()
        self.send()
        self.mark("mark")
        for _ in range(6):
            self.turn(0.5)
            self.commits.expire()
        self.assertEqual(self.said, [])
        self.store.connected = False
        self.store.answer(Unknown("no reply in time"))
        self.assertEqual(self.said, ["UNKNOWN", "TRYAGAIN", "mark"])

    def test_late_answer(self) -> None:
        """Also when the flight went well after all: what is refused then stands behind its answers."""
        self.send()
        self.turn()
        self.send()
        self.turn(2.9)
        self.store.answer()
        self.assertEqual(self.said, ["a+b:7-1", "TRYAGAIN"])

    def test_within_five_seconds(self) -> None:
        """P7: however a flight and the wait before it add up."""
        self.send()
        self.turn()
        waited = ANSWERED - self.store.timeout - 0.01
        self.turn(self.store.timeout - waited)
        self.send()
        self.turn(waited)
        self.store.answer()
        self.assertEqual(self.sizes(), [1])
        self.turn(self.store.timeout)
        self.store.connected = False
        self.store.answer(Unknown("no reply in time"))
        self.assertEqual(self.said, ["a+b:7-1", "UNKNOWN"])
        self.assertLess(waited + self.store.timeout, 5)

    def test_passing_refusals(self) -> None:
        """Redis has no memory, loads its data, …: nothing was stored, and nothing is in doubt."""
        for word in ("OOM", "LOADING", "READONLY", "MISCONF"):
            self.send()
            self.turn()
            self.store.answer(ReplyError(f"{word} not now"))
        self.assertEqual((self.said, self.doubts), (["TRYAGAIN"] * 4, 0))

    def test_defect(self) -> None:
        """Any other refusal is a defect of ours, and is called that."""
        self.send()
        self.turn()
        self.store.answer(ReplyError("ERR Error running script"))
        self.assertEqual((self.said, self.doubts), (["INTERNAL"], 1))


class Fenced(CommitsCase):
    """Without a lease or with an old epoch."""

    def test_no_lease(self) -> None:
        """Nothing is sent; it waits for the lease, as long as it may."""
        self.fence = None
        self.send()
        self.turn()
        self.assertEqual(self.store.asked, [])
        self.fence = Fence(b"ms1", b"y", 8)
        self.commits.go_on()
        self.store.answer()
        self.assertEqual(self.said, ["a+b:8-1"])

    def test_refused_whole(self) -> None:
        """A flight that was refused goes again, in its order and before what came later, when it is mended."""
        for word in ("LEASE", "EPOCH"):
            self.said.clear()
            self.send(b"1")
            self.call("call")
            self.mark("mark")
            self.send(b"2")
            self.turn()
            self.send(b"3")
            self.fence = None
            for _ in range(3):
                self.store.answer([word.encode(), b"9"])
            self.assertEqual((self.said, self.mended.pop(), self.store.asked), ([], word, []))
            self.fence = Fence(b"ms1", b"y", 9)
            self.commits.go_on()
            self.assertEqual(self.sizes(), [1, -1, 2])
            self.assertEqual(self.store.asked[0].values[:3], [*self.fence.args])
            for _ in range(3):
                self.store.answer()
            self.assertEqual(self.said, ["a+b:9-1", "call", "mark", "a+b:9-1", "a+b:9-2"])

    def test_disowned(self) -> None:
        """A server that was declared dead refuses what waits and what its lease refuses: it may not write it later."""
        self.send(b"1")
        self.turn()
        self.send(b"2")
        self.commits.refuse_all()
        self.assertEqual(self.said, [], "what flies is answered first")
        self.store.answer([b"LEASE"])
        self.assertEqual(self.said, ["TRYAGAIN", "TRYAGAIN"])
        self.commits.go_on()
        self.assertEqual(self.store.asked, [])
        self.send(b"3")
        self.turn()
        self.store.answer()
        self.assertEqual(len(self.said), 3)

    def test_never_mended(self) -> None:
        """When it is not mended in time, it is refused like everything else, once."""
        self.send()
        self.turn()
        self.fence = None
        self.store.answer([b"LEASE"])
        self.turn(2)
        self.commits.expire()
        self.assertEqual(self.said, ["TRYAGAIN"])


class Defective(CommitsCase):
    """A defect of ours costs the commands that it concerns an answer, and nobody else theirs."""

    def test_cannot_be_packed(self) -> None:
        """A call that no packing can hold is refused in its turn, and the queue goes on."""
        self.send()
        self.commits.add(Call(STATUS, (10**20,), lambda _: self.said.append("?"), lambda r: self.said.append(r.word)))
        self.mark("mark")
        self.send()
        self.turn()
        self.assertEqual((self.sizes(), self.said), ([1, 1], []), "refused before what came earlier was answered")
        self.store.answer()
        self.assertEqual(self.said, ["a+b:7-1", "INTERNAL", "mark"])
        self.store.answer()
        self.send()
        self.commits.when_idle().addCallback(lambda _: self.said.append("idle"))
        self.turn()
        self.store.answer()
        self.assertEqual(self.said[3:], ["a+b:7-1", "a+b:7-1", "idle"])
        self.assertEqual(self.logged(OverflowError), ["critical"])

    def test_batch_cannot_be_packed(self) -> None:
        """So is a batch of messages, whole; it is not in doubt, as nothing was sent."""
        strange: Any = object()
        self.commits.add(Send(self.asker, b"x", b"a+b", b"a/main", strange, PLAIN, b"x", b"a main", b"a", b"b"))
        self.send()
        self.turn()
        self.send()
        self.turn()
        self.store.answer()
        self.assertEqual((self.said, self.doubts), (["INTERNAL", "INTERNAL", "a+b:7-1"], 0))
        self.assertEqual(self.logged(TypeError), ["critical"])

    def test_cannot_be_sent(self) -> None:
        """Whatever the connection raises: everybody is answered, and waiting for the end is not in vain."""
        works = self.store.call

        def broken(*_: Any) -> Any:
            raise ZeroDivisionError

        self.patch(self.store, "call", broken)
        self.send()
        self.call("call")
        self.commits.when_idle().addCallback(lambda _: self.said.append("idle"))
        self.turn()
        self.assertEqual(self.said, ["INTERNAL", "call INTERNAL", "idle"])
        self.patch(self.store, "call", works)
        self.send()
        self.turn()
        self.store.answer()
        self.assertEqual(self.said[3:], ["a+b:7-1"])
        self.assertEqual(self.logged(ZeroDivisionError), ["critical"] * 2)

    def test_goes_again(self) -> None:
        """A flight that is refused whole keeps the place of what could not be sent."""
        self.send()
        self.commits.add(Call(STATUS, (10**20,), self.said.append, lambda refusal: self.said.append(refusal.word)))
        self.send()
        self.turn()
        for _ in range(2):
            self.store.answer([b"EPOCH", b"9"])
        self.assertEqual((self.said, self.mended), ([], ["EPOCH"]))
        self.commits.go_on()
        for _ in range(2):
            self.store.answer()
        self.assertEqual(self.said, ["a+b:7-1", "INTERNAL", "a+b:7-1"])
        self.assertEqual(self.logged(OverflowError), ["critical"])

    def test_strange_reply(self) -> None:
        """A reply to a batch that is none: its messages may be stored, and the next ones are sent."""
        for reply in (None, b"OK", [b"OK"], [b"OK", [1, 2], [], b"7"], [b"OK", [1], [b"odd"], b"7"]):
            self.said.clear()
            self.send()
            self.turn()
            self.send()
            self.turn()
            self.store.asked.pop(0).answer(reply)
            self.assertEqual(self.said, ["UNKNOWN"])
            self.store.answer()
            self.assertEqual(self.said, ["UNKNOWN", "a+b:7-1"])
        self.assertEqual((self.doubts, len(self.logged(ValueError, TypeError))), (5, 5))

    def test_repair_fails(self) -> None:
        """What goes wrong when it begins a repair is not the end of the queue either."""

        def broken(*_: Any) -> None:
            raise ZeroDivisionError

        self.commits._mend = self.commits._doubt = broken
        self.send()
        self.turn()
        self.store.answer([b"LEASE"])
        self.commits.go_on()
        self.store.answer(Unknown("lost"))
        self.assertEqual(self.said, ["UNKNOWN"])
        self.send()
        self.turn()
        self.store.answer()
        self.assertEqual(self.said, ["UNKNOWN", "a+b:7-1"])
        self.assertEqual(self.logged(ZeroDivisionError), ["critical"] * 2)

    def logged(self, *errors: type[Exception]) -> list[str]:
        """The levels of the log's lines about these errors."""
        levels = [event["log_level"].name for event in self.events if "log_failure" in event]
        self.assertEqual(len(self.flushLoggedErrors(*errors)), len(levels))
        return levels
