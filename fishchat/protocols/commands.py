"""The command table, and the one function that turns a line into a command. No I/O.

A verb is a row: its fields, its text, its tags, the states in which it is allowed. Whoever gets a :class:`Command`
has a well-formed one; ``doc/protocol.md``'s reference is printed from these rows.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from fishchat.errors import ProtocolError, Refusal
from fishchat.model.names import DIGITS, MessageId, is_conversation, is_name, split_id
from fishchat.protocols.lines import MAX_LINE, MAX_TEXT, OVERLONG, parse_tags, unescape
from fishchat.protocols.near import Near


class State(enum.Enum):
    """Where a connection stands."""

    GREETED = "before login"
    LOGGING_IN = "while logging in"
    ONLINE = "after login"
    CLOSING = "closing"


class Text(enum.Enum):
    """What may follow the fields of a verb."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


def _read_name(value: bytes) -> bytes:
    if not is_name(value):
        raise ProtocolError("BADNAME")
    return value


def _read_conversation(value: bytes) -> bytes:
    if not is_conversation(value):
        raise ProtocolError("BADID")
    return value


def _read_id(value: bytes) -> MessageId:
    try:
        return split_id(value)
    except ValueError:
        raise ProtocolError("BADID") from None


def _read_version(value: bytes) -> bytes:
    if value != b"1":
        raise ProtocolError("VERSION")
    return value


#: Field name → what reads it. Each raises ProtocolError, nothing else.
FIELDS: dict[str, Callable[[bytes], Any]] = {
    "account": _read_name,
    "topic": _read_name,
    "conversation": _read_conversation,
    "id": _read_id,
    "version": _read_version,
}


def _whole_number(name: str, low: int, high: int) -> Callable[[bytes], int]:
    def read(value: bytes) -> int:
        if value.isdigit() and len(value) <= DIGITS and low <= (number := int(value)) <= high:
            return number
        raise ProtocolError("BADTAG", f"@{name} is a whole number from {low} to {high}")

    return read


def _read_kind(value: bytes) -> bytes:
    if value not in (b"open", b"invitation"):
        raise ProtocolError("BADTAG", "@kind is open or invitation")
    return value


def _read_echo(value: bytes) -> bytes:
    if not 0 < len(value) <= 64:
        raise ProtocolError("BADTAG", "@id is 1 to 64 bytes")
    return value


def _read_flag(value: bytes) -> bytes:
    if value:
        raise ProtocolError("BADTAG", "@esc takes no value")
    return value


#: The highest number that a sender may give a message.
MAX_CSEQ = 10**DIGITS - 1

#: Tag → what reads it. Each raises ProtocolError, nothing else.
TAGS: dict[bytes, Callable[[bytes], Any]] = {
    b"id": _read_echo,
    b"cseq": _whole_number("cseq", 0, MAX_CSEQ),
    b"esc": _read_flag,
    b"device": _read_name,
    b"kind": _read_kind,
    b"before": _read_id,
    b"after": _read_id,
    b"limit": _whole_number("limit", 1, 100),
}


ANY = frozenset({State.GREETED, State.LOGGING_IN, State.ONLINE})
BEFORE = frozenset({State.GREETED})
AFTER = frozenset({State.ONLINE})


@dataclass(frozen=True)
class Verb:
    """One row of a command table."""

    name: bytes
    help: str
    alias: bytes = b""
    #: Names of the fields; the name decides how a field is read (see ``FIELDS``).
    fields: tuple[str, ...] = ()
    text: Text = Text.NONE
    text_name: str = "text"
    tags: frozenset[bytes] = frozenset()
    states: frozenset[State] = AFTER
    #: The final reply, as the reference prints it.
    reply: str = ""
    #: What turns each field into its value, and how a reply begins; worked out once.
    readers: tuple[Callable[[bytes], Any], ...] = field(init=False)
    ok: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "readers", tuple(FIELDS[name] for name in self.fields))
        object.__setattr__(self, "ok", b"OK " + self.name)

    @property
    def usage(self) -> str:
        """How to type it, e.g. ``SEND_MESSAGE_P2P <account> <text>``."""
        words = [self.name.decode(), *(f"<{one}>" for one in self.fields)]
        if self.text is not Text.NONE:
            words.append(f"<{self.text_name}>" if self.text is Text.REQUIRED else f"[{self.text_name}]")
        return " ".join(words)


