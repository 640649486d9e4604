"""Verbs of contacts and blocks."""

from __future__ import annotations

from fishchat.protocols.fields import ACCOUNT
from fishchat.protocols.rows import Push, Verb

ADD_CONTACT = Verb(
    b"ADD_CONTACT",
    "adds a contact, which may start a conversation with you when SEND_PRIVACY allows only contacts to",
    alias=b"CONTACT",
    fields=(ACCOUNT,),
    reply="OK ADD_CONTACT <account>",
)
REMOVE_CONTACT = Verb(
    b"REMOVE_CONTACT",
    "removes a contact; if it has a conversation with you already, it can still write to you",
    alias=b"UNCONTACT",
    fields=(ACCOUNT,),
    reply="OK REMOVE_CONTACT <account>",
)
REQ_CONTACTS = Verb(
    b"REQ_CONTACTS",
    "lists your contacts",
    alias=b"CONTACTS",
    reply="BEGIN …, ITEM <account> …, END REQ_CONTACTS",
)
BLOCK_CLIENT = Verb(
    b"BLOCK_CLIENT",
    "blocks an account: it cannot message you or see your status, and is not notified",
    alias=b"BLOCK",
    fields=(ACCOUNT,),
    reply="OK BLOCK_CLIENT <account>",
)
UNBLOCK_CLIENT = Verb(
    b"UNBLOCK_CLIENT",
    "unblocks an account",
    alias=b"UNBLOCK",
    fields=(ACCOUNT,),
    reply="OK UNBLOCK_CLIENT <account>",
)
REQ_BLOCKED = Verb(
    b"REQ_BLOCKED",
    "lists the accounts that you have blocked",
    alias=b"BLOCKED",
    reply="BEGIN …, ITEM <account> …, END REQ_BLOCKED",
)

VERBS = (ADD_CONTACT, REMOVE_CONTACT, REQ_CONTACTS, BLOCK_CLIENT, UNBLOCK_CLIENT, REQ_BLOCKED)
PUSHES: tuple[Push, ...] = ()
