"""Fields and tags: how each is read from a line, written to one, and described. No I/O.

A reader raises ProtocolError and nothing else. What only one feature uses stands in the ``rows.py`` of that feature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fishchat.errors import ProtocolError
from fishchat.model.names import (
    DIGITS,
    MessageId,
    is_conversation,
    is_name,
    name_advice,
    named_conversation,
    small_letters,
    split_id,
)

#: The tags of a line: message ids and numbers as their values, everything else as bytes.
Tags = dict[bytes, Any]
NO_TAGS: Tags = {}


def same(value: bytes) -> bytes:
    """Return ``value``: the reader and writer of what any bytes may be."""
    return value


@dataclass(frozen=True, eq=False)
class Field:
    """One position of a row.

    :ivar name: the word in the usage, and the key of ``command[...]``.
    :ivar grammar: the ABNF term; the name if empty.
    :ivar sample: an example as it stands in a line, for dictionaries and tests.
    :ivar shown: how the usage prints it; ``<name>`` if empty.
    """

    name: str
    read: Callable[[bytes], Any]
    sample: bytes
    write: Callable[[Any], bytes] = same
    grammar: str = ""
    shown: str = ""

    @property
    def usage(self) -> str:
        """How the usage prints it."""
        return self.shown or f"<{self.name}>"


@dataclass(frozen=True, eq=False)
class Tag:
    """One tag of a row.

    :ivar help: what it says, in the words of the reference.
    :ivar zh: the same in Chinese, for ``HELP zh``.
    :ivar programs: whether only programs use it; HELP mentions it last.
    :ivar kept: whether it is stored with the message and repeated on its pushes and items.
    :ivar check: the Lua include that checks a kept tag in the store, if one must.
    """

    name: bytes
    help: str
    read: Callable[[bytes], Any]
    sample: bytes
    write: Callable[[Any], bytes] = same
    kept: bool = False
    check: str = ""
    zh: str = ""
    programs: bool = False


def read_name(value: bytes) -> bytes:
    """The name of an account, a topic or a device."""
    if not is_name(value):
        raise ProtocolError("BADNAME", name_advice(value))
    return value


def read_conversation(value: bytes) -> bytes:
    """A conversation, e.g. ``alice+bob``."""
    if not is_conversation(value):
        raise ProtocolError("BADID")
    return value


def read_named_conversation(value: bytes) -> bytes:
    """A conversation as people name it: ``bob``, ``bob+alice`` (in the usual order after this) or ``#fishing``."""
    found = named_conversation(value)
    if found is None:
        near = value.lower()
        advice = small_letters(near) if named_conversation(near) else name_advice(value)
        raise ProtocolError("BADID", advice)
    return found


def read_id(value: bytes) -> MessageId:
    """A message id as ``(conversation, epoch, seq)``."""
    try:
        return split_id(value)
    except ValueError:
        raise ProtocolError("BADID") from None


def write_id(value: MessageId) -> bytes:
    """``(conversation, epoch, seq)`` as a message id."""
    return b"%s:%d-%d" % value


def listed(values: Sequence[bytes]) -> str:
    """Return words as a person lists them: ``open, approval or invitation``."""
    *first, last = [value.decode() for value in values]
    return f"{', '.join(first)} or {last}" if first else last


def read_one_of(what: str, values: tuple[bytes, ...]) -> Callable[[bytes], bytes]:
    """A reader for one of a few words."""

    def read(value: bytes) -> bytes:
        if value in values:
            return value
        raise ProtocolError("FIELDS", f"{what} must be {listed(values)}")

    return read


def read_number(value: bytes) -> int:
    """A number of up to 15 digits."""
    if value.isdigit() and len(value) <= DIGITS:
        return int(value)
    raise ProtocolError("FIELDS", f"a number has 1 to {DIGITS} digits")


def write_number(value: int) -> bytes:
    """``value`` in digits."""
    return b"%d" % value


def read_tag_number(name: str, low: int, high: int) -> Callable[[bytes], int]:
    """A reader for a tag whose value is a whole number within bounds."""

    def read(value: bytes) -> int:
        if value.isdigit() and len(value) <= DIGITS and low <= (number := int(value)) <= high:
            return number
        raise ProtocolError("BADTAG", f"@{name} must be a whole number from {low} to {high}")

    return read


