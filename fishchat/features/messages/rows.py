"""Verbs and pushes of messages."""

from __future__ import annotations

from fishchat.model.names import DIGITS
from fishchat.protocols.fields import (
    ACCOUNT,
    CONVERSATION,
    ESC,
    ID,
    SENDER,
    TOPIC,
    Field,
    Tag,
    read_id,
    read_number,
    read_tag_number,
    write_id,
    write_number,
)
from fishchat.protocols.rows import Push, Text, Verb

#: The highest number that a sender may give a message.
MAX_CSEQ = 10**DIGITS - 1
#: The most messages of one page of history, and how many it has without a limit.
PAGE, DEFAULT_PAGE = 100, 50

CSEQ = Tag(
    b"cseq",
    f"the number of the message, 0 to {MAX_CSEQ}: see [Numbering](#numbering)",
    read_tag_number("cseq", 0, MAX_CSEQ),
    b"1",
    write_number,
)
BEFORE = Tag(b"before", "a message id; returns only messages before it", read_id, ID.sample, write_id)
AFTER = Tag(b"after", "a message id; returns only messages after it", read_id, ID.sample, write_id)
LIMIT = Tag(
    b"limit",
    f"1 to {PAGE} messages; {DEFAULT_PAGE} if absent",
    read_tag_number("limit", 1, PAGE),
    b"10",
    write_number,
)
FIRST = Field("first", read_number, b"1", write_number, "number")
LAST = Field("last", read_number, b"2", write_number, "number")

SEND_MESSAGE_P2P = Verb(
    b"SEND_MESSAGE_P2P",
    "sends a message to an account",
    alias=b"MSG",
    fields=(ACCOUNT,),
    text=Text.REQUIRED,
    tags=(CSEQ, ESC),
    reply="OK SEND_MESSAGE_P2P <id>",
)
SEND_MESSAGE_TOPIC = Verb(
    b"SEND_MESSAGE_TOPIC",
    "sends a message to a topic",
    alias=b"SAY",
    fields=(TOPIC,),
    text=Text.REQUIRED,
    tags=(CSEQ, ESC),
    reply="OK SEND_MESSAGE_TOPIC <id>",
)
SEND_ACK = Verb(
    b"SEND_ACK",
    "acknowledges a message and all messages before it in its conversation",
    alias=b"ACK",
    fields=(ID,),
    free=True,
    reply="none unless it is refused",
)
SEND_READ = Verb(
    b"SEND_READ",
    "marks a conversation as read up to a message",
    alias=b"READ",
    fields=(ID,),
    reply="OK SEND_READ <id>",
)
REQ_HISTORY = Verb(
    b"REQ_HISTORY",
    "returns messages, oldest first; @before and @after exclude the message they name, @limit alone returns the newest",
    alias=b"HISTORY",
    fields=(CONVERSATION,),
    tags=(BEFORE, AFTER, LIMIT),
    reply="BEGIN REQ_HISTORY n, ITEM <id> <from> <time in ms> <text> …, END REQ_HISTORY",
)
REQ_CONVERSATIONS = Verb(
    b"REQ_CONVERSATIONS",
    "lists your conversations",
    alias=b"CONVERSATIONS",
    reply="BEGIN …, ITEM <conversation> <last number> <read number> <unread> …, END REQ_CONVERSATIONS",
)

RESP_MESSAGE_P2P = Push(
    b"RESP_MESSAGE_P2P",
    "a message; from your own account if another of your devices sent it",
    fields=(SENDER, ID),
    text=Text.REQUIRED,
    tags=(ESC,),
    numbered=True,
    event="Message",
)
RESP_MESSAGE_TOPIC = Push(
    b"RESP_MESSAGE_TOPIC",
    "a message in a topic",
    fields=(TOPIC, SENDER, ID),
    text=Text.REQUIRED,
    tags=(ESC,),
    numbered=True,
    event="Message",
)
RESP_NOTICE = Push(
    b"RESP_NOTICE",
    "an event: `INVITED <topic>`, in `@alice`, or `DISMISSED <topic>`, the last message of the topic; acknowledged "
    "like a message; an item with this text in history",
    fields=(SENDER, ID),
    text=Text.REQUIRED,
    numbered=True,
    event="Notice",
)
RESP_GAP = Push(
    b"RESP_GAP",
    "the messages with these numbers can no longer be delivered",
    fields=(CONVERSATION, FIRST, LAST),
    event="Gap",
)
RESP_READ = Push(
    b"RESP_READ",
    "the other account has read up to this message (conversations of two accounts only; in a topic use `REQ_MEMBERS`)",
    fields=(ACCOUNT, ID),
    event="Read",
)

VERBS = (SEND_MESSAGE_P2P, SEND_MESSAGE_TOPIC, SEND_ACK, SEND_READ, REQ_HISTORY, REQ_CONVERSATIONS)
PUSHES = (RESP_MESSAGE_P2P, RESP_MESSAGE_TOPIC, RESP_NOTICE, RESP_GAP, RESP_READ)
