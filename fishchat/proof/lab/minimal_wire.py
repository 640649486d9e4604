"""One connection of the small client: lines, commands and their answers in order, acknowledgements, deadlines."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

#: Pushes after which an acknowledgement is sent, and the longest delay of one in seconds.
BATCH, LATE = 64, 0.2
#: Seconds until an answer counts as missing (the document says five), and of silence until a ping.
DUE, QUIET = 7.0, 10.0

_TRANSIENT = frozenset({"TRYAGAIN", "UNKNOWN", "FLOOD", "BUSY", "SIGNUPS"})
_PAIR = re.compile(r"([a-z_]+)=(\S+)(?: |$)")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_PLAIN = {escape: plain for plain, escape in _ESCAPES.items()}

log = Logger()


@dataclass
class Answer:
    """The final reply to a command: ``OK`` or the word of an error, and the items of a list, unescaped.

    :ivar tags: those of each item, as they are in the line.
    """

    word: str
    text: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    items: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    @property
    def passes(self) -> bool:
        """Whether the same command may succeed later."""
        return self.word in _TRANSIENT or "retry" in self.keys

    @property
    def retry(self) -> float:
        """The seconds to wait before it is sent again."""
        return min(max(float(self.keys.get("retry", "0.1")), 0.05), 10.0)


#: The answer to a command whose real answer can no longer arrive.
LOST = Answer("")


def escape(text: str) -> tuple[str, str]:
    """Return a text as it is sent, and the tag that it needs."""
    if "\n" not in text and "\r" not in text:
        return text, ""
    return re.sub(r"[\n\r\\]", lambda found: _ESCAPES[found[0]], text), ";esc"


def unescape(tags: str, text: str) -> str:
    """Return the original text of one that came with these tags."""
    return re.sub(r"\\[nr\\]", lambda found: _PLAIN[found[0]], text) if "esc" in tags.split(";") else text


def error(rest: str) -> Answer:
    """Return the answer that follows ``ERR VERB``."""
    word, _, text = rest.partition(" ")
    keys = {}
    while pair := _PAIR.match(text):
        keys[pair[1]] = pair[2]
        text = text[pair.end() :]
    return Answer(word, text, keys)


class Link(LineOnlyReceiver):
    """A connection to a msg_server or the gateway.

    :param pushed: is called with this link and each push: its verb, what follows, and its tags.
    :ivar greeted: fires with ``OK``, or with the error that came instead of the greeting.
    :ivar synced: fires with true, by the reader of pushes, or with false when the connection is lost before.
    :ivar lost: fires when the connection has ended.
    :ivar end: the reason of the end, if the server gave one; ``move``: the server to connect to next.
    :ivar leaving: whether no command may be sent any more, and pushes are ignored.
    """

    MAX_LENGTH = 16384
    transport: Any

    def __init__(self, reactor: Any, pushed: Callable[[Link, str, str, str], None]) -> None:
        self._reactor, self._pushed = reactor, pushed
        self._waiting: deque[tuple[str, float, Callable[[Answer], None]]] = deque()
        self._items: list[str] = []
        self._tags: list[str] = []
        self._count = 0
        self._heard = self._answered = reactor.seconds()
        self._watch = LoopingCall(self._look)
        self._watch.clock = reactor
        self._given: dict[str, str] = {}
        self._owed: set[str] = set()
        self._pushes = 0
        self._late: Any = None
        self._leave_by = float("inf")
        self.greeted: Deferred[Answer] = Deferred()
        self.synced: Deferred[bool] = Deferred()
        self.lost: Deferred[None] = Deferred()
        self.end = self.move = ""
        self.leaving = self._dead = False

    @property
    def usable(self) -> bool:
        """Whether new commands may be sent here."""
        return not (self.leaving or self.move or self._dead)

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self._watch.start(0.5, now=False)

    def say(self, words: str, answered: Callable[[Answer], None], tags: str = "") -> None:
        """Send a command. ``answered`` is called once, with ``LOST`` when no answer can arrive any more."""
        self._count += 1
        self._waiting.append((f"id={self._count}", self._reactor.seconds(), answered))
        self.sendLine(f"@id={self._count}{tags} {words}".encode())

    def ask(self, words: str, tags: str = "") -> Deferred[Answer]:
        """Send a command; fires with its answer, or ``LOST``."""
        asked: Deferred[Answer] = Deferred()
        self.say(words, asked.callback, tags)
        return asked

    def lineReceived(self, line: bytes) -> None:
        if self._dead:
            return
        self._heard = self._reactor.seconds()
        try:
            words, tags = line.decode(), ""
            if words.startswith("@"):
                tags, _, words = words[1:].partition(" ")
            verb, _, rest = words.partition(" ")
            self._read(verb, rest, tags)
        except Exception:
            # No connection is better than one with a misunderstanding.
            log.failure("a line that cannot be: {line!r}", line=line)
            self.abort()

    def _read(self, verb: str, rest: str, tags: str) -> None:
        if verb.startswith("RESP_"):
            self._pushed(self, verb, rest, tags)
            if self._pushes >= BATCH:
                self.acknowledge()
        elif not self.greeted.called:
            self._greet(verb, rest)
        elif verb == "ERR" and rest.startswith("SEND_ACK "):
            self._not_acknowledged(error(rest.partition(" ")[2]))
        else:
            self._reply(verb, rest, tags)

    def _greet(self, verb: str, rest: str) -> None:
        self.greeted.callback(error(rest.partition(" ")[2]) if verb == "ERR" else Answer("OK"))

    def _reply(self, verb: str, rest: str, tags: str) -> None:
        self._answered = self._heard
        # The answer to a line that could not be parsed has no tags.
        assert self._waiting[0][0] in tags.split(";") or rest.startswith("- "), "the answer to another command"
        if verb == "BEGIN":
            return
        if verb == "ITEM":
            self._items.append(unescape(tags, rest))
            self._tags.append(tags)
            return
        text = rest.partition(" ")[2]
        answer = error(text) if verb == "ERR" else Answer("OK", text if verb in ("OK", "END") else rest)
        answer.items, self._items = self._items, []
        answer.tags, self._tags = self._tags, []
        self._waiting.popleft()[2](answer)
        self._leave_when_answered()

    def given(self, conversation: str, id_: str) -> None:
        """Acknowledge this push soon; it was received now or earlier."""
        self._given[conversation] = id_
        self._owed.add(conversation)
        self._pushes += 1
        self._acknowledge_in(LATE)

    def _acknowledge_in(self, seconds: float) -> None:
        if self._late is None:
            self._late = self._reactor.callLater(seconds, self._be_late)

    def _not_acknowledged(self, why: Answer) -> None:
        if why.passes:
            # The error does not name the acknowledgement that failed.
            self._owed.update(self._given)
            self._acknowledge_in(max(why.retry, LATE))
        else:
            log.warn("an acknowledgement is refused: {word} {text}", word=why.word, text=why.text)

    def _be_late(self) -> None:
        self._late = None
        self.acknowledge()

    def acknowledge(self) -> None:
        """Send all acknowledgements that are due."""
        for conversation in self._owed if not self.leaving else ():
            self.sendLine(b"SEND_ACK " + self._given[conversation].encode())
        self._owed.clear()
        self._pushes = 0

    def move_to(self, place: str, seconds: float) -> None:
        """Leave when everything is answered, or after half of the seconds in which the server ends."""
        self.move, self._leave_by = place, self._reactor.seconds() + seconds / 2
        self._leave_when_answered()

    def _leave_when_answered(self) -> None:
        if self.move and not self._waiting:
            self.leave()

    def leave(self) -> None:
        """Send acknowledgements that are due and QUIT; pushes are ignored from now on."""
        if not self.leaving:
            self.acknowledge()
            self.leaving = True
            self.say("QUIT", lambda answer: self.transport.loseConnection())

    def abort(self) -> None:
        """Abort the connection; later input is not read."""
        self._dead = True
        self.transport.abortConnection()

    def _look(self) -> None:
        """Abort a half-open connection, and send a ping on a silent one."""
        now = self._reactor.seconds()
        since = now
        if not self.greeted.called:
            since = self._heard
        elif self._waiting:
            # The server processes commands in order, so this one began with the answer to the one before it.
            since = max(self._waiting[0][1], self._answered)
        elif not self.synced.called:
            since = self._heard
        if now - since > DUE:
            self.abort()
        elif now > self._leave_by:
            self.leave()
        elif now - self._heard > QUIET and not self._waiting:
            self.say("SEND_PING", lambda answer: None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._dead = True
        self._watch.stop()
        if self._late is not None:
            self._late.cancel()
        if not self.greeted.called:
            self.greeted.callback(LOST)
        if not self.synced.called:
            self.synced.callback(False)
        while self._waiting:
            self._waiting.popleft()[2](LOST)
        self.lost.callback(None)
