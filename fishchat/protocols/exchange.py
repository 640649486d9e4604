"""What every server does with the commands of one peer: bound their rate, carry them out, refuse them. No I/O.

A subclass says what a command does: ``sessions.session`` for the msg_server, ``gateway`` for the gateway. How commands
arrive and how lines leave is the business of the peer (:class:`fishchat.interfaces.IPeer`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from fishchat.errors import ProtocolError, Refusal
from fishchat.model.bucket import Bucket
from fishchat.protocols.fields import Tags
from fishchat.protocols.flow import FLOOD
from fishchat.protocols.replies import error_line
from fishchat.protocols.rows import Verb
from fishchat.protocols.table import BadCommand, Command, Table

if TYPE_CHECKING:
    # It imports Twisted, for types of its own.
    from fishchat.interfaces import IPeer

#: Seconds for which a peer that has sent too fast is not read: refusing is work, too.
REST = 1.0


class IClock(Protocol):
    """The part of Twisted's clocks that is needed here."""

    def seconds(self) -> float:
        """Return the time."""

    def callLater(self, delay: float, callable: Any, *args: Any, **kw: Any) -> Any:
        """Call ``callable`` after ``delay`` seconds."""


class Exchange:
    """The commands of one peer and their answers.

    :cvar commands: the verbs that this server knows.
    :ivar bucket: how fast the peer may send; None: as it likes.
    :ivar since: when the connection began, in seconds of the clock.
    :ivar pinged: whether the peer was pinged in its present silence.
    :ivar said_hello: whether the peer has said HELLO, as programs do. A person is never asked to answer a ping, and is
        slowed down where a program is refused.
    """

    __slots__ = ("__weakref__", "bucket", "clock", "peer", "pinged", "said_hello", "since")

    commands: Table

    def __init__(self, peer: IPeer, clock: IClock) -> None:
        self.peer = peer
        self.clock = clock
        self.since = clock.seconds()
        self.bucket: Bucket | None = None
        self.pinged = False
        self.said_hello = False

    # -- what a subclass says

    def carry_out(self, command: Command) -> None:
        """Do what a well-formed command asks for. A Refusal raised here becomes its ``ERR`` line."""
        raise NotImplementedError

    def opened(self) -> None:
        """Take note that the connection is there; it may not be possible to write to it yet."""

    def greet(self) -> None:
        """Write the first line: the peer can be written to."""

    def closed(self) -> None:
        """Take note that the connection is gone."""

    def full(self) -> None:
        """Stop pushing: the peer's transport takes nothing more."""

    def free(self) -> None:
        """Push again: the peer's transport has room."""

    def is_done(self) -> bool:
        """Return whether all that the peer has asked for is answered."""
        return True

    def refuse(self, refusal: Refusal, verb: Verb | None, tags: Tags) -> None:
        """Answer with an ``ERR`` line."""
        self.peer.send(error_line(refusal, verb, tags))

    # -- what a peer calls

    def received(self, command: Command) -> None:
        """Carry out a command that arrived, or refuse it."""
        free, bucket = command.verb.free, self.bucket
        try:
            if not free and bucket is not None and (wait := bucket.take(self.clock.seconds())):
                self._too_fast(bucket, wait)
            self.carry_out(command)
        except Refusal as refusal:
            if free:
                self._spend()
            self.refuse(refusal, command.verb, command.tags)

    def misread(self, error: ProtocolError) -> None:
        """Refuse what is no command. It counts for the rate all the same."""
        self._spend()
        if isinstance(error, BadCommand):
            self.refuse(error, error.verb, error.tags)
        else:
            self.refuse(error, None, {})

    def _too_fast(self, bucket: Bucket, wait: float) -> None:
        """Stop reading for a moment. Raises Refusal for a program; the command of a person is carried out on credit."""
        if self.said_hello:
            self._rest(REST)
            raise Refusal("FLOOD", retry=math.ceil(wait))
        bucket.owe()
        self._rest(max(REST, wait))

    def _spend(self) -> None:
        """Take a token for what was refused."""
        if self.bucket is not None and self.bucket.take(self.clock.seconds()):
            self._rest(REST)

    def _rest(self, seconds: float) -> None:
        """Do not read the peer for some seconds."""
        if not self.peer.flow.reasons & FLOOD:
            self.peer.hold(FLOOD)
            self.clock.callLater(seconds, self.peer.read_on, FLOOD)
