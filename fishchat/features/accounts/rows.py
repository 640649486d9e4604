"""Verbs of accounts and their devices."""

from __future__ import annotations

from fishchat.protocols.fields import ACCOUNT, DEVICE, Field, Tag, read_one_of, read_tag_bytes
from fishchat.protocols.rows import BEFORE, Push, Text, Verb

#: Who may start a conversation with an account.
PRIVACIES = (b"everyone", b"contacts")
#: The most accounts of one REQ_NAMES.
NAMES = 100

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
    zh="邀请码",
)

#: Words in angle brackets, in Chinese.
TERMS = {
    "online|offline": "online（在线）|offline（离线）",
    "accounts": "多个帐号",
    "code": "登录码",
    "password": "密码",
    "privacy": "范围",
    "token expires in ms": "令牌失效时间（毫秒）",
}

CREATE_CLIENT = Verb(
    b"CREATE_CLIENT",
    "creates an account, with an invitation where the server requires one; log in afterwards",
    zh="注册帐号，服务器要求邀请码时须带邀请码；注册后再登录",
    alias=b"SIGNUP",
    fields=(ACCOUNT,),
    text=Text.REQUIRED,
    text_name="password",
    text_sample=b"correct horse battery",
    tags=(INVITE,),
    secrets=True,
    states=BEFORE,
    reply="OK CREATE_CLIENT <account>",
)
REDEEM_CODE = Verb(
    b"REDEEM_CODE",
    "exchanges a code of the operator for a token of a new device, once; log in with the token afterwards",
    zh="用管理者给的一次性登录码，为新设备换取令牌；之后用令牌登录",
    fields=(ACCOUNT, DEVICE),
    text=Text.REQUIRED,
    text_name="code",
    text_sample=b"fcc_code",
    secrets=True,
    programs=True,
    states=BEFORE,
    reply="OK REDEEM_CODE <account> token=<token>",
    says={"AUTH": "the code is not valid; it works once and for ten minutes, so ask the operator for another one"},
)
SEND_PASSWORD = Verb(
    b"SEND_PASSWORD",
    "changes your password, on a connection that logged in by password; your other devices must log in again",
    zh="更改密码，须是用密码登录的连接；你的其他设备要重新登录",
    alias=b"PASSWORD",
    text=Text.REQUIRED,
    text_name="password",
    text_sample=b"correct horse battery",
    secrets=True,
    reply="OK SEND_PASSWORD",
)
DELETE_CLIENT = Verb(
    b"DELETE_CLIENT",
    "deletes your account and everything that you wrote, for ever; needs your password, and the name stays taken",
    zh="永久删除你的帐号和你写过的一切，须带密码；帐号名以后谁也不能再用",
    text=Text.REQUIRED,
    text_name="password",
    text_sample=b"correct horse battery",
    secrets=True,
    reply="OK DELETE_CLIENT",
)
SEND_NAME = Verb(
    b"SEND_NAME",
    "sets the display name that others see",
    zh="设置别人看到的显示名",
    alias=b"NAME",
    text=Text.REQUIRED,
    text_name="display name",
    text_sample="Alice Müller".encode(),
    reply="OK SEND_NAME",
)
SEND_PRIVACY = Verb(
    b"SEND_PRIVACY",
    "sets who may start a conversation with you: everyone or contacts",
    zh="设置谁可以主动找你：everyone（所有人）或 contacts（联系人）",
    alias=b"PRIVACY",
    fields=(PRIVACY,),
    reply="OK SEND_PRIVACY <privacy>",
)
REQ_DEVICES = Verb(
    b"REQ_DEVICES",
    "lists your devices",
    zh="列出你的设备",
    alias=b"DEVICES",
    reply="BEGIN …, ITEM <device> <online|offline> <last seen in ms> <token expires in ms> …, END REQ_DEVICES",
)
REVOKE_DEVICE = Verb(
    b"REVOKE_DEVICE",
    "revokes the token of one of your devices, closes its connection and forgets the device",
    zh="吊销你某台设备的令牌，断开它的连接，并忘掉这台设备",
    alias=b"REVOKE",
    fields=(DEVICE,),
    reply="OK REVOKE_DEVICE <device>",
)
REQ_CLIENT_STATUS = Verb(
    b"REQ_CLIENT_STATUS",
    "returns whether an account is online, and when it was last seen",
    zh="查询某个帐号是否在线，以及最后一次在线的时间",
    alias=b"STATUS",
    fields=(ACCOUNT,),
    reply="OK REQ_CLIENT_STATUS <account> <online|offline> <last seen in ms>[ <display name>]",
)
REQ_NAMES = Verb(
    b"REQ_NAMES",
    f"returns the display names of up to {NAMES} accounts, as far as you may see their status",
    zh=f"查询最多 {NAMES} 个帐号的显示名，以你能看到其状态为限",
    alias=b"NAMES",
    text=Text.REQUIRED,
    text_name="accounts",
    text_sample=b"alice bob carol",
    reply="BEGIN …, ITEM <account>[ <display name>] …, END REQ_NAMES",
)

VERBS = (
    CREATE_CLIENT,
    REDEEM_CODE,
    SEND_PASSWORD,
    DELETE_CLIENT,
    SEND_NAME,
    SEND_PRIVACY,
    REQ_DEVICES,
    REVOKE_DEVICE,
    REQ_CLIENT_STATUS,
    REQ_NAMES,
)
PUSHES: tuple[Push, ...] = ()
