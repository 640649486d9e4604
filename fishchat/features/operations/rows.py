"""Verbs and pushes of operations on messages."""

from __future__ import annotations

from unicodedata import category

from fishchat.errors import NO_CONVERSATION, NO_MESSAGE, ProtocolError
from fishchat.protocols.fields import (
    CSEQ,
    ESC,
    ID,
    MENTION,
    NAMED_CONVERSATION,
    SENDER,
    Field,
    Tag,
    read_id,
    read_one_of,
    same,
    write_id,
)
from fishchat.protocols.rows import Push, Text, Verb

#: The most bytes of a reaction.
REACTION_BYTES = 32


def read_reaction(value: bytes) -> bytes:
    """A reaction: ``+1``, ``ok``, an emoji. The joiner within emoji is allowed, no other invisible character."""
    text = value.decode("utf-8", "replace")
    plain = not any(category(one)[0] in "CZ" and one != "\u200d" for one in text)
    if 0 < len(value) <= REACTION_BYTES and plain and "," not in text and text.strip("\u200d"):
        return value
    raise ProtocolError("FIELDS", f"a reaction has 1 to {REACTION_BYTES} bytes, no commas and no invisible characters")


WAS = Tag(
    b"was",
    "the id of the message, or of its edit, whose text you saw; with another text now the edit is refused (`CHANGED`)",
    read_id,
    ID.sample,
    write_id,
    zh="你看到的文字所在的消息编号，或对它的编辑的编号；如果现在已是别的文字，编辑会被拒绝（`CHANGED`）",
)
REACTION = Field("reaction", read_reaction, b"+1")

TARGET = Field("message", read_id, b"alice+bob:7-1", write_id, grammar="message-id")
SUMS = Field("sums", same, b"+1:3,ok:1", grammar="1*( VCHAR / utf8-more )")
SIGN = Field("sign", read_one_of("the sign", (b"+", b"-")), b"+", grammar='( "+" / "-" )', shown="<+|->")

#: Words in angle brackets, in Chinese.
TERMS = {
    "+|-": "+（加上）|-（撤下）",
    "message": "消息编号",
    "reaction": "回应",
    "sums": "各种回应的次数",
}

SEND_EDIT = Verb(
    b"SEND_EDIT",
    "replaces the text of a message that you sent",
    zh="修改你发过的一条消息",
    alias=b"EDIT",
    fields=(ID,),
    text=Text.REQUIRED,
    tags=(CSEQ, ESC, MENTION, WAS),
    reply="OK SEND_EDIT <id>",
    says=NO_MESSAGE,
)
SEND_RECALL = Verb(
    b"SEND_RECALL",
    "takes back a message that you sent, or as an admin of a topic one of its members; its text is erased, and a "
    "reason may be shown in its place",
    zh="撤回你发过的一条消息；话题的管理员也可撤回成员的消息；文字会被抹去，可以留下原因",
    alias=b"RECALL",
    fields=(ID,),
    text=Text.OPTIONAL,
    tags=(CSEQ, ESC),
    reply="OK SEND_RECALL <id>",
    says=NO_MESSAGE,
)
SEND_REACTION = Verb(
    b"SEND_REACTION",
    f"reacts to a message: `+1`, a word or an emoji of at most {REACTION_BYTES} bytes",
    zh=f"对一条消息作出回应：`+1`、一个词或表情，最多 {REACTION_BYTES} 个字节",
    alias=b"REACT",
    fields=(ID, REACTION),
    tags=(CSEQ,),
    reply="OK SEND_REACTION <id>",
    says=NO_MESSAGE,
)
REMOVE_REACTION = Verb(
    b"REMOVE_REACTION",
    "takes back a reaction of yours",
    zh="撤下你的一个回应",
    alias=b"UNREACT",
    fields=(ID, REACTION),
    tags=(CSEQ,),
    reply="OK REMOVE_REACTION <id>",
    says={"NOTFOUND": "you see no message with this id, or have not given it this reaction; REACTIONS lists them"},
)
SEND_PIN = Verb(
    b"SEND_PIN",
    "pins a message; in a topic only admins may",
    zh="置顶一条消息；话题里只有管理员可以",
    alias=b"PIN",
    fields=(ID,),
    tags=(CSEQ,),
    reply="OK SEND_PIN <id>",
    says=NO_MESSAGE,
)
REMOVE_PIN = Verb(
    b"REMOVE_PIN",
    "removes a pin",
    zh="取消置顶",
    alias=b"UNPIN",
    fields=(ID,),
    tags=(CSEQ,),
    reply="OK REMOVE_PIN <id>",
    says={"NOTFOUND": "you see no message with this id, or it is not pinned; PINS lists the pinned ones"},
)
REQ_MESSAGE = Verb(
    b"REQ_MESSAGE",
    "returns one message, as history shows it",
    zh="查看一条消息，与历史记录里一样",
    alias=b"SHOW",
    fields=(ID,),
    reply="BEGIN REQ_MESSAGE 1, ITEM <id> <from> <time in ms> <text>, END REQ_MESSAGE",
    says=NO_MESSAGE,
)
REQ_VERSIONS = Verb(
    b"REQ_VERSIONS",
    "returns all texts of a message, the oldest first",
    zh="查看一条消息先后的各版文字，旧的在前",
    alias=b"VERSIONS",
    fields=(ID,),
    reply="BEGIN REQ_VERSIONS n, ITEM <id> <from> <time in ms> <text> …, END REQ_VERSIONS",
    says=NO_MESSAGE,
)
REQ_REACTIONS = Verb(
    b"REQ_REACTIONS",
    "lists who has reacted to a message",
    zh="列出对一条消息作出回应的人",
    alias=b"REACTIONS",
    fields=(ID,),
    reply="BEGIN REQ_REACTIONS n, ITEM <reaction> <account> …, END REQ_REACTIONS",
    says=NO_MESSAGE,
)
REQ_PINS = Verb(
    b"REQ_PINS",
    "returns the pinned messages of a conversation, in the order in which they were pinned",
    zh="列出一个会话里置顶的消息，按置顶的先后",
    alias=b"PINS",
    fields=(NAMED_CONVERSATION,),
    reply="BEGIN REQ_PINS n, ITEM <id> <from> <time in ms> <text> …, END REQ_PINS",
    says=NO_CONVERSATION,
)

