"""Requests, replies and refusals: the base of every feature's part of the client library (``client.py``). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fishchat.errors import WORDS
from fishchat.model.names import MessageId, is_name, name_advice, named_conversation, split_id
from fishchat.protocols.fields import MENTIONED, NO_TAGS
from fishchat.protocols.lines import MAX_TEXT, escape, unescape
from fishchat.protocols.rows import Push, Verb

T = TypeVar("T")

# C0 but TAB, LF, CR and NUL, which is refused; DEL; C1.
_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# These, the ends of lines, NUL, and halves of surrogate pairs, which are no UTF-8.
_NO_LINE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")
# Not all that ``float`` reads: ``nan`` would never be over.
_SECONDS = re.compile(r"[0-9]{1,15}(?:\.[0-9]+)?")


class ClientError(Exception):
    """The base of all errors of the client library's calls."""


class RefusedError(ClientError):
    """A refused command. The library itself refuses a command that no server could accept.

    :ivar word: the stable word of the error line, e.g. ``NOTMEMBER``.
    :ivar text: the sentence for a person.
    :ivar extra: the ``key=value`` pairs of the error line, e.g. ``{"limit": "7168"}``.
    """

    def __init__(self, word: str, text: str = "", extra: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{word}: {text}" if text else word)
        self.word = word
        self.text = text
        self.extra: dict[str, str] = dict(extra or {})

    @property
    def retry(self) -> float | None:
        """Seconds after which the same command may succeed; None if waiting does not help."""
        found = _SECONDS.fullmatch(self.extra.get("retry", ""))
        return None if found is None else min(float(found[0]), 60.0)


@dataclass(slots=True)
class Reply:
    """The reply to one command: ``rest`` of its OK line, ``items`` of its list, or the error.

    An item consists of its text, and of whether that is escaped; ``tags`` has the tags of each item.
    """

    rest: bytes = b""
    items: list[tuple[bytes, bool]] = field(default_factory=list)
    tags: list[Mapping[bytes, bytes]] = field(default_factory=list)
    error: RefusedError | None = None


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """A command with the function that parses its reply.

    :ivar settled: the error word that means, after an attempt of unknown outcome, that this attempt had succeeded.
    """

    verb: bytes
    line: bytes = field(repr=False)  # a password may be in it
    result: Callable[[Reply], T]
    settled: str | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A command that uses up a number (``cseq``) of its conversation, which the client adds; its result is an id.

    :ivar line: the command with its other tags.
    """

    conversation: bytes
    verb: bytes
    line: bytes


def request(
    verb: Verb,
    *values: Any,
    text: bytes = b"",
    tags: Mapping[bytes, Any] = NO_TAGS,
    result: Callable[[Reply], T],
    settled: str | None = None,
) -> Request[T]:
    """Return the request of a verb; the verb's row writes its line."""
    return Request(verb.name, verb.line(*values, text=text, tags=tags), result, settled)


#: Push → the function that makes its event: from the fields, then the text if the push has one, then by their names
#: those of its tags that are there.
Events = Mapping[Push, Callable[..., object]]


def nothing(reply: Reply) -> None:
    """Parse a reply without a result: ``OK`` alone."""
    return None


def is_member(reply: Reply) -> bool:
    """Parse the reply to a way into a topic: whether one is a member now, or has only asked to become one."""
    return not reply.rest.endswith(b" pending")


class Named(str):
    """An account, with its display name as ``name``; empty if it has none for the caller."""

    __slots__ = ("name",)

    def __new__(cls, account: str, name: str = "") -> Named:
        """Make the account with this name."""
        made = super().__new__(cls, account)
        made.name = name
        return made

    name: str


def accounts(reply: Reply) -> list[Named]:
    """Parse a list of accounts, perhaps with their display names."""
    return [Named(*item.decode().split(" ", 1)) for item, _ in reply.items]


def items(one: Callable[[bytes, bool], T]) -> Callable[[Reply], list[T]]:
    """Return a parser of lists that reads each item by ``one``."""
    return lambda reply: [one(item, escaped) for item, escaped in reply.items]


def tagged_items(one: Callable[[bytes, Mapping[bytes, bytes]], T]) -> Callable[[Reply], list[T]]:
    """Return a parser of lists that reads each item by ``one``, from its text and its tags."""
    return lambda reply: [one(item, tags) for (item, _), tags in zip(reply.items, reply.tags, strict=True)]


def refused(word: str, extra: Iterable[tuple[str, str]] = ()) -> RefusedError:
    """Return the refusal with which a server would answer, for a command that need not be sent."""
    return RefusedError(word, WORDS[word], dict(extra))


def text_of(raw: bytes, escaped: bool) -> str:
    """Return the text of a push or an item. Raises ProtocolError for an unknown escape."""
    return (unescape(raw) if escaped else raw).decode("utf-8", "replace")


def message_text(text: str) -> tuple[bytes, bool]:
    """Return a text as it is sent, and whether it is escaped. Raises RefusedError if no server could accept it."""
    if not text.isprintable():
        # A server would remove them, too, or take them for the keys of a terminal.
        text = _CONTROLS.sub("", text)
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise refused("BADUTF8") from None
    if b"\0" in raw:
        raise refused("NUL")
    is_escaped = b"\n" in raw or b"\r" in raw
    if is_escaped:
        raw = escape(raw)
    if len(raw) > MAX_TEXT:
        raise refused("TEXTTOOLONG", [("limit", str(MAX_TEXT))])
    return raw, is_escaped


def mention_of(names: Iterable[str]) -> bytes:
    """Return the value of the tag ``mention``; ``all`` may stand alone. Raises RefusedError (BADNAME, BADTAG)."""
    listed = [names] if isinstance(names, str) else list(names)
    if len(listed) > MENTIONED:
        raise refused("BADTAG")
    return b",".join(map(name_of, listed))


def name_of(value: str) -> bytes:
    """Return the name of an account, a topic or a device as bytes. Raises RefusedError (BADNAME)."""
    raw = value.encode("utf-8", "replace")
    if not is_name(raw):
        raise RefusedError("BADNAME", name_advice(raw) or WORDS["BADNAME"])
    return raw


def conversation_of(value: str) -> bytes:
    """Return a conversation as bytes, or the account whose conversation is meant. Raises RefusedError (BADID)."""
    found = named_conversation(value.encode("utf-8", "replace"))
    if found is None:
        raise refused("BADID")
    return found


def id_of(value: str) -> MessageId:
    """Parse a message id. Raises RefusedError (BADID)."""
    try:
        return split_id(value.encode("utf-8", "replace"))
    except ValueError:
        raise refused("BADID") from None


def line_text(value: str, word: str) -> bytes:
    """Return a text for a line, unescaped. Raises RefusedError (``word``) for a text that no line can contain."""
    if not is_line_text(value):
        raise RefusedError(word, "it is empty or contains a character that no line can hold")
    return value.encode()


def is_line_text(value: str) -> bool:
    """Return whether a line can hold a text as it is: not empty, no line ends, no other controls but tabs."""
    # Not ``isprintable``: it refuses the wide blank of Chinese texts, and the joiner within emoji.
    return bool(value) and _NO_LINE.search(value) is None