#: The tags of a command: a message id and numbers as their values, everything else as bytes.
Tags = dict[bytes, Any]
NO_TAGS: Tags = {}


class Command:
    """A line that was understood: every field and tag read into its value, the text within bounds.

    :ivar fields: accounts, topics and conversations as bytes, message ids as ``(conversation, epoch, seq)``.
    """

    __slots__ = ("fields", "tags", "text", "verb")

    def __init__(self, verb: Verb, fields: list[Any], text: bytes = b"", tags: Tags = NO_TAGS) -> None:
        self.verb = verb
        self.fields = fields
        self.text = text
        self.tags = tags

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Command) and self._values() == other._values()

    def __repr__(self) -> str:
        return f"<{self.verb.name.decode()} {self.fields} {self.text!r} {self.tags}>"

    def _values(self) -> tuple[object, ...]:
        return self.verb.name, self.fields, self.text, self.tags


def _tags(*names: str) -> frozenset[bytes]:
    return frozenset(name.encode() for name in ("id", *names))


_HELLO = Verb(
    b"HELLO",
    "says which version and capabilities you speak; caps=ack asks for the full guarantee",
    fields=("version",),
    text=Text.OPTIONAL,
    text_name="caps=ack",
    tags=_tags(),
    states=BEFORE,
    reply="OK HELLO fishchat/1 caps=ack",
)
_PING = Verb(b"SEND_PING", "asks for a sign of life", b"PING", tags=_tags(), states=ANY, reply="OK SEND_PING")
_QUIT = Verb(b"QUIT", "closes the connection", tags=_tags(), states=ANY, reply="OK QUIT")
_HELP = Verb(
    b"HELP",
    "lists the verbs, or explains one",
    text=Text.OPTIONAL,
    text_name="verb",
    tags=_tags(),
    states=ANY,
    reply="BEGIN HELP n, ITEM …, END HELP",
)

