"""Verbs of accounts and their devices."""

from __future__ import annotations

from fishchat.protocols.fields import ACCOUNT, DEVICE, Field, Tag, read_one_of, read_tag_bytes
from fishchat.protocols.rows import BEFORE, Push, Text, Verb

#: Who may start a conversation with an account.
PRIVACIES = (b"everyone", b"contacts")

PRIVACY = Field(
    "privacy",
    read_one_of("privacy", PRIVACIES),
    b"everyone",
    grammar='( "everyone" / "contacts" )',
)
INVITE = Tag(
    b"invite",
    "an invitation code",
    read_tag_bytes("invite", 64, "an invitation code"),
    b"fci_code",
)

CREATE_CLIENT = Verb(
    b"CREATE_CLIENT",
    "creates an account, with an invitation where the server requires one; log in afterwards",
    alias=b"SIGNUP",
    fields=(ACCOUNT,),
    text=Text.REQUIRED,
    text_name="password",
    tags=(INVITE,),
    states=BEFORE,
    reply="OK CREATE_CLIENT <account>",
)
SEND_PASSWORD = Verb(
    b"SEND_PASSWORD",
    "changes your password, on a connection that logged in by password; your other devices must log in again",
    alias=b"PASSWORD",
    text=Text.REQUIRED,
    text_name="password",
    reply="OK SEND_PASSWORD",
)
SEND_NAME = Verb(
    b"SEND_NAME",
    "sets the display name that others see",
    alias=b"NAME",
    text=Text.REQUIRED,
    text_name="display name",
    reply="OK SEND_NAME",
)
SEND_PRIVACY = Verb(
    b"SEND_PRIVACY",
    "sets who may start a conversation with you: everyone or contacts",
    alias=b"PRIVACY",
    fields=(PRIVACY,),
    reply="OK SEND_PRIVACY <privacy>",
)
REQ_DEVICES = Verb(
    b"REQ_DEVICES",
    "lists your devices",
    alias=b"DEVICES",
    reply="BEGIN …, ITEM <device> <online|offline> <last seen in ms> <token expires in ms> …, END REQ_DEVICES",
)
REVOKE_DEVICE = Verb(
    b"REVOKE_DEVICE",
    "revokes the token of one of your devices, closes its connection and forgets the device",
    alias=b"REVOKE",
    fields=(DEVICE,),
    reply="OK REVOKE_DEVICE <device>",
)
REQ_CLIENT_STATUS = Verb(
    b"REQ_CLIENT_STATUS",
    "returns whether an account is online, and when it was last seen",
    alias=b"STATUS",
    fields=(ACCOUNT,),
    reply="OK REQ_CLIENT_STATUS <account> <online|offline> <last seen in ms>[ <display name>]",
)

VERBS = (
    CREATE_CLIENT,
    SEND_PASSWORD,
    SEND_NAME,
    SEND_PRIVACY,
    REQ_DEVICES,
    REVOKE_DEVICE,
    REQ_CLIENT_STATUS,
)
PUSHES: tuple[Push, ...] = ()
