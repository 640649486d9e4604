"""Clients in pairs, of which the first one edits its messages or reacts to them, as fast as it can or at a rate."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fishchat.features.messages.rows import RESP_MESSAGE_P2P, SEND_MESSAGE_P2P
from fishchat.features.operations.rows import REMOVE_REACTION, RESP_EDIT, RESP_REACTION, SEND_EDIT, SEND_REACTION
from fishchat.proof.bench.crowd import Member
from fishchat.proof.bench.messages import Talk
from fishchat.protocols.rows import Verb

#: A message may be edited 100 times, so each so-manyth line is a new one.
EACH = 50

_PUSHED = b"(?:%s|%s|%s)" % (RESP_MESSAGE_P2P.name, RESP_EDIT.name, RESP_REACTION.name)


class Changes(Talk):
    """Pairs, in which the first client changes its own messages: edits them, or reacts and takes that back.

    Nobody else writes, so that the numbers of a conversation are those of the sender's lines.
    """

    capabilities = b"ack,ops"
    numbers = re.compile(_PUSHED + rb" [^:]*:\d+-(\d+) ")
    written = re.compile(
        b"(?:%s|%s) [^:]*:[^:]*:\\d+-\\d+ (?:\\+ |\\d+ )(\\d{13,})" % (RESP_EDIT.name, RESP_REACTION.name)
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._texts: dict[Member, tuple[bytes, bytes]] = {}
        self._ids: dict[Member, bytes] = {}
        self._reactions: dict[Member, bytes] = {}

    def address(self, sender: Member, verb: Verb, to: bytes) -> None:
        """Prepare the lines of this client: the ids of its messages are known when the first one is stored."""
        padding = b"x" * max(1, self.job.size - len(b"999999 9999999999999999 "))
        self._texts[sender] = to, padding
        sender.heard = self._learn(sender)

    def _learn(self, sender: Member) -> Callable[[bytes], None]:
        def heard(lines: bytes) -> None:
            self.refusals(lines)
            if sender not in self._ids and SEND_MESSAGE_P2P.ok in lines:
                found = lines[lines.index(SEND_MESSAGE_P2P.ok) :].split(None, 3)[2]
                self._ids[sender] = found.rpartition(b"-")[0]
                sender.heard = self.refusals

        return heard

    def lines(self, sender: Member, first: int, count: int, micros: int) -> bytes:
        """Return the lines with these numbers."""
        to, padding = self._texts[sender]
        make = self._edit if self.job.kind == "edit" else self._react
        return b"".join(
            make(sender, number, micros, padding)
            if number % EACH != 1
            else b"@cseq=%d %s\r\n" % (number, SEND_MESSAGE_P2P.line(to, text=b"%d %d %s" % (number, micros, padding)))
            for number in range(first, first + count)
        )

    def _of(self, sender: Member, number: int) -> bytes:
        return b"%s-%d" % (self._ids[sender], number - (number - 1) % EACH)

    def _edit(self, sender: Member, number: int, micros: int, padding: bytes) -> bytes:
        of = self._of(sender, number)
        return b"@cseq=%d %s %s %d %d %s\r\n" % (number, SEND_EDIT.name, of, number, micros, padding)

    def _react(self, sender: Member, number: int, micros: int, padding: bytes) -> bytes:
        verb = SEND_REACTION if number % 2 == 0 else REMOVE_REACTION
        reaction = self._reactions.pop(sender, b"") if verb is REMOVE_REACTION else b"%d" % micros
        if verb is SEND_REACTION:
            self._reactions[sender] = reaction
        return b"@cseq=%d %s %s %s\r\n" % (number, verb.name, self._of(sender, number), reaction)
