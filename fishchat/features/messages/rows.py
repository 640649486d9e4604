"""Verbs and pushes of messages."""

from __future__ import annotations

from fishchat.errors import ProtocolError
from fishchat.model.names import DIGITS, MessageId
from fishchat.protocols.fields import (
    ACCOUNT,
    CONVERSATION,
    CSEQ,
    ESC,
    ID,
    MENTION,
    NAMED_CONVERSATION,
    REPLY,
    SENDER,
    TOPIC,
    Field,
    Tag,
    read_conversation,
    read_flag,
    read_id,
    read_named_conversation,
    read_number,
    read_tag_number,
    same,
    write_id,
    write_number,
)
from fishchat.protocols.rows import Push, Text, Verb

#: The most messages of a page of history or conversations of their list, and how many it has without a limit.
PAGE, DEFAULT_PAGE = 100, 50

BEFORE = Tag(
    b"before",
    "a message id; returns only messages before it",
    read_id,
    ID.sample,
    write_id,
    zh="消息编号；只返回这条之前的消息",
)
AFTER = Tag(
    b"after",
    "a message id; returns only messages after it",
    read_id,
    ID.sample,
    write_id,
    zh="消息编号；只返回这条之后的消息",
)
LIMIT = Tag(
    b"limit",
    f"1 to {PAGE} messages or conversations; {DEFAULT_PAGE} if absent",
    read_tag_number("limit", 1, PAGE),
    b"10",
    write_number,
    zh=f"1 到 {PAGE} 条消息或 1 到 {PAGE} 个会话；不写就是 {DEFAULT_PAGE}",
)


def _read_place(value: bytes) -> tuple[int, bytes]:
    time, dash, conversation = value.partition(b"-")
    if not dash or not time.isdigit() or len(time) > DIGITS:
        raise ProtocolError("BADTAG", "@before must be the time and the conversation of an item: <ms>-<conversation>")
    return int(time), read_conversation(conversation)


def _write_place(value: tuple[int, bytes]) -> bytes:
    return b"%d-%s" % value


PREVIEW = Tag(
    b"preview",
    "no value; with the last message of each conversation",
    read_flag("preview"),
    b"",
    zh="没有值；附上每个会话的最后一条消息",
)
OLDER = Tag(
    b"before",
    "`<ms>-<conversation>`, the time and the conversation of the last item; returns only those after it in the list",
    _read_place,
    b"1795581000123-alice+bob",
    _write_place,
    zh="`<ms>-<会话>`，即上一页最后一项的时间和会话；只返回排在它之后的会话",
)
EDITED = Tag(
    b"edited",
    "the id of the edit by which this text stands",
    read_id,
    ID.sample,
    write_id,
    zh="这段文字出自哪次编辑（它的编号）",
)


def _read_with(value: bytes) -> bytes:
    if value != b"ops":
        raise ProtocolError("BADTAG", "@with must be ops")
    return value


WITH = Tag(
    b"with",
    "`ops`: also returns the operations, at their places",
    _read_with,
    b"ops",
    zh="`ops`：同时列出各项操作，按编号排在其间",
)
#: The tags with which the list of conversations is a page, newest first.
CONVERSATIONS = (PREVIEW, OLDER, LIMIT)
#: Words in angle brackets, in Chinese.
TERMS = {
    "date": "日期",
    "first": "起始序号",
    "id, account, #topic or conversation": "消息编号、帐号、#话题 或会话",
    "last": "末尾序号",
    "last number": "最后序号",
    "time": "时间",
    "unread": "未读数",
    "zone": "时区",
}


def _read_mark(value: bytes) -> MessageId | bytes:
    return read_id(value) if b":" in value else read_named_conversation(value)


def _write_mark(value: MessageId | bytes) -> bytes:
    return value if isinstance(value, bytes) else write_id(value)


MARK = Field(
    "mark",
    _read_mark,
    b"bob",
    _write_mark,
    "( message-id / named-conversation )",
    "<id, account, #topic or conversation>",
)
DATE = Field("date", same, b"2026-11-30", grammar='4DIGIT "-" 2DIGIT "-" 2DIGIT')
MINUTE = Field("time", same, b"18:04", grammar='2DIGIT ":" 2DIGIT')
ZONE = Field("zone", same, b"+0800", grammar='( "+" / "-" ) 4DIGIT')
FIRST = Field("first", read_number, b"1", write_number, "number")
LAST = Field("last", read_number, b"2", write_number, "number")

