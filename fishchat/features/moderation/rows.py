"""Verbs of running a topic."""

from __future__ import annotations

from fishchat.features.moderation.settings import SETTINGS
from fishchat.protocols.fields import (
    ACCOUNT,
    TOPIC,
    Field,
    Tag,
    read_name,
    read_one_of,
    read_tag_number,
    write_number,
)
from fishchat.protocols.rows import Push, Text, Verb

#: The longest ban and the longest mute with an end, in seconds: 366 days.
LONGEST = 366 * 86_400
#: The seconds of a mute without ``@for``: a day.
MUTED = 86_400
#: The most banned accounts of one page.
PAGE = 1000
#: The roles that SET_ROLE gives.
ROLES = (b"admin", b"member")

_NAMES = tuple(SETTINGS)
SETTING = Field(
    "topic-setting",
    read_one_of("the setting", _NAMES),
    b"slow",
    grammar="( " + " / ".join(f'"{name.decode()}"' for name in _NAMES) + " )",
    shown="<setting>",
)
ROLE = Field("role", read_one_of("the role", ROLES), b"admin", grammar='( "admin" / "member" )', shown="<admin|member>")
FOR = Tag(
    b"for",
    f"the seconds of a ban or a mute, 1 to {LONGEST}; if absent, a ban is for ever and a mute lasts {MUTED}, a day",
    read_tag_number("for", 1, LONGEST),
    b"3600",
    write_number,
    zh=f"封禁或禁言的秒数，1 到 {LONGEST}；不写则封禁是永久的，禁言是 {MUTED} 秒，即一天",
)
AFTER = Tag(
    b"after",
    "the name of an account; returns only banned accounts whose names sort after it",
    read_name,
    b"bob",
    zh="帐号名；只返回名字排在它后面的被封禁帐号",
)
LIMIT = Tag(
    b"limit",
    f"1 to {PAGE} banned accounts, by name; {PAGE} if absent",
    read_tag_number("limit", 1, PAGE),
    b"10",
    write_number,
    zh=f"1 到 {PAGE} 个被封禁的帐号，按名字排列；不写就是 {PAGE}",
)

#: The sentence for another account that is no member, where it may also be the one that asks.
_NO_MEMBER = {"NOTMEMBER": "you or the account is not a member of this topic; MEMBERS lists the members"}

#: Words in angle brackets, in Chinese.
TERMS = {
    "admin|member": "admin（管理员）|member（普通成员）",
    "by": "操作者",
    "reason": "理由",
}

