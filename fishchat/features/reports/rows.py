"""The verb of reports."""

from __future__ import annotations

from fishchat.errors import NO_MESSAGE
from fishchat.protocols.fields import ID
from fishchat.protocols.rows import Push, Text, Verb

#: The bytes of a reason, and the reports of an account in a day.
REASON_LENGTH, DAILY = 256, 20

#: Words in angle brackets, in Chinese.
TERMS = {"reason": "理由"}

REPORT_MESSAGE = Verb(
    b"REPORT_MESSAGE",
    f"reports a message to the operators, who get a copy of it; up to {DAILY} messages a day",
    zh=f"向运营者举报一条消息，运营者会得到它的副本；每天最多 {DAILY} 条",
    alias=b"REPORT",
    fields=(ID,),
    text=Text.OPTIONAL,
    text_name="reason",
    text_sample=b"spam",
    reply="OK REPORT_MESSAGE <id>",
    says=NO_MESSAGE,
)

VERBS = (REPORT_MESSAGE,)
PUSHES: tuple[Push, ...] = ()
