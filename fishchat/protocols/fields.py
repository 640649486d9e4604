"""Reading the fields and tags of a line into values. No I/O; whatever is wrong is a ProtocolError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fishchat.errors import ProtocolError
from fishchat.model.names import DIGITS, MessageId, is_conversation, is_name, split_id

#: The tags of a command: a message id and numbers as their values, everything else as bytes.
Tags = dict[bytes, Any]
NO_TAGS: Tags = {}

#: What SEND_AUTH speaks.
MECHANISMS = (b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS")


def _read_name(value: bytes) -> bytes:
    if not is_name(value):
        raise ProtocolError("BADNAME")
    return value


def _read_conversation(value: bytes) -> bytes:
    if not is_conversation(value):
        raise ProtocolError("BADID")
    return value


def _read_id(value: bytes) -> MessageId:
    try:
        return split_id(value)
    except ValueError:
        raise ProtocolError("BADID") from None


def _read_version(value: bytes) -> bytes:
    if value != b"1":
        raise ProtocolError("VERSION")
    return value


def _one_of(name: str, values: tuple[bytes, ...]) -> Callable[[bytes], bytes]:
    def read(value: bytes) -> bytes:
        if value in values:
            return value
        raise ProtocolError("FIELDS", f"{name} is {b' or '.join(values).decode()}")

    return read


#: Field name → what reads it. Each raises ProtocolError, nothing else.
FIELDS: dict[str, Callable[[bytes], Any]] = {
    "account": _read_name,
    "topic": _read_name,
    "device": _read_name,
    "mechanism": _one_of("the mechanism", MECHANISMS),
    "privacy": _one_of("who may begin to write to you", (b"everyone", b"contacts")),
    "conversation": _read_conversation,
    "id": _read_id,
    "version": _read_version,
}


def _whole_number(name: str, low: int, high: int) -> Callable[[bytes], int]:
    def read(value: bytes) -> int:
        if value.isdigit() and len(value) <= DIGITS and low <= (number := int(value)) <= high:
            return number
        raise ProtocolError("BADTAG", f"@{name} is a whole number from {low} to {high}")

    return read


def _read_kind(value: bytes) -> bytes:
    if value not in (b"open", b"invitation"):
        raise ProtocolError("BADTAG", "@kind is open or invitation")
    return value


def _read_echo(value: bytes) -> bytes:
    if not 0 < len(value) <= 64:
        raise ProtocolError("BADTAG", "@id is 1 to 64 bytes")
    return value


def _read_invitation(value: bytes) -> bytes:
    if not 0 < len(value) <= 64:
        raise ProtocolError("BADTAG", "@invite is the code of an invitation")
    return value


def _read_flag(value: bytes) -> bytes:
    if value:
        raise ProtocolError("BADTAG", "@esc takes no value")
    return value


#: The highest number that a sender may give a message.
MAX_CSEQ = 10**DIGITS - 1

#: Tag → what reads it. Each raises ProtocolError, nothing else.
TAGS: dict[bytes, Callable[[bytes], Any]] = {
    b"id": _read_echo,
    b"cseq": _whole_number("cseq", 0, MAX_CSEQ),
    b"esc": _read_flag,
    b"device": _read_name,
    b"invite": _read_invitation,
    b"kind": _read_kind,
    b"before": _read_id,
    b"after": _read_id,
    b"limit": _whole_number("limit", 1, 100),
}
