"""A device with the capability ``lazy`` that is far behind: only the newest messages of a conversation are pushed.

The older ones are announced as a range. Operations in that range may change messages that the device has, so those
whose target is not above its place are pushed all the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fishchat.features.messages.rows import RESP_BEHIND
from fishchat.model.conversation import Conversation, gap_line, missing
from fishchat.model.device import Device, Reading
from fishchat.model.message import Message
from fishchat.model.names import Position
from fishchat.services.msg_server.delivery.log_reader import PAGE_SIZE, Logs

LAZY = RESP_BEHIND.capability


@dataclass(frozen=True, slots=True)
class Range:
    """An announced range up to ``last``, whose operations on messages up to ``had`` are still to be pushed."""

    had: Position
    last: Position


class FarBehind:
    """Pass over all but the newest messages, without reading them, and announce each range that is passed over.

    :param most: the messages of one conversation that are still pushed.
    """

    def __init__(self, logs: Logs, refresh: Callable[[Conversation], Awaitable[None]], most: int) -> None:
        self._logs = logs
        self._refresh = refresh
        self._most = most
        self._ranges: dict[Reading, Range] = {}

    def is_in_range(self, reading: Reading) -> bool:
        """Return whether operations of an announced range must be read next."""
        return bool(self._ranges) and reading in self._ranges

    def announced(self, reading: Reading) -> Position:
        """Return up to where the device was told of messages: the end of its range, or its position without one."""
        within = self._ranges.get(reading)
        return reading.position if within is None else max(reading.position, within.last)

    def forget(self, device: Device) -> None:
        """Forget the ranges of a device that has disconnected."""
        if self._ranges:
            for reading in device.readings.values():
                self._ranges.pop(reading, None)

    def may_skip(self, reading: Reading, last: Position) -> bool:
        """Return whether the log up to ``last`` may hold more messages for the device than it wants."""
        # Numbers of different epochs do not compare: a restored store uses some of them again.
        before = reading.at[1] if reading.at[0] == last[0] else 0
        return LAZY in reading.device.capabilities and last[1] - before > self._most

    async def skip(self, reading: Reading) -> bool:
        """Announce the first range that is too old. Returns whether the reading may go on from where it is now."""
        device, conversation = reading.device, reading.conversation
        spans = reading.spans_left()
        newest = await self._logs.newest(conversation.name, spans, self._most)
        if reading not in device.lagging:
            return False
        if newest.version != conversation.version:
            await self._refresh(conversation)
            return False
        for (after, upto), found in zip(spans, newest.ranges, strict=True):
            if found is not None:
                self._announce(reading, after, found, newest.trimmed)
                return False
            if not any(newest.ranges):
                break
            # Nothing of this span is left, and there is a range after it.
            assert upto is not None
            self._push_gap(reading, missing(after[1], upto[1] + 1, newest.trimmed))
            reading.skip(max(after, upto))
        return device.room > 0

    def _announce(self, reading: Reading, after: Position, found: tuple[Position, Position], trimmed: int) -> None:
        first, last = found
        if first[1] != after[1] + 1:
            self._push_gap(reading, missing(after[1], first[1], trimmed))
        reading.device.push(RESP_BEHIND.line(reading.conversation.name, first[1], last[1]) + b"\r\n")
        # It counts as a push: the cursor must not pass the range before something above it is acknowledged.
        reading.given(reading.at)
        self._ranges[reading] = Range(reading.at, last)

    async def amend(self, reading: Reading) -> None:
        """Push the operations of the announced range on messages that the device has; then pass over the range."""
        device, conversation, within = reading.device, reading.conversation, self._ranges[reading]
        count = min(PAGE_SIZE, device.room)
        page = await self._logs.page(conversation.name, reading.at, within.last, count, operations=True)
        if reading not in device.lagging:
            return
        if page.version != conversation.version:
            await self._refresh(conversation)
            return
        for message in page.messages:
            if device.room <= 0:
                return
            if self._concerns(reading, message, within.had):
                device.push(message.line if device.encoding is None else message.rendered(device.encoding))
                reading.given(message.position)
            else:
                reading.skip(message.position)
        if not page.more:
            del self._ranges[reading]
            reading.skip(max(reading.at, within.last))

    def _concerns(self, reading: Reading, message: Message, had: Position) -> bool:
        is_own = message.sender == reading.device.key
        return not is_own and message.of is not None and message.of <= had and reading.is_given(message)

    def _push_gap(self, reading: Reading, gone: tuple[int, int] | None) -> None:
        if gone is not None:
            reading.device.push(gap_line(reading.conversation.name, *gone))
