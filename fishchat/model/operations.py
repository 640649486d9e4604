"""Operations on messages: what changes a message after it was sent. No I/O.

An operation is stored in the sequence of its conversation with a number of its own. Its form names its kind and, as the
attribute ``of``, the position of the message that it changes. Every push of an operation is a row of
``features/operations/rows.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

EDIT, RECALL, REACT, UNREACT, PIN, UNPIN = b"edit", b"recall", b"react", b"unreact", b"pin", b"unpin"
#: All kinds; a device needs :data:`CAPABILITY` for them.
OPERATIONS = (EDIT, RECALL, REACT, UNREACT, PIN, UNPIN)
CAPABILITY = b"ops"
#: These take something away and need hardly any memory: a full store must not stop them.
REMOVALS = frozenset({RECALL, UNREACT, UNPIN})
#: A number that every device passes over, because what happened under it concerns nobody any more.
PASSED = b"passed"


@dataclass(frozen=True, slots=True)
class Times:
    """How long messages may be changed, in ms (0: never, -1: at any time), and whether replaced texts are kept."""

    edit: int
    recall: int
    keeps_versions: bool


class Operation(NamedTuple):
    """An operation of a client, not stored yet.

    :ivar of: the position of the message.
    :ivar form: the kind with its attributes, as it is stored; ``text`` is the new text, the reason or the reaction.
    :ivar reaction: the reaction as it is written in a tag; empty for other kinds.
    :ivar was: the position at which the text must stand; empty for any.
    """

    conversation: bytes
    kind: bytes
    of: bytes
    form: bytes
    text: bytes
    times: Times
    reaction: bytes = b""
    was: bytes = b""


def split_form(form: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the kind of an operation, the position of its target (empty if it has none), and its other attributes."""
    kind, _, attributes = form.partition(b";")
    if attributes.startswith(b"of=") and b";" not in attributes:
        return kind, attributes[3:], b""
    of, others = b"", []
    for attribute in attributes.split(b";"):
        if attribute.startswith(b"of="):
            of = attribute[3:]
        elif attribute:
            others.append(attribute)
    return kind, of, b";".join(others)


def operation_line(
    conversation: bytes, operation_id: bytes, account: bytes, kind: bytes, of: bytes, tags: bytes, text: bytes
) -> bytes:
    """Return the push of an operation as a plain line, as its row in ``features/operations/rows.py`` writes it.

    Empty for a number that is passed over.
    """
    # Written by hand because every operation passes here. A test compares the two.
    if kind == EDIT:
        line = b"RESP_EDIT %s %s %s:%s %s\r\n" % (account, operation_id, conversation, of, text)
    elif kind == REACT:
        line = b"RESP_REACTION %s %s %s:%s + %s\r\n" % (account, operation_id, conversation, of, text)
    elif kind == UNREACT:
        line = b"RESP_REACTION %s %s %s:%s - %s\r\n" % (account, operation_id, conversation, of, text)
    elif kind == RECALL:
        reason = b" " + text if text else b""
        line = b"RESP_RECALL %s %s %s:%s%s\r\n" % (account, operation_id, conversation, of, reason)
    elif kind in (PIN, UNPIN):
        sign = b"+" if kind == PIN else b"-"
        line = b"RESP_PIN %s %s %s:%s %s\r\n" % (account, operation_id, conversation, of, sign)
    else:
        return b""
    return b"@%s %s" % (tags, line) if tags else line
