"""What the msg_server reads from the store beside the queue: pages of logs, places, memberships."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fishchat.model.device import Span, parse_spans
from fishchat.model.message import Message, from_body
from fishchat.model.names import Position, format_position, parse_position
from fishchat.storage.redis import Connection
from fishchat.storage.scripts import MEMBERS, PAGE, TALK, TALKS, pack, unpack

#: Messages of one page.
PAGE_SIZE = 100


@dataclass
class Page:
    """Messages after a position, the membership version they were read under, and whether the page was full."""

    version: int
    messages: list[Message]
    more: bool


@dataclass
class Known:
    """One of a device's conversations, as a login or a sweep reads it."""

    name: bytes
    last: Position
    cursor: bytes
    spans: list[Span]
    version: int


#: See ``Logs.members``.
Members = tuple[int, Position, dict[bytes, Position]]


def parse_talks(packed: bytes) -> list[Known]:
    """All conversations of a device, from what ``login.lua`` and ``talks.lua`` give."""
    flat = iter(unpack(packed))
    return [
        Known(name, parse_position(last), cursor, parse_spans(spans), version)
        for name, last, cursor, spans, version in zip(flat, flat, flat, flat, flat, strict=True)
    ]


class Logs:
    """Every call fails as ``Connection.run`` does, and nothing here writes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, conversation: bytes, after: Position, upto: Position | None, count: int = PAGE_SIZE) -> Page:
        """What the log holds after one position, up to another."""
        end = format_position(upto) if upto else b""
        packed = pack(conversation, format_position(after), end, count)
        version, flat = await self._connection.script(PAGE, (), (packed,))
        messages = [
            from_body(conversation, *parse_position(at), body) for at, body in zip(flat[::2], flat[1::2], strict=True)
        ]
        return Page(version, messages, len(messages) >= count)

    async def talk(self, account: bytes, device: bytes, conversation: bytes) -> Known:
        """One device's place in one conversation; no spans: its account has never had a part in it."""
        packed = pack(account, device, conversation)
        last, cursor, spans, version = await self._connection.script(TALK, (), (packed,))
        return Known(conversation, parse_position(last), cursor, parse_spans(spans), version)

    async def talks(self, account: bytes, device: bytes) -> tuple[bytes, list[Known]]:
        """The session that the store has for a device, and all its conversations."""
        session, packed = await self._connection.script(TALKS, (), (pack(account, device),))
        return session, parse_talks(packed)

    async def members(self, conversation: bytes, accounts: Iterable[bytes]) -> Members:
        """A topic's membership version, its last position, and its members, at least those among ``accounts``.

        Of each the position after which it sees messages.
        """
        packed = pack(conversation, list(accounts))
        version, last, flat = await self._connection.script(MEMBERS, (), (packed,))
        return version, parse_position(last), dict(zip(flat[::2], map(parse_position, flat[1::2]), strict=True))
