"""A client of the line protocol that was written from doc/protocol.md alone, so that it shares no mistake with ours.

It imports nothing of the product. The lab lets it talk in place of the client library: what one of them loses, doubles
or takes for granted, the other one shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from fishchat.lab.minimal_books import Had, Outbox, Send, position_of
from fishchat.lab.minimal_wire import LOST, Answer, Link, escape, log, unescape

#: Seconds between two connections at most, and of connecting.
PATIENCE, CONNECT = 2.0, 5.0
#: How often a message is sent again that the server fails at by a defect of its own.
DEFECTS = 3

_NAME = re.compile(r"#?[a-z0-9._-]{1,32}")


class Refused(Exception):
    """The server will never do it: its word, and its sentence for people."""

    def __init__(self, word: str, text: str) -> None:
        super().__init__(f"{word} {text}")
        self.word, self.text = word, text


class _Again(Exception):
    """It did not work; in ``retry`` seconds it may."""

    def __init__(self, why: str, retry: float = 0.0) -> None:
        super().__init__(why)
        self.retry = retry


class Closed(Exception):
    """The client has ended, for this reason, before the answer came."""


@dataclass(frozen=True)
class Message:
    """What somebody said, or a notice: then the conversation is ``@`` and the own account."""

    id: str
    conversation: str
    from_: str
    text: str


@dataclass(frozen=True)
class Gap:
    """Numbers of a conversation that cannot be given any more."""

    conversation: str
    first: int
    last: int


@dataclass(frozen=True)
class Item:
    """A message of the history; ``time`` is in milliseconds."""

    id: str
    from_: str
    time: int
    text: str


class MinimalClient:
    """An account on its device ``main``, logged in until it is stopped.

    :param gateway: ``host:port`` of the gateway that is asked for a msg_server.
    :param state: what ``state`` of an earlier client of the account was; without it what is unacknowledged comes.
    """

    def __init__(self, account: str, *, gateway: str, reactor: Any, state: object | None = None) -> None:
        self.account = account
        self.on_message: Callable[[Message], object] = lambda message: None
        self.on_gap: Callable[[Gap], object] = lambda gap: None
        self.on_closed: Callable[[str], object] = lambda reason: None
        self._gateway, self._reactor = gateway, reactor
        self._random = Random(account)
        positions, numbers = state if isinstance(state, tuple) else ({}, {})
        self._had = {name: Had(last, set(own), gap) for name, (last, own, gap) in positions.items()}
        self._outboxes = {to: Outbox(number) for to, number in numbers.items()}
        self._factory = Factory.forProtocol(partial(Link, reactor, self._pushed))
        self._factory.noisy = False
        #: The newest connection, and the one of it that is logged in.
        self._newest: Link | None = None
        self._link: Link | None = None
        self._idle: set[Deferred[None]] = set()
        self._pauses: set[Deferred[None]] = set()
        self._started: Deferred[None] = Deferred()
        self._ended: Deferred[None] = Deferred()
        self._life: Deferred[None] | None = None
        self._tries = 0
        self._reason = ""
        self._stopping = False

    @property
    def state(self) -> object:
        """What a later client of this account goes on from; where sends are unanswered it asks for its number."""
        had = {name: (had.last, frozenset(had.own), had.gap) for name, had in self._had.items()}
        return had, {to: outbox.next for to, outbox in self._outboxes.items() if not outbox.queue}

    def start(self) -> Deferred[None]:
        """Log in; fires when all that was missed was given. Fails with :class:`Closed`."""
        self._life = Deferred.fromCoroutine(self._live())
        self._life.addBoth(self._over)
        return self._started

    def stop(self) -> Deferred[None]:
        """Acknowledge what was handed out and close; fires when it is closed. What is unanswered then fails."""
        stopped: Deferred[None] = Deferred()
        self._ended.addBoth(lambda result: stopped.callback(None))
        self._stopping = True
        if self._link is not None:
            self._link.leave()
        elif self._life is None:
            self._over(None)
        else:
            self._life.cancel()
        return stopped

    def send(self, to: str, text: str) -> Deferred[str]:
        """Send to an account or a ``#topic``; fires with the id, empty when it is stored but cannot be looked up."""
        text, tag = escape(text)
        verb = "SEND_MESSAGE_TOPIC" if to.startswith("#") else "SEND_MESSAGE_P2P"
        send = Send(f"{verb} {to.removeprefix('#')} {text}", tag)
        try:
            send.words.encode()
        except UnicodeEncodeError:
            send.done.errback(Refused("BADUTF8", "this text has no form in UTF-8"))
        else:
            if self._reason:
                send.done.errback(Closed(self._reason))
            elif not _NAME.fullmatch(to):
                send.done.errback(Refused("BADNAME", "not an account and not a topic"))
            else:
                outbox = self._outboxes.setdefault(to, Outbox())
                outbox.add(send)
                self._pump(outbox)
        return send.done

    def create_topic(self, name: str) -> Deferred[None]:
        """Make a topic; one that is ours already is fine when an answer was lost."""
        return Deferred.fromCoroutine(self._create(name))

    def join(self, name: str) -> Deferred[None]:
        """Become a member of a topic."""
        return Deferred.fromCoroutine(self._command("JOIN_TOPIC " + name))

    def leave(self, name: str) -> Deferred[None]:
        """End the membership; to be none already is fine when an answer was lost."""
        return Deferred.fromCoroutine(self._command("LEAVE_TOPIC " + name, unless="NOTMEMBER"))

    def history(self, conversation: str, before: str | None = None, limit: int = 100) -> Deferred[list[Item]]:
        """The newest messages, or the newest before an id, oldest first."""
        return Deferred.fromCoroutine(self._history(conversation, before, limit))

    async def _create(self, name: str) -> None:
        answer = await self._asked("CREATE_TOPIC " + name, unless="EXISTS")
        if answer.word == "EXISTS":
            topics = await self._asked("REQ_TOPICS")
            if [name, self.account] not in [item.split(" ")[:2] for item in topics.items]:
                raise Refused(answer.word, answer.text)

    async def _command(self, words: str, unless: str = "") -> None:
        await self._asked(words, unless=unless)

    async def _history(self, conversation: str, before: str | None, limit: int) -> list[Item]:
        tags = f";limit={limit}" + (f";before={before}" if before else "")
        answer = await self._asked("REQ_HISTORY " + conversation, tags)
        parts = [item.split(" ", 3) for item in answer.items]
        return [Item(id_, from_, int(time), text) for id_, from_, time, text in parts]

    async def _asked(self, words: str, tags: str = "", unless: str = "") -> Answer:
        """The answer that settles it. ``unless``: a refusal that says, of a command sent twice, that it was done."""
        uncertain = False
        while True:
            answer = await (await self._logged_in()).ask(words, tags)
            if answer.word == "OK" or (uncertain and answer.word == unless):
                return answer
            if answer is not LOST and not answer.passes:
                raise Refused(answer.word, answer.text)
            uncertain = uncertain or answer.word != "TRYAGAIN"
            await self._pause(answer.retry)

    async def _logged_in(self) -> Link:
        while self._link is None or not self._link.usable:
            await self._wait(Deferred(), self._idle)
        return self._link

    async def _pause(self, seconds: float) -> None:
        pause: Deferred[None] = Deferred(lambda pause: call.cancel())
        call = self._reactor.callLater(seconds, pause.callback, None)
        await self._wait(pause, self._pauses)

    async def _wait(self, waiting: Deferred[None], among: set[Deferred[None]]) -> None:
        among.add(waiting)
        try:
            if self._reason:
                waiting.cancel()
            await waiting
        except CancelledError:
            if self._reason:
                raise Closed(self._reason) from None
            raise
        finally:
            among.discard(waiting)

    async def _live(self) -> None:
        """Connect again and again; returns when it was stopped, and fails when the server wants no more."""
        place = ""
        while not self._stopping:
            delay = min(PATIENCE, 0.05 * 2.0**self._tries) * self._random.uniform(0.5, 1.0)
            self._tries = min(self._tries + 1, 10)
            try:
                link = await self._connect(place)
                await self._log_in(link)
                await self._serve(link)
                place = link.move.removeprefix("-")
            except _Again as again:
                place, delay = "", max(delay, again.retry)
            if not self._stopping:
                await self._pause(delay)

    async def _connect(self, place: str) -> Link:
        why = "no msg_server"
        for server in [place] if place else await self._servers():
            try:
                return await self._dial(server)
            except _Again as again:
                why = str(again)
        raise _Again(why)

    async def _servers(self) -> list[str]:
        link = await self._dial(self._gateway)
        answer = await link.ask("REQ_MSG_SERVER")
        link.leave()
        await link.lost
        if answer.word != "OK":
            raise _Again(answer.word, answer.retry)
        return answer.text.split(" ")

    async def _dial(self, place: str) -> Link:
        host, _, port = place.rpartition(":")
        try:
            endpoint = HostnameEndpoint(self._reactor, host.strip("[]"), int(port), timeout=CONNECT)
            link = await endpoint.connect(self._factory)
        except (ConnectError, OSError, ValueError) as failed:
            raise _Again(str(failed)) from failed
        assert isinstance(link, Link)
        self._newest = link
        greeting = await link.greeted
        if greeting.word != "OK":
            link.abort()
            raise _Again(greeting.word, greeting.retry)
        return link

    async def _log_in(self, link: Link) -> None:
        for asked in [link.ask("HELLO 1 caps=ack"), link.ask("SEND_CLIENT_ID " + self.account)]:
            answer = await asked
            if answer is LOST or answer.passes or answer.word == "INTERNAL":
                link.abort()
                raise _Again(answer.word, answer.retry)
            if answer.word != "OK":
                raise Closed(f"refused {answer.word} {answer.text}")
        if not await link.synced:
            raise Closed(link.end) if link.end else _Again("lost within the login")

    async def _serve(self, link: Link) -> None:
        self._link, self._tries = link, 0
        if not self._started.called:
            self._started.callback(None)
        for waiting in list(self._idle):
            waiting.callback(None)
        for outbox in self._outboxes.values():
            self._pump(outbox)
        await link.lost
        self._link = None
        if link.end:
            raise Closed(link.end)

    def _pump(self, outbox: Outbox) -> None:
        if self._link is None or not self._link.usable:
            return
        for send in outbox.to_send():
            send.flying = True
            self._link.say(send.words, partial(self._answered, outbox, send), f";cseq={send.number}{send.tag}")

    def _answered(self, outbox: Outbox, send: Send, answer: Answer) -> None:
        send.flying = False
        outbox.troubled = outbox.troubled or answer.word != "OK"
        if answer.word == "OK":
            outbox.tries = 0
            outbox.queue.remove(send)
            self._sent(answer.text)
            send.done.callback(answer.text)
        elif answer.word in ("GAP", "CONFLICT"):
            send.expected = int(answer.keys.get("expected", 0))
        elif answer.word == "OLD" and not send.uncertain:
            # It is another message that is stored under this number: we have lost count.
            send.expected = 0
        elif answer.word == "OLD":
            outbox.queue.remove(send)
            send.done.callback("")
        elif answer is LOST or answer.passes or self._is_worth_another(send, answer.word):
            send.uncertain = send.uncertain or (send.number > 0 and answer.word != "TRYAGAIN")
            outbox.delay = max(outbox.delay, 0.0 if answer is LOST else answer.retry)
        else:
            outbox.refuse(send)
            send.done.errback(Refused(answer.word, answer.text))
        if outbox.is_settled():
            outbox.calm()
            Deferred.fromCoroutine(self._resume(outbox)).addErrback(lambda failure: failure.trap(Closed))
        else:
            self._pump(outbox)

    def _is_worth_another(self, send: Send, word: str) -> bool:
        if word == "STATE" and self._link is not None:
            # The server does not take us for logged in.
            self._link.abort()
            return True
        send.defects += word == "INTERNAL"
        return word == "INTERNAL" and send.defects <= DEFECTS

    async def _resume(self, outbox: Outbox) -> None:
        growing = min(PATIENCE, 0.05 * 2.0 ** min(outbox.tries, 10)) if outbox.tries > 3 else 0.0
        delay, outbox.delay = max(outbox.delay, growing), 0.0
        await self._pause(delay)
        outbox.troubled = False
        self._pump(outbox)

    def _pushed(self, link: Link, verb: str, rest: str, tags: str) -> None:
        if link.leaving:
            return
        if verb in ("RESP_MESSAGE_P2P", "RESP_NOTICE"):
            from_, id_, text = rest.split(" ", 2)
            self._given(link, from_, id_, unescape(tags, text))
        elif verb == "RESP_MESSAGE_TOPIC":
            _, from_, id_, text = rest.split(" ", 3)
            self._given(link, from_, id_, unescape(tags, text))
        elif verb == "RESP_GAP":
            conversation, first, last = rest.split(" ")
            self._gone(conversation, int(first), int(last))
        elif verb == "RESP_SYNCED":
            link.synced.callback(True)
        elif verb == "RESP_PING":
            link.say("SEND_PING", lambda answer: None)
        elif verb == "RESP_REPLACED":
            link.end = "replaced"
        elif verb == "RESP_REVOKED":
            link.end = "refused " + rest
        elif verb == "RESP_MOVE":
            place, _, seconds = rest.partition(" within=")
            link.move_to(place, float(seconds))

    def _given(self, link: Link, from_: str, id_: str, text: str) -> None:
        conversation, position = position_of(id_)
        had = self._had.setdefault(conversation, Had())
        link.given(conversation, id_)
        is_known = had.is_known(position)
        if not is_known:
            self._gone(conversation, position[1], had.lost_by(position))
        if position > had.last:
            had.reach(position)
        if not is_known:
            self._tell(self.on_message, Message(id_, conversation, from_, text))

    def _sent(self, id_: str) -> None:
        conversation, position = position_of(id_)
        had = self._had.setdefault(conversation, Had())
        if not had.is_known(position):
            self._gone(conversation, position[1], had.lost_by(position))
            had.sent(position)

    def _gone(self, conversation: str, first: int, last: int) -> None:
        had = self._had.setdefault(conversation, Had())
        if first <= last and not had.is_told(first, last):
            self._tell(self.on_gap, Gap(conversation, first, last))

    def _tell(self, whom: Callable[[Any], object], what: object) -> None:
        try:
            whom(what)
        except Exception:
            log.failure("a handler failed")

    def _over(self, result: object) -> None:
        """Nothing runs any more: close what is open, then tell everybody."""
        failure = result if isinstance(result, Failure) else None
        if self._stopping or failure is None:
            self._reason = "stopped"
        elif failure.check(Closed):
            self._reason = failure.getErrorMessage()
        else:
            log.failure("a defect of this client", failure)
            self._reason = "refused by a defect of this client"
        if self._newest is None:
            self._close()
        else:
            self._newest.abort()
            self._newest.lost.addCallback(lambda lost: self._close())

    def _close(self) -> None:
        self._link = None
        for waiting in [*self._idle, *self._pauses]:
            waiting.cancel()
        closed = Closed(self._reason)
        for outbox in self._outboxes.values():
            # What failed here may be stored.
            outbox.next = 0 if outbox.queue else outbox.next
            while outbox.queue:
                outbox.queue.popleft().done.errback(closed)
        if not self._started.called:
            self._started.errback(closed)
        self._tell(self.on_closed, self._reason)
        self._ended.callback(None)
