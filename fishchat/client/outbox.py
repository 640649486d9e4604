"""All commands that wait to be sent: the lanes of numbered sends, and other commands, in the user's order. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fishchat.client.sends import RETRY, Flight, Lane, Outgoing
from fishchat.client.state import ClientState, SavedSend
from fishchat.errors import ProtocolError
from fishchat.features.items import words_of
from fishchat.features.messages.rows import SEND_MESSAGE_P2P, SEND_MESSAGE_TOPIC
from fishchat.features.requests import (
    ClientError,
    Numbered,
    RefusedError,
    Reply,
    Request,
    id_of,
    mention_of,
    message_text,
    name_of,
    refused,
)
from fishchat.model.names import p2p, topic_conversation
from fishchat.protocols.fields import Tags, write_id
from fishchat.protocols.lines import format_tags


@dataclass(order=True)
class Errand:
    """A command of the user that is not a send. ``unsure``: an earlier attempt may have succeeded."""

    key: int
    request: Request[Any] = field(compare=False)
    outbox: Outbox = field(compare=False)
    unsure: bool = field(default=False, compare=False)

    @property
    def verb(self) -> bytes:
        """The verb that the reply repeats."""
        return self.request.verb

    @property
    def line(self) -> bytes:
        """The command, without its line ending."""
        return self.request.line

    def answered(self, reply: Reply, now: float) -> None:
        """Process the final reply."""
        self.outbox.errand_answered(self, reply, now)


class Outbox:
    """The commands that have no final reply yet.

    ``settle(key, value)`` is called once per entry, with its result or a ClientError. ``stored(conversation, id)``
    is called for every message that is stored. The id of an operation may be that of another device, which has done
    the same before.
    """

    def __init__(
        self, account: str, settle: Callable[[int, object], None], stored: Callable[[bytes, bytes], None]
    ) -> None:
        self._account = account.encode()
        self._settle = settle
        self._stored = stored
        self._keys = 0
        self._lanes: dict[bytes, Lane] = {}
        # The lanes that are not empty: a bot has thousands of lanes, and few are busy.
        self._busy: dict[bytes, Lane] = {}
        self._errands: list[Errand] = []
        self._errands_at = 0.0
        #: Whether there is something new to save.
        self.changed = False

    def send(self, to: str, text: str, reply: str | None = None, mention: Iterable[str] | None = None) -> int:
        """Queue a message to an account or a ``#topic``. Raises RefusedError if no server could accept it."""
        if to.startswith("#"):
            verb, raw_to = SEND_MESSAGE_TOPIC.name, name_of(to[1:])
            conversation = topic_conversation(raw_to)
        else:
            verb, raw_to = SEND_MESSAGE_P2P.name, name_of(to)
            conversation = p2p(self._account, raw_to)
        raw, is_escaped = message_text(text)
        names = None
        tags: Tags = {b"esc": b""} if is_escaped else {}
        if reply is not None:
            tags[b"reply"] = write_id(id_of(reply))
        if mention is not None:
            if verb == SEND_MESSAGE_P2P.name:
                raise refused("BADTAG")
            tags[b"mention"] = mention_of(mention)
            names = list(words_of(tags[b"mention"].decode()))
        line = b"%s%s %s %s" % (format_tags(tags), verb, raw_to, raw)
        return self._add(conversation, verb, line, SavedSend(to, text, None, reply, names))

    def operate(self, operation: Numbered) -> int:
        """Queue an operation on a message, after all sends to its conversation."""
        saved = SavedSend(operation.conversation.decode(), "", line=operation.line.decode())
        return self._add(operation.conversation, operation.verb, operation.line, saved)

    def _add(self, conversation: bytes, verb: bytes, line: bytes, saved: SavedSend) -> int:
        self._keys += 1
        lane = self._busy[conversation] = self._lane(conversation)
        lane.add(Outgoing(self._keys, verb, line, saved))
        self.changed = True
        return self._keys

    def ask(self, request: Request[Any]) -> int:
        """Queue another command."""
        self._keys += 1
        heapq.heappush(self._errands, Errand(self._keys, request, self))
        return self._keys

    def _lane(self, conversation: bytes) -> Lane:
        lane = self._lanes.get(conversation)
        if lane is None:

            def settle(item: Outgoing, value: bytes | RefusedError) -> None:
                self.changed = True
                if not self._lanes[conversation]:
                    self._busy.pop(conversation, None)
                self._settle(item.key, value.decode() if isinstance(value, bytes) else value)
                if isinstance(value, bytes) and value and item.saved.line is None:
                    self._stored(conversation, value)

            lane = self._lanes[conversation] = Lane(settle)
        return lane

    def take(self, now: float) -> Flight | Errand | None:
        """Return the next command to send, the user's oldest first; None if no command may be sent now."""
        lane = min((one for one in self._busy.values() if one.ready(now)), key=lambda one: one.order, default=None)
        errand = self._errands[0] if self._errands and now >= self._errands_at else None
        if lane is not None and (errand is None or lane.order < errand.key):
            self.changed = True
            return lane.launch()
        return None if errand is None else heapq.heappop(self._errands)

    def errand_answered(self, errand: Errand, reply: Reply, now: float) -> None:
        """Process the final reply to ``errand``."""
        error = reply.error
        if error is None:
            try:
                value = errand.request.result(reply)
            except (ValueError, ProtocolError) as wrong:
                value = ClientError(f"the server's answer is no part of the protocol: {wrong}")
            self._settle(errand.key, value)
        elif errand.unsure and error.word == errand.request.settled:
            self._settle(errand.key, None)
        elif error.word in ("TRYAGAIN", "UNKNOWN") or error.retry is not None:
            errand.unsure = errand.unsure or error.word == "UNKNOWN"
            self._errands_at = now + (RETRY if error.retry is None else error.retry)
            heapq.heappush(self._errands, errand)
        else:
            self._settle(errand.key, error)

    def lost(self, unanswered: list[Errand]) -> None:
        """Handle the loss of the connection and of the replies to all commands on the wire."""
        for errand in unanswered:
            errand.unsure = True
            heapq.heappush(self._errands, errand)
        for lane in self._busy.values():
            lane.lost()

    def deadline(self, now: float) -> float | None:
        """Return when the next delayed command may be sent; None if no command is delayed."""
        times = [lane.not_before for lane in self._busy.values() if not lane.idle]
        if self._errands:
            times.append(self._errands_at)
        return min((time for time in times if time > now), default=None)

    def save(self, state: ClientState) -> None:
        """Write counters and unanswered sends into ``state``."""
        for conversation, lane in self._lanes.items():
            if lane.next is not None:
                state.counters[conversation.decode()] = lane.next
        sends = sorted((item for lane in self._busy.values() for item in lane.items()), key=lambda one: one.key)
        state.sends.extend(msgspec.structs.replace(item.saved, cseq=item.cseq) for item in sends)

    def restore(self, state: ClientState) -> None:
        """Continue from ``state``. A send that had a number may be stored under it."""
        for conversation, number in state.counters.items():
            self._lane(conversation.encode()).next = number
        for saved in state.sends:
            item = self._restored(saved)
            item.cseq, item.doubt = saved.cseq, saved.cseq is not None
        self.changed = False

    def _restored(self, saved: SavedSend) -> Outgoing:
        to = saved.to
        if saved.line is not None:
            conversation, line = to.encode(), saved.line.encode()
            command = line.partition(b" ")[2] if line[:1] == b"@" else line
            self.operate(Numbered(conversation, command.partition(b" ")[0], line))
        else:
            conversation = topic_conversation(name_of(to[1:])) if to[:1] == "#" else p2p(self._account, name_of(to))
            self.send(to, saved.text, saved.reply, saved.mention)
        return self._lane(conversation).last
