"""Replies of the server as lines: ``OK``, ``ERR``, lists, the help."""

from __future__ import annotations

from collections.abc import Sequence

from fishchat.errors import Refusal
from fishchat.protocols.fields import Tags
from fishchat.protocols.lines import format_tags
from fishchat.protocols.rows import Text, Verb
from fishchat.protocols.table import Command, Table


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
    return echo(tags) + refusal.line(verb.name if verb else b"-") + b"\r\n"


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


def help_lines(table: Table, command: Command) -> bytes:
    """Format the reply to ``HELP``, ``HELP about GROUP`` or ``HELP VERB``. Raises Refusal for an unknown one."""
    about, _, group = command.text.strip().partition(b" ")
    if not command.text:
        items = [_summary(verb) for verb in table.verbs]
    elif about.lower() == b"about":
        items = [_summary(verb) for verb in _group(table, group.strip().lower())]
    else:
        verb = table.find(command.text.strip())
        if verb is None:
            raise Refusal("UNKNOWN_VERB")
        items = _explained(verb)
    return list_lines(command, [(item.encode(), b"") for item in items])


def _group(table: Table, name: bytes) -> tuple[Verb, ...]:
    verbs = table.groups.get(name)
    if verbs is None:
        known = b", ".join(table.groups).decode()
        raise Refusal("UNKNOWN_VERB", f"there is no such group; the groups are {known}" if known else None)
    return tuple(verbs)


def _summary(verb: Verb) -> str:
    alias = f" ({verb.alias.decode()})" if verb.alias else ""
    return f"{verb.usage}{alias}: {verb.help}"


def _explained(verb: Verb) -> list[str]:
    tags = " ".join(sorted("@" + tag.decode() for tag in verb.tag_rows))
    lines = [_summary(verb), f"tags: {tags}; reply: {verb.reply}"]
    if verb.text is not Text.NONE:
        lines.append("the text is everything after the single space before it")
    return lines
