"""How the server writes its replies: ``OK``, ``ERR``, a list, the help. What is said when is not known here."""

from __future__ import annotations

from fishchat.errors import Refusal
from fishchat.protocols.fields import Tags
from fishchat.protocols.lines import format_tags
from fishchat.protocols.table import Command, Table
from fishchat.protocols.verbs import Text, Verb


def echo(tags: Tags) -> bytes:
    """The tags of a reply: the ``@id`` of its command."""
    return format_tags({b"id": tags[b"id"]}) if tags and b"id" in tags else b""


def ok_line(command: Command, rest: bytes = b"") -> bytes:
    """``OK VERB rest``."""
    ok, tags = command.verb.ok, command.tags
    line = b"%s %s\r\n" % (ok, rest) if rest else ok + b"\r\n"
    return echo(tags) + line if tags and b"id" in tags else line


def error_line(refusal: Refusal, verb: Verb | None, tags: Tags) -> bytes:
    """``ERR VERB WORD …``, with ``-`` for a verb that could not be read."""
    return echo(tags) + refusal.line(verb.name if verb else b"-") + b"\r\n"


def list_lines(command: Command, items: list[tuple[bytes, bool]]) -> bytes:
    """``BEGIN``, one ``ITEM`` each, ``END``; an item says whether its text is escaped."""
    verb, mark = command.verb.name, echo(command.tags)
    plain = mark + b"ITEM "
    escaped = format_tags({**({b"id": command.tags[b"id"]} if mark else {}), b"esc": b""}) + b"ITEM "
    lines = [b"%sBEGIN %s %d\r\n" % (mark, verb, len(items))]
    lines += [(escaped if is_escaped else plain) + item + b"\r\n" for item, is_escaped in items]
    lines.append(b"%sEND %s\r\n" % (mark, verb))
    return b"".join(lines)


def help_lines(table: Table, command: Command) -> bytes:
    """The answer to ``HELP`` and ``HELP VERB``. Raises Refusal for a verb that is not there."""
    verbs = table.verbs
    if command.text:
        found = table.find(command.text.strip())
        if found is None:
            raise Refusal("UNKNOWN_VERB")
        verbs = (found,)
    items = []
    for verb in verbs:
        alias = f" ({verb.alias.decode()})" if verb.alias else ""
        items.append((f"{verb.usage}{alias}: {verb.help}".encode(), False))
    if command.text:
        verb = verbs[0]
        tags = " ".join(sorted("@" + tag.decode() for tag in verb.tags))
        items.append((f"tags: {tags}; reply: {verb.reply}".encode(), False))
        if verb.text is not Text.NONE:
            items.append((b"the text is everything after the one space before it", False))
    return list_lines(command, items)
