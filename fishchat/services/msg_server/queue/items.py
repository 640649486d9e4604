"""The operations in the queue of ``commits``: messages, other script calls, and barriers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, TypeVar

from twisted.logger import Logger

from fishchat.errors import Refusal
from fishchat.model.message import pack_body
from fishchat.model.operations import REMOVALS
from fishchat.model.operations import Operation as Wanted
from fishchat.storage.ask import Ask
from fishchat.storage.fence import Fence
from fishchat.storage.logs.calls import OPERATE, SEND
from fishchat.storage.script import Script

#: One script call holds at most this many messages or operations, and this many bytes of them.
MESSAGES = 500
OPERATIONS = 200
RECALLS = 32
BYTES = 256 * 1024
#: A text of a topic that may mention members counts as so many bytes more: the store looks up each name.
MENTIONING = BYTES // 32

T = TypeVar("T")

log = Logger()


class IAsker(Protocol):
    """The receiver of the outcomes of messages. ``token`` is its own name for a message, passed with the Send."""

    def stored(self, token: Any, message_id: bytes, time: int) -> None:
        """Take note that a message was stored under ``message_id`` at ``time`` (ms)."""

    def failed(self, token: Any, refusal: Refusal) -> None:
        """Take note that a message is not stored, or that its outcome is unknown."""


class Send:
    """A message that waits to be stored.

    :ivar asker: receives the outcome, with its ``token``.
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

    #: The kind of batch in which it is sent.
    lot: ClassVar[type[Batch]]

    def fail(self, refusal: Refusal) -> None:
        """Report that the message is not stored, or that its outcome is unknown."""
        self.asker.failed(self.token, refusal)


class Change(Send):
    """An operation on a message that waits to be stored.

    :ivar wanted: what the client wants to be done.
    """

    __slots__ = ("wanted",)

    def __init__(self, asker: IAsker, token: Any, wanted: Wanted, account: bytes, device: bytes, cseq: int) -> None:
        body = pack_body(account, device, cseq, wanted.form, wanted.text)
        sender = account + b"/" + device
        super().__init__(asker, token, wanted.conversation, sender, cseq, wanted.form, wanted.text, body, account, b"")
        self.wanted = wanted


class Recall(Change):
    """A recall that waits to be stored."""

    __slots__ = ()


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
        """Make a typed call. ``settle`` gets its result; ``fail`` gets also a refusal of the script."""

        def parse(reply: Any) -> None:
            try:
                result = ask.parse(reply)
            except Refusal as refusal:
                fail(refusal)
            except Exception:
                log.failure("a reply of {script} was not understood", script=ask.script)
                fail(Refusal("INTERNAL"))
            else:
                settle(result)

        return cls(ask.script, ask.values, parse, fail, fenced=ask.fenced)


class Barrier:
    """An entry that completes after everything before it: a reply that must not overtake others."""

    def __init__(self, settle: Callable[[], None]) -> None:
        self.settle = settle
        self.since = 0.0
        self.landed = True

    def fail(self, refusal: Refusal) -> None:
        """Settle all the same: a barrier needs nothing from the store."""
        self.settle()


class Batch:
    """Neighbouring messages, sent as one script call."""

    script: ClassVar[Script] = SEND
    most: ClassVar[int] = MESSAGES

    def __init__(self) -> None:
        self.sends: list[Send] = []
        self.size = 0
        self.landed = False

    def add(self, send: Send) -> bool:
        """Add a message. Return whether the batch is full now."""
        self.sends.append(send)
        self.size += len(send.body)
        if not send.peer and (b"@" in send.text or b";mention=" in send.form):
            self.size += MENTIONING
        return len(self.sends) >= self.most or self.size >= BYTES

    def values(self, fence: Fence, stream: bytes) -> tuple[Any, ...]:
        """Return the arguments of ``send.lua``; ``model/routing.py`` describes the layout."""
        accounts = set()
        flat: list[Any] = []
        marked: list[int] = []
        for send in self.sends:
            if len(send.form) > 1 or b"@" in send.text:
                marked.append(len(flat))
            flat += (send.conversation, send.sender, send.cseq, send.body, send.account, send.peer)
            accounts.add(send.account)
            if send.peer:
                accounts.add(send.peer)
        return *fence.args, stream, list(accounts), flat, marked


class Changes(Batch):
    """Neighbouring operations on messages, sent as one script call."""

    script = OPERATE
    most = OPERATIONS

    def values(self, fence: Fence, stream: bytes) -> tuple[Any, ...]:
        """Return the arguments of ``operate.lua``. A full memory does not stop operations that only take away."""
        flat: list[Any] = []
        times, is_vital = None, True
        for change in self.sends:
            assert isinstance(change, Change)
            wanted, times = change.wanted, change.wanted.times
            is_vital = is_vital and wanted.kind in REMOVALS
            flat += (change.conversation, change.sender, change.cseq, change.body, change.account)
            flat += (wanted.kind, wanted.of, wanted.reaction, wanted.was)
        assert times is not None
        return *fence.args, stream, is_vital, (times.edit, times.recall, times.keeps_versions), flat


class Recalls(Changes):
    """Neighbouring recalls: no other operation goes with them, because these always only take away."""

    most = RECALLS


Send.lot, Change.lot, Recall.lot = Batch, Changes, Recalls

Operation = Send | Call | Barrier
Unit = Batch | Call | Barrier
