"""A message: its stored form, and the lines that clients receive. No I/O.

The stored form is one row of tokens and the text: ``account device cseq form text``. The form is the kind of the
message and, after semicolons, its attributes: ``kind[;name=value…]``. Kinds are in :data:`KINDS`; a plain message has
the form ``-``. Attributes are the tags of the sender's command that are kept, ordered by name. Their values are escaped
as in a line, so that pushes and items repeat them unchanged. The device of a message that a role has stored is ``*``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fishchat.model.names import Position, parse_position
from fishchat.model.operations import CAPABILITY, OPERATIONS, operation_line, split_form

PLAIN, ESCAPED, NOTICE = b"-", b"e", b"n"

#: Kind → the capability that a device needs to receive such a message; empty if every device receives it.
KINDS: dict[bytes, bytes] = {PLAIN: b"", ESCAPED: b"", NOTICE: b"", **dict.fromkeys(OPERATIONS, CAPABILITY)}

#: The capability for a kind that this version does not know: no client is granted it.
UNKNOWN = b"?"


class IEncoding(Protocol):
    """An encoding of pushes for a peer, other than the plain line."""

    def render(self, message: Message) -> bytes:
        """Return the push of ``message``."""


class Message:
    """One message of a conversation, as it is delivered to devices.

    :ivar sender: ``account/device``.
    :ivar line: the push as a whole plain line, with its ending.
    :ivar time: when the message was stored, in ms.
    :ivar needs: the capability that a device needs to receive it; empty for most messages.
    :ivar of: for an operation the position of the message that it changes; only who sees that one receives it.
    """

    __slots__ = ("_renderings", "epoch", "line", "needs", "of", "sender", "seq", "time")

    def __init__(
        self,
        epoch: int,
        seq: int,
        sender: bytes,
        line: bytes,
        time: int = 0,
        needs: bytes = b"",
        of: Position | None = None,
    ) -> None:
        self.epoch = epoch
        self.seq = seq
        self.sender = sender
        self.line = line
        self.time = time
        self.needs = needs
        self.of = of
        self._renderings: dict[IEncoding, bytes] | None = None

    @property
    def position(self) -> Position:
        """The position of the message in its conversation."""
        return self.epoch, self.seq

    def rendered(self, encoding: IEncoding) -> bytes:
        """Return the push in an encoding; it is made when a device first needs it."""
        if self._renderings is None:
            self._renderings = {}
        found = self._renderings.get(encoding)
        if found is None:
            found = self._renderings[encoding] = encoding.render(self)
        return found


class TimedLines:
    """The encoding for a peer with the capability ``time``: each push has the time at which its message was stored."""

    def render(self, message: Message) -> bytes:
        """Return the push with its time, see ``IEncoding``."""
        return with_tags(message.line, b"time=%d" % message.time)


TIMED_LINES = TimedLines()


def with_tags(line: bytes, tags: bytes) -> bytes:
    """Return ``line`` with ``tags`` before its own; ``tags`` are written as in a line, without the ``@``."""
    return b"@%s;%s" % (tags, line[1:]) if line[:1] == b"@" else b"@%s %s" % (tags, line)


def pack_form(kind: bytes, attributes: Mapping[bytes, bytes]) -> bytes:
    """Return the form: the kind with its attributes, ordered by name; values must be escaped already."""
    return b";".join([kind, *(b"%s=%s" % item if item[1] else item[0] for item in sorted(attributes.items()))])


def pack_body(account: bytes, device: bytes, cseq: int, form: bytes, text: bytes) -> bytes:
    """Return the stored form; ``cseq`` is -1 for a message without one."""
    return b"%s %s %d %s %s" % (account, device, cseq, form, text)


def tags_of(form: bytes) -> bytes:
    """Return the tags of a push or an item with this form, written as in a line, without the ``@``."""
    kind, _, attributes = form.partition(b";")
    if kind != ESCAPED:
        return attributes
    return attributes + b";esc" if attributes else b"esc"


def push_line(conversation: bytes, message_id: bytes, account: bytes, form: bytes, text: bytes) -> bytes:
    """Return the push of a message as a plain line, as its row in ``features/messages/rows.py`` writes it."""
    # Written by hand because every message passes here: Push.line takes several calls. A test compares the two.
    if conversation[:1] == b"#":
        line = b"RESP_MESSAGE_TOPIC %s %s %s %s\r\n" % (conversation[1:], account, message_id, text)
    else:
        line = b"RESP_MESSAGE_P2P %s %s %s\r\n" % (account, message_id, text)
    if form == PLAIN:
        return line
    if form.partition(b";")[0] == NOTICE:
        line = b"RESP_NOTICE %s %s %s\r\n" % (account, message_id, text)
    tags = tags_of(form)
    return with_tags(line, tags) if tags else line


def from_body(conversation: bytes, epoch: int, seq: int, body: bytes, time: int) -> Message:
    """Make the message with this stored form."""
    account, device, _, form, text = body.split(b" ", 4)
    message_id = b"%s:%d-%d" % (conversation, epoch, seq)
    sender = account + b"/" + device
    needs = b"" if form == PLAIN else KINDS.get(form.partition(b";")[0], UNKNOWN)
    if needs:
        return _operation(conversation, message_id, epoch, seq, account, sender, form, text, time, needs)
    return Message(epoch, seq, sender, push_line(conversation, message_id, account, form, text), time)


def _operation(
    conversation: bytes,
    message_id: bytes,
    epoch: int,
    seq: int,
    account: bytes,
    sender: bytes,
    form: bytes,
    text: bytes,
    time: int,
    needs: bytes,
) -> Message:
    kind, of, tags = split_form(form)
    line = operation_line(conversation, message_id, account, kind, of, tags, text)
    return Message(epoch, seq, sender, line, time, needs, parse_position(of) if of else None)


def item_line(conversation: bytes, position: bytes, time: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Return an item of history with its tags: ``<id> <from> <time in ms> <text>``.

    The item of an operation has the tag ``op``, and the id of the message that it changes before its text.
    """
    account, _, _, form, text = body.split(b" ", 4)
    head = b"%s:%s %s %s" % (conversation, position, account, time)
    kind = form.partition(b";")[0]
    if kind in OPERATIONS:
        _, of, tags = split_form(form)
        tags = b"op=%s;%s" % (kind, tags) if tags else b"op=" + kind
        return (b"%s %s:%s %s" % (head, conversation, of, text)).rstrip(b" "), tags
    tags = tags_of(form)
    if kind == NOTICE:
        tags = tags + b";notice" if tags else b"notice"
    return b"%s %s" % (head, text), tags
