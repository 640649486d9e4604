"""Clients for the world of ``sync_world``: they speak the protocol by hand and check every line that they receive.

Nothing of ``fishchat.client`` is used here, so that a misunderstanding there cannot hide the same one in the server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fishchat.model.names import START, Position
from fishchat.test.support.sync_link import Asked, Link, Sent
from fishchat.test.support.sync_oracle import Login, Oracle, Stored

#: Pushes that may be received besides answers and messages.
_PUSHES = frozenset(["HELLO", "ITEM", "RESP_SYNCED", "RESP_GAP", "RESP_BEHIND", "RESP_TIME", "RESP_READ"]) | frozenset(
    ["RESP_REPLACED", "RESP_REVOKED", "RESP_MOVE", "RESP_PING"]
)


@dataclass
class Progress:
    """The place of a device in one conversation."""

    last: Position = START
    acked: Position = START
    got: list[Stored] = field(default_factory=list)
    next: int = 1
    outbox: list[Sent] = field(default_factory=list)
    #: Its number may be used by a message that was given up: it asks, and sends one at a time from then on.
    lost_count: bool = False
    asking: Link | None = None
    careful: bool = False


class Device:
    """A client of one account.

    :ivar acks: whether it acknowledges and numbers its messages, or is a person on ``nc``.
    :ivar lazy: whether it wants only the newest messages; what it is told to be behind counts as received.
    :ivar strict: whether the store has lost nothing, so that P1 and dense numbers hold.
    """

    def __init__(self, account: str, name: str, acks: bool, lazy: bool, oracle: Oracle, errors: list[str]) -> None:
        self.account, self.name, self.acks, self.lazy = account, name, acks, lazy
        self.key = f"{account}/{name}"
        self.oracle = oracle
        self.errors = errors
        self.link: Link | None = None
        self.strict = True
        self.progress: dict[str, Progress] = {}
        #: Of a person: what was ever written to it. Of any: what it was told is stored, by text.
        self.shown: dict[str, set[Position]] = {}
        self.confirmed: dict[str, str] = {}
        self.sent: dict[str, list[str]] = {}
        self.given_up: set[str] = set()
        self._count = 0

    def at(self, conversation: str) -> Progress:
        """Return the client's place in a conversation."""
        return self.progress.setdefault(conversation, Progress())

    @property
    def online(self) -> bool:
        """Return whether the client may send."""
        return self.link is not None and self.link.online

    # -- actions

    def begin(self, link: Link) -> None:
        """Log in on a new connection; an earlier connection is not closed."""
        self.give_up_link()
        self.link = link
        if self.acks:
            link.say("HELLO 1 caps=ack,lazy" if self.lazy else "HELLO 1 caps=ack", Asked("HELLO"))
        link.say(f"@device={self.name} SEND_CLIENT_ID {self.account}", Asked("SEND_CLIENT_ID"))

    def give_up_link(self) -> None:
        """Forget the commands of this connection, which stay unanswered."""
        self.link = None
        for progress in self.progress.values():
            for sent in progress.outbox:
                sent.on = None
            if not self.acks:
                self._give_up(progress)

    def _give_up(self, progress: Progress) -> None:
        self.given_up.update(sent.text for sent in progress.outbox)
        progress.outbox.clear()

    def leave(self, clean: bool) -> None:
        """Close the connection."""
        if self.link is not None:
            self.link.leave(clean)
            self.give_up_link()

    def send(self, conversation: str) -> None:
        """Write a new message."""
        self._count += 1
        progress = self.at(conversation)
        sent = Sent(conversation, f"{self.key}:{self._count}", progress.next if self.acks else None)
        progress.next += 1
        progress.outbox.append(sent)
        self.sent.setdefault(conversation, []).append(sent.text)
        if self.link is None:
            if not self.acks:
                self._give_up(progress)
        elif not (progress.careful or progress.lost_count) and self._in_turn(progress, sent):
            self._say(sent)
        else:
            self.resend(conversation)

    def _in_turn(self, progress: Progress, sent: Sent) -> bool:
        return all(other.on is self.link for other in progress.outbox if other is not sent)

    def resend(self, conversation: str) -> None:
        """Send all messages without an OK again, in order, unless some of them are under way."""
        progress = self.at(conversation)
        if self.link is None or not progress.outbox or any(sent.on is self.link for sent in progress.outbox):
            return
        if progress.lost_count:
            self._ask_count(conversation)
            return
        for sent in progress.outbox[: 1 if progress.careful else None]:
            self._say(sent)

    def _ask_count(self, conversation: str) -> None:
        progress = self.at(conversation)

        def answered(line: str) -> None:
            progress.asking = None
            if "GAP expected=" in line:
                progress.lost_count = False
                self._renumber(progress, _expected(line))
            elif " NOT" in line:
                self._give_up(progress)

        if self.link is not None and progress.asking is not self.link:
            progress.asking = self.link
            self._say(Sent(conversation, "never stored", 0), answered)

    def _renumber(self, progress: Progress, number: int) -> None:
        for sent in progress.outbox:
            sent.cseq = number
            number += 1
        progress.next = number

    def _say(self, sent: Sent, done: Callable[[str], None] | None = None) -> None:
        assert self.link is not None
        sent.on = self.link
        tag = "" if sent.cseq is None else f"@cseq={sent.cseq} "
        if sent.conversation.startswith("#"):
            verb, to = "SEND_MESSAGE_TOPIC", sent.conversation[1:]
        else:
            one, _, other = sent.conversation.partition("+")
            verb, to = "SEND_MESSAGE_P2P", other if one == self.account else one
        self.link.say(f"{tag}{verb} {to} {sent.text}", Asked(verb, None if done else sent, done))

    def ask(self, line: str) -> None:
        """Send any other command."""
        if self.link is not None:
            self.link.say(line, Asked(line.split()[0]))

    def ack(self, conversation: str, back: int = 0) -> None:
        """Acknowledge all received messages, or all but the last few."""
        if self.link is None or not self.acks:
            return
        progress = self.at(conversation)
        given = [one for one in self.link.pushed.get(conversation, ()) if one.position <= progress.last]
        if len(given) > back:
            self._ack(given[-1 - back])

    def ack_early(self, conversation: str) -> None:
        """Acknowledge messages of an earlier connection; the server may not have repeated them yet."""
        got = self.at(conversation).got
        if self.link is not None and self.acks and got:
            self.link.early = True
            self._ack(got[-1])

    def _ack(self, message: Stored) -> None:
        progress = self.at(message.conversation)
        progress.acked = max(message.position, progress.acked)
        assert self.link is not None
        self.link.say(f"SEND_ACK {message.id}")

    # -- received lines

    def written(self, link: Link, line: str) -> None:
        """Check a line that the server has written, whether it arrives or not."""
        try:
            self._judge(link, line)
        except AssertionError as error:
            # An exception raised here would only be logged by the server.
            self.errors.append(str(error))

    def _judge(self, link: Link, line: str) -> None:
        words = line.split(" ")
        if words[0] == "RESP_GAP":
            assert not self.strict, f"{self.key} hears {line}, and nothing was lost"
            link.gaps.add(words[1])
        if words[0] == "RESP_SYNCED":
            self._check_synced(link)
        if words[0] == "RESP_BEHIND":
            self._check_behind(link, line)
        message = _message(line)
        if message is None:
            return
        conversation, id, sender, text = message
        assert id in self.oracle.ids, f"{self.key} is given {line}, which nobody stored"
        true_sender, true_text = self.oracle.ids[id]
        assert (true_sender.partition("/")[0], true_text) == (sender, text), f"P5: {line} is from {true_sender}"
        assert true_sender != self.key, f"{self.key} is given its own message: {line}"
        self._check_order(link, Stored(conversation, *_position(id), true_sender, text))

    def _check_behind(self, link: Link, line: str) -> None:
        """Check a range as if its messages were pushed: a message is pushed, in a range, or it is lost."""
        conversation, first, last = line.split(" ")[1:]
        assert self.lazy, f"{self.key} hears {line}"
        found = [one for one in self.oracle.entitled(self.key, conversation) if int(first) <= one.seq <= int(last)]
        link.told[line] = found
        for message in found:
            self._check_order(link, message)

    def _check_order(self, link: Link, message: Stored) -> None:
        pushed = link.pushed.setdefault(message.conversation, [])
        where = f"{self.key} on {link.server} is given {message} behind {pushed[-3:]}"
        if pushed:
            assert message.position > pushed[-1].position, f"P3: not increasing: {where}"
            announced = message.seq > pushed[-1].seq or message.conversation in link.gaps
            assert announced, f"an older state without RESP_GAP: {where}"
        pushed.append(message)
        self.shown.setdefault(message.conversation, set()).add(message.position)
        link.gaps.discard(message.conversation)
        found = link.found()
        if self.strict and found is not None:
            due = self._due(link, found, message.conversation)
            assert pushed == due[: len(pushed)], f"P1, P4, membership: {where}, due were {due[: len(pushed) + 2]}"

    def _due(self, link: Link, found: Login, conversation: str, count: int | None = None) -> list[Stored]:
        """Return what a login must push, without messages acknowledged elsewhere or shown to a person since."""
        cursor = found.cursors.get(conversation, START)
        pushed = link.pushed.get(conversation, [])
        acked, shown = self.at(conversation).acked, self.shown.get(conversation, set())
        due = [one for one in self.oracle.entitled(self.key, conversation)[:count] if one.position > cursor]
        return [
            one for one in due if one in pushed or not (one.position <= acked if self.acks else one.position in shown)
        ]

    def _check_synced(self, link: Link) -> None:
        assert not link.synced, f"{self.key}: RESP_SYNCED twice"
        link.synced = True
        found = link.found()
        if not self.strict or found is None:
            return
        for conversation, count in found.seen.items():
            missed = self._due(link, found, conversation, count)
            pushed = link.pushed.get(conversation, [])
            assert pushed[: len(missed)] == missed, f"{self.key}: RESP_SYNCED before {missed[len(pushed) :]}"

    def heard(self, link: Link, line: str) -> None:
        """Process the next line that has arrived."""
        # Notices in a history carry this tag.
        words = line.removeprefix("@notice ").split(" ")
        message = _message(line)
        if message is not None:
            conversation, id, _, text = message
            self._received(link, Stored(conversation, *_position(id), self.oracle.ids[id][0], text))
        elif words[0] == "RESP_BEHIND":
            for one in link.told[line]:
                self._received(link, one)
        elif words[0] in ("OK", "ERR", "END", "LOCATE_TOPIC_MSG_ADDR"):
            self._answered(link, line)
        elif words[0] == "BEGIN":
            assert link.asked and link.asked[0].verb == words[1], f"{self.key}: {line} for {list(link.asked)[:3]}"
        else:
            assert words[0] in _PUSHES, line

    def _received(self, link: Link, message: Stored) -> None:
        progress = self.at(message.conversation)
        if link is self.link and message.position > progress.last:
            progress.last = message.position
            progress.got.append(message)

    def _answered(self, link: Link, line: str) -> None:
        words = line.split(" ")
        if words[:2] == ["ERR", "SEND_ACK"]:
            assert words[2] != "AHEAD" or link.early or not self.strict, f"{self.key}: {line}"
            return
        if words[:3] == ["ERR", "-", "STATE"] and "limit=60s" in words:
            return  # no answer, a farewell
        assert link.asked and link.asked[0].verb == words[1], f"{self.key}: {line} for {list(link.asked)[:3]}"
        asked = link.asked.popleft()
        assert "INTERNAL" not in words[:3], line
        if asked.verb == "SEND_CLIENT_ID" and words[0] == "OK":
            link.online = True
        elif asked.verb == "SEND_CLIENT_ID" and link is self.link:
            self.leave(True)
        if link is not self.link:
            return
        if asked.done is not None:
            asked.done(line)
        elif asked.sent is not None:
            self._sent(asked.sent, line)

    def ended(self, link: Link) -> None:
        """Take note that the server has closed the connection."""
        if self.link is link:
            self.give_up_link()

    def _sent(self, sent: Sent, line: str) -> None:
        progress = self.at(sent.conversation)
        words = line.split(" ")
        sent.on = None
        if sent not in progress.outbox:
            return
        if words[0] == "OK":
            assert self.oracle.ids.get(words[2]) == (self.key, sent.text), f"{self.key}: {line} for {sent}"
            progress.outbox.remove(sent)
            self.confirmed[sent.text] = words[2]
        elif not self.acks:
            assert words[2] in ("TRYAGAIN", "UNKNOWN", "NOTMEMBER", "NOTFOUND", "STATE"), f"{self.key}: {line}"
            progress.outbox.remove(sent)
        elif words[2] in ("NOTMEMBER", "NOTFOUND"):
            # The client gives up all its messages there; some of them may be stored by an earlier attempt.
            self._give_up(progress)
            progress.lost_count = progress.careful = True
        elif words[2] in ("GAP", "CONFLICT"):
            self._misnumbered(progress, sent, line)
        else:
            assert words[2] in ("TRYAGAIN", "UNKNOWN", "STATE"), f"{self.key}: {line} for {sent}"

    def _misnumbered(self, progress: Progress, sent: Sent, line: str) -> None:
        expected = _expected(line)
        if progress.careful or not self.strict:
            progress.careful = progress.lost_count = True
            return
        assert "GAP" in line, f"P2: {self.key}: {line} for {sent}"
        first = progress.outbox[0].cseq
        assert first is not None and sent.cseq is not None
        assert first <= expected < sent.cseq, f"P2: {self.key}: {line} for {sent}, the first is {first}"


def _expected(line: str) -> int:
    return int(line.partition("expected=")[2].split(" ")[0])


def _position(id: str) -> Position:
    epoch, _, seq = id.rpartition(":")[2].partition("-")
    return int(epoch), int(seq)


def _message(line: str) -> tuple[str, str, str, str] | None:
    """Return conversation, id, sender and text of a pushed message."""
    words = line.split(" ")
    if words[0] == "RESP_MESSAGE_TOPIC":
        topic, sender, id, *text = words[1:]
        assert id.startswith(f"#{topic}:"), line
    elif words[0] in ("RESP_MESSAGE_P2P", "RESP_NOTICE"):
        sender, id, *text = words[1:]
    else:
        return None
    return id.rpartition(":")[0], id, sender, " ".join(text)
