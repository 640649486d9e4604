"""A device with the capability ``lazy`` that is far behind: only the newest messages of a conversation are pushed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fishchat.features.messages.rows import RESP_BEHIND
from fishchat.model.conversation import Conversation, gap_line, missing
from fishchat.model.device import Reading
from fishchat.model.names import Position
from fishchat.services.msg_server.delivery.log_reader import Logs

LAZY = RESP_BEHIND.capability


class FarBehind:
    """Pass over all but the newest messages, without reading them, and announce each range that is passed over.

    :param most: the messages of one conversation that are still pushed.
    """

    def __init__(self, logs: Logs, refresh: Callable[[Conversation], Awaitable[None]], most: int) -> None:
        self._logs = logs
        self._refresh = refresh
        self._most = most

    def may_skip(self, reading: Reading, last: Position) -> bool:
        """Return whether the log up to ``last`` may hold more messages for the device than it wants."""
        # Numbers of different epochs do not compare: a restored store uses some of them again.
        before = reading.at[1] if reading.at[0] == last[0] else 0
        return LAZY in reading.device.capabilities and last[1] - before > self._most

    async def skip(self, reading: Reading) -> bool:
        """Pass over what is too old. Returns whether the reading may go on from where it is now."""
        device, conversation = reading.device, reading.conversation
        spans = reading.spans_left()
        newest = await self._logs.newest(conversation.name, spans, self._most)
        if reading not in device.lagging:
            return False
        if newest.version != conversation.version:
            await self._refresh(conversation)
            return False
        too_old = max((number for number, found in enumerate(newest.ranges) if found), default=-1)
        for (after, upto), found in zip(spans[: too_old + 1], newest.ranges, strict=False):
            self._pass_over(reading, after, upto, found, newest.trimmed)
        return device.room > 0

    def _pass_over(
        self,
        reading: Reading,
        after: Position,
        upto: Position | None,
        found: tuple[Position, Position] | None,
        trimmed: int,
    ) -> None:
        device, name = reading.device, reading.conversation.name
        if found is None:
            # Only the last of these spans may be open, and that one has messages.
            assert upto is not None
            first, last = (0, upto[1] + 1), upto
        else:
            first, last = found
        if first[1] != after[1] + 1 and (gone := missing(after[1], first[1], trimmed)) is not None:
            device.push(gap_line(name, *gone))
        if found is None:
            reading.skip(max(after, last))
            return
        device.push(RESP_BEHIND.line(name, first[1], last[1]) + b"\r\n")
        # It counts as a push: the cursor must not pass the range before something above it is acknowledged.
        reading.given(last)
