"""Group commit: all writes for clients pass through one queue, one batch in flight at a time.

Operations gather while the batch in flight waits for its replies; they are sent together as the next one, with
neighbouring messages packed into one script call. Redis runs the batch in flight in one turn and fsyncs it once.
Answers are sent in the order of the queue, so a connection's commands take effect and are answered in order.

An outcome is never invented. An operation that was not sent is refused as ``TRYAGAIN``; one that was sent and not
answered is ``UNKNOWN``. A batch in flight that was refused whole, for its lease or its epoch, is sent again after that
is repaired.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.errors import Refusal, doubtful, tryagain, unknown
from fishchat.interfaces import IStore
from fishchat.net.turn import Turn
from fishchat.services.msg_server.queue.items import Barrier, Batch, Call, Operation, Send, Unit
from fishchat.storage.ask import Ask
from fishchat.storage.fence import Fence
from fishchat.storage.redis import ReplyError, Unavailable, Unknown

#: The batch in flight holds at most this many batches of messages, calls and barriers.
CALLS = 200
#: Seconds within which every operation is answered. An operation may wait for these less the deadline of a call.
ANSWERED = 4.5

#: The errors with which Redis refuses a write that may succeed later.
PASSING = frozenset(
    {"OOM", "LOADING", "READONLY", "MISCONF", "BUSY", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"}
)


T = TypeVar("T")

#: Processes the results of a batch: the sends, a number or a refusal for each, the membership versions
#: of their topics, the epoch, and when they were stored in ms.
Stored = Callable[[list[Send], list[Any], dict[bytes, int], int, int], None]


class Commits:
    """The queue of operations, and the batch in flight.

    :param fence: returns the lease and epoch under which to write now, or None without a lease.
    :param trouble: returns why there is no lease, if it is not the store's fault.
    :param mend: called with ``LEASE`` or ``EPOCH`` when the batch in flight was refused; it calls ``go_on`` later.
    :param doubt: called when it is unknown whether something was stored.
    :param stored: see :data:`Stored`.
    """

    log = Logger()

    def __init__(
        self,
        connection: IStore,
        turn: Turn,
        clock: IReactorTime,
        stream: bytes,
        *,
        fence: Callable[[], Fence | None],
        trouble: Callable[[], str] = lambda: "",
        mend: Callable[[str], None],
        doubt: Callable[[], None],
        stored: Stored,
    ) -> None:
        self._connection = connection
        self._turn = turn
        self._clock = clock
        self._stream = stream
        self._fence = fence
        self._trouble = trouble
        self._mend = mend
        self._doubt = doubt
        self._stored = stored
        self._queue: deque[Operation] = deque()
        self._flight: deque[Unit] = deque()
        self._again: list[Unit] = []
        self._refused = ""
        self._disowned = False
        self._asked = False
        self._idle: list[Deferred[None]] = []
        #: The number of script calls made, and of messages answered: figures of the heartbeat.
        self.calls = self.answered = 0

    def add(self, operation: Operation) -> None:
        """Add ``operation`` to the queue."""
        operation.since = self._clock.seconds()
        self._queue.append(operation)
        if not self._flight and not self._asked:
            self._asked = True
            self._turn.at_end(self.go_on)

    def ask(self, ask: Ask[T]) -> Deferred[T]:
        """Make a call in its turn; fail with the Refusal."""
        done: Deferred[T] = Deferred()
        self.add(Call.of(ask, done.callback, done.errback))
        return done

    def when_idle(self) -> Deferred[None]:
        """Return a Deferred that fires when the queue is empty and no batch is in flight."""
        done: Deferred[None] = Deferred()
        self._idle.append(done)
        self._tell_idle()
        return done

    def go_on(self) -> None:
        """Send the next batch if possible. Call this also when the store is available again."""
        self._asked = False
        if self._flight:
            return
        self.expire()
        if self._queue and self._connection.connected and (fence := self._fence()) is not None:
            self._start(fence)
        self._tell_idle()

    def expire(self) -> None:
        """Refuse operations that have waited too long. Call this twice a second.

        While a batch is in flight nothing is refused: its answers come first, and it has its own deadline.
        """
        if self._flight:
            return
        late = self._late()
        while self._queue and self._queue[0].since <= late:
            self._guarded(self._queue.popleft().fail, tryagain(self._trouble()))
        self._tell_idle()

    def refuse_all(self) -> None:
        """Refuse all waiting operations: the server has lost the right to write them.

        The batch in flight is answered first. It is not sent again if it was refused for the lease.
        """
        self._disowned = bool(self._flight)
        while self._queue and not self._flight:
            self._guarded(self._queue.popleft().fail, tryagain(self._trouble()))
        self._tell_idle()

    def _late(self) -> float:
        return self._clock.seconds() - max(0.5, ANSWERED - self._connection.timeout)

    def _tell_idle(self) -> None:
        if self._idle and not self._queue and not self._flight:
            waiting, self._idle = self._idle, []
            for done in waiting:
                done.callback(None)

    def _gather(self) -> list[Unit]:
        """Take the next batch to send from the head of the queue."""
        units: list[Unit] = []
        queue = self._queue
        batch: Batch | None = None
        while queue and len(units) < CALLS:
            one = queue.popleft()
            if not isinstance(one, Send):
                batch = None
                units.append(one)
                continue
            if batch is None or batch.__class__ is not one.lot:
                batch = one.lot()
                units.append(batch)
            if batch.add(one):
                break
        return units

    def _start(self, fence: Fence) -> None:
        units = self._gather()
        self._flight.extend(units)
        for unit in units:
            if isinstance(unit, Barrier):
                continue
            self.calls += 1
            try:
                if isinstance(unit, Batch):
                    script, values = unit.script, unit.values(fence, self._stream)
                else:
                    values = (*fence.args, *unit.arguments) if unit.fenced else unit.arguments
                    script = unit.script
                asked = self._connection.call(script, *values)
            except Exception:
                self._cannot_send(unit)
            else:
                asked.addCallbacks(self._answered, self._failed, callbackArgs=(unit, fence), errbackArgs=(unit,))
        self._land()

    def _cannot_send(self, unit: Batch | Call) -> None:
        """Put a barrier in the place of a unit with a defect: it refuses the operations after the answers before it.

        Without it the batch in flight would never end, and nobody would be answered any more.
        """
        refused = unit.sends if isinstance(unit, Batch) else [unit]
        self.log.failure("cannot send a commit; {count} commands are answered INTERNAL", count=len(refused))
        flight = self._flight
        flight[flight.index(unit)] = Barrier(lambda: self._refuse(refused, Refusal("INTERNAL")))

    def _answered(self, reply: Any, unit: Batch | Call, fence: Fence) -> None:
        refused = isinstance(reply, list) and reply and reply[0] in (b"LEASE", b"EPOCH")
        if refused:
            self._refused = reply[0].decode()
        if refused or self._again:
            # A call that only reads, or ends a session, is not refused. But it must not overtake earlier units that are
            # sent again.
            self._go_again(unit)
        elif isinstance(unit, Call):
            self._guarded(unit.settle, reply)
            self._landed(unit)
        elif self._overlaps():
            # The next batch is sent before the messages of this one are handed out: Redis works meanwhile.
            self._landed(unit)
            self._hand_out(unit, reply, fence.epoch)
        else:
            self._hand_out(unit, reply, fence.epoch)
            self._landed(unit)

    def _overlaps(self) -> bool:
        """Return whether the last unit of the batch in flight may land now without causing an answer."""
        if len(self._flight) > 1 or not self._queue:
            return False
        head = self._queue[0]
        return not isinstance(head, Barrier) and head.since > self._late()

    def _hand_out(self, batch: Batch, reply: Any, epoch: int) -> None:
        try:
            _, results, flat, time = reply
            versions = dict(zip(flat[::2], flat[1::2], strict=True)) if flat else {}
            stored_at = int(time)
            if len(results) != len(batch.sends):
                raise ValueError(f"{len(results)} results for {len(batch.sends)} messages")
        except Exception:
            self.log.failure("the reply to a batch was not understood; its messages are answered UNKNOWN")
            self._guarded(self._doubt)
            self._refuse(batch.sends, unknown())
            return
        self.answered += len(results)
        self._guarded(self._stored, batch.sends, results, versions, epoch, stored_at)

    def _refuse(self, operations: Sequence[Send | Call], refusal: Refusal) -> None:
        for operation in operations:
            self._guarded(operation.fail, refusal)

    def _guarded(self, settle: Callable[..., object], *args: Any) -> None:
        try:
            settle(*args)
        except Exception:
            self.log.failure("the outcome of a commit could not be taken")

    def _failed(self, failure: Failure, unit: Batch | Call) -> None:
        error = failure.value
        if self._again:
            # This unit was refused like the one before it, or not run: the same fence, on the same connection.
            self._go_again(unit)
            return
        if isinstance(error, Unavailable) or (isinstance(error, ReplyError) and error.word in PASSING):
            refusal = tryagain()
        else:
            self._guarded(self._doubt)
            if isinstance(error, Unknown):
                refusal = unknown() if isinstance(unit, Batch) else doubtful()
            else:
                refusal = Refusal("INTERNAL")
                self.log.error("the store refused a commit: {error}", error=failure.getErrorMessage())
        self._refuse(unit.sends if isinstance(unit, Batch) else [unit], refusal)
        self._landed(unit)

    def _go_again(self, unit: Batch | Call) -> None:
        self._again.append(unit)
        self._landed(unit)

    def _landed(self, unit: Batch | Call) -> None:
        unit.landed = True
        self._land()

    def _land(self) -> None:
        """Remove landed units from the head of the batch in flight; a barrier lands when all units before it have."""
        flight = self._flight
        while flight and flight[0].landed:
            unit = flight.popleft()
            if isinstance(unit, Barrier):
                if self._again:
                    self._again.append(unit)
                else:
                    self._guarded(unit.settle)
        if flight:
            return
        again = bool(self._again)
        self._put_back()
        if self._disowned:
            self.refuse_all()
        if again:
            self._guarded(self._mend, self._refused)
        else:
            self.go_on()

    def _put_back(self) -> None:
        """Return the units that were refused whole to the head of the queue, in their order."""
        again, self._again = self._again, []
        operations: list[Operation] = []
        for unit in again:
            if isinstance(unit, Batch):
                operations += unit.sends
            else:
                unit.landed = isinstance(unit, Barrier)
                operations.append(unit)
        self._queue.extendleft(reversed(operations))