def read_tag_bytes(name: str, longest: int, what: str) -> Callable[[bytes], bytes]:
    """A reader for a tag that may hold any bytes up to a length."""

    def read(value: bytes) -> bytes:
        if not 0 < len(value) <= longest:
            raise ProtocolError("BADTAG", f"@{name} must be {what}")
        return value

    return read


def read_flag(name: str) -> Callable[[bytes], bytes]:
    """A reader for a tag without a value."""

    def read(value: bytes) -> bytes:
        if value:
            raise ProtocolError("BADTAG", f"@{name} takes no value")
        return value

    return read


ACCOUNT = Field("account", read_name, b"alice")
SENDER = Field("from", read_name, b"bob", grammar="account")
TOPIC = Field("topic", read_name, b"fishing")
DEVICE = Field("device", read_name, b"phone", grammar="name")
CONVERSATION = Field("conversation", read_conversation, b"alice+bob")
NAMED_CONVERSATION = Field(
    "named-conversation", read_named_conversation, b"bob", shown="<account, #topic or conversation>"
)
ID = Field("id", read_id, b"alice+bob:7-1", write_id, grammar="message-id")

#: Every verb takes it.
ECHO = Tag(
    b"id",
    "1 to 64 bytes that are repeated on every line of the reply",
    read_tag_bytes("id", 64, "1 to 64 bytes"),
    b"q7",
    zh="1 到 64 个字节，回复的每一行都会带上它",
    programs=True,
)
ESC = Tag(
    b"esc",
    "no value; the text contains escapes: see [Escapes](#escapes)",
    read_flag("esc"),
    b"",
    zh="没有值；表示文字里有转义符",
    programs=True,
)

#: The highest number that a sender may give a message.
MAX_CSEQ = 10**DIGITS - 1
CSEQ = Tag(
    b"cseq",
    f"the number of the message, 0 to {MAX_CSEQ}: see [Numbering](#numbering)",
    read_tag_number("cseq", 0, MAX_CSEQ),
    b"1",
    write_number,
    zh=f"消息的序号，0 到 {MAX_CSEQ}，重发时不会存两次",
    programs=True,
)

#: The most names in the tag ``mention``.
MENTIONED = 16


def read_mention(value: bytes) -> bytes:
    """Names of accounts, separated by commas, or ``all``; nothing for nobody."""
    names = value.split(b",") if value else []
    if len(names) > MENTIONED or not all(map(is_name, names)):
        raise ProtocolError("BADTAG", f"@mention must be all, or up to {MENTIONED} names separated by commas")
    return value


#: In the tags of a message, of an edit and of their pushes.
MENTION = Tag(
    b"mention",
    f"up to {MENTIONED} names separated by commas, or `all`; if absent, the words `@name` of a plain text count",
    read_mention,
    b"alice",
    kept=True,
    check="mention",
    zh=f"最多 {MENTIONED} 个名字，用逗号分隔，或 `all`（所有人）；不写时，普通文字里的 `@名字` 也算提到",
)
REPLY = Tag(
    b"reply",
    "the id of a message of the same conversation, which this one answers",
    read_id,
    ID.sample,
    write_id,
    kept=True,
    check="reply",
    zh="同一会话里的消息编号，表示回复那条消息",
)

#: The words in angle brackets of usages and replies, in Chinese. A feature adds its own: ``TERMS`` in its rows.
TERMS = {
    "account": "帐号",
    "account, #topic or conversation": "帐号、#话题 或会话",
    "conversation": "会话",
    "device": "设备",
    "display name": "显示名",
    "first": "起始序号",
    "from": "发送者",
    "host:port": "主机:端口",
    "id": "消息编号",
    "last": "末尾序号",
    "last seen in ms": "最后在线时间（毫秒）",
    "read number": "已读序号",
    "text": "文字",
    "time in ms": "时间（毫秒）",
    "topic": "话题",
    "until in ms": "结束时间（毫秒）",
}
