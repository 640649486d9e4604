"""Final replies of the server: ``OK``, ``ERR`` and lists, from lines to values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fishchat.client.events import RefusedError
from fishchat.errors import WORDS
from fishchat.protocols.lines import unescape

_PAIR = re.compile(r"[a-z_]+=\S*")


@dataclass(slots=True)
class Reply:
    """What came back for one command: ``rest`` of its OK line, ``items`` of its list, or the error."""

    rest: bytes = b""
    items: list[tuple[bytes, bool]] = field(default_factory=list)
    error: RefusedError | None = None


def parse_error(rest: bytes) -> RefusedError:
    """The error in ``WORD [key=value …] sentence``."""
    word, _, text = rest.decode("utf-8", "replace").partition(" ")
    extra = {}
    while (found := _PAIR.match(text)) is not None:
        key, _, value = found[0].partition("=")
        extra[key] = value
        text = text[found.end() :].lstrip(" ")
    return RefusedError(word, text, extra)


def refused(word: str, extra: Iterable[tuple[str, str]] = ()) -> RefusedError:
    """The refusal that a server would answer, for what need not be sent to hear it."""
    return RefusedError(word, WORDS[word], dict(extra))


def expected(error: RefusedError) -> int:
    """The number that the server wants next. Raises ValueError when it names none."""
    number = int(error.extra.get("expected", ""))
    if number < 1:
        raise ValueError(f"no number: {number}")
    return number


def text_of(raw: bytes, escaped: bool) -> str:
    """The text of a push or an item. Raises ProtocolError for an unknown escape."""
    return (unescape(raw) if escaped else raw).decode("utf-8", "replace")
