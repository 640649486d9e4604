"""Calls of the scripts that store messages, move cursors and read logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fishchat.model.device import Span, parse_spans
from fishchat.model.names import Position, format_position, parse_position
from fishchat.storage.ask import Ask, accepted, ignored, rows
from fishchat.storage.script import script

#: The script that the queue itself calls, for every batch; ``model/routing.py`` describes the layout of its values.
SEND = script("logs/send")
#: The script that it calls for a batch of operations on messages.
OPERATE = script("logs/operate")

_ACK = script("logs/ack")
_PAGE = script("logs/page")
_NEWEST = script("logs/newest")
_DEVICE_CONVERSATION = script("logs/device_conversation")
_DEVICE_CONVERSATIONS = script("logs/device_conversations")
_MEMBERS_AMONG = script("logs/members_among")
_SURVEY = script("logs/survey")
_TRIM = script("logs/trim")
_MAY_READ = script("logs/may_read")
_APPEND = script("logs/append")


@dataclass(frozen=True)
class Entries:
    """A page of a log.

    :ivar version: the membership version under which it was read.
    :ivar trimmed: the last number that retention removed; numbers missing above it were erased.
    :ivar entries: position, time in ms and body of each entry.
    """

    version: int
    trimmed: int
    entries: list[tuple[Position, int, bytes]]


@dataclass(frozen=True)
class Newest:
    """What a log holds besides its newest messages; ``version`` and ``trimmed`` as in ``Entries``.

    :ivar ranges: for each span the first and the last position; None for a span without such messages.
    """

    version: int
    trimmed: int
    ranges: list[tuple[Position, Position] | None]


@dataclass(frozen=True)
class Appended:
    """A message that a role has stored; ``version`` is the membership version of a topic, else 0."""

    conversation: bytes
    epoch: int
    number: int
    body: bytes
    version: int
    time: int


@dataclass(frozen=True)
class Surveyed:
    """What retention would find in one conversation; ``last`` is the time of the last message in ms, 0 without one."""

    entries: int
    due: int
    last: int


@dataclass
class Known:
    """A conversation of a device, as a login or a sweep reads it."""

    name: bytes
    last: Position
    cursor: bytes
    spans: list[Span]
    version: int


#: A topic's membership version, its last position, and members with the position after which each sees messages.
Members = tuple[int, Position, dict[bytes, Position]]


def acknowledge(acks: list[bytes]) -> Ask[None]:
    """Move cursors forward. ``acks`` is flat: account, device, conversation, position."""
    return Ask(_ACK, (acks,), ignored)


def page(
    conversation: bytes, after: Position, upto: Position | None, count: int, operations: bool = False
) -> Ask[Entries]:
    """Read the messages and operations after one position, up to another, or only the operations."""

    def parse(reply: Any) -> Entries:
        version, trimmed, flat = reply
        entries = zip(map(parse_position, flat[::3]), map(int, flat[1::3]), flat[2::3], strict=True)
        return Entries(version, trimmed, list(entries))

    end = format_position(upto) if upto else b""
    return Ask(_PAGE, (conversation, format_position(after), end, count, operations), parse)


def newest(conversation: bytes, spans: list[Span], count: int) -> Ask[Newest]:
    """Find the messages in ``spans`` besides the ``count`` newest, without reading them."""

    def parse(reply: Any) -> Newest:
        version, trimmed, flat = reply
        pairs = zip(flat[::2], flat[1::2], strict=True)
        ranges = [(parse_position(first), parse_position(last)) if first else None for first, last in pairs]
        return Newest(version, trimmed, ranges)

    flat = [format_position(end) if end else b"" for span in spans for end in span]
    return Ask(_NEWEST, (conversation, flat, count), parse)


def device_conversation(account: bytes, device: bytes, conversation: bytes) -> Ask[Known]:
    """Read the place of one device in one conversation; without spans its account never took part in it."""

    def parse(reply: Any) -> Known:
        last, cursor, spans, version = reply
        return Known(conversation, parse_position(last), cursor, parse_spans(spans), version)

    return Ask(_DEVICE_CONVERSATION, (account, device, conversation), parse)


def device_conversations(account: bytes, device: bytes) -> Ask[tuple[bytes, list[Known]]]:
    """Read the session that the store has for a device, and all conversations of the device."""

    def parse(reply: Any) -> tuple[bytes, list[Known]]:
        session, packed = reply
        return session, parse_conversations(packed)

    return Ask(_DEVICE_CONVERSATIONS, (account, device), parse)


def parse_conversations(packed: bytes) -> list[Known]:
    """Parse all conversations of a device from their packed form, which ``session/login`` also returns."""
    return [
        Known(name, parse_position(last), cursor, parse_spans(spans), version)
        for name, last, cursor, spans, version in rows(packed, 5)
    ]


def members_among(conversation: bytes, accounts: Iterable[bytes]) -> Ask[Members]:
    """Read the membership of a topic: at least those members that are among ``accounts``."""

    def parse(reply: Any) -> Members:
        version, last, flat = reply
        return version, parse_position(last), dict(zip(flat[::2], map(parse_position, flat[1::2]), strict=True))

    return Ask(_MEMBERS_AMONG, (conversation, list(accounts)), parse)


def survey(conversations: list[bytes], earliest: int, oldest: int, count: int) -> Ask[list[Surveyed]]:
    """Estimate what retention would remove from these conversations; the parameters are those of ``trim``."""

    def parse(reply: Any) -> list[Surveyed]:
        return [Surveyed(*found) for found in zip(reply[::3], reply[1::3], reply[2::3], strict=True)]

    return Ask(_SURVEY, (conversations, earliest, oldest, count), parse)


def trim(conversation: bytes, earliest: int, oldest: int, count: int, most: int) -> Ask[tuple[int, bool]]:
    """Run one step of retention. Returns how many entries were removed, and whether more may remain.

    ``earliest`` is the first time that can be right. Times are in ms.
    """

    def parse(reply: Any) -> tuple[int, bool]:
        removed, more = reply
        return removed, bool(more)

    return Ask(_TRIM, (conversation, earliest, oldest, count, most), parse)


def append(stream: bytes, conversation: bytes, account: bytes, form: bytes, text: bytes) -> Ask[Appended]:
    """Store a message for a role that holds a lease. ``form`` is kind and attributes: see ``model/message.py``.

    Every device of every reader receives it. The result is for the clients of the role itself, if it has any.
    """
    return Ask(_APPEND, (stream, conversation, account, form, text), parse_appended)


def parse_appended(reply: Any) -> Appended:
    """Parse the message that a script stored by ``lib/append.lua``. Raises Refusal."""
    return Appended(*accepted(reply))


def may_read(account: bytes, conversation: bytes, position: Position | None = None) -> Ask[bool]:
    """Return whether an account may read a conversation, or one message of it: for roles without sessions."""
    return Ask(_MAY_READ, (account, conversation, format_position(position) if position else b""), bool)
