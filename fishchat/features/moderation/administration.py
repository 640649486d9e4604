"""The operator's interface to topics: the command line uses it.

Commands of clients call the same scripts through the queue of their msg_server. The operator stores notices as well, so
it holds a lease of its own for the time of a change.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Protocol, TypeVar

from fishchat.errors import Refusal
from fishchat.features.moderation import calls
from fishchat.features.moderation.calls import OPERATOR, Change
from fishchat.features.moderation.steps import with_room
from fishchat.interfaces import IStore
from fishchat.storage.ask import Ask
from fishchat.storage.epoch import current_epoch
from fishchat.storage.fence import Fence
from fishchat.storage.servers.calls import hold, release

#: The stream to which notices for the clients of all msg_servers are added: the first shard.
STREAM = b"/sysctrl/send"
#: The ms for which the lease of one change is held.
LEASE = 15_000
#: The number of keys in one step of a SCAN.
_PAGE = 200

T = TypeVar("T")


class Record(Protocol):
    """A function that records a change of the operator."""

    def __call__(self, action: str, account: bytes, **fields: bytes) -> Awaitable[None]:
        """Record that ``action`` was done to ``account``."""


class Operator:
    """Run topics as the operator. Every call fails with Refusal, or as ``IStore.run`` does.

    :param record: records a change that was made; ``what`` is the topic.
    """

    def __init__(self, store: IStore, record: Record) -> None:
        self._store = store
        self._record = record
        self._fence: Fence | None = None

    async def names(self) -> AsyncIterator[bytes]:
        """Yield the name of every topic, unordered."""
        cursor, given = b"0", set()
        while True:
            cursor, keys = await self._store.run("SCAN", cursor, "MATCH", b"topic:#*", "COUNT", _PAGE)
            for key in keys:
                if key not in given:
                    given.add(key)
                    yield key.removeprefix(b"topic:#")
            if cursor == b"0":
                return

    async def show(self, topic: bytes) -> dict[str, str]:
        """Describe a topic: setting → value, with its owner and the numbers of its members and admins."""
        found = await calls.describe(OPERATOR, topic).of(self._store)
        return {name.decode(): value.decode("utf-8", "replace") for name, value in found}

    async def set(self, topic: bytes, setting: bytes, value: bytes) -> None:
        """Change a setting; the value is in its stored form."""
        await self._changed("topic-set", b"", topic, calls.set_topic(STREAM, OPERATOR, topic, setting, value))

    async def own(self, topic: bytes, account: bytes) -> None:
        """Make a member the owner."""
        await self._changed("topic-owner", account, topic, calls.transfer(STREAM, OPERATOR, topic, account))

    async def kick(self, topic: bytes, account: bytes, reason: bytes) -> None:
        """End a membership."""
        await self._changed("topic-kick", account, topic, calls.kick(STREAM, OPERATOR, topic, account, reason))

    async def ban(self, topic: bytes, account: bytes, seconds: int, reason: bytes) -> None:
        """Keep an account out, for some seconds or for ever (0)."""
        ask = calls.ban(STREAM, OPERATOR, topic, account, seconds, reason)
        await self._changed("topic-ban", account, topic, ask, b"banned")

    async def unban(self, topic: bytes, account: bytes) -> None:
        """End a ban."""
        await self._changed("topic-unban", account, topic, calls.unban(STREAM, OPERATOR, topic, account))

    async def mute(self, topic: bytes, account: bytes, seconds: int, reason: bytes) -> None:
        """Let a member read, but not write, for some seconds."""
        ask = calls.mute(STREAM, OPERATOR, topic, account, seconds, reason)
        await self._changed("topic-mute", account, topic, ask, b"muted")

    async def unmute(self, topic: bytes, account: bytes) -> None:
        """End a mute."""
        await self._changed("topic-unmute", account, topic, calls.unmute(STREAM, OPERATOR, topic, account))

    async def _changed(self, action: str, account: bytes, topic: bytes, ask: Ask[Change], which: bytes = b"") -> None:
        async with self:
            await (with_room(self.call, ask, topic, which) if which else self.call(ask))
        await self.recorded(action, topic, account)

    async def recorded(self, action: str, topic: bytes, account: bytes = b"") -> None:
        """Record a change of a topic in the audit record."""
        await self._record(action, account, what=topic)

    # -- the lease

    async def __aenter__(self) -> Operator:
        """Take a lease, under which ``call`` makes fenced calls."""
        epoch = await current_epoch(self._store, time.time)
        name, incarnation = b"operator-" + secrets.token_hex(8).encode(), secrets.token_hex(8).encode()
        fence = Fence(name, incarnation, epoch)
        await hold(name, fence.token, LEASE, True).of(self._store)
        self._fence = fence
        return self

    async def __aexit__(self, *_: Any) -> None:
        """Release the lease."""
        fence, self._fence = self._fence, None
        if fence is not None:
            await release(fence.server, fence.incarnation).of(self._store)

    async def call(self, ask: Ask[T]) -> T:
        """Make one call. Fails with its Refusal; ``TRYAGAIN`` if the lease ended or the store has another epoch."""
        if not ask.fenced:
            return await ask.of(self._store)
        assert self._fence is not None
        reply = await self._store.call(ask.script, *self._fence.args, *ask.values)
        if reply[0] in (b"LEASE", b"EPOCH"):
            raise Refusal("TRYAGAIN")
        return ask.parse(reply)
