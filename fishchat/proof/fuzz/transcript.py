"""The output of a server, read line by line: only the protocol, and one final reply for each command, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fishchat.client.pushes import parse_push
from fishchat.errors import WORDS, ProtocolError
from fishchat.features.registry import PUSHES
from fishchat.features.session.rows import REASONS, RESP_REVOKED
from fishchat.proof.fuzz.helpers import CONTROL, claim, fail
from fishchat.protocols.lines import MAX_OUT, UNFINISHED, LineSplitter, format_tags, parse_tags
from fishchat.protocols.table import Table
from fishchat.protocols.typed import without_controls

#: The verb of a reply, and the ``@id`` that it repeats.
Final = tuple[bytes, bytes | None]

_OWN_REPLIES = {b"LOCATE_TOPIC_MSG_ADDR": b"LOCATE_TOPIC_MSG_ADDR", b"SELECT_MSG_SERVER_FOR_CLIENT": b"REQ_MSG_SERVER"}
_PUSHES = {push.name: push for push in PUSHES}
#: The tags of items of lists: messages, conversations, members, contacts, topics.
ITEM_TAGS = frozenset(
    b"archived edited from mention mentions mine muted name notice notify op pinned react recalled remark reply time"
    b" until".split()
)
#: How the server ends a connection.
LAST = (
    b"OK QUIT",
    b"RESP_REPLACED",
    b"RESP_REVOKED",
    b"RESP_MOVE",
    b"RESP_BYE",
    b"ERR - BUSY",
    b"ERR - UNKNOWN_VERB",
    b"ERR - VERSION",
)


class Transcript:
    """Everything that was written to one client.

    :ivar finals: the final replies, in order.
    :ivar last: the last line without its tags, but for pushes that end nothing.
    """

    def __init__(self, said: bytes) -> None:
        self.finals: list[Final] = []
        self.last = b""
        self._greeted = False
        self._list: tuple[bytes, int, bytes | None] | None = None
        # Telnet's refusals are not lines.
        said = re.sub(rb"\xff[\xfc\xfe][^\r\n]", b"", said)
        claim(not said or said.endswith(b"\r\n"), "the last line has no end", said[-80:])
        for line in said.split(b"\r\n")[:-1]:
            self._take(line)
        claim(self._list is None, "a list has no end", self._list)

    @property
    def ended(self) -> bool:
        """Whether the last line may be one that ends the connection."""
        return self.last.startswith(LAST)

    def _take(self, line: bytes) -> None:
        claim(line and len(line) < MAX_OUT, "an empty line, or a long one", line[:80], len(line))
        claim(CONTROL.search(line.decode()) is None, "a control character", line)
        tags: dict[bytes, bytes] = {}
        if line[:1] == b"@":
            raw, _, line = line[1:].partition(b" ")
            tags = parse_tags(raw)
            claim(format_tags(tags)[1:-1] == raw, "other tags", raw)
        verb, _, rest = line.partition(b" ")
        allowed = ITEM_TAGS if verb == b"ITEM" else _PUSHES[verb].tag_rows.keys() if verb in _PUSHES else frozenset()
        claim(set(tags) <= {b"id", b"esc", *allowed}, "other tags", line)
        if line.startswith(LAST) or verb[:5] != b"RESP_":
            self.last = line
        mark = tags.get(b"id")
        if verb[:5] == b"RESP_":
            self._push(verb, rest, b"esc" in tags)
            return
        claim(b"esc" not in tags or verb == b"ITEM", "a reply with @esc", line)
        if verb in (b"BEGIN", b"ITEM", b"END"):
            self._part(verb, rest, mark)
            return
        claim(self._list is None, "a reply within a list", line)
        if verb == b"HELLO":
            claim(not self._greeted and not self.finals, "a greeting in the middle", line)
            self._greeted = True
        elif verb in _OWN_REPLIES:
            claim(rest, "no address", line)
            self.finals.append((_OWN_REPLIES[verb], mark))
        elif verb == b"OK":
            self.finals.append((rest.partition(b" ")[0], mark))
        elif verb == b"ERR":
            which, word, *sentence = rest.split(b" ", 2)
            claim(word.decode() in WORDS and sentence and sentence[0], "an unknown word, or no sentence", line)
            self.finals.append((which, mark))
        else:
            fail("no line of a server", line)

    def _part(self, verb: bytes, rest: bytes, mark: bytes | None) -> None:
        if verb == b"BEGIN":
            which, _, number = rest.partition(b" ")
            claim(self._list is None and number.isdigit(), "no beginning of a list", rest)
            self._list = which, int(number), mark
            return
        if self._list is None:
            fail("a part of no list", rest)
        which, left, own = self._list
        claim(mark == own, "another @id within a list", mark, own)
        if verb == b"ITEM":
            claim(left > 0 and rest, "an item too many, or an empty one", rest)
            self._list = which, left - 1, own
        else:
            claim(left == 0 and rest == which, "the end of another list", rest, self._list)
            self._list = None
            self.finals.append((which, mark))

    @staticmethod
    def _push(verb: bytes, rest: bytes, escaped: bool) -> None:
        push = _PUSHES.get(verb)
        if push is None:
            fail("a push that nobody knows", verb)
        values, text = push.read(rest)
        claim(push.line(*values, text=text).partition(b" ")[2] == rest, "not as its row writes it", verb, rest)
        claim(push is not RESP_REVOKED or rest in REASONS, "why?", rest)
        claim(parse_push(verb, rest, escaped) is not None, "a push without an event", verb)


def expected(table: Table, stream: bytes, last: str = "") -> Iterator[Final]:
    """Return the final replies due for a stream of commands. An acknowledgement may have none.

    :param last: what a last line without its end is, if the client has ended the stream: ``read`` or ``refused``.
    """
    splitter = LineSplitter()
    lines = splitter.feed(stream)
    if last:
        lines += [UNFINISHED if last == "refused" else line for line in splitter.finish()]
    said_hello = False
    for line in lines:
        try:
            try:
                command = table.parse(line)
            except ProtocolError as error:
                if error.word != "CONTROL" or not said_hello:
                    raise
                command = table.parse(without_controls(line))
        except ProtocolError as error:
            verb, tags = getattr(error, "verb", None), getattr(error, "tags", {})
            yield verb.name if verb else b"-", tags.get(b"id")
        else:
            said_hello = said_hello or command.verb.name == b"HELLO"
            yield command.verb.name, command.tags.get(b"id")


def compare(said: Transcript, owed: Iterator[Final], closed: bool) -> None:
    """Check that each command has its one reply, in order. A closed connection may lack the last ones."""
    for final in said.finals:
        for one in owed:
            if one == final:
                break
            claim(one[0] == b"SEND_ACK", "another reply was due", one, final)
        else:
            # The last one may be the reason why there is no connection.
            claim(final == (b"-", None) and closed, "a reply to nothing", final)
    left = [one for one in owed if one[0] != b"SEND_ACK"]
    if closed:
        claim(said.ended or b" UNKNOWN " in said.last, "closed without a reason", said.last)
    else:
        claim(not left, "no reply", left)
