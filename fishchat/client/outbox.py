"""All commands that wait to be sent: the lanes of numbered sends, and other commands, in the user's order. Pure."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fishchat.client.sends import RETRY, Flight, Lane, Outgoing
from fishchat.client.state import ClientState, SavedSend
from fishchat.errors import ProtocolError
from fishchat.features.messages.rows import SEND_MESSAGE_P2P, SEND_MESSAGE_TOPIC
from fishchat.features.requests import ClientError, RefusedError, Reply, Request, name_of, refused
from fishchat.model.names import p2p, topic_conversation
from fishchat.protocols.lines import MAX_TEXT, escape

# C0 but TAB, LF, CR and NUL, which is refused; DEL; C1.
_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


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
    is called for every send that is stored.
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

    def send(self, to: str, text: str) -> int:
        """Queue a message to an account or a ``#topic``. Raises RefusedError if no server could accept it."""
        if to.startswith("#"):
            verb, raw_to = SEND_MESSAGE_TOPIC.name, name_of(to[1:])
            conversation = topic_conversation(raw_to)
        else:
            verb, raw_to = SEND_MESSAGE_P2P.name, name_of(to)
            conversation = p2p(self._account, raw_to)
        if not text.isprintable():
            # A server would remove them, too, or take them for the keys of a terminal.
            text = _CONTROLS.sub("", text)
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            raise refused("BADUTF8") from None
        if b"\0" in raw:
            raise refused("NUL")
        escaped = b"\n" in raw or b"\r" in raw
        body = b"%s %s %s" % (verb, raw_to, escape(raw) if escaped else raw)
        if len(body) - len(verb) - len(raw_to) - 2 > MAX_TEXT:
            raise refused("TEXTTOOLONG", [("limit", str(MAX_TEXT))])
        self._keys += 1
        lane = self._busy[conversation] = self._lane(conversation)
        lane.add(Outgoing(self._keys, to, text, verb, body, escaped))
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

            def settle(key: int, value: bytes | RefusedError) -> None:
                self.changed = True
                if not self._lanes[conversation]:
                    self._busy.pop(conversation, None)
                self._settle(key, value.decode() if isinstance(value, bytes) else value)
                if isinstance(value, bytes) and value:
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
        state.sends.extend(SavedSend(item.to, item.text, item.cseq) for item in sends)

    def restore(self, state: ClientState) -> None:
        """Continue from ``state``. A send that had a number may be stored under it."""
        for conversation, number in state.counters.items():
            self._lane(conversation.encode()).next = number
        for saved in state.sends:
            self.send(saved.to, saved.text)
            item = self._lane(self._conversation(saved.to)).last
            item.cseq, item.doubt = saved.cseq, saved.cseq is not None
        self.changed = False

    def _conversation(self, to: str) -> bytes:
        return topic_conversation(name_of(to[1:])) if to.startswith("#") else p2p(self._account, name_of(to))
