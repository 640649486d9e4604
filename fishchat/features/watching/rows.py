"""Verbs and pushes of watching."""

from __future__ import annotations

from fishchat.errors import NO_CONVERSATION, NO_MESSAGE
from fishchat.protocols.fields import (
    ACCOUNT,
    CONVERSATION,
    ID,
    NAMED_CONVERSATION,
    Field,
    read_number,
    read_one_of,
    write_number,
)
from fishchat.protocols.rows import Push, Verb

#: The most accounts and conversations that a connection may watch.
WATCHED, OPENED = 200, 8
#: The most members of a topic in which typing is shown, and in which members that watch it are told who has read.
TYPING_MEMBERS, READ_MEMBERS = 100, 50
#: Seconds in which typing counts once for each connection and conversation.
TYPING_SECONDS = 3.0
#: The most members of a topic that tells who has read a message, and the most names that it tells.
READERS_MEMBERS, READERS = 500, 100

ONLINE, OFFLINE = b"online", b"offline"
STATES = (ONLINE, OFFLINE)

#: Words in angle brackets, in Chinese.
TERMS = {
    "members": "成员数",
    "readers": "已读人数",
    "since": "起始时间（毫秒）",
    "state": "online（在线）或 offline（离线）",
}

STATE = Field("state", read_one_of("state", STATES), ONLINE, grammar='( "online" / "offline" )')
SINCE = Field("since", read_number, b"1795581000123", write_number, "number")

WATCH_CLIENT = Verb(
    b"WATCH_CLIENT",
    f"tells you now and at each change whether an account is online; up to {WATCHED} accounts, until you disconnect",
    zh=f"告知某个帐号现在是否在线，以后每次变化也会告知；最多 {WATCHED} 个帐号，断开连接即止",
    alias=b"WATCH",
    fields=(ACCOUNT,),
    reply="OK WATCH_CLIENT <account>",
)
UNWATCH_CLIENT = Verb(
    b"UNWATCH_CLIENT",
    "stops telling you whether an account is online",
    zh="不再告知某个帐号是否在线",
    alias=b"UNWATCH",
    fields=(ACCOUNT,),
    reply="OK UNWATCH_CLIENT <account>",
)
WATCH_CONVERSATION = Verb(
    b"WATCH_CONVERSATION",
    f"tells you who is typing in a conversation, and in a topic of up to {READ_MEMBERS} members who has read it; up to "
    f"{OPENED} conversations, until you disconnect",
    zh=f"告知会话里谁正在输入；成员不超过 {READ_MEMBERS} 个的话题还会告知谁已读；最多 {OPENED} 个会话，断开连接即止",
    alias=b"OPEN",
    programs=True,
    fields=(NAMED_CONVERSATION,),
    reply="OK WATCH_CONVERSATION <conversation>",
    says=NO_CONVERSATION,
)
UNWATCH_CONVERSATION = Verb(
    b"UNWATCH_CONVERSATION",
    "stops telling you what happens in a conversation besides its messages",
    zh="不再告知会话里除消息以外的动态",
    alias=b"CLOSE",
    programs=True,
    fields=(NAMED_CONVERSATION,),
    reply="OK UNWATCH_CONVERSATION <conversation>",
)
SEND_TYPING = Verb(
    b"SEND_TYPING",
    f"shows that you are typing to those who watch the conversation; repeat it every {TYPING_SECONDS:.0f} seconds",
    zh=f"让正在关注会话的人看到你正在输入；持续输入时每 {TYPING_SECONDS:.0f} 秒重发一次",
    alias=b"TYPING",
    programs=True,
    fields=(NAMED_CONVERSATION,),
    reply="OK SEND_TYPING <conversation>",
)
REQ_READERS = Verb(
    b"REQ_READERS",
    f"returns how many members have read a message, of how many, and the names of up to {READERS} of them; in topics "
    f"of up to {READERS_MEMBERS} members",
    zh=f"查询一条消息有多少成员已读、共有多少成员，以及最多 {READERS} 个已读者的名字；"
    f"话题成员不能超过 {READERS_MEMBERS} 个",
    alias=b"READERS",
    fields=(ID,),
    reply="BEGIN …, ITEM <readers> <members>, ITEM <account> …, END REQ_READERS",
    says=NO_MESSAGE,
)

RESP_PRESENCE = Push(
    b"RESP_PRESENCE",
    "the account that you watch is online since this time, or offline and was last seen then, in ms since 1970; 0 if "
    "that is not known or not for you",
    zh="你关注的帐号从这个时间起在线，或已离线、最后在线是这个时间（1970 年起的毫秒数）；未知或不对你公开时是 0",
    fields=(ACCOUNT, STATE, SINCE),
    event="Presence",
)
RESP_TYPING = Push(
    b"RESP_TYPING",
    "the account is typing in a conversation that you watch; it has stopped after 6 seconds, or with its next message",
    zh="这个帐号正在你关注的会话里输入；6 秒之后，或收到它的下一条消息，就当作已经停止",
    fields=(ACCOUNT, CONVERSATION),
    event="Typing",
)

VERBS = (WATCH_CLIENT, UNWATCH_CLIENT, WATCH_CONVERSATION, UNWATCH_CONVERSATION, SEND_TYPING, REQ_READERS)
PUSHES = (RESP_PRESENCE, RESP_TYPING)


def presence_line(account: bytes, is_online: bool, ms: int) -> bytes:
    """Return the push of a presence, with its ending."""
    return RESP_PRESENCE.line(account, ONLINE if is_online else OFFLINE, ms) + b"\r\n"
