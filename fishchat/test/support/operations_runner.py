"""Run operations on messages in tests of the store's scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fishchat.model.message import pack_body
from fishchat.protocols.lines import escape_tag
from fishchat.storage.fence import Fence
from fishchat.test.support.script_runner import MS1, STREAM, ScriptCase

#: A day in ms: how long messages may be edited, and recalled, unless a test says otherwise.
DAY = 86_400_000
#: The defaults of the configuration: edit and recall within a day, replaced texts are kept.
LIMITS = (DAY, DAY, True)
#: Kinds that are stored also when the memory is full.
REMOVALS = ("recall", "unreact", "unpin")


@dataclass(frozen=True)
class Op:
    """An operation of an account; ``of`` is the id of the message, ``text`` the text, the reason or the reaction."""

    account: str
    kind: str
    of: str
    text: str = ""
    cseq: int = -1
    device: str = "main"
    was: str = ""
    attributes: str = ""

    @property
    def conversation(self) -> str:
        """The conversation of the message."""
        return self.of.rpartition(":")[0]

    @property
    def position(self) -> str:
        """The position of the message."""
        return self.of.rpartition(":")[2]

    @property
    def body(self) -> bytes:
        """The stored form of the operation."""
        parts = sorted([*filter(None, self.attributes.split(";")), f"of={self.position}"])
        form = ";".join([self.kind, *parts]).encode()
        return pack_body(self.account.encode(), self.device.encode(), self.cseq, form, self.text.encode())

    @property
    def flat(self) -> list[Any]:
        """Return the operation as ``operate.lua`` expects it."""
        reaction = escape_tag(self.text.encode()) if self.kind in ("react", "unreact") else b""
        sender = f"{self.account}/{self.device}"
        head = [self.conversation, sender, self.cseq, self.body, self.account, self.kind, self.position]
        return [*head, reaction, self.was.rpartition(":")[2]]


class OperationCase(ScriptCase):
    """A test of operations, which all servers know."""

    def empty(self) -> None:
        """Empty the store, and register servers that know operations."""
        super().empty()
        self.command("HSET", "features", "ms1", "operations", "ms2", "operations")

    def operate(
        self, *operations: Op, fence: Fence = MS1, limits: tuple[Any, ...] = LIMITS, vital: bool = False
    ) -> Any:
        """Store one batch. Returns its results (duplicates without a time), or the refusal of the batch."""
        for each in operations:
            self.place(each.account, each.device, fence)
        flat = [value for each in operations for value in each.flat]
        reply = self.fenced("logs/operate", STREAM, vital, limits, flat, fence=fence)
        if reply[0] != "OK":
            return reply
        return [" ".join(one.split(" ")[:2]) if str(one).startswith("DUP ") else one for one in reply[1]]

    def done(self, account: str, kind: str, of: str, text: str = "", cseq: int = -1, **more: Any) -> Any:
        """Store one operation. Returns its result."""
        limits = more.pop("limits", LIMITS)
        fence = more.pop("fence", MS1)
        return self.operate(Op(account, kind, of, text, cseq, **more), fence=fence, limits=limits)[0]

    def page(self, account: str, conversation: str, with_operations: bool = False, **bounds: Any) -> list[str]:
        """Return the items of one page of history: number, form and text; ``@name`` and blanks as they are stored."""
        before, after, limit = bounds.get("before", ""), bounds.get("after", ""), bounds.get("limit", 50)
        versions = bounds.get("versions", "members")
        reply = self.call(
            "messages/history", account, conversation, before, after, limit, "", with_operations, versions
        )
        assert isinstance(reply, list), reply
        return [_item(at, body) for at, body in zip(reply[::3], reply[2::3], strict=True)]

    def replayed(self, conversation: str, after: str = "0-0", only: bool = False) -> list[str]:
        """Return what a page of the log gives to devices, as ``page`` does."""
        _, _, flat = self.call("logs/page", conversation, after, "", 100, only)
        return [_item(at, body) for at, body in zip(flat[::3], flat[2::3], strict=True)]


def _item(at: str, body: str) -> str:
    _, _, _, form, text = body.split(" ", 4)
    return f"{at.partition('-')[2]} {form} {text}".rstrip(" ")