SEND_MESSAGE_P2P = Verb(
    b"SEND_MESSAGE_P2P",
    "sends a message to an account",
    zh="给某个帐号发一条消息",
    alias=b"MSG",
    fields=(ACCOUNT,),
    text=Text.REQUIRED,
    tags=(CSEQ, ESC, REPLY),
    reply="OK SEND_MESSAGE_P2P <id>",
)
SEND_MESSAGE_TOPIC = Verb(
    b"SEND_MESSAGE_TOPIC",
    "sends a message to a topic",
    zh="在话题里发一条消息",
    alias=b"SAY",
    fields=(TOPIC,),
    text=Text.REQUIRED,
    tags=(CSEQ, ESC, MENTION, REPLY),
    reply="OK SEND_MESSAGE_TOPIC <id>",
    says={"NOTFOUND": "no such topic, or you see no message with the id of @reply; check the name"},
)
SEND_ACK = Verb(
    b"SEND_ACK",
    "acknowledges a message and all messages before it in its conversation",
    zh="确认收到某条消息，以及同一会话中它之前的所有消息",
    alias=b"ACK",
    fields=(ID,),
    free=True,
    programs=True,
    reply="none unless it is refused",
)
SEND_READ = Verb(
    b"SEND_READ",
    "marks a conversation as read: all of it, or up to a message",
    zh="把一个会话标为已读：全部，或读到某条消息为止",
    alias=b"READ",
    fields=(MARK,),
    reply="OK SEND_READ <id>",
)
REQ_HISTORY = Verb(
    b"REQ_HISTORY",
    "returns messages, oldest first; @before and @after exclude the message they name, @limit alone returns the newest",
    zh="查看历史消息，旧的在前；@before 和 @after 不包括所指的那条消息，只写 @limit 则返回最新的几条",
    alias=b"HISTORY",
    fields=(NAMED_CONVERSATION,),
    tags=(BEFORE, AFTER, LIMIT, WITH),
    reply="BEGIN REQ_HISTORY n, ITEM <id> <from> <time in ms> <text> …, END REQ_HISTORY",
)
REQ_CONVERSATIONS = Verb(
    b"REQ_CONVERSATIONS",
    "lists your conversations; with any of its tags a page of them, newest first",
    zh="列出你的会话；带任何一个标签时分页，从新到旧",
    alias=b"CONVERSATIONS",
    tags=CONVERSATIONS,
    reply="BEGIN …, ITEM <conversation> <last number> <read number> <unread>[ <id> <text>] …, END REQ_CONVERSATIONS",
)

RESP_MESSAGE_P2P = Push(
    b"RESP_MESSAGE_P2P",
    "a message; from your own account if another of your devices sent it",
    zh="一条消息；如果是你的另一台设备发的，发送者就是你自己的帐号",
    fields=(SENDER, ID),
    text=Text.REQUIRED,
    tags=(EDITED, ESC, REPLY),
    numbered=True,
    event="Message",
)
RESP_MESSAGE_TOPIC = Push(
    b"RESP_MESSAGE_TOPIC",
    "a message in a topic",
    zh="话题里的一条消息",
    fields=(TOPIC, SENDER, ID),
    text=Text.REQUIRED,
    tags=(EDITED, ESC, MENTION, REPLY),
    numbered=True,
    event="Message",
)
RESP_NOTICE = Push(
    b"RESP_NOTICE",
    "an event of your account, in `@alice`, such as `INVITED fishing` (`JOIN_TOPIC` accepts) or `REQUESTED fishing "
    "bob` (`ACCEPT_MEMBER` or `REFUSE_MEMBER` answers), or of a topic, in the topic, such as `JOINED bob`: see "
    "[Notices](#notices); acknowledged like a message, and an item with this text in history",
    zh="一个通知：关于你的帐号（在会话 `@alice` 里），如 `INVITED fishing`（用 `JOIN_TOPIC` 接受）、`REQUESTED "
    "fishing bob`（用 `ACCEPT_MEMBER` 或 `REFUSE_MEMBER` 答复）；或关于话题（在话题里），如 `JOINED bob`，见[通知"
    "](#notices)；像消息一样需要确认，在历史记录里也是一条",
    fields=(SENDER, ID),
    text=Text.REQUIRED,
    text_sample=b"INVITED fishing",
    numbered=True,
    event="Notice",
)
RESP_GAP = Push(
    b"RESP_GAP",
    "the messages with these numbers can no longer be delivered",
    zh="这些序号的消息已无法送达",
    fields=(CONVERSATION, FIRST, LAST),
    event="Gap",
)
RESP_BEHIND = Push(
    b"RESP_BEHIND",
    "the messages with these numbers are not pushed, because there are newer ones: [keep the range](#far-behind), and "
    "read it with `REQ_HISTORY`",
    zh="这些序号的消息不再推送，因为后面还有更新的：请先[记下这个范围](#far-behind)，再用 `REQ_HISTORY` 读取",
    fields=(CONVERSATION, FIRST, LAST),
    event="Behind",
    capability=b"lazy",
)
RESP_TIME = Push(
    b"RESP_TIME",
    "the messages after this line were sent at this time, in the zone of the server; only for clients that never sent "
    "`HELLO`",
    zh="这一行之后的消息是在这个时间（服务器所在时区）发出的；只发给从未发过 `HELLO` 的客户端",
    fields=(DATE, MINUTE, ZONE),
    event="Dated",
)
RESP_READ = Push(
    b"RESP_READ",
    "the other account has read up to this message; in a topic, another member has, while you watch the topic and it "
    "has at most 50 members (`WATCH_CONVERSATION`; otherwise use `REQ_MEMBERS` or `REQ_READERS`); "
    "with the capability `ops` also: your own account has, on another device, in any conversation",
    zh="对方已读到这条消息；在话题里，是另一个成员已读到这里，只在你关注这个话题（`WATCH_CONVERSATION`）"
    "且成员不超过 50 个时告知，否则请用 `REQ_MEMBERS` 或 `REQ_READERS` 查看；"
    "若声明了 `ops` 能力，也会告知自己帐号的另一台设备在任意会话里已读到哪里",
    fields=(ACCOUNT, ID),
    event="Read",
    own_capability=b"ops",
)

VERBS = (SEND_MESSAGE_P2P, SEND_MESSAGE_TOPIC, SEND_ACK, SEND_READ, REQ_HISTORY, REQ_CONVERSATIONS)
PUSHES = (RESP_MESSAGE_P2P, RESP_MESSAGE_TOPIC, RESP_NOTICE, RESP_GAP, RESP_BEHIND, RESP_TIME, RESP_READ)
