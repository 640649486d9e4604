"""A row for each verb and each push. A row reads a line, writes one, and says how it is used. No I/O.

The rows themselves are listed by the features (``fishchat/features/*/rows.py``) and by the gateway. Parser, guards,
``HELP``, client library, reference pages, grammar, fuzz dictionaries and tests come from them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fishchat.errors import ProtocolError
from fishchat.protocols.fields import ECHO, NO_TAGS, Field, Tag, Tags
from fishchat.protocols.lines import MAX_TEXT, format_tags, unescape


class State(enum.Enum):
    """Where a connection stands."""

    GREETED = "before login"
    LOGGING_IN = "while logging in"
    PROVING = "between two steps"
    ONLINE = "after login"
    CLOSING = "closing"


class Text(enum.Enum):
    """What may follow the fields of a row."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


ANY = frozenset({State.GREETED, State.LOGGING_IN, State.PROVING, State.ONLINE})
BEFORE = frozenset({State.GREETED})
AFTER = frozenset({State.ONLINE})

_NO_TEXT, _NEEDS_TEXT = Text.NONE, Text.REQUIRED


@dataclass(frozen=True, eq=False)
class Row:
    """What verbs and pushes have in common.

    :ivar help: one sentence without a subject and without its stop: ``creates a topic``.
    :ivar zh: the same in Chinese, for ``HELP zh``.
    :ivar text_name: what the usage calls the text.
    :ivar text_sample: the text of the example.
    :ivar readers: what turns each field into its value; worked out once.
    """

    name: bytes
    help: str
    zh: str = field(default="", kw_only=True)
    fields: tuple[Field, ...] = field(default=(), kw_only=True)
    text: Text = field(default=Text.NONE, kw_only=True)
    text_name: str = field(default="text", kw_only=True)
    text_sample: bytes = field(default=b"hello", kw_only=True)
    tags: tuple[Tag, ...] = field(default=(), kw_only=True)
    readers: tuple[Callable[[bytes], Any], ...] = field(init=False, repr=False)
    tag_rows: Mapping[bytes, Tag] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "readers", tuple(one.read for one in self.fields))
        object.__setattr__(self, "tag_rows", {tag.name: tag for tag in self.tags})

    @property
    def usage(self) -> str:
        """How to type it, e.g. ``SEND_MESSAGE_P2P <account> <text>``."""
        return self.usage_as(self.name)

    def usage_as(self, word: bytes) -> str:
        """Return how to type it by ``word``: its name or its alias."""
        words = [word.decode(), *(one.usage for one in self.fields)]
        if self.text is not Text.NONE:
            words.append(f"<{self.text_name}>" if self.text is Text.REQUIRED else f"[{self.text_name}]")
        return " ".join(words)

    @property
    def example(self) -> bytes:
        """A line of it, made of the samples of its fields."""
        return self.example_as(self.name)

    def example_as(self, word: bytes) -> bytes:
        """Return a line of it that begins with ``word``."""
        text = [] if self.text is Text.NONE or not self.text_sample else [self.text_sample]
        return b" ".join([word, *(one.sample for one in self.fields), *text])

    def line(self, *values: Any, text: bytes = b"", tags: Mapping[bytes, Any] = NO_TAGS) -> bytes:
        """Write a line, without its ending. Raises ValueError for values that the row has no place for."""
        complete = len(values) == len(self.fields)
        if not complete or (text and self.text is _NO_TEXT) or (not text and self.text is _NEEDS_TEXT):
            raise ValueError(f"usage: {self.usage}")
        words = [self.name, *(one.write(value) for one, value in zip(self.fields, values, strict=True))]
        if text:
            words.append(text)
        line = b" ".join(words)
        return self._written(tags) + line if tags else line

    def _written(self, tags: Mapping[bytes, Any]) -> bytes:
        unknown = tags.keys() - self.tag_rows.keys()
        if unknown:
            raise ValueError(f"{self.name.decode()} has no tag {min(unknown).decode()}")
        return format_tags({name: self.tag_rows[name].write(value) for name, value in tags.items()})


