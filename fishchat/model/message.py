"""A message as it is stored, and the line that a client gets of it. No I/O.

The stored form is one row of tokens and the text: ``account device cseq flag text``. Flags: ``-`` plain text, ``e``
text with ``@esc`` escapes, ``n`` a notice from the servers, ``r`` a read receipt (told, never stored).
"""

from __future__ import annotations

from fishchat.model.names import Position

PLAIN, ESCAPED, NOTICE, RECEIPT = b"-", b"e", b"n", b"r"


class Message:
    """One message of a conversation, on its way to devices.

    :ivar sender: ``account/device``.
    :ivar line: the push, whole, with its ending.
    """

    __slots__ = ("epoch", "line", "sender", "seq")

    def __init__(self, epoch: int, seq: int, sender: bytes, line: bytes) -> None:
        self.epoch = epoch
        self.seq = seq
        self.sender = sender
        self.line = line

    @property
    def position(self) -> Position:
        """Where it stands in its conversation."""
        return self.epoch, self.seq


def pack_body(account: bytes, device: bytes, cseq: int, flag: bytes, text: bytes) -> bytes:
    """The stored form; ``cseq`` is -1 for a message without one."""
    return b"%s %s %d %s %s" % (account, device, cseq, flag, text)


def push_line(conversation: bytes, message_id: bytes, account: bytes, flag: bytes, text: bytes) -> bytes:
    """What a client is told of a message."""
    if flag == NOTICE:
        return b"RESP_NOTICE %s %s %s\r\n" % (account, message_id, text)
    if conversation[:1] == b"#":
        line = b"RESP_MESSAGE_TOPIC %s %s %s %s\r\n" % (conversation[1:], account, message_id, text)
    else:
        line = b"RESP_MESSAGE_P2P %s %s %s\r\n" % (account, message_id, text)
    return b"@esc " + line if flag == ESCAPED else line


def from_body(conversation: bytes, epoch: int, seq: int, body: bytes) -> Message:
    """The message that the store or the router tells of."""
    account, device, _, flag, text = body.split(b" ", 4)
    message_id = b"%s:%d-%d" % (conversation, epoch, seq)
    return Message(epoch, seq, account + b"/" + device, push_line(conversation, message_id, account, flag, text))


def item_line(conversation: bytes, position: bytes, time: bytes, body: bytes) -> tuple[bytes, bool]:
    """``<id> <from> <time in ms> <text>`` for a page of history, and whether the text is escaped."""
    account, _, _, flag, text = body.split(b" ", 4)
    return b"%s:%s %s %s %s" % (conversation, position, account, time, text), flag == ESCAPED
