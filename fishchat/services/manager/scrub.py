"""The scrub: after it, nothing of what was erased is left in Redis' memory and in its files.

Redis keeps the bytes of an erased entry. So every stream with erasures is copied in steps, the copy takes its place
while messages are stored, and then Redis writes its file anew. The next scrub continues an interrupted one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from fishchat.bus.channels import send_stream
from fishchat.config.schema import Config
from fishchat.interfaces import IStore
from fishchat.services.running.errors import StartError
from fishchat.storage.redis import ReplyError
from fishchat.storage.scrub import calls
from fishchat.storage.scrub.calls import LOG, OPS, Again, LeaseLost, Progress

#: The entries that one step copies, and their bytes. A step takes 1 to 3 ms.
STEP, STEP_BYTES = 200, 100_000
#: The lease in ms, and the seconds between two questions whether Redis has written its file.
LEASE = 30_000
ASK_EVERY = 0.2
#: How often a stream is begun in one scrub. Then it has to wait for the next one.
TRIES = 5
#: Conversations that one step marks.
_MARK_STEP = 500


class ScrubError(StartError):
    """The scrub could not be completed. The text contains the remedy; the next scrub continues."""


@dataclass
class Scrubbed:
    """What a scrub did.

    :ivar entries: messages and other entries that were copied. :ivar postponed: conversations and other
    streams that changed too often; they wait for the next scrub. :ivar complete: whether Redis' file was written anew.
    """

    conversations: int = 0
    entries: int = 0
    postponed: int = 0
    complete: bool = False


class Scrub:
    """A scrub by this process.

    :param goes_on: returns whether to continue.
    """

    def __init__(
        self,
        store: IStore,
        clock: IReactorTime,
        config: Config,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._clock = clock
        #: Streams that are of no conversation.
        self._streams = [b"reports", *(send_stream(shard).encode() for shard in range(config.router.shards))]
        self._keeps_replaced = config.messages.versions != "nobody"
        self._goes_on = goes_on
        self._token = secrets.token_hex(8).encode()

    async def state(self) -> Progress:
        """Return how far the scrub is."""
        return await calls.state(self._store)

    async def mark_all(self) -> None:
        """Let the next scrub visit every conversation: earlier versions did not note where they erased."""
        cursor = b"0"
        while True:
            cursor, keys = await self._store.run("SCAN", cursor, "MATCH", "log:*", "COUNT", _MARK_STEP)
            if keys:
                await calls.mark([key[4:] for key in keys]).of(self._store)
            if cursor == b"0":
                return

    async def run(self) -> Scrubbed:
        """Scrub all conversations in which something was erased. Raises ScrubError, or as ``IStore.run`` does."""
        done = Scrubbed()
        try:
            await self._hold()
            try:
                await self._all(done)
            finally:
                if self._store.connected:
                    await calls.release(self._token).of(self._store)
        except LeaseLost:
            raise ScrubError("another process scrubs this store; wait until it is done, then run it again") from None
        return done

    async def _all(self, done: Scrubbed) -> None:
        # First: copies in memory are useless if Redis keeps no file.
        await self._persistence()
        for conversation in sorted(await self._store.run("SUNION", "unscrubbed", "scrubbing")):
            done.conversations += await self._until_unchanged(done, self._conversation(done, conversation))
        for stream in self._streams:
            await self._until_unchanged(done, self._copies(done, stream, b""))
        if self._goes_on():
            await self._forget_slow_calls()
            await self._rewrite()
            done.complete = not done.postponed

    async def _until_unchanged(self, done: Scrubbed, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Do the work until nothing was removed meanwhile. Return whether it was done."""
        for _ in range(TRIES):
            if not self._goes_on():
                return False
            try:
                await work()
            except Again:
                continue
            return True
        done.postponed += 1
        return False

    def _conversation(self, done: Scrubbed, conversation: bytes) -> Callable[[], Coroutine[Any, Any, None]]:
        async def work() -> None:
            await calls.begin(self._token, LEASE, conversation).of(self._store)
            for what in (LOG, OPS):
                await self._copies(done, what, conversation)()
            await calls.finish(self._token, LEASE, conversation).of(self._store)

        return work

    def _copies(self, done: Scrubbed, what: bytes, conversation: bytes) -> Callable[[], Coroutine[Any, Any, None]]:
        async def work() -> None:
            after = b""
            while True:
                begun = self._clock.seconds()
                step = calls.copy(self._token, LEASE, what, conversation, after, STEP, STEP_BYTES, self._keeps_replaced)
                after, copied = await step.of(self._store)
                done.entries += copied
                if not after:
                    return
                # Half of Redis' time, at least, is for the clients.
                if (took := self._clock.seconds() - begun) > 0:
                    await deferLater(self._clock, took)

        return work

    async def _forget_slow_calls(self) -> None:
        """Empty the list of slow calls, which holds the beginnings of their arguments."""
        # A user who may not do this must know that list: doc/operations.md names it.
        with suppress(ReplyError):
            await self._store.run("SLOWLOG", "RESET")

    async def _hold(self) -> int:
        return await calls.hold(self._token, LEASE).of(self._store)

    async def _persistence(self) -> dict[bytes, bytes]:
        told = await self._store.run("INFO", "persistence")
        fields = dict(line.split(b":", 1) for line in told.splitlines() if b":" in line)
        if fields.get(b"aof_enabled") != b"1":
            raise ScrubError("Redis keeps no append-only file; set `appendonly yes`, then run `fishchat scrub --now`")
        return fields

    async def _rewrite(self) -> None:
        """Let Redis write its file anew, and wait for the end."""
        # A file that is being written may have been begun before the copies were made.
        await self._written()
        copied = await self._hold()
        try:
            await self._store.run("BGREWRITEAOF")
        except ReplyError as error:
            raise ScrubError(
                f"Redis refused BGREWRITEAOF: {error.text}; allow this command, then run `fishchat scrub --now`"
            ) from None
        if (await self._written()).get(b"aof_last_bgrewrite_status") != b"ok":
            raise ScrubError(
                "Redis could not write its append-only file anew; see its log, and whether the disk has room, then run"
                " `fishchat scrub --now`"
            )
        await calls.written(self._token, LEASE, copied).of(self._store)

    async def _written(self) -> dict[bytes, bytes]:
        """Return the fields of ``INFO persistence`` when no file is being written any more."""
        while True:
            await self._hold()
            fields = await self._persistence()
            if fields.get(b"aof_rewrite_in_progress") != b"1" and fields.get(b"aof_rewrite_scheduled") != b"1":
                return fields
            await deferLater(self._clock, ASK_EVERY)
