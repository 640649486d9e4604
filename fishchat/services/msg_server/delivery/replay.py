"""Replay from the log for a device that is behind: after its login, a full window or a full transport."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.features.session.rows import RESP_SYNCED
from fishchat.model.conversation import Conversation, gap_line, missing
from fishchat.model.device import Device, Reading
from fishchat.model.names import Position
from fishchat.services.msg_server.delivery.far_behind import FarBehind
from fishchat.services.msg_server.delivery.log_reader import PAGE_SIZE, Logs, Page
from fishchat.services.msg_server.delivery.shown_times import ShownTimes
from fishchat.storage.redis import StoreError

SYNCED = RESP_SYNCED.line() + b"\r\n"


class Feeder:
    """Feed each device independently, one conversation after the other, and only while it has room.

    :ivar times: shows people when missed messages were sent.
    :param newest: the messages of one conversation that a device with the capability ``lazy`` is fed.
    """

    log = Logger()

    def __init__(self, logs: Logs, refresh: Callable[[Conversation], Awaitable[None]], newest: int) -> None:
        self._logs = logs
        self._refresh = refresh
        self._far_behind = FarBehind(logs, refresh, newest)
        self.times = ShownTimes()
        self._busy: set[Device] = set()

    def begin(self, device: Device) -> None:
        """Begin the replay for a device that has just logged in."""
        self._check_synced(device)
        self.feed(device)

    def feed(self, device: Device) -> None:
        """Feed the device while it has room; do nothing if this is under way already or nothing is lagging."""
        if device in self._busy or not device.lagging or device.room <= 0:
            return
        self._busy.add(device)
        ensureDeferred(self._feed(device)).addErrback(self._failed).addBoth(self._rest, device)

    def announced(self, reading: Reading) -> Position:
        """Return up to where a device was told of messages, pushed or in a range."""
        return self._far_behind.announced(reading)

    def forget(self, device: Device) -> None:
        """Forget a device that has disconnected."""
        self._far_behind.forget(device)

    def _rest(self, fed: object, device: Device) -> None:
        self._busy.discard(device)
        if fed is True:
            self.feed(device)

    def _failed(self, failure: Failure) -> None:
        # The store is unavailable: after its return the sweep feeds every device again.
        if failure.check(StoreError) is None:
            self.log.failure("a device could not be fed", failure)

    async def _feed(self, device: Device) -> bool:
        while device.lagging and device.room > 0:
            reading = next(iter(device.lagging))
            await self._feed_page(reading)
        return True

    async def _feed_page(self, reading: Reading) -> None:
        device, conversation = reading.device, reading.conversation
        last = max(_goal(reading), conversation.position)
        if self._far_behind.is_in_range(reading):
            await self._far_behind.amend(reading)
            return
        if self._far_behind.may_skip(reading, last) and not await self._far_behind.skip(reading):
            return
        span = reading.next_span()
        if span is None:
            self._end(reading)
            return
        after, upto = span
        known = conversation.position
        page = await self._logs.page(conversation.name, after, upto, min(PAGE_SIZE, device.room))
        if reading not in device.lagging:
            return
        if page.version != conversation.version:
            await self._refresh(conversation)
            return
        all_given = self._give(reading, after, page)
        if page.more or not all_given:
            self._check_goal(reading)
            return
        end = upto or max(_goal(reading), known)
        if not page.messages and end > after:
            self._gone(reading, after, end, page.trimmed)
        if upto is not None:
            reading.at = max(reading.at, upto)
        else:
            # Also move past an empty span: otherwise its end would be read again and again.
            reading.at = max(reading.at, after)
            self._end(reading)

    def _give(self, reading: Reading, after: Position, page: Page) -> bool:
        """Push the page while the device has room; live messages may have used room while the page was read."""
        device = reading.device
        number = after[1]
        for message in page.messages:
            if device.room <= 0:
                return False
            if message.seq != number + 1:
                self._push_gap(reading, missing(number, message.seq, page.trimmed))
            number = message.seq
            if message.sender == device.key or (message.needs and not reading.is_given(message)):
                reading.skip(message.position)
            else:
                if device.minute is not None:
                    self.times.show(device, message.time)
                device.push(message.line if device.encoding is None else message.rendered(device.encoding))
                reading.given(message.position)
        return True

    def _gone(self, reading: Reading, after: Position, end: Position, trimmed: int) -> None:
        """Pass over numbers that the device has not seen and that are no longer in the log."""
        if end[1] > after[1]:
            self._push_gap(reading, missing(after[1], end[1] + 1, trimmed))
        reading.skip(end)

    def _push_gap(self, reading: Reading, gone: tuple[int, int] | None) -> None:
        if gone is not None:
            reading.device.push(gap_line(reading.conversation.name, *gone))

    def _end(self, reading: Reading) -> None:
        """Take note that the log has no more messages for now."""
        device = reading.device
        device.lagging.pop(reading, None)
        if device.syncing is None:
            reading.conversation.settle(reading)
        else:
            device.syncing.pop(reading, None)
            self._check_synced(device)

    def _check_goal(self, reading: Reading) -> None:
        device = reading.device
        if device.syncing and reading in device.syncing and reading.at >= device.syncing[reading]:
            del device.syncing[reading]
            self._check_synced(device)

    def _check_synced(self, device: Device) -> None:
        """Send ``RESP_SYNCED`` after everything missed before the login is pushed, then newer messages."""
        if device.syncing is None or device.syncing:
            return
        device.syncing = None
        device.push(SYNCED)
        if device.minute is not None:
            device.minute = 0
        for reading in list(device.readings.values()):
            if reading not in device.lagging:
                reading.conversation.settle(reading)


def _goal(reading: Reading) -> Position:
    """Return the position that the device has to reach before RESP_SYNCED, or where it is if it has reached it."""
    syncing = reading.device.syncing
    return syncing.get(reading, reading.at) if syncing else reading.at