SET_TOPIC = Verb(
    b"SET_TOPIC",
    "changes a setting of a topic: the texts name, about or announcement (- for none), kind (open, approval, "
    "invitation), write (all, admins), slow (seconds), history (joined, all), listed (yes, no), invite (all, admins), "
    "all (admins, all) or react (all, admins, off)",
    zh="更改话题的一项设置：文字 name（显示名）、about（简介）或 announcement（公告），- 表示没有；kind（加入方式："
    "open 任何人、approval 申请、invitation 邀请）、write（谁能发言：all 所有人、admins 管理员）、slow（发言间隔秒数）"
    "、history（新成员可看的历史：joined 加入之后、all 全部）、listed（是否列入目录：yes、no）、invite（谁能邀请：all"
    "、admins）、all（谁能提醒所有人：admins、all）或 react（谁能回应：all、admins、off）",
    alias=b"SET",
    fields=(TOPIC, SETTING),
    text=Text.REQUIRED,
    text_name="value",
    text_sample=b"30",
    reply="OK SET_TOPIC <topic> <setting>",
)
REQ_TOPIC = Verb(
    b"REQ_TOPIC",
    "describes a topic; if you are not a member, only a part of it, and only of a topic that you can find or join",
    zh="查看话题的设置；不是成员则只能看到一部分，找不到也不能加入的话题则看不到",
    alias=b"INFO",
    fields=(TOPIC,),
    reply="BEGIN …, ITEM <setting> <value> …, END REQ_TOPIC",
)
SET_ROLE = Verb(
    b"SET_ROLE",
    "makes a member of your topic an admin, or an admin a member; an admin may step down by itself",
    zh="把你话题里的成员设为管理员，或把管理员改回普通成员；管理员也可以自己卸任",
    alias=b"ROLE",
    fields=(TOPIC, ACCOUNT, ROLE),
    reply="OK SET_ROLE <topic> <account> <admin|member>",
    says=_NO_MEMBER,
)
TRANSFER_TOPIC = Verb(
    b"TRANSFER_TOPIC",
    "makes another member the owner of your topic; you become an admin",
    zh="把你的话题转交给另一个成员；你成为管理员",
    alias=b"TRANSFER",
    fields=(TOPIC, ACCOUNT),
    reply="OK TRANSFER_TOPIC <topic> <account>",
    says=_NO_MEMBER,
)
KICK_MEMBER = Verb(
    b"KICK_MEMBER",
    "ends the membership of an account; it may join again",
    zh="把一个成员移出话题；对方可以再次加入",
    alias=b"KICK",
    fields=(TOPIC, ACCOUNT),
    text=Text.OPTIONAL,
    text_name="reason",
    text_sample=b"spam",
    reply="OK KICK_MEMBER <topic> <account>",
    says=_NO_MEMBER,
)
BAN_MEMBER = Verb(
    b"BAN_MEMBER",
    "keeps an account out of a topic, whether it is a member or not",
    zh="封禁一个帐号：移出话题，并且不能再加入；对方不是成员也可以",
    alias=b"BAN",
    fields=(TOPIC, ACCOUNT),
    text=Text.OPTIONAL,
    text_name="reason",
    text_sample=b"spam",
    tags=(FOR,),
    reply="OK BAN_MEMBER <topic> <account>",
)
UNBAN_MEMBER = Verb(
    b"UNBAN_MEMBER",
    "ends a ban; the account may join again",
    zh="解除封禁；对方可以再次加入",
    alias=b"UNBAN",
    fields=(TOPIC, ACCOUNT),
    reply="OK UNBAN_MEMBER <topic> <account>",
    says={"NOTFOUND": "no such topic, or the account is not banned from it; BANNED lists who is"},
)
REQ_BANNED = Verb(
    b"REQ_BANNED",
    "lists the accounts that are banned from a topic, by name",
    zh="按名字列出话题里被封禁的帐号",
    alias=b"BANNED",
    fields=(TOPIC,),
    tags=(AFTER, LIMIT),
    reply="BEGIN …, ITEM <account> <until in ms> <by>[ <reason>] …, END REQ_BANNED",
)
MUTE_MEMBER = Verb(
    b"MUTE_MEMBER",
    "lets a member read but not write, for a time",
    zh="禁言：成员在一段时间内只能看，不能发言",
    alias=b"MUTE",
    fields=(TOPIC, ACCOUNT),
    text=Text.OPTIONAL,
    text_name="reason",
    text_sample=b"spam",
    tags=(FOR,),
    reply="OK MUTE_MEMBER <topic> <account>",
    says=_NO_MEMBER,
)
UNMUTE_MEMBER = Verb(
    b"UNMUTE_MEMBER",
    "lets a muted member write again",
    zh="解除禁言",
    alias=b"UNMUTE",
    fields=(TOPIC, ACCOUNT),
    reply="OK UNMUTE_MEMBER <topic> <account>",
    says={"NOTFOUND": "no such topic, or the account is not muted in it; MEMBERS shows who is"},
)

VERBS = (
    SET_TOPIC,
    REQ_TOPIC,
    SET_ROLE,
    TRANSFER_TOPIC,
    KICK_MEMBER,
    BAN_MEMBER,
    UNBAN_MEMBER,
    REQ_BANNED,
    MUTE_MEMBER,
    UNMUTE_MEMBER,
)
PUSHES: tuple[Push, ...] = ()
