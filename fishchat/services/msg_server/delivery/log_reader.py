"""Reads from the store that bypass the queue: pages of logs, places of devices, memberships."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fishchat.interfaces import IStore
from fishchat.model.device import Span
from fishchat.model.message import Message, from_body
from fishchat.model.names import Position
from fishchat.storage.logs import calls
from fishchat.storage.logs.calls import Known, Members, Newest

__all__ = ["Known", "Logs", "Members", "Newest", "Page"]

#: Messages of one page.
PAGE_SIZE = 100


@dataclass
class Page:
    """Messages after a position.

    :ivar version: the membership version under which they were read.
    :ivar more: whether the page was full.
    :ivar trimmed: the last number that retention has removed.
    """

    version: int
    messages: list[Message]
    more: bool
    trimmed: int


class Logs:
    """Read logs. Every call fails as ``IStore.run`` does; none of them writes."""

    def __init__(self, store: IStore) -> None:
        self._store = store

    async def page(
        self,
        conversation: bytes,
        after: Position,
        upto: Position | None,
        count: int = PAGE_SIZE,
        operations: bool = False,
    ) -> Page:
        """Read the messages and operations after one position, up to another, or only the operations."""
        found = await calls.page(conversation, after, upto, count, operations).of(self._store)
        messages = [from_body(conversation, *position, body, time) for position, time, body in found.entries]
        return Page(found.version, messages, len(messages) >= count, found.trimmed)

    async def newest(self, conversation: bytes, spans: list[Span], count: int) -> Newest:
        """Find the messages in ``spans`` besides the ``count`` newest, without reading them."""
        return await calls.newest(conversation, spans, count).of(self._store)

    async def talk(self, account: bytes, device: bytes, conversation: bytes) -> Known:
        """Read the place of one device in one conversation; without spans its account never took part in it."""
        return await calls.device_conversation(account, device, conversation).of(self._store)

    async def talks(self, account: bytes, device: bytes) -> tuple[bytes, list[Known]]:
        """Read the session that the store has for a device, and all conversations of the device."""
        return await calls.device_conversations(account, device).of(self._store)

    async def members(self, conversation: bytes, accounts: Iterable[bytes]) -> Members:
        """Read the membership of a topic: at least those members that are among ``accounts``."""
        return await calls.members_among(conversation, accounts).of(self._store)
