"""Operations on messages: what changes a message after it was sent. No I/O.

An operation is stored in the sequence of its conversation with a number of its own. Its form names its kind and, as the
attribute ``of``, the position of the message that it changes. Every push of an operation is a row of
``features/operations/rows.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from fishchat.model.names import Position, parse_position

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


@dataclass(frozen=True, slots=True)
class Operation:
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


def target_of(form: bytes) -> Position | None:
    """Return the position of the message that an entry with this form changes; None if the entry is a message."""
    for attribute in form.split(b";")[1:]:
        if attribute.startswith(b"of="):
            return parse_position(attribute[3:])
    return None


def operation_line(conversation: bytes, operation_id: bytes, account: bytes, form: bytes, text: bytes) -> bytes:
    """Return the push of an operation as a plain line; empty for a number that is passed over."""
    kind, *attributes = form.split(b";")
    found = dict(attribute.partition(b"=")[::2] for attribute in attributes)
    head = b"%s %s %s:%s" % (account, operation_id, conversation, found.get(b"of", b""))
    if kind == EDIT:
        tags = [b"%s=%s" % (name, value) if value else name for name, value in found.items() if name != b"of"]
        line = b"RESP_EDIT %s %s\r\n" % (head, text)
        return b"@%s %s" % (b";".join(tags), line) if tags else line
    if kind == RECALL:
        line = b"RESP_RECALL %s %s\r\n" % (head, text) if text else b"RESP_RECALL %s\r\n" % head
        return b"@esc %s" % line if b"esc" in found else line
    if kind in (REACT, UNREACT):
        return b"RESP_REACTION %s %s %s\r\n" % (head, b"+" if kind == REACT else b"-", text)
    if kind in (PIN, UNPIN):
        return b"RESP_PIN %s %s\r\n" % (head, b"+" if kind == PIN else b"-")
    return b""


def operation_tags(form: bytes) -> tuple[bytes, bytes]:
    """Return the position of the target, and the tags of an item, for an operation with this form."""
    kind, *attributes = form.split(b";")
    target, tags = b"", [b"op=" + kind]
    for attribute in attributes:
        if attribute.startswith(b"of="):
            target = attribute[3:]
        else:
            tags.append(attribute)
    return target, b";".join(tags)
