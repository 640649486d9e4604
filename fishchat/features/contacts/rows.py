"""Verbs of contacts and blocks."""

from __future__ import annotations

from fishchat.protocols.fields import ACCOUNT
from fishchat.protocols.rows import Push, Verb

ADD_CONTACT = Verb(
    b"ADD_CONTACT",
    "adds a contact, which may start a conversation with you when SEND_PRIVACY allows only contacts to",
    zh="添加联系人；SEND_PRIVACY 设为只限联系人时，联系人仍可主动找你",
    alias=b"CONTACT",
    fields=(ACCOUNT,),
    reply="OK ADD_CONTACT <account>",
)
REMOVE_CONTACT = Verb(
    b"REMOVE_CONTACT",
    "removes a contact; if it has a conversation with you already, it can still write to you",
    zh="删除联系人；如果已有会话，对方仍可给你发消息",
    alias=b"UNCONTACT",
    fields=(ACCOUNT,),
    reply="OK REMOVE_CONTACT <account>",
)
REQ_CONTACTS = Verb(
    b"REQ_CONTACTS",
    "lists your contacts",
    zh="列出你的联系人",
    alias=b"CONTACTS",
    reply="BEGIN …, ITEM <account>[ <display name>] …, END REQ_CONTACTS",
)
BLOCK_CLIENT = Verb(
    b"BLOCK_CLIENT",
    "blocks an account: it cannot message you or see your status, and is not notified",
    zh="屏蔽一个帐号：对方不能给你发消息，也看不到你是否在线，而且不会收到通知",
    alias=b"BLOCK",
    fields=(ACCOUNT,),
    reply="OK BLOCK_CLIENT <account>",
)
UNBLOCK_CLIENT = Verb(
    b"UNBLOCK_CLIENT",
    "unblocks an account",
    zh="取消屏蔽一个帐号",
    alias=b"UNBLOCK",
    fields=(ACCOUNT,),
    reply="OK UNBLOCK_CLIENT <account>",
)
REQ_BLOCKED = Verb(
    b"REQ_BLOCKED",
    "lists the accounts that you have blocked",
    zh="列出你屏蔽的帐号",
    alias=b"BLOCKED",
    reply="BEGIN …, ITEM <account>[ <display name>] …, END REQ_BLOCKED",
)

VERBS = (ADD_CONTACT, REMOVE_CONTACT, REQ_CONTACTS, BLOCK_CLIENT, UNBLOCK_CLIENT, REQ_BLOCKED)
PUSHES: tuple[Push, ...] = ()
