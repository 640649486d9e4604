"""The command table, and the one function that turns a line into a command. No I/O.

A verb is a row: its fields, its text, its tags, the states in which it is allowed. Whoever gets a :class:`Command`
has a well-formed one; ``doc/protocol.md``'s reference is printed from these rows.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fishchat.errors import ProtocolError, Refusal
from fishchat.model.names import is_conversation, is_name, split_id
from fishchat.protocols.lines import MAX_LINE, MAX_TEXT, OVERLONG, parse_tags, unescape


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


ANY = frozenset({State.GREETED, State.LOGGING_IN, State.ONLINE})
BEFORE = frozenset({State.GREETED})
AFTER = frozenset({State.ONLINE})


@dataclass(frozen=True)
class Verb:
    """One row of a command table."""

    name: bytes
    help: str
    alias: bytes = b""
    #: Names of the fields; the name decides how a field is checked (see ``CHECKS``).
    fields: tuple[str, ...] = ()
    text: Text = Text.NONE
    text_name: str = "text"
    tags: frozenset[bytes] = frozenset()
    states: frozenset[State] = AFTER
    #: The final reply, as the reference prints it.
    reply: str = ""

    @property
    def usage(self) -> str:
        """How to type it, e.g. ``SEND_MESSAGE_P2P <account> <text>``."""
        words = [self.name.decode(), *(f"<{one}>" for one in self.fields)]
        if self.text is not Text.NONE:
            words.append(f"<{self.text_name}>" if self.text is Text.REQUIRED else f"[{self.text_name}]")
        return " ".join(words)


NO_TAGS: dict[bytes, bytes] = {}


@dataclass(slots=True)
class Command:
    """A line that was understood: fields checked, text within bounds, tags known to the verb."""

    verb: Verb
    fields: list[bytes] = field(default_factory=list)
    text: bytes = b""
    tags: dict[bytes, bytes] = field(default_factory=dict)


def _check_name(value: bytes) -> None:
    if not is_name(value):
        raise ProtocolError("BADNAME")


def _check_conversation(value: bytes) -> None:
    if not is_conversation(value):
        raise ProtocolError("BADID")


def _check_id(value: bytes) -> None:
    try:
        split_id(value)
    except ValueError:
        raise ProtocolError("BADID") from None


def _check_version(value: bytes) -> None:
    if value != b"1":
        raise ProtocolError("VERSION")


CHECKS: dict[str, Callable[[bytes], None]] = {
    "account": _check_name,
    "topic": _check_name,
    "conversation": _check_conversation,
    "id": _check_id,
    "version": _check_version,
}


def _check_whole_number(name: str, low: int, high: int) -> Callable[[bytes], None]:
    def check(value: bytes) -> None:
        if not (value.isdigit() and len(value) <= 16 and low <= int(value) <= high):
            raise ProtocolError("BADTAG", f"@{name} is a whole number from {low} to {high}")

    return check


def _check_kind(value: bytes) -> None:
    if value not in (b"open", b"invitation"):
        raise ProtocolError("BADTAG", "@kind is open or invitation")


def _check_echo(value: bytes) -> None:
    if not 0 < len(value) <= 64:
        raise ProtocolError("BADTAG", "@id is 1 to 64 bytes")


def _check_flag(value: bytes) -> None:
    if value:
        raise ProtocolError("BADTAG", "@esc takes no value")


MAX_CSEQ = 10**15

TAG_CHECKS: dict[bytes, Callable[[bytes], None]] = {
    b"id": _check_echo,
    b"cseq": _check_whole_number("cseq", 0, MAX_CSEQ),
    b"esc": _check_flag,
    b"device": _check_name,
    b"kind": _check_kind,
    b"before": _check_id,
    b"after": _check_id,
    b"limit": _check_whole_number("limit", 1, 100),
}


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
_CONTROL = re.compile(rb"[\x01-\x08\x0a-\x1f\x7f]")


class Table:
    """The verbs of one port. ``parse`` gives a command or raises ProtocolError, nothing else."""

    def __init__(self, verbs: Iterable[Verb]) -> None:
        self.verbs = tuple(verbs)
        self._by_word = {word: verb for verb in self.verbs for word in (verb.name, verb.alias) if word}

    def find(self, word: bytes) -> Verb | None:
        """The verb that ``word`` names, whatever its case, by name or alias."""
        return self._by_word.get(word) or self._by_word.get(word.upper())

    def parse(self, line: bytes) -> Command:
        """The command in ``line``. Raises ProtocolError; its ``verb`` attribute names the verb when one was read."""
        tags = NO_TAGS
        line = clean(line)
        if line[:1] == b"@":
            raw, _, line = line[1:].partition(b" ")
            tags = parse_tags(raw)
        word, _, rest = line.partition(b" ")
        verb = self._by_word.get(word) or self._by_word.get(word.upper())
        if verb is None:
            raise self._unknown(word)
        try:
            command = Command(verb, _EMPTY, b"", tags)
            _fill(command, rest)
        except ProtocolError as error:
            raise BadCommand(error, verb, tags) from None
        return command

    def _unknown(self, word: bytes) -> ProtocolError:
        upper = word.upper()
        if upper.startswith(SERVER_PREFIXES):
            return ProtocolError("SERVER_VERB")
        near = difflib.get_close_matches(
            upper[:40].decode(errors="replace"), [known.decode() for known in self._by_word], 1
        )
        hint = f"; did you mean {near[0]}?" if near else ""
        return ProtocolError("UNKNOWN_VERB", f"there is no such verb{hint} HELP lists them")


class BadCommand(ProtocolError):
    """A line whose verb was read and whose rest is wrong: the reply names the verb and echoes its ``@id``."""

    def __init__(self, cause: Refusal, verb: Verb, tags: dict[bytes, bytes]) -> None:
        super().__init__(cause.word, cause.text, **cause.extra)
        self.verb = verb
        self.tags = tags


_EMPTY: list[bytes] = []


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
    return line.translate(None, _CONTROLS) if _CONTROL.search(line) else line


def _fill(command: Command, rest: bytes) -> None:
    """Put the fields, the text and the checked tags into ``command``."""
    verb = command.verb
    wanted = len(verb.fields)
    if verb.text is Text.NONE:
        fields = rest.split()
    else:
        fields = rest.split(b" ", wanted)
        if len(fields) > wanted:
            command.text = fields.pop()
        if not command.text and verb.text is Text.REQUIRED:
            raise ProtocolError("FIELDS", f"usage: {verb.usage}")
    if len(fields) != wanted or b"" in fields:
        if wanted or fields != [b""]:
            raise ProtocolError("FIELDS", f"usage: {verb.usage}")
        fields = []
    for name, value in zip(verb.fields, fields):
        CHECKS[name](value)
    command.fields = fields
    if len(command.text) > MAX_TEXT:
        raise ProtocolError("TEXTTOOLONG", limit=MAX_TEXT)
    if command.tags:
        _check_tags(command)


def _check_tags(command: Command) -> None:
    for name, value in command.tags.items():
        if name not in command.verb.tags:
            known = " ".join(sorted(tag.decode() for tag in command.verb.tags))
            raise ProtocolError("BADTAG", f"{command.verb.name.decode()} knows these tags: {known}")
        TAG_CHECKS[name](value)
    if b"esc" in command.tags:
        unescape(command.text)


MSG_SERVER_COMMANDS = Table(MSG_SERVER_VERBS)
GATEWAY_COMMANDS = Table(GATEWAY_VERBS)