MSG_SERVER_VERBS: tuple[Verb, ...] = (
    _HELLO,
    Verb(
        b"SEND_CLIENT_ID",
        "logs in; @device names the device, main when absent",
        b"LOGIN",
        ("account",),
        Text.OPTIONAL,
        "secret",
        _tags("device"),
        BEFORE,
        "OK SEND_CLIENT_ID <account>, then what was missed, then RESP_SYNCED",
    ),
    _PING,
    Verb(
        b"SEND_MESSAGE_P2P",
        "sends a message to an account",
        b"MSG",
        ("account",),
        Text.REQUIRED,
        "text",
        _tags("cseq", "esc"),
        AFTER,
        "OK SEND_MESSAGE_P2P <id>",
    ),
    Verb(
        b"SEND_MESSAGE_TOPIC",
        "sends a message to a topic",
        b"SAY",
        ("topic",),
        Text.REQUIRED,
        "text",
        _tags("cseq", "esc"),
        AFTER,
        "OK SEND_MESSAGE_TOPIC <id>",
    ),
    Verb(
        b"SEND_ACK",
        "says that you have this message and all before it in its conversation",
        b"ACK",
        ("id",),
        tags=_tags(),
        reply="nothing when it is fine",
    ),
    Verb(
        b"SEND_READ",
        "says that a person has read up to this message",
        b"READ",
        ("id",),
        tags=_tags(),
        reply="OK SEND_READ <id>",
    ),
    Verb(
        b"CREATE_TOPIC",
        "makes a topic of your own; @kind=invitation closes it to strangers",
        b"CREATE",
        ("topic",),
        tags=_tags("kind"),
        reply="OK CREATE_TOPIC <topic>",
    ),
    Verb(b"JOIN_TOPIC", "becomes a member", b"JOIN", ("topic",), tags=_tags(), reply="OK JOIN_TOPIC <topic>"),
    Verb(b"LEAVE_TOPIC", "ends your membership", b"LEAVE", ("topic",), tags=_tags(), reply="OK LEAVE_TOPIC <topic>"),
    Verb(
        b"INVITE_TOPIC",
        "lets an account join, and tells it",
        b"INVITE",
        ("topic", "account"),
        tags=_tags(),
        reply="OK INVITE_TOPIC <topic> <account>",
    ),
    Verb(
        b"DISMISS_TOPIC",
        "ends a topic that you own",
        b"DISMISS",
        ("topic",),
        tags=_tags(),
        reply="OK DISMISS_TOPIC <topic>",
    ),
    Verb(
        b"LOCATE_TOPIC_MSG_ADDR",
        "asks for the address of a msg_server that serves the topic",
        b"LOCATE",
        ("topic",),
        tags=_tags(),
        reply="LOCATE_TOPIC_MSG_ADDR <host:port> <topic>",
    ),
    Verb(
        b"REQ_HISTORY",
        "reads messages, oldest first; @before and @after exclude the id they name, @limit alone gives the newest",
        b"HISTORY",
        ("conversation",),
        tags=_tags("before", "after", "limit"),
        reply="BEGIN REQ_HISTORY n, ITEM <id> <from> <time in ms> <text> …, END REQ_HISTORY",
    ),
    Verb(
        b"REQ_CONVERSATIONS",
        "lists your conversations",
        b"CONVERSATIONS",
        tags=_tags(),
        reply="BEGIN …, ITEM <conversation> <last number> <read number> <unread> …, END REQ_CONVERSATIONS",
    ),
    Verb(
        b"REQ_CLIENT_STATUS",
        "asks whether an account is online, and when it last was",
        b"STATUS",
        ("account",),
        tags=_tags(),
        reply="OK REQ_CLIENT_STATUS <account> <online|offline> <last seen in ms>",
    ),
    Verb(
        b"REQ_TOPICS",
        "lists the topics that you are a member of",
        b"TOPICS",
        tags=_tags(),
        reply="BEGIN …, ITEM <topic> <owner> <open|invitation> <members> …, END REQ_TOPICS",
    ),
    Verb(
        b"REQ_MEMBERS",
        "lists the members of a topic of yours",
        b"MEMBERS",
        ("topic",),
        tags=_tags(),
        reply="BEGIN …, ITEM <account> <owner|member> <read number> …, END REQ_MEMBERS",
    ),
    _HELP,
    _QUIT,
)

GATEWAY_VERBS: tuple[Verb, ...] = (
    _HELLO,
    Verb(
        b"REQ_MSG_SERVER",
        "asks which msg_server to connect to",
        b"SERVER",
        tags=_tags(),
        states=ANY,
        reply="SELECT_MSG_SERVER_FOR_CLIENT <host:port>[ <host:port>]",
    ),
    _PING,
    _HELP,
    _QUIT,
)

#: What servers say to each other, in the original and here. No table has a row for them.
SERVER_PREFIXES = (b"ROUTE_", b"SUBSCRIBE_", b"CACHE_", b"RESP_", b"SELECT_", b"STORE_", b"PUBLISH_")

# C0 but TAB; LF, CR and NUL never come this far, CR may stand inside a line.
_CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"
_C1 = re.compile(b"\xc2[\x80-\x9f]")


