"""What waits in the queue of ``commits``: messages, other script calls, and marks that only keep their turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from fishchat.errors import Refusal
from fishchat.storage.ask import Ask
from fishchat.storage.fence import Fence
from fishchat.storage.script import Script

#: One script call holds at most this many messages, and this many bytes of them.
MESSAGES = 500
BYTES = 256 * 1024

T = TypeVar("T")


class IAsker(Protocol):
    """What waits for the outcome of messages. ``token`` is what it gave to the message, to know which one is meant."""

    def stored(self, token: Any, message_id: bytes, time: int) -> None:
        """Take note that a message is stored under ``message_id``, since ``time`` in ms."""

    def failed(self, token: Any, refusal: Refusal) -> None:
        """Take note that a message is not stored, or that nobody knows."""


class Send:
    """A message to be stored.

    :ivar asker: what is told of the outcome, with its ``token``.
    :ivar account: the sender's; ``sender`` is its device, ``account/device``.
    :ivar peer: the other account; empty for a topic.
    :ivar form: its kind and attributes, see ``model/message.py``; ``body`` is what is stored, whole.
    """

    __slots__ = (
        "account",
        "asker",
        "body",
        "conversation",
        "cseq",
        "form",
        "peer",
        "sender",
        "since",
        "text",
        "token",
    )

    def __init__(
        self,
        asker: IAsker,
        token: Any,
        conversation: bytes,
        sender: bytes,
        cseq: int,
        form: bytes,
        text: bytes,
        body: bytes,
        account: bytes,
        peer: bytes,
    ) -> None:
        self.asker = asker
        self.token = token
        self.conversation = conversation
        self.sender = sender
        self.cseq = cseq
        self.form = form
        self.text = text
        self.body = body
        self.account = account
        self.peer = peer
        self.since = 0.0

    def fail(self, refusal: Refusal) -> None:
        """Report that the message is not stored, or that nobody knows."""
        self.asker.failed(self.token, refusal)


class Call:
    """Another script call. ``arguments`` follow the fence; ``settle`` gets the reply."""

    def __init__(
        self,
        script: Script,
        arguments: tuple[Any, ...],
        settle: Callable[[Any], None],
        fail: Callable[[Refusal], object],
        *,
        fenced: bool = True,
    ) -> None:
        self.script = script
        self.arguments = arguments
        self.settle = settle
        self.fail = fail
        self.fenced = fenced
        self.since = 0.0
        self.landed = False

    @classmethod
    def of(cls, ask: Ask[T], settle: Callable[[T], object], fail: Callable[[Refusal], object]) -> Call:
        """A typed call. ``settle`` gets its result; ``fail`` gets a refusal of the script, too."""

        def parse(reply: Any) -> None:
            try:
                result = ask.parse(reply)
            except Refusal as refusal:
                fail(refusal)
            else:
                settle(result)

        return cls(ask.script, ask.values, parse, fail, fenced=ask.fenced)


class Barrier:
    """Something that is only to happen in its turn: a reply that must not overtake others."""

    def __init__(self, settle: Callable[[], None]) -> None:
        self.settle = settle
        self.since = 0.0
        self.landed = True

    def fail(self, refusal: Refusal) -> None:
        """It needs nothing from the store, so it happens all the same."""
        self.settle()


class Batch:
    """Neighbouring messages of one flight, as one script call."""

    def __init__(self) -> None:
        self.sends: list[Send] = []
        self.size = 0
        self.landed = False

    def full(self) -> bool:
        return len(self.sends) >= MESSAGES or self.size >= BYTES

    def values(self, fence: Fence, stream: bytes) -> tuple[Any, ...]:
        """What ``send.lua`` is given: ``model/routing.py`` describes the layout."""
        accounts = set()
        flat: list[Any] = []
        marked: list[int] = []
        for send in self.sends:
            if len(send.form) > 1:
                marked.append(len(flat))
            flat += (send.conversation, send.sender, send.cseq, send.body, send.account, send.peer)
            accounts.add(send.account)
            if send.peer:
                accounts.add(send.peer)
        return *fence.args, stream, list(accounts), flat, marked


Operation = Send | Call | Barrier
Unit = Batch | Call | Barrier
