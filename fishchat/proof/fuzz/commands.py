"""Lines to commands: the fast paths of the parser against the slow one, and both against the reader of ``grammar``."""

from __future__ import annotations

from collections.abc import Callable

from fishchat.errors import WORDS, ProtocolError
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.proof.fuzz import grammar
from fishchat.proof.fuzz.helpers import CONTROL, claim
from fishchat.protocols.lines import MAX_OUT
from fishchat.protocols.replies import error_line
from fishchat.protocols.table import Command, Table
from fishchat.services.gateway.rows import GATEWAY_COMMANDS

#: Tags whose value is a number or an id: leading zeros are ignored.
_NUMERIC = (b"cseq", b"limit", b"before", b"after")


def commands(data: bytes) -> None:
    """Parse the lines of the data, each for both ports. The parser never receives an LF."""
    for line in data.split(b"\n"):
        for table in (MSG_SERVER_COMMANDS, GATEWAY_COMMANDS):
            _one(table, line)


def _one(table: Table, line: bytes) -> None:
    short, long = _outcome(table.parse, line), _outcome(table.parse_any, line)
    claim(short == long, "the short way and the long way differ", line, short, long)
    read = grammar.read(line, gateway=table is GATEWAY_COMMANDS)
    if isinstance(long, Command):
        claim(read is not None, "not in the grammar, but understood", line, long)
        _compare(long, read)
    else:
        claim(read is None, "in the grammar, but refused", line, long, read)


def _outcome(parse: Callable[[bytes], Command], line: bytes) -> Command | bytes:
    """Return the command, or the line of the refusal."""
    try:
        return parse(line)
    except ProtocolError as error:
        claim(error.word in WORDS, "a word that is in no table", error.word)
        said = error_line(error, getattr(error, "verb", None), getattr(error, "tags", {}))
        claim(said.endswith(b"\r\n") and len(said) < MAX_OUT, "no line, or a long one", said)
        claim(not CONTROL.search(said[:-2].decode()), "a control character", said)
        return said


def _compare(command: Command, read: grammar.Read | None) -> None:
    assert read is not None
    name, fields, text, tags = read
    claim(command.verb.name == name and command.text == text, "another verb or text", command, read)
    own_fields = tuple(map(grammar.as_read, command.fields))
    claim(own_fields == tuple(map(_plain_id, fields)), "other fields", command, read)
    own = {tag: grammar.as_read(value) for tag, value in command.tags.items()}
    others = {tag: grammar.plain(value) if tag in _NUMERIC else value for tag, value in tags.items()}
    claim(own == others, "other tags", command, read)


def _plain_id(field: bytes) -> bytes:
    return grammar.plain(field) if b":" in field else field
