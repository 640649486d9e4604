"""Calls of the scripts of reports, and reading them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fishchat.interfaces import IStore
from fishchat.model.message import ESCAPED
from fishchat.protocols.lines import unescape
from fishchat.storage.ask import Ask, accepted, nothing
from fishchat.storage.script import script

_REPORT = script("reports/report")
_TRIM = script("reports/trim")
_DROP = script("reports/drop")
#: Reports read in one step.
PAGE = 200


@dataclass(frozen=True)
class Report:
    """A report with the copy of its message; times are in ms since 1970.

    :ivar id: its own id. :ivar by: the account that has reported it.
    :ivar message: the id of the message, which account ``from_`` sent with ``device`` at ``sent``.
    :ivar tags: the tags that were stored with the message.
    """

    id: str
    at: int
    by: str
    message: str
    from_: str
    device: str
    sent: int
    tags: str
    text: str
    reason: str


def report(account: bytes, conversation: bytes, position: bytes, reason: bytes, daily: int) -> Ask[bool]:
    """Report a message; whether the account had not reported it before. ``daily`` limits its reports of a day."""
    return Ask(_REPORT, (account, conversation, position, reason, daily), lambda reply: accepted(reply)[0] == 1)


def trim(count: int, lives: int = 0) -> Ask[int]:
    """Remove the reports beyond the ``count`` newest ones; with ``lives``, also those older than that (ms).

    Returns how many were removed. Set ``lives`` only while the clock of the store is right.
    """
    return Ask(_TRIM, (count, lives), int)


def drop(report: bytes) -> Ask[None]:
    """Remove a report."""
    return Ask(_DROP, (report,), nothing)


async def newest_first(store: IStore, upto: bytes = b"+", since: bytes | int = 0) -> AsyncIterator[Report]:
    """Yield the reports between two ids or times (ms since 1970), the newest one first."""
    while True:
        entries = await store.run("XREVRANGE", "reports", upto, since, "COUNT", PAGE)
        for entry, flat in entries:
            yield _parsed(entry, dict(zip(flat[::2], flat[1::2], strict=True)))
        if len(entries) < PAGE:
            return
        upto = b"(" + entries[-1][0]


def _parsed(entry: bytes, fields: dict[bytes, bytes]) -> Report:
    def shown(raw: Any) -> str:
        return bytes(raw).decode("utf-8", "backslashreplace")

    kind, _, attributes = fields[b"form"].partition(b";")
    text = unescape(fields[b"text"]) if kind == ESCAPED else fields[b"text"]
    return Report(
        shown(entry),
        int(entry.partition(b"-")[0]),
        shown(fields[b"by"]),
        shown(fields[b"message"]),
        shown(fields[b"from"]),
        shown(fields[b"device"]),
        int(fields[b"time"]),
        shown(attributes),
        shown(text),
        shown(fields[b"reason"]),
    )
