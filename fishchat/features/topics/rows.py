"""Verbs of topics."""

from __future__ import annotations

from fishchat.errors import ProtocolError
from fishchat.protocols.fields import ACCOUNT, TOPIC, Tag, read_name, read_tag_number, write_number
from fishchat.protocols.rows import Push, Verb


def _read_kind(value: bytes) -> bytes:
    if value not in (b"open", b"invitation"):
        raise ProtocolError("BADTAG", "@kind must be open or invitation")
    return value


KIND = Tag(b"kind", "`open` (if absent) or `invitation`", _read_kind, b"open")

#: The most members of one page.
PAGE = 1000
AFTER = Tag(b"after", "the name of an account; returns only members whose names sort after it", read_name, b"bob")
LIMIT = Tag(
    b"limit",
    f"1 to {PAGE} members, by name; all if absent",
    read_tag_number("limit", 1, PAGE),
    b"10",
    write_number,
)

CREATE_TOPIC = Verb(
    b"CREATE_TOPIC",
    "creates a topic that you own; with @kind=invitation only invited accounts can join it",
    alias=b"CREATE",
    fields=(TOPIC,),
    tags=(KIND,),
    reply="OK CREATE_TOPIC <topic>",
)
JOIN_TOPIC = Verb(
    b"JOIN_TOPIC",
    "makes you a member of a topic",
    alias=b"JOIN",
    fields=(TOPIC,),
    reply="OK JOIN_TOPIC <topic>",
)
LEAVE_TOPIC = Verb(
    b"LEAVE_TOPIC",
    "ends your membership in a topic",
    alias=b"LEAVE",
    fields=(TOPIC,),
    reply="OK LEAVE_TOPIC <topic>",
)
INVITE_TOPIC = Verb(
    b"INVITE_TOPIC",
    "invites an account to a topic and notifies it",
    alias=b"INVITE",
    fields=(TOPIC, ACCOUNT),
    reply="OK INVITE_TOPIC <topic> <account>",
)
DISMISS_TOPIC = Verb(
    b"DISMISS_TOPIC",
    "closes a topic that you own and ends all memberships in it",
    alias=b"DISMISS",
    fields=(TOPIC,),
    reply="OK DISMISS_TOPIC <topic>",
)
LOCATE_TOPIC_MSG_ADDR = Verb(
    b"LOCATE_TOPIC_MSG_ADDR",
    "returns the address of a msg_server that serves a topic",
    alias=b"LOCATE",
    fields=(TOPIC,),
    reply="LOCATE_TOPIC_MSG_ADDR <host:port> <topic>",
)
REQ_TOPICS = Verb(
    b"REQ_TOPICS",
    "lists the topics that you are a member of",
    alias=b"TOPICS",
    reply="BEGIN …, ITEM <topic> <owner> <open|invitation> <members> …, END REQ_TOPICS",
)
REQ_MEMBERS = Verb(
    b"REQ_MEMBERS",
    "lists the members of a topic that you are a member of, by name; with @limit and @after a page of them",
    alias=b"MEMBERS",
    fields=(TOPIC,),
    tags=(AFTER, LIMIT),
    reply="BEGIN …, ITEM <account> <owner|member> <read number>[ <display name>] …, END REQ_MEMBERS",
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
