"""Clients that talk in pairs or in one topic, as fast as they can or at a rate."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from functools import lru_cache
from itertools import cycle
from typing import Any

from twisted.internet.task import LoopingCall

from fishchat.features.messages.rows import (
    RESP_MESSAGE_P2P,
    RESP_MESSAGE_TOPIC,
    SEND_ACK,
    SEND_MESSAGE_P2P,
    SEND_MESSAGE_TOPIC,
)
from fishchat.features.topics.rows import CREATE_TOPIC, JOIN_TOPIC
from fishchat.proof.bench.crowd import Member
from fishchat.proof.bench.measuring import Run
from fishchat.proof.bench.spec import QUIET
from fishchat.protocols.rows import Verb

#: The most messages under way: a server refuses messages that would have to wait for seconds.
UNDER_WAY = 5000
#: Conversations that begin at the same time, and members that join at the same time.
FIRST, JOINING = 500, 100
#: Seconds between two checks of the schedule, and the most messages that one check sends.
TICK, BURST = 0.001, 1000

# A text is the sender's number of the message, the microsecond at which it was written, and padding.
_PUSHED = b"(?:%s|%s)" % (RESP_MESSAGE_P2P.name, RESP_MESSAGE_TOPIC.name)
_COUNTED = re.compile(_PUSHED + rb" [^:]*:\d+-\d+ (\d+) ")
_NUMBERED = re.compile(_PUSHED + rb" [^:]*:\d+-(\d+) ")
_WRITTEN = re.compile(_PUSHED + rb" [^:]*:\d+-\d+ \d+ (\d+) ")
_BY_WHOM = re.compile(RESP_MESSAGE_TOPIC.name + rb" \S+ (\S+) \S+ (\d+) ")


class Talk(Run):
    """Pairs, in which the first client sends to the second one.

    :ivar numbers: finds the number that rises by one with each message that a client receives; ``written`` the
        microsecond at which it was written.
    """

    numbers = _COUNTED
    written = _WRITTEN

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._lines: dict[Member, Callable[[int], bytes]] = {}
        self._began, self._before = 0.0, 0

    async def work(self) -> None:
        job = self.job
        await self.crowd.gather()
        senders = await self.meet()
        await self._begin(senders)
        self._turns = cycle(senders)
        self.sending = True
        ticks = LoopingCall(self._tick)
        ticks.clock = self.reactor
        if job.rate:
            self._began, self._before = self.reactor.seconds(), self.sent
            ticks.start(TICK)
        else:
            window = max(1, min(job.window, UNDER_WAY // len(senders)))
            for sender in senders:
                self.write(sender, window)
        await self._for_a_time()
        if ticks.running:
            ticks.stop()
        await self.drain(lambda: self.sent * self.each)
        self.latencies.put(self.figures)
        self.compare()

    async def meet(self) -> list[Member]:
        """Make everybody listen; return the senders."""
        members = self.crowd.members[: self.job.talkers or None]
        for sender, receiver in zip(members[::2], members[1::2], strict=True):
            sender.heard = self.refusals
            self.address(sender, SEND_MESSAGE_P2P, receiver.name)
            self.listen(receiver, lambda count, sender=sender: self.write(sender, count))  # type: ignore[misc]
        return members[::2]

    async def _begin(self, senders: list[Member]) -> None:
        """Send one message of each, since the first one of a conversation costs more."""
        for start in range(0, len(senders), FIRST):
            self.sending = True
            for sender in senders[start : start + FIRST]:
                self.write(sender, 1)
            self.sending = False
            await self.until(lambda: self.delivered >= self.sent * self.each, lambda: self.delivered, QUIET)

    @property
    def each(self) -> int:
        """The number of deliveries of a message."""
        return 1

    def compare(self) -> None:
        """Compare the values that are complete only at the end."""

    async def _for_a_time(self) -> None:
        await self.pause(self.job.warm)
        self.latencies.clear()
        begin, delivered, sent = self.now(), self.delivered, self.sent
        await self.pause(self.job.seconds)
        end = self.now()
        self.sending = False
        self.took(begin, end, self.delivered - delivered)
        self.figures.sent = round((self.sent - sent) / (end.at - begin.at), 1)

    async def pause(self, seconds: float) -> None:
        """Let them talk. BenchError when a client was lost meanwhile."""
        end = self.reactor.seconds() + seconds
        await self.until(lambda: self.reactor.seconds() >= end, self.reactor.seconds, seconds)

    # -- writing

    def address(self, sender: Member, verb: Verb, to: bytes) -> None:
        """Set the receiver and the text of this client."""
        size, limit = self.job.size, len(b"999999 9999999999999999 ")
        line = b"@cseq=%d " + verb.line(to, text=b"%d %d " + b"x" * max(1, size - limit)) + b"\r\n"
        self._lines[sender] = lru_cache(64)(lambda count: line * count)

    def write(self, sender: Member, count: int) -> None:
        """Write so many messages in one piece; nothing after the end."""
        if self.job.messages:
            count = min(count, self.job.messages - self.sent)
        if not self.sending or count <= 0:
            return
        first, micros = sender.said + 1, int(self.reactor.seconds() * 1e6)
        sender.said += count
        self.sent += count
        if self.job.messages and self.sent >= self.job.messages:
            self.sending = False
        sender.write(self.lines(sender, first, count, micros))

    def lines(self, sender: Member, first: int, count: int, micros: int) -> bytes:
        """Return the lines with these numbers, which are written in this microsecond."""
        values = [value for number in range(first, first + count) for value in (number, number, micros)]
        return self._lines[sender](count) % tuple(values)

    def _tick(self) -> None:
        due = int((self.reactor.seconds() - self._began) * self.job.rate) - (self.sent - self._before)
        for _ in range(min(due, BURST)):
            self.write(next(self._turns), 1)

    # -- listening

    def listen(self, member: Member, more: Callable[[int], object] | None = None, strict: bool = True) -> None:
        """Count and acknowledge what this client receives; ``more`` is called with the count, to write as many.

        :param strict: whether no number may be missing: a client gets no echo of its own messages.
        """
        find, find_written, every = self.numbers.findall, self.written.findall, bool(self.job.rate)
        flat_out = more if not every else None
        add, seconds = self.latencies.add, self.reactor.seconds

        def heard(lines: bytes) -> None:
            numbers = list(map(int, find(lines)))
            if not numbers:
                self.refusals(lines)
                return
            count = len(numbers)
            if not strict or numbers != list(range(member.got + 1, member.got + 1 + count)):
                count = self._look(member, numbers, strict)
            member.got = max(member.got, numbers[-1])
            self.delivered += count
            member.write(b"%s %s\r\n" % (SEND_ACK.name, last_id(lines)))
            now = seconds() * 1e6
            # At full speed the first message of a piece stands for all.
            for written in find_written(lines) if every else find_written(lines, 0, 200):
                add((now - int(written)) / 1e6)
            if flat_out is not None:
                flat_out(count)

        member.heard = heard

    def _look(self, member: Member, numbers: list[int], strict: bool) -> int:
        """Count the messages that are out of order; return how many are new."""
        # Notices of new members have the first numbers of a topic.
        new, at = 0, member.got or (numbers[0] - 1 if self.numbers is _NUMBERED else 0)
        for number in numbers:
            if number <= at:
                self.figures.doubled += 1
                continue
            if strict and number != at + 1:
                self.figures.disorder += 1
            new, at = new + 1, number
        return new

    def refusals(self, lines: bytes) -> None:
        """Count the refusals in these lines."""
        if b"ERR " in lines:
            self.figures.refused += lines.count(b"ERR ")
            first = lines[lines.index(b"ERR ") :].partition(b"\r")[0]
            self.figures.refusal = self.figures.refusal or first.decode("utf-8", "replace")


class TopicTalk(Talk):
    """One topic: the first members send, spread over the servers, and all members receive."""

    async def meet(self) -> list[Member]:
        members, count = self.crowd.members, self.job.senders
        topic = self.job.prefix.encode()
        await members[0].ask(CREATE_TOPIC.line(topic) + b"\r\n", CREATE_TOPIC.ok)
        for start in range(1, len(members), JOINING):
            joining = JOIN_TOPIC.line(topic) + b"\r\n"
            joins = [each.ask(joining, JOIN_TOPIC.ok) for each in members[start:][:JOINING]]
            for join in joins:
                await join
        # By then each server knows the members that joined at another one.
        await self.pause(0.5)
        senders = members[:count]
        if count > 1:
            self.numbers = _NUMBERED
        for member in members:
            self.listen(member, strict=member not in senders)
        for sender in senders:
            self.address(sender, SEND_MESSAGE_TOPIC, topic)
        self.listen(members[-1], self._more)
        self._witness(members[count:])
        return senders

    @property
    def each(self) -> int:
        return len(self.crowd.members) - 1

    def _more(self, count: int) -> None:
        """When the last member has so many, have the senders write as many."""
        share, rest = divmod(count, self.job.senders)
        for number, sender in enumerate(self.crowd.members[: self.job.senders]):
            if amount := share + (number < rest):
                self.write(sender, amount)

    def _witness(self, readers: list[Member]) -> None:
        """With several senders, compare the readers by a checksum, and check the order of each sender at one reader."""
        self._sums: dict[Member, int] = {}
        self._of: dict[bytes, int] = {}
        if self.job.senders == 1:
            return
        for reader in readers:
            self._sums[reader] = 0
            reader.heard = self._summed(reader, reader.heard, reader is readers[-1])

    def _summed(self, reader: Member, heard: Callable[[bytes], None], last: bool) -> Callable[[bytes], None]:
        def both(lines: bytes) -> None:
            self._sums[reader] = zlib.crc32(lines, self._sums[reader])
            if last:
                for sender, number in _BY_WHOM.findall(lines):
                    self.figures.disorder += int(number) != self._of.get(sender, 0) + 1
                    self._of[sender] = int(number)
            heard(lines)

        return both

    def compare(self) -> None:
        sums = list(self._sums.values())
        self.figures.disorder += sum(one != sums[-1] for one in sums)


def last_id(lines: bytes) -> bytes:
    """Return the id of the last message or operation in these lines."""
    words = lines[max(map(lines.rfind, (b"RESP_MESSAGE_", b"RESP_EDIT ", b"RESP_REACTION "))) :].split(b" ", 4)
    return words[3 if words[0] == RESP_MESSAGE_TOPIC.name else 2]
