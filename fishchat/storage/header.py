"""The description of a script in its opening comment. No I/O.

The first sentence describes the script. Keys follow, each on a line of its own and continued on indented lines::

    -- Create a topic; its creator owns it and is its first member.
    -- args: server, incarnation, epoch, account, topic, kind, topics (per account, at most)
    -- reply: OK, membership version, position after which the member sees messages
    -- refuses: LEASE, EPOCH <epoch>, NOTFOUND, EXISTS, FULL <limit>
    -- writes: topic:<conversation> members:<conversation>

``refuses`` names the words that replace the reply, with the value after a word in angle brackets; ``each`` names those
for one item of a batch. A script whose reply begins with ``OK`` refuses with an array, others with the bare word.
``writes`` names the keys that it may change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

#: The first arguments of a script that writes for a msg_server.
FENCED = ("server", "incarnation", "epoch")

_KEYS = ("args", "reply", "refuses", "each", "writes")
_LINE = re.compile(r"-- (\w+):(?: |$)(.*)")


@dataclass(frozen=True)
class Header:
    """The keys of one script.

    :ivar args: the names of its arguments, without comments in parentheses. :ivar refuses: word → the name of its
    value, or empty. :ivar each: the same for one item of a batch.
    """

    summary: str
    args: tuple[str, ...]
    reply: str
    refuses: dict[str, str]
    each: dict[str, str]
    writes: tuple[str, ...]

    @property
    def fenced(self) -> bool:
        """Whether the first arguments are the fence of a msg_server."""
        return self.args[:3] == FENCED


def parse(source: str) -> Header:
    """Return the header of a script. ValueError without a sentence, ``args`` or ``reply``, or with an unknown key."""
    summary: list[str] = []
    values: dict[str, list[str]] = {}
    latest = summary
    comment = takewhile(lambda line: line.startswith("--") and not line.startswith("---"), source.splitlines())
    for line in comment:
        found = _LINE.match(line)
        if found:
            if found[1] not in _KEYS:
                raise ValueError(f"unknown key {found[1]!r}")
            latest = values[found[1]] = []
            line = "-- " + found[2]
        latest.append(line[2:].strip())
    texts = {key: " ".join(lines) for key, lines in values.items()}
    missing = [key for key in ("args", "reply") if not texts.get(key)]
    if missing or not summary:
        raise ValueError(f"the header lacks {', '.join(missing) or 'a sentence'}")
    args = tuple(_split(texts["args"]))
    words, each = _words(texts.get("refuses", "")), _words(texts.get("each", ""))
    return Header(" ".join(summary), args, texts["reply"], words, each, tuple(texts.get("writes", "").split()))


def _split(text: str) -> list[str]:
    while (inner := re.sub(r" ?\([^()]*\)", "", text)) != text:
        text = inner
    return [part.strip() for part in text.split(",") if part.strip()]


def _words(text: str) -> dict[str, str]:
    words = {}
    for part in _split(text):
        word, _, value = part.partition(" ")
        words[word] = value.strip("<>")
    return words
