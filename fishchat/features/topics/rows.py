"""Verbs of topics."""

from __future__ import annotations

from collections.abc import Callable

from fishchat.errors import ProtocolError
from fishchat.protocols.fields import ACCOUNT, TOPIC, Tag, listed, read_flag, read_name, read_tag_number, write_number
from fishchat.protocols.rows import Push, Text, Verb


def _read_word(name: str, *words: bytes) -> Callable[[bytes], bytes]:
    def read(value: bytes) -> bytes:
        if value not in words:
            raise ProtocolError("BADTAG", f"@{name} must be {listed(words)}")
        return value

    return read


KIND = Tag(
    b"kind",
    "`open` (if absent), `approval` (an admin accepts requests) or `invitation`",
    _read_word("kind", b"open", b"approval", b"invitation"),
    b"open",
    zh="open（公开；不写也是它）、approval（须管理员同意）或 invitation（须受邀请）",
)
WRITE = Tag(
    b"write",
    "`all` (if absent) or `admins`: who may write in the topic",
    _read_word("write", b"all", b"admins"),
    b"admins",
    zh="谁可以发言：all（所有成员；不写也是它）或 admins（只有管理员）",
)
HISTORY = Tag(
    b"history",
    "`joined` (if absent) or `all`: whether new members may read what was sent before they joined",
    _read_word("history", b"joined", b"all"),
    b"all",
    zh="新成员能读到哪些消息：joined（加入之后的；不写也是它）或 all（全部）",
)
LISTED = Tag(
    b"listed",
    "no value; the topic appears in the directory",
    read_flag("listed"),
    b"",
    zh="没有值；话题会列在目录里",
)

#: The most members of one page.
PAGE = 1000
AFTER = Tag(
    b"after",
    "the name of an account; returns only members whose names sort after it",
    read_name,
    b"bob",
    zh="帐号名；只返回名字排在它后面的成员",
)
LIMIT = Tag(
    b"limit",
    f"1 to {PAGE} members, by name; all if absent",
    read_tag_number("limit", 1, PAGE),
    b"10",
    write_number,
    zh=f"1 到 {PAGE} 个成员，按名字排列；不写就是全部",
)

#: Words in angle brackets, in Chinese.
TERMS = {
    "members": "成员数",
    "open|approval|invitation": "open（公开）|approval（须管理员同意）|invitation（须受邀请）",
    "owner": "所有者",
    "owner|admin|member": "owner（所有者）|admin（管理员）|member（成员）",
}

CREATE_TOPIC = Verb(
    b"CREATE_TOPIC",
    "creates a topic that you own; @kind says who can join it",
    zh="创建一个话题，你是它的所有者；@kind 说明谁能加入",
    alias=b"CREATE",
    fields=(TOPIC,),
    tags=(KIND, WRITE, HISTORY, LISTED),
    reply="OK CREATE_TOPIC <topic>",
)
JOIN_TOPIC = Verb(
    b"JOIN_TOPIC",
    "makes you a member of a topic, or asks its admins with this text if its kind is approval",
    zh="加入一个话题；kind 是 approval 的话题则附上文字向管理员申请",
    alias=b"JOIN",
    fields=(TOPIC,),
    text=Text.OPTIONAL,
    text_sample=b"",
    reply="OK JOIN_TOPIC <topic>[ pending]",
)
LEAVE_TOPIC = Verb(
    b"LEAVE_TOPIC",
    "ends your membership in a topic",
    zh="退出一个话题",
    alias=b"LEAVE",
    fields=(TOPIC,),
    reply="OK LEAVE_TOPIC <topic>",
)
INVITE_TOPIC = Verb(
    b"INVITE_TOPIC",
    "invites an account to a topic and notifies it",
    zh="邀请一个帐号加入话题，并通知对方",
    alias=b"INVITE",
    fields=(TOPIC, ACCOUNT),
    reply="OK INVITE_TOPIC <topic> <account>",
)
DISMISS_TOPIC = Verb(
    b"DISMISS_TOPIC",
    "closes a topic that you own and ends all memberships in it",
    zh="解散你的话题，所有成员随之退出",
    alias=b"DISMISS",
    fields=(TOPIC,),
    reply="OK DISMISS_TOPIC <topic>",
)
LOCATE_TOPIC_MSG_ADDR = Verb(
    b"LOCATE_TOPIC_MSG_ADDR",
    "returns the address of a msg_server that serves a topic",
    zh="查询为某个话题服务的 msg_server 的地址",
    alias=b"LOCATE",
    programs=True,
    fields=(TOPIC,),
    reply="LOCATE_TOPIC_MSG_ADDR <host:port> <topic>",
)
REQ_TOPICS = Verb(
    b"REQ_TOPICS",
    "lists the topics that you are a member of",
    zh="列出你加入的话题",
    alias=b"TOPICS",
    reply="BEGIN …, ITEM <topic> <owner> <open|approval|invitation> <members> …, END REQ_TOPICS",
)
REQ_MEMBERS = Verb(
    b"REQ_MEMBERS",
    "lists the members of a topic that you are a member of, by name; with @limit and @after a page of them",
    zh="按名字列出你所在话题的成员；用 @limit 和 @after 分页",
    alias=b"MEMBERS",
    fields=(TOPIC,),
    tags=(AFTER, LIMIT),
    reply="BEGIN …, ITEM <account> <owner|admin|member> <read number>[ <display name>] …, END REQ_MEMBERS",
)

VERBS = (
    CREATE_TOPIC,
    JOIN_TOPIC,
    LEAVE_TOPIC,
    INVITE_TOPIC,
    DISMISS_TOPIC,
    LOCATE_TOPIC_MSG_ADDR,
    REQ_TOPICS,
    REQ_MEMBERS,
)
PUSHES: tuple[Push, ...] = ()