RESP_EDIT = Push(
    b"RESP_EDIT",
    "the text of a message was replaced",
    zh="一条消息被修改，这是新的文字",
    fields=(SENDER, ID, TARGET),
    text=Text.REQUIRED,
    tags=(ESC, MENTION),
    numbered=True,
    event="Edited",
    capability=b"ops",
)
RESP_RECALL = Push(
    b"RESP_RECALL",
    "a message was recalled: remove its text; perhaps a reason follows",
    zh="一条消息被撤回：请删去它的文字；后面可能有原因",
    fields=(SENDER, ID, TARGET),
    text=Text.OPTIONAL,
    tags=(ESC,),
    numbered=True,
    event="Recalled",
    capability=b"ops",
)
RESP_REACTION = Push(
    b"RESP_REACTION",
    "an account has reacted to a message (`+`), or taken a reaction back (`-`)",
    zh="有人对一条消息作出回应（`+`），或撤下回应（`-`）",
    fields=(SENDER, ID, TARGET, SIGN, REACTION),
    numbered=True,
    event="Reacted",
    capability=b"ops",
)
RESP_REACTIONS = Push(
    b"RESP_REACTIONS",
    "how often each reaction was given to a message: every five seconds at most, to clients that watch a topic of more "
    "than 500 members, where reactions are not pushed one by one",
    zh="一条消息现在得到的各种回应的次数：用于超过 500 人的话题，那里不逐个推送回应；最多每五秒一次，"
    "只发给正在查看该话题的客户端",
    fields=(TARGET, SUMS),
    event="ReactionSums",
    capability=b"ops",
)
RESP_PIN = Push(
    b"RESP_PIN",
    "a message was pinned (`+`), or a pin removed (`-`)",
    zh="一条消息被置顶（`+`），或取消置顶（`-`）",
    fields=(SENDER, ID, TARGET, SIGN),
    numbered=True,
    event="Pinned",
    capability=b"ops",
)

VERBS = (
    SEND_EDIT,
    SEND_RECALL,
    SEND_REACTION,
    REMOVE_REACTION,
    SEND_PIN,
    REMOVE_PIN,
    REQ_MESSAGE,
    REQ_VERSIONS,
    REQ_REACTIONS,
    REQ_PINS,
)
PUSHES = (RESP_EDIT, RESP_RECALL, RESP_REACTION, RESP_REACTIONS, RESP_PIN)
