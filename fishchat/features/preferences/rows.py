"""The verb of conversation settings, and the values that it accepts."""

from __future__ import annotations

from fishchat.errors import NO_CONVERSATION, ProtocolError
from fishchat.model.display_names import remark
from fishchat.model.names import DIGITS
from fishchat.protocols.fields import NAMED_CONVERSATION, Field, read_one_of
from fishchat.protocols.rows import Push, Text, Verb

#: Setting → the words that it accepts; a setting without words has another kind of value.
SETTINGS: dict[bytes, tuple[bytes, ...]] = {
    b"notify": (b"all", b"mentions", b"none"),
    b"until": (),
    b"pinned": (b"yes", b"no"),
    b"archived": (b"yes", b"no"),
    b"remark": (),
}
#: The value that removes a remark.
NO_REMARK = b"-"

#: Words in angle brackets, in Chinese.
TERMS = {"setting": "设置", "value": "值"}

SETTING = Field(
    "setting",
    read_one_of("the setting", tuple(SETTINGS)),
    b"notify",
    grammar='( "notify" / "until" / "pinned" / "archived" / "remark" )',
)

SET_CONVERSATION = Verb(
    b"SET_CONVERSATION",
    "sets notify (all, mentions or none), until (the ms at which notify ends; 0: never), pinned, archived (yes or no) "
    "or remark (up to 64 characters; - removes it) of a conversation, for you alone",
    zh="只为你自己设置一个会话：notify（all、mentions 或 none）、until（notify 在哪个毫秒时间结束；0 表示一直有效）、"
    "pinned、archived（yes 或 no）或 remark（备注，最多 64 个字符；- 表示删除）",
    alias=b"KEEP",
    fields=(NAMED_CONVERSATION, SETTING),
    text=Text.OPTIONAL,
    text_name="value",
    text_sample=b"none",
    reply="OK SET_CONVERSATION <conversation> <setting> <value>",
    says=NO_CONVERSATION,
)

VERBS = (SET_CONVERSATION,)
PUSHES: tuple[Push, ...] = ()


def read_value(setting: bytes, value: bytes) -> bytes:
    """Return the value of a setting as it is shown. Raises ProtocolError (FIELDS, BADNAME for a remark)."""
    words = SETTINGS[setting]
    if words:
        return read_one_of(setting.decode(), words)(value)
    if setting == b"until":
        if value.isdigit() and len(value) <= DIGITS:
            return b"%d" % int(value)
        raise ProtocolError("FIELDS", "until must be a time in ms since 1970, or 0 for no end")
    try:
        return remark(value) or NO_REMARK
    except ValueError as error:
        raise ProtocolError("BADNAME", str(error)) from None
