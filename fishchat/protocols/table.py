"""From a line to a command, or to a refusal. No I/O.

A :class:`Command` is well-formed; what that means for each verb stands in its row (see ``rows``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fishchat.errors import ProtocolError, Refusal
from fishchat.model.names import DIGITS, NAME_BYTES, NAME_LENGTH
from fishchat.protocols.fields import NO_TAGS, TERMS, Tags
from fishchat.protocols.lines import MAX_TEXT, parse_tags
from fishchat.protocols.rows import Push, Text, Verb
from fishchat.protocols.suggestions import Near
from fishchat.protocols.typed import clean, hint, tidied


class Command:
    """A line that was understood: every field and tag read into its value, the text within bounds.

    ``command["topic"]`` is the field of that name; ``fields`` is faster where every call counts.

    :ivar fields: accounts, topics and conversations as bytes, message ids as ``(conversation, epoch, seq)``.
    """

    __slots__ = ("fields", "tags", "text", "verb")

    def __init__(self, verb: Verb, fields: list[Any], text: bytes = b"", tags: Tags = NO_TAGS) -> None:
        self.verb = verb
        self.fields = fields
        self.text = text
        self.tags = tags

    def __getitem__(self, field: str) -> Any:
        return self.fields[self.verb.places[field]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Command) and self._values() == other._values()

    def __repr__(self) -> str:
        return f"<{self.verb.name.decode()} {self.fields} {self.text!r} {self.tags}>"

    def _values(self) -> tuple[object, ...]:
        return self.verb.name, self.fields, self.text, self.tags


#: Verbs that only servers use, in the original and here. No table has a row for them.
SERVER_PREFIXES = (b"ROUTE_", b"SUBSCRIBE_", b"CACHE_", b"RESP_", b"SELECT_", b"STORE_", b"PUBLISH_")

# Almost every line of a busy client looks like this. A test compares this short way with the long one.
_MESSAGE = re.compile(
    rb"(?:@cseq=(\d{1,%d}) )?(SEND_MESSAGE_P2P|SEND_MESSAGE_TOPIC) ([%s]{1,%d}) ([\t -~]{1,%d})"
    % (DIGITS, re.escape(NAME_BYTES), NAME_LENGTH, MAX_TEXT)
)
# Likewise an acknowledgement between two accounts.
_ACK = re.compile(
    rb"SEND_ACK (([%s]{1,%d})\+([%s]{1,%d})):(\d{1,%d})-(\d{1,%d})"
    % (re.escape(NAME_BYTES), NAME_LENGTH, re.escape(NAME_BYTES), NAME_LENGTH, DIGITS, DIGITS)
)


@dataclass(frozen=True)
class Group:
    """The rows of one subject: a page of ``HELP about <group>``.

    :ivar title: what people are shown. :ivar zh: the same in Chinese.
    """

    name: bytes
    title: str
    zh: str
    verbs: Sequence[Verb]
    pushes: Sequence[Push] = ()


class Table:
    """The verbs of one port. ``parse`` returns a command or raises ProtocolError, nothing else.

    :ivar groups: the groups of ``HELP about <group>``.
    :ivar terms: the words in angle brackets of usages and replies, in Chinese.
    """

    def __init__(self, verbs: Iterable[Verb], groups: Iterable[Group] = (), terms: Mapping[str, str] = TERMS) -> None:
        self.verbs = tuple(verbs)
        self.groups = tuple(groups)
        self.terms = terms
        self._pushes = {push.name: push for group in self.groups for push in group.pushes}
        self._by_word = {word: verb for verb in self.verbs for word in verb.words}
        self._near = Near(self._by_word)
        self._has_messages = b"SEND_MESSAGE_P2P" in self._by_word

    def find(self, word: bytes) -> Verb | None:
        """Return the verb with this name or alias, in any case."""
        return self._by_word.get(word) or self._by_word.get(word.upper())

    def find_push(self, word: bytes) -> Push | None:
        """Return the push with this name, in any case."""
        return self._pushes.get(word.upper())

    def parse(self, line: bytes) -> Command:
        """Parse a line. Raises ProtocolError, as BadCommand if the line's tags were read."""
        if self._has_messages and (found := _MESSAGE.fullmatch(line)) is not None:
            cseq, word, name, text = found.groups()
            return Command(self._by_word[word], [name], text, NO_TAGS if cseq is None else {b"cseq": int(cseq)})
        if self._has_messages and (found := _ACK.fullmatch(line)) is not None:
            conversation, one, other, epoch, seq = found.groups()
            if one <= other:
                return Command(self._by_word[b"SEND_ACK"], [(conversation, int(epoch), int(seq))])
        return self.parse_any(line)

    def parse_any(self, line: bytes) -> Command:
        """Parse a line without the short ways for plain messages and acknowledgements."""
        raw_tags = None
        line = cleaned = clean(line)
        if line[:1] == b"@":
            raw, _, line = line[1:].partition(b" ")
            raw_tags = parse_tags(raw)
        word, _, rest = line.partition(b" ")
        verb = self._by_word.get(word) or self._by_word.get(word.upper())
        if verb is None:
            if (tidy := tidied(cleaned)) != cleaned:
                return self.parse_any(tidy)
            raise BadCommand(self.unknown(word, cleaned[: len(cleaned) - len(rest)]), None, _echo_of(raw_tags))
        tags = NO_TAGS
        try:
            if raw_tags is not None:
                tags = verb.read_tags(raw_tags)
            fields, text = verb.read(rest, tags)
        except ProtocolError as error:
            raise BadCommand(_with_hint(error, verb, rest), verb, _echo_of(raw_tags)) from None
        return Command(verb, fields, text, tags)

    def unknown(self, word: bytes, beginning: bytes = b"") -> ProtocolError:
        """Return the refusal of a word that is no verb, with a hint at what the beginning of its line may mean."""
        upper = word.upper()
        if upper.startswith(SERVER_PREFIXES):
            return ProtocolError("SERVER_VERB")
        if about_blanks := hint(beginning):
            return ProtocolError("UNKNOWN_VERB", "unknown verb" + about_blanks)
        near = self._near.find(upper)
        if near is None:
            return ProtocolError("UNKNOWN_VERB")
        return ProtocolError("UNKNOWN_VERB", f"unknown verb; did you mean {near.decode()}? HELP lists all verbs")


class BadCommand(ProtocolError):
    """A line that is no command although its tags were read; the reply names its verb, if any, and echoes ``@id``."""

    def __init__(self, cause: Refusal, verb: Verb | None, tags: Tags) -> None:
        super().__init__(cause.word, cause.text, **cause.extra)
        self.verb = verb
        self.tags = tags


def _with_hint(error: ProtocolError, verb: Verb, rest: bytes) -> ProtocolError:
    """Return the refusal of fields, with a word on the blanks between them if those are not as they should be."""
    if error.word not in ("FIELDS", "BADNAME", "BADID"):
        return error
    number = len(verb.fields)
    fields = rest if verb.text is Text.NONE else b" ".join(rest.split(b" ", number)[:number]) or rest[:1]
    about_blanks = hint(fields)
    return ProtocolError(error.word, error.text + about_blanks, **error.extra) if about_blanks else error


def _echo_of(raw: dict[bytes, bytes] | None) -> Tags:
    """Return the ``@id`` of a command that was not understood, if it has a valid one."""
    mark = raw.get(b"id", b"") if raw else b""
    return {b"id": mark} if 0 < len(mark) <= 64 else NO_TAGS
