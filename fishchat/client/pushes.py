"""What the server says unasked, from lines to values. Pure."""

from __future__ import annotations

from fishchat.client.events import Gap, Message, Moved, Notice, Read, Synced
from fishchat.client.replies import text_of
from fishchat.model.names import DIGITS, split_id


def parse_push(verb: bytes, rest: bytes, escaped: bool) -> Message | Notice | Synced | Gap | Read | Moved | None:
    """The value of a ``RESP_…`` line; None for one that is unknown here. Raises ValueError or ProtocolError."""
    if verb == b"RESP_MESSAGE_P2P":
        sender, raw_id, text = rest.split(b" ", 2)
        return Message(sender.decode(), text_of(text, escaped), raw_id.decode(), _conversation(raw_id))
    if verb == b"RESP_MESSAGE_TOPIC":
        topic, sender, raw_id, text = rest.split(b" ", 3)
        where = _conversation(raw_id)
        return Message(sender.decode(), text_of(text, escaped), raw_id.decode(), where, topic.decode())
    if verb == b"RESP_NOTICE":
        sender, raw_id, text = rest.split(b" ", 2)
        return Notice(sender.decode(), text_of(text, escaped), raw_id.decode(), _conversation(raw_id))
    return _parse_other(verb, rest.decode())


def _parse_other(verb: bytes, rest: str) -> Synced | Gap | Read | Moved | None:
    if verb == b"RESP_SYNCED":
        return Synced()
    if verb == b"RESP_GAP":
        conversation, first, last = rest.split(" ")
        return Gap(conversation, _number(first), _number(last))
    if verb == b"RESP_READ":
        account, message_id = rest.split(" ")
        return Read(account, message_id)
    if verb == b"RESP_MOVE":
        address, _, within = rest.partition(" within=")
        return Moved(None if address == "-" else address, _seconds(within or "0"))
    return None


def _number(text: str) -> int:
    # int() would also take signs, blanks, and digits of any script.
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise ValueError(f"no number: {text[:20]!r}")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    # Of what is less than nothing, endless or no number at all, no timer can be made.
    if not 0 <= seconds < 1e9:
        raise ValueError(f"no time: {text[:20]!r}")
    return seconds


def _conversation(raw_id: bytes) -> str:
    return split_id(raw_id)[0].decode()
