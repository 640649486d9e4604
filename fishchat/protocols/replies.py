"""Replies of the server as lines: ``OK``, ``ERR``, lists."""

from __future__ import annotations

from collections.abc import Sequence

from fishchat.errors import Refusal
from fishchat.protocols.fields import Tags
from fishchat.protocols.lines import format_tags
from fishchat.protocols.rows import Verb
from fishchat.protocols.table import Command


def echo(tags: Tags) -> bytes:
    """Return the tags of a reply: the ``@id`` of its command, or nothing."""
    return format_tags({b"id": tags[b"id"]}) if tags and b"id" in tags else b""


def ok_line(command: Command, rest: bytes = b"") -> bytes:
    """Format ``OK VERB rest``."""
    ok, tags = command.verb.ok, command.tags
    line = b"%s %s\r\n" % (ok, rest) if rest else ok + b"\r\n"
    return echo(tags) + line if tags and b"id" in tags else line


def error_line(refusal: Refusal, verb: Verb | None, tags: Tags) -> bytes:
    """Format ``ERR VERB WORD …``, with ``-`` for a verb that could not be read."""
    line = refusal.line(verb.name, verb.says.get(refusal.word, "")) if verb else refusal.line(b"-")
    return echo(tags) + line + b"\r\n"


def list_lines(command: Command, items: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Format ``BEGIN``, an ``ITEM`` for each item, ``END``.

    An item is its text and its own tags as they stand in a line, without the ``@``.
    """
    verb, mark = command.verb.name, echo(command.tags)
    before = mark[:-1] + b";" if mark else b"@"
    lines = [b"%sBEGIN %s %d\r\n" % (mark, verb, len(items))]
    lines += [b"%sITEM %s\r\n" % (before + tags + b" " if tags else mark, item) for item, tags in items]
    lines.append(b"%sEND %s\r\n" % (mark, verb))
    return b"".join(lines)
