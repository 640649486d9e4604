"""A second reader of commands, written from the grammar and the tables of ``doc/protocol.md`` alone.

It shares nothing with ``fishchat.protocols.table``, so that a mistake would have to be made twice. It returns the
command of a line, or that there is none, but no reason.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

NAME = rb"[a-z0-9._-]{1,32}"
CODE = rb"[A-Za-z0-9_-]{1,40}"
NUMBER = rb"[0-9]{1,15}"
CONVERSATION = rb"(?:%s\+%s|#%s|@%s)" % (NAME, NAME, NAME, NAME)
#: Two accounts in any order, or one of them.
NAMED = rb"(?:%s|%s)" % (CONVERSATION, NAME)
ID = rb"%s:%s-%s" % (CONVERSATION, NUMBER, NUMBER)
TEXT = rb"[^\n]{1,7168}"

#: Blanks around fields where no text follows them.
_LOOSE = {
    b"account": NAME,
    b"topic": NAME,
    b"name": NAME,
    b"code": CODE,
    b"conversation": CONVERSATION,
    b"id": ID,
    b"named": NAMED,
    b"mark": rb"(?:%s|%s)" % (ID, NAMED),
    b"privacy": rb"everyone|contacts",
    b"role": rb"admin|member",
    # Which of these are reactions is decided in ``_is_reaction``.
    b"reaction": rb"[^ \t,]{1,32}",
}
_SETTINGS = rb"name|about|announcement|kind|write|slow|history|listed|invite|all|react"
_TEXT_TAGS = (b"cseq", b"esc", b"reply")

#: Long name, short name, form, tags beside ``@id``. A form is fields, or a pattern of the rest after one space.
ROWS: tuple[tuple[bytes, bytes, tuple[bytes, ...] | bytes, tuple[bytes, ...]], ...] = (
    (b"HELLO", b"", rb"(1)(?: ([^\n]{0,7168}))?", ()),
    (b"SEND_CLIENT_ID", b"LOGIN", rb"(%s)(?: ([^\n]{0,7168}))?" % NAME, (b"device",)),
    (b"SEND_AUTH", b"AUTH", rb"(SCRAM-SHA-256|SCRAM-SHA-256-PLUS) (%s)" % TEXT, (b"device",)),
    (b"CREATE_CLIENT", b"SIGNUP", rb"(%s) (%s)" % (NAME, TEXT), (b"invite",)),
    (b"REDEEM_CODE", b"", rb"(%s) (%s) (%s)" % (NAME, NAME, TEXT), ()),
    (b"SEND_PING", b"PING", (), ()),
    (b"SEND_MESSAGE_P2P", b"MSG", rb"(%s) (%s)" % (NAME, TEXT), _TEXT_TAGS),
    (b"SEND_MESSAGE_TOPIC", b"SAY", rb"(%s) (%s)" % (NAME, TEXT), (*_TEXT_TAGS, b"mention")),
    (b"SEND_ACK", b"ACK", (b"id",), ()),
    (b"SEND_READ", b"READ", (b"mark",), ()),
    (b"CREATE_TOPIC", b"CREATE", (b"topic",), (b"kind", b"write", b"history", b"listed")),
    (b"JOIN_TOPIC", b"JOIN", rb"(%s)(?: ([^\n]{0,7168}))?" % NAME, ()),
    (b"LEAVE_TOPIC", b"LEAVE", (b"topic",), ()),
    (b"INVITE_TOPIC", b"INVITE", (b"topic", b"account"), ()),
    (b"DISMISS_TOPIC", b"DISMISS", (b"topic",), ()),
    (b"CREATE_LINK", b"LINK", (b"topic",), (b"for", b"uses", b"approval")),
    (b"REVOKE_LINK", b"UNLINK", (b"topic", b"code"), ()),
    (b"REQ_LINKS", b"LINKS", (b"topic",), ()),
    (b"JOIN_LINK", b"ENTER", rb"(%s)(?: ([^\n]{0,7168}))?" % CODE, ()),
    (b"REQ_REQUESTS", b"REQUESTS", (b"topic",), ()),
    (b"ACCEPT_MEMBER", b"ACCEPT", (b"topic", b"account"), ()),
    (b"REFUSE_MEMBER", b"REFUSE", rb"(%s) (%s)(?: ([^\n]{0,7168}))?" % (NAME, NAME), ()),
    (b"REQ_DIRECTORY", b"DIRECTORY", rb"([^\n]{0,7168})", (b"after", b"limit")),
    (b"SET_TOPIC", b"SET", rb"(%s) (%s) (%s)" % (NAME, _SETTINGS, TEXT), ()),
    (b"REQ_TOPIC", b"INFO", (b"topic",), ()),
    (b"SET_ROLE", b"ROLE", (b"topic", b"account", b"role"), ()),
    (b"TRANSFER_TOPIC", b"TRANSFER", (b"topic", b"account"), ()),
    (b"KICK_MEMBER", b"KICK", rb"(%s) (%s)(?: ([^\n]{0,7168}))?" % (NAME, NAME), ()),
    (b"BAN_MEMBER", b"BAN", rb"(%s) (%s)(?: ([^\n]{0,7168}))?" % (NAME, NAME), (b"for",)),
    (b"UNBAN_MEMBER", b"UNBAN", (b"topic", b"account"), ()),
    (b"REQ_BANNED", b"BANNED", (b"topic",), (b"after", b"limit")),
    (b"MUTE_MEMBER", b"MUTE", rb"(%s) (%s)(?: ([^\n]{0,7168}))?" % (NAME, NAME), (b"for",)),
    (b"UNMUTE_MEMBER", b"UNMUTE", (b"topic", b"account"), ()),
    (b"WATCH_CLIENT", b"WATCH", (b"account",), ()),
    (b"UNWATCH_CLIENT", b"UNWATCH", (b"account",), ()),
    (b"WATCH_CONVERSATION", b"OPEN", (b"named",), ()),
    (b"UNWATCH_CONVERSATION", b"CLOSE", (b"named",), ()),
    (b"SEND_TYPING", b"TYPING", (b"named",), ()),
    (b"REQ_READERS", b"READERS", (b"id",), ()),
    (b"LOCATE_TOPIC_MSG_ADDR", b"LOCATE", (b"topic",), ()),
    (b"REQ_HISTORY", b"HISTORY", (b"named",), (b"before", b"after", b"limit", b"with")),
    (b"SEND_EDIT", b"EDIT", rb"(%s) (%s)" % (ID, TEXT), (b"cseq", b"esc", b"mention", b"was")),
    (b"SEND_RECALL", b"RECALL", rb"(%s)(?: ([^\n]{0,7168}))?" % ID, (b"cseq", b"esc")),
    (b"SEND_REACTION", b"REACT", (b"id", b"reaction"), (b"cseq",)),
    (b"REMOVE_REACTION", b"UNREACT", (b"id", b"reaction"), (b"cseq",)),
    (b"SEND_PIN", b"PIN", (b"id",), (b"cseq",)),
    (b"REMOVE_PIN", b"UNPIN", (b"id",), (b"cseq",)),
    (b"REQ_MESSAGE", b"SHOW", (b"id",), ()),
    (b"REQ_VERSIONS", b"VERSIONS", (b"id",), ()),
    (b"REQ_REACTIONS", b"REACTIONS", (b"id",), ()),
    (b"REQ_PINS", b"PINS", (b"named",), ()),
    (b"REQ_CONVERSATIONS", b"CONVERSATIONS", (), (b"preview", b"before", b"limit")),
    (b"REQ_CLIENT_STATUS", b"STATUS", (b"account",), ()),
    (b"REQ_NAMES", b"NAMES", rb"(%s)" % TEXT, ()),
    (b"REQ_TOPICS", b"TOPICS", (), ()),
    (b"REQ_MEMBERS", b"MEMBERS", (b"topic",), (b"after", b"limit")),
    (b"SEND_PASSWORD", b"PASSWORD", rb"(%s)" % TEXT, ()),
    (b"DELETE_CLIENT", b"", rb"(%s)" % TEXT, ()),
    (b"REQ_DEVICES", b"DEVICES", (), ()),
    (b"REVOKE_DEVICE", b"REVOKE", (b"name",), ()),
    (b"BLOCK_CLIENT", b"BLOCK", (b"account",), ()),
    (b"UNBLOCK_CLIENT", b"UNBLOCK", (b"account",), ()),
    (b"REQ_BLOCKED", b"BLOCKED", (), ()),
    (b"ADD_CONTACT", b"CONTACT", rb"(%s)(?: ([^\n]{0,7168}))?" % NAME, ()),
    (b"REMOVE_CONTACT", b"UNCONTACT", (b"account",), ()),
    (b"REQ_CONTACTS", b"CONTACTS", (), ()),
    (b"ASK_CONTACT", b"ASK", rb"(%s)(?: ([^\n]{0,7168}))?" % NAME, ()),
    (b"REQ_CONTACT_REQUESTS", b"ASKED", (), ()),
    (b"ACCEPT_CONTACT", b"", (b"account",), ()),
    (b"REFUSE_CONTACT", b"", (b"account",), ()),
    (b"SET_CONVERSATION", b"KEEP", rb"(%s) (notify|until|pinned|archived|remark)(?: ([^\n]{0,7168}))?" % NAMED, ()),
    (b"REPORT_MESSAGE", b"REPORT", rb"(%s)(?: ([^\n]{0,7168}))?" % ID, ()),
    (b"SEND_PRIVACY", b"PRIVACY", (b"privacy",), ()),
    (b"SEND_NAME", b"NAME", rb"(%s)" % TEXT, ()),
    (b"HELP", b"", rb"([^\n]{0,7168})", ()),
    (b"QUIT", b"", (), ()),
)
GATEWAY = (b"HELLO", b"SEND_PING", b"HELP", b"QUIT")
GATEWAY_ROW = (b"REQ_MSG_SERVER", b"SERVER", (), ())

#: Verbs whose pattern ends with the group of the text, which may be absent in some.
_WITH_TEXT = {row[0] for row in ROWS if isinstance(row[2], bytes)}
#: The verbs among them that may have no text at all.
_BARE = {b"HELP", b"REQ_DIRECTORY"}
#: Verbs whose conversation may be named by either account, and in any order.
_NAMING = (
    *(b"SEND_READ", b"REQ_HISTORY", b"REQ_PINS", b"SET_CONVERSATION"),
    *(b"WATCH_CONVERSATION", b"UNWATCH_CONVERSATION", b"SEND_TYPING"),
)
_REACTING = (b"SEND_REACTION", b"REMOVE_REACTION")


def _pattern(form: tuple[bytes, ...] | bytes) -> re.Pattern[bytes]:
    if isinstance(form, bytes):
        return re.compile(form)
    return re.compile(rb"[ \t]*" + rb"[ \t]+".join(b"(%s)" % _LOOSE[one] for one in form) + rb"[ \t]*")


def verbs(gateway: bool) -> dict[bytes, tuple[bytes, re.Pattern[bytes], tuple[bytes, ...]]]:
    """Return every word of a port, in capitals: the long name, the pattern of the rest, the tags."""
    rows = [row for row in ROWS if not gateway or row[0] in GATEWAY]
    found: dict[bytes, tuple[bytes, re.Pattern[bytes], tuple[bytes, ...]]] = {}
    for name, short, form, tags in [*rows, *([GATEWAY_ROW] if gateway else [])]:
        for word in filter(None, (name, short)):
            found[word] = name, _pattern(form), (b"id", *tags)
    return found


_MSG_SERVER, _GATEWAY = verbs(False), verbs(True)

_TAG = re.compile(rb"([a-z][a-z0-9-]{0,31})(?:=([^; ]*))?")
_VALUES = {
    b"id": re.compile(rb".{1,64}", re.DOTALL),
    b"cseq": re.compile(NUMBER),
    b"esc": re.compile(rb""),
    b"preview": re.compile(rb""),
    b"device": re.compile(NAME),
    b"invite": re.compile(rb".{1,64}", re.DOTALL),
    b"kind": re.compile(rb"open|approval|invitation"),
    b"write": re.compile(rb"all|admins"),
    b"history": re.compile(rb"joined|all"),
    b"listed": re.compile(rb""),
    b"for": re.compile(
        rb"(?=[0-9]{1,15}$)0*(?:[1-9][0-9]{0,6}|[12][0-9]{7}|30[0-9]{6}|31[0-5][0-9]{5}|316[01][0-9]{4}|3162[01][0-9]{3}"
        rb"|31622[0-3][0-9]{2}|31622400)"
    ),
    b"uses": re.compile(rb"(?=[0-9]{1,15}$)0*(?:[1-9][0-9]{0,4}|100000)"),
    b"approval": re.compile(rb""),
    b"before": re.compile(ID),
    b"after": re.compile(ID),
    b"limit": re.compile(rb"0{0,14}[1-9]|0{0,13}[1-9][0-9]|0{0,12}100"),
    b"mention": re.compile(rb"(?:%s(?:,%s){0,15})?" % (NAME, NAME)),
    b"reply": re.compile(ID),
    b"was": re.compile(ID),
    b"with": re.compile(rb"ops"),
}
_THOUSAND = re.compile(rb"0{0,14}[1-9]|0{0,13}[1-9][0-9]|0{0,12}[1-9][0-9]{2}|0{0,11}1000")
#: Tags that a verb reads in its own way.
_OWN_VALUES = {
    (b"REQ_CONVERSATIONS", b"before"): re.compile(rb"%s-%s" % (NUMBER, CONVERSATION)),
    (b"REQ_MEMBERS", b"after"): re.compile(NAME),
    (b"REQ_DIRECTORY", b"after"): re.compile(NAME),
    (b"REQ_BANNED", b"after"): re.compile(NAME),
    (b"REQ_MEMBERS", b"limit"): _THOUSAND,
    (b"REQ_BANNED", b"limit"): _THOUSAND,
}
_UNESCAPED = {b":": b";", b"s": b" ", b"r": b"\r", b"n": b"\n"}
_ESCAPED_TEXT = re.compile(rb"(?:[^\\]|\\[nr\\])*")

#: Name, fields, text, tags.
Read = tuple[bytes, tuple[bytes, ...], bytes, dict[bytes, bytes]]


def _value(name: bytes, tag: bytes) -> re.Pattern[bytes]:
    return _OWN_VALUES.get((name, tag), _VALUES[tag])


def read(line: bytes, gateway: bool = False) -> Read | None:
    """Return the command of ``line``, its fields and tags as bytes; None when there is none."""
    if len(line) > 8192 or b"\0" in line or b"\n" in line:
        return None
    try:
        letters = line.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return None
    typed = _typed(letters)
    if typed is None:
        return None
    line = typed.lstrip("\ufeff \t").encode()
    tags: dict[bytes, bytes] | None = {}
    if line.startswith(b"@"):
        head, _, line = line.partition(b" ")
        tags = _tags(head[1:])
        line = line.lstrip(b" \t")
    word, rest = re.fullmatch(rb"([^ \t]*)(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
    space, rest = rest[:1], rest[1:]
    known = (_GATEWAY if gateway else _MSG_SERVER).get(word.upper())
    if known is None or tags is None:
        return None
    name, pattern, allowed = known
    found = pattern.fullmatch(rest)
    if found is None or (not space and not (rest == b"" and pattern.fullmatch(b""))):
        return None
    groups = [group or b"" for group in found.groups()]
    text = groups.pop() if name in _WITH_TEXT else b""
    if not all(tag in allowed and _value(name, tag).fullmatch(value) for tag, value in tags.items()):
        return None
    if b"esc" in tags and not _ESCAPED_TEXT.fullmatch(text):
        return None
    groups = _ordered(name, groups)
    # A reaction may look like a conversation.
    *named, reaction = groups if name in _REACTING else [*groups, b"+1"]
    named += [tags.get(tag, b"") for tag in (b"before", b"after", b"reply", b"was")]
    if not all(map(_in_order, named)) or not _is_reaction(reaction):
        return None
    return name, tuple(groups), text, tags


def _is_reaction(value: bytes) -> bool:
    """Return whether no character of it is invisible or a blank, but for the joiner within emoji."""
    letters = value.decode().replace("\u200d", "")
    return letters != "" and not any(unicodedata.category(letter)[0] in "CZ" for letter in letters)


def _typed(line: str) -> str | None:
    """Return a line without controls; None if it holds a key that would have changed it."""
    line = re.sub("\x1b\\[[0-9;:]*m", "", line)
    if re.search("[\x08\x15\x17\x1b\x7f\x9b]", line):
        return None
    return re.sub("[\x00-\x08\x0a-\x1f\x80-\x9f]", "", line)


def _tags(raw: bytes) -> dict[bytes, bytes] | None:
    """Return the tags, unescaped; None if it is not a list of tags."""
    found: dict[bytes, bytes] = {}
    for part in raw.split(b";"):
        match = _TAG.fullmatch(part)
        if match is None:
            return None
        found[match[1]] = _unescaped(match[2] or b"")
    return found


def _unescaped(value: bytes) -> bytes:
    out = b""
    while value:
        before, slash, value = value.partition(b"\\")
        out += before
        if slash:
            out += _UNESCAPED.get(value[:1], value[:1])
            value = value[1:]
    return out


def _in_order(value: bytes) -> bool:
    """Return whether the two accounts of a conversation, if there is one in it, are in order."""
    one, plus, other = value.partition(b":")[0].partition(b"+")
    return not plus or one <= other


def _ordered(name: bytes, groups: list[bytes]) -> list[bytes]:
    """Return the fields of a verb: conversations of two accounts in order, where any order is accepted."""
    if name not in _NAMING:
        return groups
    return [group if b":" in group else b"+".join(sorted(group.split(b"+"))) for group in groups]


def as_read(value: Any) -> bytes:
    """Return a field or a tag of a command in the form for comparison: numbers without leading zeros."""
    if isinstance(value, tuple):
        return b"%s:%d-%d" % value
    return b"%d" % value if isinstance(value, int) else bytes(value)


def plain(value: bytes) -> bytes:
    """Return a value of this reader in the form for comparison, if it is an id or a number."""
    if re.fullmatch(NUMBER, value):
        return b"%d" % int(value)
    if re.fullmatch(ID, value):
        conversation, _, position = value.rpartition(b":")
        epoch, _, seq = position.partition(b"-")
        return b"%s:%d-%d" % (conversation, int(epoch), int(seq))
    return value