class Table:
    """The verbs of one port. ``parse`` gives a command or raises ProtocolError, nothing else."""

    def __init__(self, verbs: Iterable[Verb]) -> None:
        self.verbs = tuple(verbs)
        self._by_word = {word: verb for verb in self.verbs for word in (verb.name, verb.alias) if word}
        self._near = Near(self._by_word)

    def find(self, word: bytes) -> Verb | None:
        """The verb that ``word`` names, whatever its case, by name or alias."""
        return self._by_word.get(word) or self._by_word.get(word.upper())

    def parse(self, line: bytes) -> Command:
        """The command in ``line``. Raises ProtocolError, as BadCommand when a verb was read."""
        raw_tags = None
        line = clean(line)
        if line[:1] == b"@":
            raw, _, line = line[1:].partition(b" ")
            raw_tags = parse_tags(raw)
        word, _, rest = line.partition(b" ")
        verb = self._by_word.get(word) or self._by_word.get(word.upper())
        if verb is None:
            raise BadCommand(self._unknown(word), None, _echo_of(raw_tags))
        tags = NO_TAGS
        try:
            if raw_tags is not None:
                tags = _read_tags(verb, raw_tags)
            return _read(verb, rest, tags)
        except ProtocolError as error:
            raise BadCommand(error, verb, _echo_of(raw_tags)) from None

    def _unknown(self, word: bytes) -> ProtocolError:
        upper = word.upper()
        if upper.startswith(SERVER_PREFIXES):
            return ProtocolError("SERVER_VERB")
        near = self._near.find(upper)
        if near is None:
            return ProtocolError("UNKNOWN_VERB")
        return ProtocolError("UNKNOWN_VERB", f"there is no such verb; did you mean {near.decode()}? HELP lists them")


class BadCommand(ProtocolError):
    """A line whose tags were read, and its verb if it has one: the reply names the verb and echoes the ``@id``."""

    def __init__(self, cause: Refusal, verb: Verb | None, tags: Tags) -> None:
        super().__init__(cause.word, cause.text, **cause.extra)
        self.verb = verb
        self.tags = tags


def _echo_of(raw: dict[bytes, bytes] | None) -> Tags:
    """The ``@id`` of a command that was not understood, if that much was."""
    mark = raw.get(b"id", b"") if raw else b""
    return {b"id": mark} if 0 < len(mark) <= 64 else NO_TAGS


def clean(line: bytes) -> bytes:
    """``line`` without control characters. Raises ProtocolError when it is too long, no UTF-8 or holds NUL."""
    if line == OVERLONG:
        raise ProtocolError("TOOLONG", limit=MAX_LINE)
    if b"\0" in line:
        raise ProtocolError("NUL")
    if not line.isascii():
        try:
            line.decode()
        except UnicodeDecodeError:
            raise ProtocolError("BADUTF8") from None
        line = _C1.sub(b"", line)
    return line.translate(None, _CONTROLS)


def _read(verb: Verb, rest: bytes, tags: Tags) -> Command:
    """The command of what follows the verb."""
    readers = verb.readers
    text = b""
    if verb.text is _NO_TEXT:
        fields = rest.split()
    else:
        fields = rest.split(b" ", len(readers))
        if len(fields) > len(readers):
            text = fields.pop()
        if len(text) > MAX_TEXT:
            raise ProtocolError("TEXTTOOLONG", limit=MAX_TEXT)
        if not text and verb.text is _NEEDS_TEXT:
            raise ProtocolError("FIELDS", f"usage: {verb.usage}")
    if len(fields) != len(readers) or b"" in fields:
        raise ProtocolError("FIELDS", f"usage: {verb.usage}")
    if tags and b"esc" in tags:
        unescape(text)
    return Command(verb, [read(value) for read, value in zip(readers, fields)], text, tags)  # noqa: B905


_NO_TEXT, _NEEDS_TEXT = Text.NONE, Text.REQUIRED


def _read_tags(verb: Verb, raw: dict[bytes, bytes]) -> Tags:
    tags: Tags = {}
    for name, value in raw.items():
        if name not in verb.tags:
            known = " ".join(sorted(tag.decode() for tag in verb.tags))
            raise ProtocolError("BADTAG", f"{verb.name.decode()} knows these tags: {known}")
        tags[name] = TAGS[name](value)
    return tags


MSG_SERVER_COMMANDS = Table(MSG_SERVER_VERBS)
GATEWAY_COMMANDS = Table(GATEWAY_VERBS)
