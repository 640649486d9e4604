"""Verbs of contacts and blocks."""

from __future__ import annotations

from fishchat.protocols.fields import ACCOUNT
from fishchat.protocols.rows import Push, Text, Verb

#: The bytes of the text of a request.
ASK_LENGTH = 256

#: Words in angle brackets, in Chinese.
TERMS = {"remark": "备注"}

ADD_CONTACT = Verb(
    b"ADD_CONTACT",
    "adds a contact, which may start a conversation with you when SEND_PRIVACY allows only contacts to; a remark is "
    "for you alone, up to 64 characters, and - removes it",
    zh="添加联系人；SEND_PRIVACY 设为只限联系人时，联系人仍可主动找你；备注只有你自己看得到，最多 64 个字符，"
    "- 表示删除备注",
    alias=b"CONTACT",
    fields=(ACCOUNT,),
    text=Text.OPTIONAL,
    text_name="remark",
    text_sample=b"Bob from work",
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

ASK_CONTACT = Verb(
    b"ASK_CONTACT",
    f"asks an account to become your contact, once a day, with a text of up to {ASK_LENGTH} bytes; OK for every name, "
    "also if there is no such account",
    zh=f"请求一个帐号与你互加联系人，每天一次，附言最多 {ASK_LENGTH} 个字节；不论帐号是否存在，回复都是 OK",
    alias=b"ASK",
    fields=(ACCOUNT,),
    text=Text.OPTIONAL,
    text_sample=b"we met at the lake",
    reply="OK ASK_CONTACT <account>",
)
REQ_CONTACT_REQUESTS = Verb(
    b"REQ_CONTACT_REQUESTS",
    "lists the accounts that have asked you to become their contact, the oldest request first",
    zh="列出请求与你互加联系人的帐号，最早的在前",
    alias=b"ASKED",
    reply="BEGIN …, ITEM <account> <time in ms>[ <text>] …, END REQ_CONTACT_REQUESTS",
)
ACCEPT_CONTACT = Verb(
    b"ACCEPT_CONTACT",
    "accepts the request of an account: each becomes a contact of the other, and the account is notified",
    zh="接受一个帐号的请求：双方互为联系人，对方会收到通知",
    fields=(ACCOUNT,),
    reply="OK ACCEPT_CONTACT <account>",
)
REFUSE_CONTACT = Verb(
    b"REFUSE_CONTACT",
    "refuses the request of an account, which is not notified",
    zh="拒绝一个帐号的请求；对方不会收到通知",
    fields=(ACCOUNT,),
    reply="OK REFUSE_CONTACT <account>",
)

VERBS = (
    ADD_CONTACT,
    REMOVE_CONTACT,
    REQ_CONTACTS,
    BLOCK_CLIENT,
    UNBLOCK_CLIENT,
    REQ_BLOCKED,
    ASK_CONTACT,
    REQ_CONTACT_REQUESTS,
    ACCEPT_CONTACT,
    REFUSE_CONTACT,
)
PUSHES: tuple[Push, ...] = ()
