"""The client's side of the line protocol: takes lines and the time, returns events and the lines to send.

The machine has no transport, reactor or clock. Its driver calls ``connected`` (with TLS ``secured`` too), ``received``,
``tick`` and ``lost``, then takes ``events()``, then ``lines(now)``, saves ``snapshot()`` while ``changed`` is true,
writes the lines, and calls ``tick`` at ``deadline()``. In this order, the user's response to an event is saved together
with everything that follows from it.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fishchat.client.events import Behind, Broken, Ended, Gap, Message, Notice, Online, Operation, Settled
from fishchat.client.login import Login, Step, masked
from fishchat.client.outbox import Errand, Outbox
from fishchat.client.pushes import parse_push
from fishchat.client.ranges import Ranges
from fishchat.client.receipts import Receipts
from fishchat.client.replies import parse_error
from fishchat.client.state import ClientState
from fishchat.errors import ProtocolError
from fishchat.features.accounts import client as accounts
from fishchat.features.messages.rows import SEND_ACK
from fishchat.features.requests import Numbered, RefusedError, Reply, Request
from fishchat.features.session.client import Bye, Pinged, Replaced, Revoked
from fishchat.features.session.rows import QUIT, SEND_PING
from fishchat.model.names import Position, split_id
from fishchat.protocols.fields import NO_TAGS
from fishchat.protocols.lines import OVERLONG, parse_tags

#: The most commands on the wire without a reply.
WINDOW = 32
#: Seconds of silence before a ping, and before the connection is dropped while a command is unanswered. A server
#: answers within five.
QUIET = 30.0
PATIENCE = 10.0

#: Errors without a verb that answer an unreadable line of ours. All others without a verb are about the connection.
_UNREAD = frozenset({"BADUTF8", "NUL", "CONTROL", "TOOLONG", "UNKNOWN_VERB", "SERVER_VERB", "FIELDS", "BADTAG"})
#: Refusals of a login that may not happen on another server or at another time.
_PASSING = frozenset({"TRYAGAIN", "UNKNOWN", "FLOOD", "BUSY", "INTERNAL", "STATE"})


class Phase(enum.Enum):
    """The phase of the connection."""

    AWAY = "not connected"
    GREETING = "waiting for the greeting"
    ENTERING = "agreeing on capabilities, logging in"
    ONLINE = "logged in"
    CLOSING = "said QUIT"
    BROKEN = "of no use, to be dropped"
    ENDED = "through, not to be connected again"


class Pending(Protocol):
    """A command on the wire."""

    @property
    def verb(self) -> bytes:
        """The verb that its reply repeats."""

    def answered(self, reply: Reply, now: float) -> None:
        """Process the final reply."""


@dataclass(slots=True)
class _Own:
    """A command of the machine itself."""

    verb: bytes
    then: Callable[[Reply, float], None]

    def answered(self, reply: Reply, now: float) -> None:
        self.then(reply, now)


class Machine:
    """One device of one account.

    :param secret: the secret for logging in without a token (see ``login``); never part of a state.
    :param state: the state saved by an earlier program. Raises ValueError if it is of another account or device.
    :param manual_ack: whether a message is acknowledged only after ``finish`` or ``finish_up_to``. Otherwise it is
        acknowledged on delivery.
    :param lazy: whether to be pushed only the newest messages after a long absence. Each ``Behind`` is part of the
        state until ``finish_range``; without ``manual_ack``, until it is delivered.
    :param own_reads: whether to be told (``Read``) what other devices of the account have read.
    :param operations: whether to be told what is done to messages: ``Edited``, ``Recalled``, ``Reacted``, ``Pinned``.
    """

    def __init__(
        self,
        account: str,
        device: str = "main",
        *,
        secret: str | None = None,
        state: ClientState | None = None,
        manual_ack: bool = False,
        lazy: bool = False,
        own_reads: bool = False,
        operations: bool = False,
    ) -> None:
        self.account, self.device, self.manual_ack = account, device, manual_ack
        self.operations = operations
        self.phase = Phase.AWAY
        wanted = [name for name, is_wanted in ((b"lazy", lazy), (b"ops", own_reads or operations)) if is_wanted]
        self._login = Login(account, device, secret, wanted)
        self._events: list[object] = []
        self._first: list[bytes] = []
        self._fifo: deque[Pending] = deque()
        self._reply = Reply()
        self._draining = self._quit = False
        self._heard = 0.0
        #: When the oldest unanswered command was sent, or earlier; whether none was unanswered at the last check.
        self._asked = 0.0
        self._idle = True
        self._give_up: float | None = None
        self._login_at: float | None = None
        self._outbox = Outbox(account, self._settled, self._stored)
        self._receipts = Receipts()
        self._ranges = Ranges()
        self._changed = False
        if state is not None:
            self._restore(state)

    # Calls of the user.

    def send(self, to: str, text: str, reply: str | None = None, mention: Iterable[str] | None = None) -> int:
        """Queue a message and return its key. One Settled with the id or the refusal follows. Raises RefusedError."""
        return self._outbox.send(to, text, reply, mention)

    def operate(self, operation: Numbered) -> int:
        """Queue an operation on a message and return its key. One Settled with its id or the refusal follows."""
        return self._outbox.operate(operation)

    def ask(self, request: Request[Any]) -> int:
        """Queue another command and return its key. One Settled with the result or the refusal follows."""
        return self._outbox.ask(request)

    def change_password(self, password: str) -> int:
        """Queue a change of the password, which the device then uses to log in. Raises RefusedError."""
        request = accounts.change_password(password)
        return self.ask(replace(request, result=lambda reply: self._login.renew(password)))

    def finish(self, message_id: str, now: float) -> None:
        """Mark this message as handled. Raises ValueError if it was not delivered."""
        conversation, epoch, seq = split_id(message_id.encode())
        self._receipts.finish(conversation, (epoch, seq), now)
        self._changed = True

    def finish_up_to(self, message_id: str, now: float) -> None:
        """Mark this message and all before it as handled. Raises ValueError if it was not delivered."""
        conversation, epoch, seq = split_id(message_id.encode())
        self._receipts.finish_up_to(conversation, (epoch, seq), now)
        self._changed = True

    def finish_range(self, behind: Behind) -> None:
        """Mark a range that was not pushed as handled. Raises ValueError if it was not delivered."""
        self._ranges.finish(behind)
        self._changed = True

    def drain(self) -> None:
        """Send no new commands on this connection. It can be dropped without doubtful sends when ``drained``."""
        self._draining = True

    @property
    def drained(self) -> bool:
        """Whether a draining connection has received all its replies."""
        return self._draining and not self._fifo

    def close(self) -> None:
        """Send the acknowledgements that are due, and QUIT. Ended follows."""
        if self.phase is Phase.ONLINE:
            self.phase = Phase.CLOSING
        elif self.phase not in (Phase.CLOSING, Phase.ENDED):
            self._end("stopped")

    # Events of the connection.

    def connected(self, now: float) -> None:
        """Handle a new connection, on which the server sends the first line."""
        self.phase = Phase.GREETING
        self._login.connected()
        self._heard = now
        self._give_up = now + PATIENCE

    def secured(self, binding: bytes | None) -> None:
        """Record that the new connection has TLS; ``binding`` (``tls-server-end-point``) is None if not defined."""
        self._login.secured(binding)

    def lost(self) -> None:
        """Handle the loss of the connection. Commands without a reply are sent again on the next one."""
        self._outbox.lost([one for one in self._fifo if isinstance(one, Errand)])
        self._receipts.lost()
        self._fifo.clear()
        self._first.clear()
        self._reply = Reply()
        self._draining = self._quit = False
        self._give_up = self._login_at = None
        if self.phase is Phase.CLOSING:
            self._end("stopped")
        elif self.phase is not Phase.ENDED:
            self.phase = Phase.AWAY

    def received(self, line: bytes, now: float) -> None:
        """Process a line from the server, without its ending."""
        if self.phase in (Phase.AWAY, Phase.BROKEN, Phase.ENDED):
            return
        self._heard = now
        if self.phase in (Phase.ONLINE, Phase.CLOSING):
            self._give_up = None
        try:
            self._take(line, now)
        except (ValueError, ProtocolError) as error:
            self._break(f"a line that is no part of the protocol ({error}): {line[:80]!r}")

    def tick(self, now: float) -> None:
        """Perform all actions that are due."""
        if self._give_up is not None and now >= self._give_up:
            self._break("the server is silent")
        elif self._fifo and now >= self._overdue:
            self._break("the server does not answer")
        elif self._login_at is not None and now >= self._login_at:
            self._log_in(now)
        elif self.phase is Phase.ONLINE and self._give_up is None and now >= self._heard + QUIET:
            self._give_up = now + PATIENCE
            self._ping()

    # Output.

    def events(self) -> list[object]:
        """Return the events since the last call."""
        events, self._events = self._events, []
        return events

    def lines(self, now: float) -> list[bytes]:
        """Return the lines to send now, without their endings."""
        lines, self._first = self._first, []
        if self.phase is Phase.ONLINE and not self._draining:
            while len(self._fifo) < WINDOW and (command := self._outbox.take(now)) is not None:
                self._fifo.append(command)
                lines.append(command.line)
        closing = self.phase is Phase.CLOSING
        if closing or (self.phase is Phase.ONLINE and (self._draining or self._receipts.due(now))):
            lines.extend(SEND_ACK.name + b" " + one for one in self._receipts.take())
        if closing and not self._quit:
            self._quit = True
            lines.append(QUIT.line())
            self._fifo.append(_Own(QUIT.name, self._quitted))
        if self._idle:
            self._asked = now
        self._idle = not self._fifo
        return lines

    @property
    def _overdue(self) -> float:
        return max(self._heard, self._asked) + PATIENCE

    def deadline(self, now: float) -> float | None:
        """Return the latest time for the next call of ``tick`` and ``lines``; None: only after an event."""
        times = [self._give_up, self._login_at]
        if self._fifo:
            times.append(self._overdue)
        if self.phase is Phase.ONLINE:
            times += [self._receipts.deadline, self._outbox.deadline(now)]
            if self._give_up is None:
                times.append(self._heard + QUIET)
        return min((time for time in times if time is not None), default=None)

    @property
    def changed(self) -> bool:
        """Whether ``snapshot`` may differ from the last saved one."""
        return self._changed or self._outbox.changed or self._login.changed

    def saved(self) -> None:
        """Record that the current snapshot has been saved."""
        self._changed = self._outbox.changed = self._login.changed = False

    def snapshot(self) -> ClientState:
        """Return the state to keep across a restart."""
        state = ClientState(self.account, self.device, token=self._login.token)
        self._outbox.save(state)
        self._receipts.save(state)
        self._ranges.save(state)
        return state

    def _restore(self, state: ClientState) -> None:
        if (state.account, state.device) != (self.account, self.device):
            raise ValueError(f"the state is of {state.account}/{state.device}, not of {self.account}/{self.device}")
        self._login.token = state.token
        self._outbox.restore(state)
        self._receipts.restore(state)
        self._events += self._ranges.restore(state)

    # Processing of one line.

    def _take(self, line: bytes, now: float) -> None:
        if line == OVERLONG:
            raise ValueError("it is too long")
        escaped, tags = False, NO_TAGS
        if line[:1] == b"@":
            raw, _, line = line[1:].partition(b" ")
            tags = parse_tags(raw)
            escaped = b"esc" in tags
        verb, _, rest = line.partition(b" ")
        if verb[:5] == b"RESP_":
            if self.phase is Phase.ONLINE:  # while closing, a message could not be acknowledged any more
                self._pushed(verb, rest, escaped, tags, now)
        elif verb == b"ITEM":
            self._reply.items.append((rest, escaped))
            self._reply.tags.append(tags)
        elif verb in (b"OK", b"END"):
            which, _, self._reply.rest = rest.partition(b" ")
            self._answered(which, now)
        elif verb == b"ERR":
            which, _, rest = rest.partition(b" ")
            self._reply.error = parse_error(rest)
            self._answered(which, now)
        elif verb == b"HELLO" and self.phase is Phase.GREETING:
            self.phase = Phase.ENTERING
            self._step(lambda: self._login.greeted(rest), now)
        elif verb != b"BEGIN":
            raise ValueError("unknown verb")

    def _answered(self, verb: bytes, now: float) -> None:
        reply, self._reply = self._reply, Reply()
        error = reply.error
        if error is not None:
            if verb == SEND_ACK.name:  # only errors are answered; the cursor is not moved, so messages repeat
                return
            if verb == b"-" and (error.word not in _UNREAD or not self._fifo):
                self._break(f"the server says {error}")
                return
        if not self._fifo or (verb != self._fifo[0].verb and verb != b"-"):
            raise ValueError("a reply to no command")
        self._fifo.popleft().answered(reply, now)

    def _pushed(self, verb: bytes, rest: bytes, escaped: bool, tags: Mapping[bytes, bytes], now: float) -> None:
        push = parse_push(verb, rest, escaped, tags)
        if isinstance(push, Pinged):
            self._ping()
        elif isinstance(push, Replaced):
            self._end("replaced")
        elif isinstance(push, Revoked):
            self._revoked(push.why)
        elif isinstance(push, Bye):
            self._break(f"the server closes the connection: {push.sentence or push.why}")
        elif isinstance(push, (Message, Notice, Operation)):
            self._message(push, now)
        elif isinstance(push, Behind):
            self._behind(push)
        elif push is not None:
            if isinstance(push, Gap):
                self._receipts.announced(push.conversation.encode(), push.last)
            self._events.append(push)

    def _message(self, message: Message | Notice | Operation, now: float) -> None:
        conversation, epoch, seq = split_id(message.id.encode())
        self._overtaken(conversation, (epoch, seq))
        if self._receipts.arrived(conversation, (epoch, seq), now):
            # With the capability of read marks, operations come along. Unwanted, they are acknowledged all the same.
            is_wanted = self.operations or not isinstance(message, Operation)
            if is_wanted:
                self._events.append(message)
            if not self.manual_ack or not is_wanted:
                self.finish(message.id, now)
        self._changed = True

    def _behind(self, told: Behind) -> None:
        for part in self._ranges.told(told):
            self._events.append(part)
            if not self.manual_ack:
                self._ranges.finish(part)
        self._changed = True

    def _overtaken(self, conversation: bytes, position: Position) -> None:
        """Report a gap if this number was another message's: the store was restored while this device was away."""
        if (lost := self._receipts.overtaken(conversation, position)) is not None:
            self._events.append(Gap(conversation.decode(), lost[0][1], lost[1][1]))

    def _revoked(self, why: str) -> None:
        # Only the token is invalid, not the account: with a password another login may succeed.
        if why in ("password", "revoked") and self._login.forget():
            self._break(f"the server took the login back: {why}")
        else:
            self._end("revoked", detail=why)

    # The login, from the greeting to being online.

    def _step(self, take: Callable[[], Step | None], now: float) -> None:
        try:
            step = take()
        except RefusedError as error:
            self._kept_out(error, now)
            return
        if step is not None:
            self._say(*step, lambda reply, now: self._step(lambda: self._login.answered(reply), now))
        else:
            self.phase = Phase.ONLINE
            self._give_up = None
            self._events.append(Online())

    def _kept_out(self, error: RefusedError, now: float) -> None:
        if error.retry is not None and error.word != "BUSY":
            self._login_at = now + error.retry
            self._give_up = self._login_at + PATIENCE
        elif error.word in _PASSING:
            self._break(f"the server says {error}")
        else:
            self._end("refused", error)

    def _log_in(self, now: float) -> None:
        self._login_at = None
        self._step(self._login.again, now)

    # Helpers.

    def _say(self, verb: bytes, line: bytes, then: Callable[[Reply, float], None]) -> None:
        self._first.append(line)
        self._fifo.append(_Own(verb, then))

    def _ping(self) -> None:
        self._say(SEND_PING.name, SEND_PING.line(), lambda reply, now: None)

    def _quitted(self, reply: Reply, now: float) -> None:
        self._end("stopped")

    def _break(self, reason: str) -> None:
        self.phase = Phase.BROKEN
        self._give_up = self._login_at = None
        self._events.append(Broken(masked(reason)))

    def _end(self, reason: str, error: RefusedError | None = None, detail: str = "") -> None:
        self.phase = Phase.ENDED
        self._give_up = self._login_at = None
        self._events.append(Ended(reason, error, detail))

    def _settled(self, key: int, value: object) -> None:
        self._events.append(Settled(key, value))

    def _stored(self, conversation: bytes, raw_id: bytes) -> None:
        where, epoch, seq = split_id(raw_id)
        if where != conversation:
            raise ValueError("the id of another conversation")
        self._overtaken(conversation, (epoch, seq))
        self._receipts.sent(conversation, (epoch, seq))
