"""Verbs of links into topics, of requests to join, and of the directory."""

from __future__ import annotations

import re

from fishchat.errors import ProtocolError
from fishchat.protocols.fields import ACCOUNT, TOPIC, Field, Tag, read_flag, read_name, read_tag_number, write_number
from fishchat.protocols.rows import Push, Text, Verb

#: The seconds that a link is good for: if the creator does not say, and at most.
WEEK, YEAR = 7 * 86400, 366 * 86400
#: The most uses of a link that has a limit.
USES = 100_000
#: The most topics of one page of the directory.
PAGE = 100
#: The longest code, and word that stands for all links.
CODE_BYTES, ALL = 40, b"all"

_CODE = re.compile(b"[A-Za-z0-9_-]{1,%d}" % CODE_BYTES)
_GRAMMAR = f'1*{CODE_BYTES}( ALPHA / DIGIT / "_" / "-" )'


def read_code(value: bytes) -> bytes:
    """The code of a link, or what may be one: a wrong one is answered like one that has ended."""
    if _CODE.fullmatch(value):
        return value
    raise ProtocolError("FIELDS", f"a code has 1 to {CODE_BYTES} of A-Z a-z 0-9 _ -")


CODE = Field("code", read_code, b"fcj_code", grammar=_GRAMMAR)
LINK = Field("link", read_code, b"all", grammar=_GRAMMAR, shown="<code, link id or all>")
FOR = Tag(
    b"for",
    "seconds, 1 to 31622400: how long the link is good for; 604800 (7 days) if absent",
    read_tag_number("for", 1, YEAR),
    b"86400",
    write_number,
    zh="链接的有效期，1 到 31622400 秒；不写就是 604800（7 天）",
)
USES_TAG = Tag(
    b"uses",
    f"1 to {USES}: how many accounts may use the link; any number if absent",
    read_tag_number("uses", 1, USES),
    b"3",
    write_number,
    zh=f"有多少个帐号可以用这个链接，1 到 {USES}；不写则不限",
)
APPROVAL = Tag(
    b"approval",
    "no value; the link leads to a request, which an admin accepts or refuses",
    read_flag("approval"),
    b"",
    zh="没有值；用链接加入的帐号须管理员同意",
)
AFTER = Tag(
    b"after",
    "the name of a topic; returns only topics whose names sort after it",
    read_name,
    b"fishing",
    zh="话题名；只返回名字排在它后面的话题",
)
LIMIT = Tag(
    b"limit",
    f"1 to {PAGE} topics; {PAGE} if absent",
    read_tag_number("limit", 1, PAGE),
    b"10",
    write_number,
    zh=f"1 到 {PAGE} 个话题；不写就是 {PAGE}",
)

#: Words in angle brackets, in Chinese.
TERMS = {
    "by": "创建者",
    "code": "链接码",
    "code, link id or all": "链接码、链接编号或 all（全部）",
    "direct|approval": "direct（直接加入）|approval（须管理员同意）",
    "expires in ms": "失效时间（毫秒）",
    "link": "链接",
    "link id": "链接编号",
    "links": "链接数",
    "prefix": "名字的开头",
    "reason": "原因",
    "title": "标题",
    "uses left|-": "剩余次数|-（不限）",
}

CREATE_LINK = Verb(
    b"CREATE_LINK",
    "creates a link that leads into a topic of which you are an admin, and returns its code and its id",
    zh="为你管理的话题创建一个加入链接，返回链接码和链接编号",
    alias=b"LINK",
    fields=(TOPIC,),
    tags=(FOR, USES_TAG, APPROVAL),
    reply="OK CREATE_LINK <code> <link id>",
)
REVOKE_LINK = Verb(
    b"REVOKE_LINK",
    "revokes a link of a topic, by its code or its id, or all of its links",
    zh="作废话题的一个链接（用链接码或链接编号），或全部链接",
    alias=b"UNLINK",
    fields=(TOPIC, LINK),
    reply="OK REVOKE_LINK <topic> <links>",
    says={"NOTFOUND": "no such topic, or it has no such link; LINKS lists its links"},
)
REQ_LINKS = Verb(
    b"REQ_LINKS",
    "lists the links of a topic of which you are an admin",
    zh="列出你管理的话题的链接",
    alias=b"LINKS",
    fields=(TOPIC,),
    reply="BEGIN …, ITEM <link id> <by> <uses left|-> <expires in ms> <direct|approval> …, END REQ_LINKS",
)
JOIN_LINK = Verb(
    b"JOIN_LINK",
    "makes you a member of the topic to which a link leads, or asks its admins with this text if the link says so",
    zh="用链接加入话题；链接要求同意时则附上文字向管理员申请",
    alias=b"ENTER",
    fields=(CODE,),
    text=Text.OPTIONAL,
    text_sample=b"",
    reply="OK JOIN_LINK <topic>[ pending]",
    says={"NOTFOUND": "this is not the code of a link, or the link has ended; ask for another one"},
)
REQ_REQUESTS = Verb(
    b"REQ_REQUESTS",
    "lists the requests to join a topic of which you are an admin, oldest first",
    zh="列出加入你管理的话题的申请，最早的在前",
    alias=b"REQUESTS",
    fields=(TOPIC,),
    reply="BEGIN …, ITEM <account> <time in ms>[ <text>] …, END REQ_REQUESTS",
)
ACCEPT_MEMBER = Verb(
    b"ACCEPT_MEMBER",
    "makes an account that has asked to join a topic a member of it, and notifies it",
    zh="同意一个帐号加入话题的申请，并通知对方",
    alias=b"ACCEPT",
    fields=(TOPIC, ACCOUNT),
    reply="OK ACCEPT_MEMBER <topic> <account>",
)
REFUSE_MEMBER = Verb(
    b"REFUSE_MEMBER",
    "refuses the request of an account to join a topic, and notifies it",
    zh="拒绝一个帐号加入话题的申请，并通知对方",
    alias=b"REFUSE",
    fields=(TOPIC, ACCOUNT),
    text=Text.OPTIONAL,
    text_name="reason",
    text_sample=b"",
    reply="OK REFUSE_MEMBER <topic> <account>",
)
REQ_DIRECTORY = Verb(
    b"REQ_DIRECTORY",
    "lists the topics of the directory by name, or those that begin with a prefix; with @limit and @after a page",
    zh="按名字列出目录里的话题，或名字以此开头的；用 @limit 和 @after 分页",
    alias=b"DIRECTORY",
    text=Text.OPTIONAL,
    text_name="prefix",
    text_sample=b"fish",
    tags=(AFTER, LIMIT),
    reply="BEGIN …, ITEM <topic> <open|approval|invitation> <members>[ <title>] …, END REQ_DIRECTORY",
)

VERBS = (
    CREATE_LINK,
    REVOKE_LINK,
    REQ_LINKS,
    JOIN_LINK,
    REQ_REQUESTS,
    ACCEPT_MEMBER,
    REFUSE_MEMBER,
    REQ_DIRECTORY,
)
PUSHES: tuple[Push, ...] = ()