@dataclass(frozen=True, eq=False)
class Verb(Row):
    """A command: what a client sends.

    :ivar alias: its short name.
    :ivar states: where a connection may say it.
    :ivar reply: the final reply, as the reference prints it.
    :ivar programs: whether only programs use it; HELP mentions it last.
    :ivar secrets: whether it is of use only where a login needs a secret: in all modes but ``open``.
    :ivar free: whether it takes nothing from the flood bucket while it is accepted: it answers what others send.
    :ivar says: word of a refusal → the sentence that fits this verb better than the usual one.
    :ivar ok: how its reply begins; worked out once.
    :ivar places: the position of each field; worked out once.
    :ivar kept: its tags that are stored with the message, and ``kept_names``; worked out once.
    """

    alias: bytes = field(default=b"", kw_only=True)
    states: frozenset[State] = field(default=AFTER, kw_only=True)
    reply: str = field(default="", kw_only=True)
    programs: bool = field(default=False, kw_only=True)
    secrets: bool = field(default=False, kw_only=True)
    free: bool = field(default=False, kw_only=True)
    says: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    ok: bytes = field(init=False, repr=False)
    places: Mapping[str, int] = field(init=False, repr=False)
    kept: tuple[Tag, ...] = field(init=False, repr=False)
    kept_names: frozenset[bytes] = field(init=False, repr=False)
    tag_readers: Mapping[bytes, Callable[[bytes], Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", (ECHO, *self.tags))
        super().__post_init__()
        object.__setattr__(self, "ok", b"OK " + self.name)
        object.__setattr__(self, "tag_readers", {tag.name: tag.read for tag in self.tags})
        object.__setattr__(self, "places", {one.name: place for place, one in enumerate(self.fields)})
        object.__setattr__(self, "kept", tuple(tag for tag in self.tags if tag.kept))
        object.__setattr__(self, "kept_names", frozenset(tag.name for tag in self.kept))

    @property
    def words(self) -> tuple[bytes, ...]:
        """Its name, and its alias if it has one."""
        return (self.name, self.alias) if self.alias else (self.name,)

    @property
    def short(self) -> bytes:
        """The word that people type: its alias, or its name if it has none."""
        return self.alias or self.name

    def read(self, rest: bytes, tags: Tags) -> tuple[list[Any], bytes]:
        """The fields and the text in what follows the verb. Raises ProtocolError."""
        readers = self.readers
        text = b""
        if self.text is _NO_TEXT:
            fields = rest.split()
        else:
            fields = rest.split(b" ", len(readers))
            if len(fields) > len(readers):
                text = fields.pop()
            if len(text) > MAX_TEXT:
                raise ProtocolError("TEXTTOOLONG", limit=MAX_TEXT)
            if not text and self.text is _NEEDS_TEXT:
                raise ProtocolError("FIELDS", f"usage: {self.usage_as(self.words[-1])}")
        if len(fields) != len(readers) or b"" in fields:
            raise ProtocolError("FIELDS", f"usage: {self.usage_as(self.words[-1])}")
        if tags and b"esc" in tags:
            unescape(text)
        return [read(value) for read, value in zip(readers, fields)], text  # noqa: B905

    def read_tags(self, raw: Mapping[bytes, bytes]) -> Tags:
        """The values of tags. Raises ProtocolError for one that the verb does not know."""
        tags: Tags = {}
        for name, value in raw.items():
            read = self.tag_readers.get(name)
            if read is None:
                known = " ".join(sorted(one.decode() for one in self.tag_rows))
                raise ProtocolError("BADTAG", f"{self.name.decode()} knows these tags: {known}")
            tags[name] = read(value)
        return tags


@dataclass(frozen=True, eq=False)
class Push(Row):
    """What the server sends without being asked.

    :ivar event: the class that the client library makes of it (see ``client.py`` of its feature).
    :ivar numbered: whether it has a message id, and is acknowledged.
    :ivar capability: the capability that a device needs for it; empty if none.
    :ivar own_capability: the capability that a device of the account in its first field needs; empty if none.
    """

    event: str = field(kw_only=True)
    numbered: bool = field(default=False, kw_only=True)
    capability: bytes = field(default=b"", kw_only=True)
    own_capability: bytes = field(default=b"", kw_only=True)

    def read(self, rest: bytes) -> tuple[list[Any], bytes]:
        """The fields and the text in what follows the name. Raises ProtocolError.

        Unlike a verb, a push may have more fields than are known here: a later server may add some.
        """
        readers = self.readers
        fields = rest.split(b" ", len(readers))
        text = fields.pop() if len(fields) > len(readers) else None
        if len(fields) < len(readers) or (text is None and self.text is _NEEDS_TEXT):
            raise ProtocolError("FIELDS", f"usage: {self.usage}")
        values = [read(value) for read, value in zip(readers, fields, strict=True)]
        return values, b"" if text is None or self.text is _NO_TEXT else text
