"""Group commit: everything that clients want written goes through one queue, one flight at a time.

A flight is what has gathered while the one before was away, neighbouring messages packed into one script call. Redis
runs a flight in one turn and fsyncs it once. Answers come in the order of the queue, so a connection's commands take
effect and are answered in order.

An outcome is never invented: what was not sent is refused as ``TRYAGAIN``, what was sent and not answered is
``UNKNOWN``. A flight that was refused whole, for its lease or its epoch, goes again when that is mended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
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
from fishchat.storage.logs.calls import SEND
from fishchat.storage.redis import ReplyError, Unavailable, Unknown

#: One flight holds at most this many batches, calls and marks.
CALLS = 200
#: Seconds after which everything is answered: what is left of them by the deadline of a call, an operation may wait.
ANSWERED = 4.5

#: What Redis says when it took nothing and may take it later.
PASSING = frozenset(
    {"OOM", "LOADING", "READONLY", "MISCONF", "BUSY", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"}
)


T = TypeVar("T")

#: Takes the messages of a batch that were stored: the sends, a number or a refusal for each, the membership versions
#: of their topics, the epoch, and when they were stored in ms.
Stored = Callable[[list[Send], list[Any], dict[bytes, int], int, int], None]


class Commits:
    """The queue.

    :param fence: under which lease and epoch to write now; None while there is none.
    :param mend: called with ``LEASE`` or ``EPOCH`` when a flight was refused; ``go_on`` is to be called when that is
        mended.
    :param doubt: called when nobody knows whether something was stored.
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
        mend: Callable[[str], None],
        doubt: Callable[[], None],
        stored: Stored,
    ) -> None:
        self._connection = connection
        self._turn = turn
        self._clock = clock
        self._stream = stream
        self._fence = fence
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
        #: How many script calls were made, and messages answered: figures of the heartbeat.
        self.calls = self.answered = 0

    def add(self, operation: Operation) -> None:
        """Put ``operation`` into the next flight."""
        operation.since = self._clock.seconds()
        self._queue.append(operation)
        if not self._flight and not self._asked:
            self._asked = True
            self._turn.at_end(self.go_on)

    def ask(self, ask: Ask[T]) -> Deferred[T]:
        """Make a call in its turn; fails with the Refusal."""
        done: Deferred[T] = Deferred()
        self.add(Call.of(ask, done.callback, done.errback))
        return done

    def when_idle(self) -> Deferred[None]:
        """Fires when nothing waits and nothing flies."""
        done: Deferred[None] = Deferred()
        self._idle.append(done)
        self._tell_idle()
        return done

    def go_on(self) -> None:
        """Start a flight if one can start; to be called, too, when the store is there again."""
        self._asked = False
        if self._flight:
            return
        self.expire()
        if self._queue and self._connection.connected and (fence := self._fence()) is not None:
            self._start(fence)
        self._tell_idle()

    def expire(self) -> None:
        """Refuse what has waited too long; to be called twice a second.

        While a flight is away nothing is refused: its answers come first, and it has a deadline of its own.
        """
        if self._flight:
            return
        late = self._late()
        while self._queue and self._queue[0].since <= late:
            self._guarded(self._queue.popleft().fail, tryagain())
        self._tell_idle()

    def refuse_all(self) -> None:
        """Refuse what waits: the server has lost the right to write it.

        What flies is answered first, and does not go again when it was refused for the lease.
        """
        self._disowned = bool(self._flight)
        while self._queue and not self._flight:
            self._guarded(self._queue.popleft().fail, tryagain())
        self._tell_idle()

    def _late(self) -> float:
        return self._clock.seconds() - max(0.5, ANSWERED - self._connection.timeout)

    def _tell_idle(self) -> None:
        if self._idle and not self._queue and not self._flight:
            waiting, self._idle = self._idle, []
            for done in waiting:
                done.callback(None)

    def _gather(self) -> list[Unit]:
        """The next flight, from the head of the queue."""
        units: list[Unit] = []
        queue = self._queue
        batch: Batch | None = None
        while queue and len(units) < CALLS:
            one = queue.popleft()
            if not isinstance(one, Send):
                batch = None
                units.append(one)
                continue
            if batch is None:
                batch = Batch()
                units.append(batch)
            batch.sends.append(one)
            batch.size += len(one.body)
            if batch.full():
                break
        return units

    def _start(self, fence: Fence) -> None:
        units = self._gather()
        self._flight.extend(units)
        for unit in units:
            if isinstance(unit, Barrier):
                continue
            if isinstance(unit, Batch):
                script, values = SEND, unit.values(fence, self._stream)
            else:
                values = (*fence.args, *unit.arguments) if unit.fenced else unit.arguments
                script = unit.script
            self.calls += 1
            self._connection.call(script, *values).addCallbacks(
                self._answered, self._failed, callbackArgs=(unit, fence), errbackArgs=(unit,)
            )
        self._land()

    def _answered(self, reply: Any, unit: Batch | Call, fence: Fence) -> None:
        refused = isinstance(reply, list) and reply and reply[0] in (b"LEASE", b"EPOCH")
        if refused:
            self._refused = reply[0].decode()
        if refused or self._again:
            # What only asks, or ends a session, is not refused; but it must not overtake what goes again before it.
            self._go_again(unit)
        elif isinstance(unit, Call):
            self._guarded(unit.settle, reply)
            self._landed(unit)
        elif self._overlaps():
            # The next flight starts before this one's messages are handed out: Redis works meanwhile.
            self._landed(unit)
            self._hand_out(unit, reply, fence.epoch)
        else:
            self._hand_out(unit, reply, fence.epoch)
            self._landed(unit)

    def _overlaps(self) -> bool:
        """Whether the last unit of the flight may land now without anything being answered by that."""
        if len(self._flight) > 1 or not self._queue:
            return False
        head = self._queue[0]
        return not isinstance(head, Barrier) and head.since > self._late()

    def _hand_out(self, batch: Batch, reply: Any, epoch: int) -> None:
        _, results, flat, time = reply
        self.answered += len(results)
        versions = dict(zip(flat[::2], flat[1::2], strict=True)) if flat else {}
        self._guarded(self._stored, batch.sends, results, versions, epoch, int(time))

    def _guarded(self, settle: Callable[..., object], *args: Any) -> None:
        try:
            settle(*args)
        except Exception:
            self.log.failure("the outcome of a commit could not be taken")

    def _failed(self, failure: Failure, unit: Batch | Call) -> None:
        error = failure.value
        if self._again:
            # It was refused like the one before it, or not done: the same fence, on the same connection.
            self._go_again(unit)
            return
        if isinstance(error, Unavailable) or (isinstance(error, ReplyError) and error.word in PASSING):
            refusal = tryagain()
        else:
            self._doubt()
            if isinstance(error, Unknown):
                refusal = unknown() if isinstance(unit, Batch) else doubtful()
            else:
                refusal = Refusal("INTERNAL")
                self.log.error("the store refused a commit: {error}", error=failure.getErrorMessage())
        for operation in unit.sends if isinstance(unit, Batch) else [unit]:
            self._guarded(operation.fail, refusal)
        self._landed(unit)

    def _go_again(self, unit: Batch | Call) -> None:
        self._again.append(unit)
        self._landed(unit)

    def _landed(self, unit: Batch | Call) -> None:
        unit.landed = True
        self._land()

    def _land(self) -> None:
        """Take what has landed from the head of the flight; marks land when all before them have."""
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
            self._mend(self._refused)
        else:
            self.go_on()

    def _put_back(self) -> None:
        """What was refused whole goes to the head of the queue again, in its order."""
        again, self._again = self._again, []
        operations: list[Operation] = []
        for unit in again:
            if isinstance(unit, Batch):
                operations += unit.sends
            else:
                unit.landed = isinstance(unit, Barrier)
                operations.append(unit)
        self._queue.extendleft(reversed(operations))
