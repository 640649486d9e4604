"""Whether a peer is read: a set of reasons not to read it, and the commands that wait for their answers. No I/O.

A peer is read while there is no reason against it. With the first reason its transport is paused, and what arrives is
kept: the backlog, which is a reason of its own. When all other reasons are gone, the backlog is processed at the end of
the turn, and the transport is resumed after that::

    reading  --hold-->  held  --last release-->  due  --end of the turn-->  backlog  --empty-->  reading
                         ^                        |                            |
                         +---------hold-----------+-----------hold-------------+
"""

from __future__ import annotations

#: The transport's buffer is full.
FULL = 2
#: The peer has sent too fast.
FLOOD = 4
#: A step of a login is under way: what it decides, the next command needs.
LOGIN = 8
#: An answer is under way that may be long, or takes its time.
LIST = 16
#: Too many commands wait for their answers.
PENDING = 32
#: The peer has had its share of this turn.
SHARE = 64
#: The server is stopping.
STOPPING = 128
#: What arrived while the peer was not read is still to be processed. Set and cleared by ``Flow`` itself.
BACKLOG = 1

#: Commands of one connection that may wait for their answers; then it is not read until half of them are answered.
WAITING = 64
#: Commands of one connection that are processed in one turn, so that other connections have their share of it.
LINES = 64


class Flow:
    """The reasons for which one peer is not read.

    :ivar reasons: a sum of the constants above; 0 while the peer is read.
    :ivar pending: commands whose answers are still to come.
    """

    __slots__ = ("_due", "pending", "reasons")

    def __init__(self) -> None:
        self.reasons = 0
        self.pending = 0
        self._due = False

    @property
    def held(self) -> bool:
        """Whether there is a reason beside the backlog."""
        return self.reasons > BACKLOG

    def hold(self, reason: int) -> bool:
        """Add a reason. Returns whether the peer was read until now: its transport is to be paused."""
        was_read = not self.reasons
        # A peer that is held for any reason is read again when at most half of its commands still wait.
        self.reasons |= reason | BACKLOG | (PENDING if self.pending > WAITING // 2 else 0)
        return was_read

    def release(self, reason: int) -> bool:
        """Remove a reason. Returns whether ``resume`` is to be called at the end of the turn."""
        self.reasons &= ~reason
        if self.reasons != BACKLOG or self._due:
            return False
        self._due = True
        return True

    def resume(self) -> bool:
        """Begin to process the backlog. Returns False when the peer was held again in the meantime."""
        self._due = False
        return self.reasons == BACKLOG

    def drained(self) -> None:
        """The backlog is processed: the peer is read."""
        self.reasons = 0

    def asked(self) -> bool:
        """Count a command whose answer will come. Returns whether ``hold(PENDING)`` is to be called."""
        self.pending += 1
        return self.pending >= WAITING or (self.pending > WAITING // 2 and self.reasons > BACKLOG)

    def answered(self) -> bool:
        """Count an answer. Returns whether ``release(PENDING)`` is to be called."""
        self.pending -= 1
        return self.pending <= WAITING // 2 and self.reasons & PENDING != 0
