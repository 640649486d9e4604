"""A device that is away, and at its login receives the messages sent meanwhile."""

from __future__ import annotations

import re

from fishchat.features.messages.rows import RESP_MESSAGE_P2P, SEND_ACK, SEND_MESSAGE_P2P
from fishchat.proof.bench.crowd import Crowd, Member
from fishchat.proof.bench.messages import Talk, last_id
from fishchat.proof.bench.spec import QUIET

_FROM = re.compile(RESP_MESSAGE_P2P.name + rb" (\S+) \S+ (\d+) ")


class Replay(Talk):
    """The first client is away while each of the others sends to it; then it logs in."""

    async def work(self) -> None:
        everybody, job = self.crowd, self.job
        away = Crowd(self.reactor, job.addresses, everybody.names[:1], everybody.tokens[:1])
        # It was logged in before, so that its device is known.
        await away.gather()
        away.close()
        self.crowd = Crowd(self.reactor, job.addresses, everybody.names[1:], everybody.tokens[1:])
        await self.crowd.gather()
        await self._write(everybody.names[0])
        self._last: dict[bytes, int] = {}
        away.early = self._given
        begin = self.now()
        await away.gather()
        self.took(begin, self.now(), self.delivered)
        self.figures.lost = self.sent - self.delivered

    async def _write(self, to: bytes) -> None:
        stored = 0

        def answered(sender: Member, lines: bytes) -> None:
            nonlocal stored
            count = lines.count(SEND_MESSAGE_P2P.ok)
            stored += count
            self.refusals(lines)
            self.write(sender, count)

        self.sending = True
        for sender in self.crowd.members:
            self.address(sender, SEND_MESSAGE_P2P, to)
            sender.heard = lambda lines, sender=sender: answered(sender, lines)  # type: ignore[misc]
        for sender in self.crowd.members:
            self.write(sender, self.job.window)
        await self.until(lambda: not self.sending and stored >= self.sent, lambda: stored, QUIET)

    def _given(self, member: Member, lines: bytes) -> None:
        messages = _FROM.findall(lines)
        for sender, text in messages:
            number, expected = int(text), self._last.get(sender, 0) + 1
            self.figures.disorder += number > expected
            self.figures.doubled += number < expected
            self._last[sender] = max(number, expected - 1)
        self.delivered += len(messages)
        if messages:
            # Conversations come one after the other, so a piece may hold the end of one and the beginning of the next.
            ends = {line.split(b" ", 2)[1]: line for line in lines.split(b"\r\n") if line.startswith(b"RESP_MESSAGE")}
            member.write(b"".join(b"%s %s\r\n" % (SEND_ACK.name, last_id(line)) for line in ends.values()))
