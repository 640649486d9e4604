"""An example for clients in other languages: a small client that was written from doc/protocol.md alone.

It consists of this module, ``minimal_wire`` (a connection), ``minimal_life`` (logins and reconnections),
``minimal_books`` (numbers and positions) and ``minimal_operations`` (changing messages, running topics), and imports
nothing else of the product, so that it shares no mistake with it. In the lab a third of the accounts uses it instead of
the client library: what one of the two loses, doubles or takes for granted, the other one shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from fishchat.proof.lab.minimal_books import Gap, Had, Message, Outbox, Refused, Send, position_of
from fishchat.proof.lab.minimal_life import Closed, Life
from fishchat.proof.lab.minimal_operations import MinimalOperations, Operation, ShownItem, operation_of
from fishchat.proof.lab.minimal_wire import LOST, Answer, Link, escape, unescape

__all__ = ["Closed", "Gap", "Message", "MinimalClient", "Operation", "Refused", "ShownItem"]

_NAME = re.compile(r"#?[a-z0-9._-]{1,32}")


class MinimalClient(MinimalOperations, Life):
    """An account on its device ``main``, logged in until it is stopped.

    :param gateway: ``host:port`` of the gateway, which names a msg_server.
    :param state: the ``state`` of an earlier client of the account; without it, unacknowledged messages come again.
    :ivar on_message: is called with each message, once, in the order of its conversation.
    :param operations: whether to be told what is done to messages.
    :ivar on_operation: is called with each operation on a message, in order with the messages.
    :ivar on_gap: is called with what cannot be delivered any more.
    """

    def __init__(
        self, account: str, *, gateway: str, reactor: Any, state: object | None = None, operations: bool = False
    ) -> None:
        super().__init__(account, gateway, reactor)
        if operations:
            self.capabilities = "ack,ops"
        self.on_operation: Callable[[Operation], object] = lambda operation: None
        self.on_message: Callable[[Message], object] = lambda message: None
        self.on_gap: Callable[[Gap], object] = lambda gap: None
        positions, numbers = state if isinstance(state, tuple) else ({}, {})
        self._had = {name: Had(last, set(own), gap) for name, (last, own, gap) in positions.items()}
        self._outboxes = {to: Outbox(number) for to, number in numbers.items()}

    @property
    def state(self) -> object:
        """The state for a later client of this account, which asks for its number where sends are unanswered."""
        had = {name: (had.last, frozenset(had.own), had.gap) for name, had in self._had.items()}
        return had, {to: outbox.next for to, outbox in self._outboxes.items() if not outbox.queue}

    def send(self, to: str, text: str, reply: str | None = None) -> Deferred[str]:
        """Send to an account or a ``#topic``; fires with the id, empty if it is stored but cannot be looked up."""
        text, tag = escape(text)
        verb = "SEND_MESSAGE_TOPIC" if to.startswith("#") else "SEND_MESSAGE_P2P"
        return self._queue(
            to, Send(f"{verb} {to.removeprefix('#')} {text}", tag + (f";reply={reply}" if reply else ""))
        )

    def _queue(self, to: str, send: Send) -> Deferred[str]:
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
        """Create a topic; after a lost answer it may be ours already."""
        return Deferred.fromCoroutine(self._create(name))

    def join(self, name: str) -> Deferred[None]:
        """Become a member of a topic."""
        return Deferred.fromCoroutine(self._command("JOIN_TOPIC " + name))

    def leave(self, name: str) -> Deferred[None]:
        """End the membership; after a lost answer it may have ended already."""
        return Deferred.fromCoroutine(self._command("LEAVE_TOPIC " + name, unless="NOTMEMBER"))

    def history(self, conversation: str, before: str | None = None, limit: int = 100) -> Deferred[list[ShownItem]]:
        """Return the newest messages, or the newest before an id, oldest first."""
        return Deferred.fromCoroutine(self._history(conversation, before, limit))

    async def _create(self, name: str) -> None:
        answer = await self._asked("CREATE_TOPIC " + name, unless="EXISTS")
        if answer.word == "EXISTS":
            topics = await self._asked("REQ_TOPICS")
            if [name, self.account] not in [item.split(" ")[:2] for item in topics.items]:
                raise Refused(answer.word, answer.text)

    async def _command(self, words: str, unless: str = "") -> None:
        await self._asked(words, unless=unless)

    async def _history(self, conversation: str, before: str | None, limit: int) -> list[ShownItem]:
        tags = f";limit={limit}" + (f";before={before}" if before else "")
        return await self._listed("REQ_HISTORY " + conversation, tags)

    async def _asked(self, words: str, tags: str = "", unless: str = "") -> Answer:
        """Return the final answer. ``unless`` is a refusal that means success for a command that was sent twice."""
        uncertain = False
        while True:
            answer = await (await self._logged_in()).ask(words, tags)
            if answer.word == "OK" or (uncertain and answer.word == unless):
                return answer
            if answer is not LOST and not answer.passes:
                raise Refused(answer.word, answer.text)
            uncertain = uncertain or answer.word != "TRYAGAIN"
            await self._pause(answer.retry)

    def _ready(self) -> None:
        for outbox in self._outboxes.values():
            self._pump(outbox)

    def _fail(self, closed: Closed) -> None:
        for outbox in self._outboxes.values():
            outbox.fail(closed)

    def _pump(self, outbox: Outbox) -> None:
        if self._link is None or not self._link.usable:
            return
        for send in outbox.to_send():
            send.flying = True
            self._link.say(send.words, partial(self._answered, outbox, send), f";cseq={send.number}{send.tag}")

    def _answered(self, outbox: Outbox, send: Send, answer: Answer) -> None:
        if answer.word == "OK" and not send.is_operation:
            self._sent(answer.text)
        elif answer.word == "STATE" and self._link is not None:
            # The server does not treat us as logged in.
            self._link.abort()
        outbox.answered(send, answer)
        if outbox.is_settled():
            Deferred.fromCoroutine(self._resume(outbox)).addErrback(lambda failure: failure.trap(Closed))
        else:
            self._pump(outbox)

    async def _resume(self, outbox: Outbox) -> None:
        await self._pause(outbox.calm())
        outbox.troubled = False
        self._pump(outbox)

    def _pushed(self, link: Link, verb: str, rest: str, tags: str) -> None:
        if link.leaving:
            return
        if verb in ("RESP_MESSAGE_P2P", "RESP_NOTICE"):
            from_, id_, text = rest.split(" ", 2)
            self._given(link, from_, id_, unescape(tags, text), verb == "RESP_NOTICE")
        elif verb == "RESP_MESSAGE_TOPIC":
            _, from_, id_, text = rest.split(" ", 3)
            self._given(link, from_, id_, unescape(tags, text))
        elif (operation := operation_of(verb, rest, tags)) is not None:
            self._operated(link, operation)
        elif verb == "RESP_GAP":
            conversation, first, last = rest.split(" ")
            self._gone(conversation, int(first), int(last))
        else:
            self._told(link, verb, rest)

    def _told(self, link: Link, verb: str, rest: str) -> None:
        """Handle a push about the connection."""
        if verb == "RESP_SYNCED":
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

    def _given(self, link: Link, from_: str, id_: str, text: str, is_notice: bool = False) -> None:
        if self._is_new(link, id_):
            self._tell(self.on_message, Message(id_, id_.rpartition(":")[0], from_, text, is_notice))

    def _operated(self, link: Link, operation: Operation) -> None:
        if self._is_new(link, operation.id):
            self._tell(self.on_operation, operation)

    def _is_new(self, link: Link, id_: str) -> bool:
        conversation, position = position_of(id_)
        had = self._had.setdefault(conversation, Had())
        link.given(conversation, id_)
        is_known = had.is_known(position)
        if not is_known:
            self._gone(conversation, position[1], had.lost_by(position))
        if position > had.last:
            had.reach(position)
        return not is_known

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
