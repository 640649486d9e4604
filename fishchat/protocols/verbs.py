"""The verbs of both ports, a row each: fields, text, tags, the states in which a verb is allowed, its help. No I/O.

``commands`` parses by these rows, ``state`` guards by them, and ``doc/protocol.md``'s reference is printed from them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fishchat.protocols.fields import FIELDS


class State(enum.Enum):
    """Where a connection stands."""

    GREETED = "before login"
    LOGGING_IN = "while logging in"
    PROVING = "between two steps"
    ONLINE = "after login"
    CLOSING = "closing"


class Text(enum.Enum):
    """What may follow the fields of a verb."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


ANY = frozenset({State.GREETED, State.LOGGING_IN, State.PROVING, State.ONLINE})
BEFORE = frozenset({State.GREETED})
AFTER = frozenset({State.ONLINE})


@dataclass(frozen=True)
class Verb:
    """One row of a command table."""

    name: bytes
    help: str
    alias: bytes = b""
    #: Names of the fields; the name decides how a field is read (see ``FIELDS``).
    fields: tuple[str, ...] = ()
    text: Text = Text.NONE
    text_name: str = "text"
    tags: frozenset[bytes] = frozenset()
    states: frozenset[State] = AFTER
    #: The final reply, as the reference prints it.
    reply: str = ""
    #: Whether it takes nothing from the flood bucket while it is accepted: the answer to what others send.
    free: bool = False
    #: What turns each field into its value, and how a reply begins; worked out once.
    readers: tuple[Callable[[bytes], Any], ...] = field(init=False)
    ok: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "readers", tuple(FIELDS[name] for name in self.fields))
        object.__setattr__(self, "ok", b"OK " + self.name)

    @property
    def usage(self) -> str:
        """How to type it, e.g. ``SEND_MESSAGE_P2P <account> <text>``."""
        words = [self.name.decode(), *(f"<{one}>" for one in self.fields)]
        if self.text is not Text.NONE:
            words.append(f"<{self.text_name}>" if self.text is Text.REQUIRED else f"[{self.text_name}]")
        return " ".join(words)


def _tags(*names: str) -> frozenset[bytes]:
    return frozenset(name.encode() for name in ("id", *names))


_HELLO = Verb(
    b"HELLO",
    "says which version and capabilities you speak; caps=ack asks for the full guarantee",
    fields=("version",),
    text=Text.OPTIONAL,
    text_name="caps=ack",
    tags=_tags(),
    states=BEFORE,
    reply="OK HELLO fishchat/1 caps=ack",
)
_PING = Verb(b"SEND_PING", "asks for a sign of life", b"PING", tags=_tags(), states=ANY, reply="OK SEND_PING")
_QUIT = Verb(b"QUIT", "closes the connection", tags=_tags(), states=ANY, reply="OK QUIT")
_HELP = Verb(
    b"HELP",
    "lists the verbs, or explains one",
    text=Text.OPTIONAL,
    text_name="verb",
    tags=_tags(),
    states=ANY,
    reply="BEGIN HELP n, ITEM …, END HELP",
)

MSG_SERVER_VERBS: tuple[Verb, ...] = (
    _HELLO,
    Verb(
        b"SEND_CLIENT_ID",
        "logs in; @device names the device, main when absent",
        b"LOGIN",
        ("account",),
        Text.OPTIONAL,
        "secret",
        _tags("device"),
        BEFORE,
        "OK SEND_CLIENT_ID <account>[ token=<token>], then what was missed, then RESP_SYNCED",
    ),
    Verb(
        b"SEND_AUTH",
        "logs in by SCRAM in two steps, so that the password is not sent",
        b"AUTH",
        ("mechanism",),
        Text.REQUIRED,
        "message",
        _tags("device"),
        frozenset({State.GREETED, State.PROVING}),
        "OK SEND_AUTH <message>, then OK SEND_AUTH <message> token=<token>, then what was missed, then RESP_SYNCED",
    ),
    Verb(
        b"CREATE_CLIENT",
        "makes an account, where everybody may or with an invitation; then log in",
        b"SIGNUP",
        ("account",),
        Text.REQUIRED,
        "password",
        _tags("invite"),
        BEFORE,
        "OK CREATE_CLIENT <account>",
    ),
    _PING,
    Verb(
        b"SEND_MESSAGE_P2P",
        "sends a message to an account",
        b"MSG",
        ("account",),
        Text.REQUIRED,
        "text",
        _tags("cseq", "esc"),
        AFTER,
        "OK SEND_MESSAGE_P2P <id>",
    ),
    Verb(
        b"SEND_MESSAGE_TOPIC",
        "sends a message to a topic",
        b"SAY",
        ("topic",),
        Text.REQUIRED,
        "text",
        _tags("cseq", "esc"),
        AFTER,
        "OK SEND_MESSAGE_TOPIC <id>",
    ),
    Verb(
        b"SEND_ACK",
        "says that you have this message and all before it in its conversation",
        b"ACK",
        ("id",),
        tags=_tags(),
        free=True,
        reply="nothing when it is fine",
    ),
    Verb(
        b"SEND_READ",
        "says that a person has read up to this message",
        b"READ",
        ("id",),
        tags=_tags(),
        reply="OK SEND_READ <id>",
    ),
    Verb(
        b"CREATE_TOPIC",
        "makes a topic of your own; @kind=invitation closes it to strangers",
        b"CREATE",
        ("topic",),
        tags=_tags("kind"),
        reply="OK CREATE_TOPIC <topic>",
    ),
    Verb(b"JOIN_TOPIC", "becomes a member", b"JOIN", ("topic",), tags=_tags(), reply="OK JOIN_TOPIC <topic>"),
    Verb(b"LEAVE_TOPIC", "ends your membership", b"LEAVE", ("topic",), tags=_tags(), reply="OK LEAVE_TOPIC <topic>"),
    Verb(
        b"INVITE_TOPIC",
        "lets an account join, and tells it",
        b"INVITE",
        ("topic", "account"),
        tags=_tags(),
        reply="OK INVITE_TOPIC <topic> <account>",
    ),
    Verb(
        b"DISMISS_TOPIC",
        "ends a topic that you own",
        b"DISMISS",
        ("topic",),
        tags=_tags(),
        reply="OK DISMISS_TOPIC <topic>",
    ),
    Verb(
        b"LOCATE_TOPIC_MSG_ADDR",
        "asks for the address of a msg_server that serves the topic",
        b"LOCATE",
        ("topic",),
        tags=_tags(),
        reply="LOCATE_TOPIC_MSG_ADDR <host:port> <topic>",
    ),
    Verb(
        b"REQ_HISTORY",
        "reads messages, oldest first; @before and @after exclude the id they name, @limit alone gives the newest",
        b"HISTORY",
        ("conversation",),
        tags=_tags("before", "after", "limit"),
        reply="BEGIN REQ_HISTORY n, ITEM <id> <from> <time in ms> <text> …, END REQ_HISTORY",
    ),
    Verb(
        b"REQ_CONVERSATIONS",
        "lists your conversations",
        b"CONVERSATIONS",
        tags=_tags(),
        reply="BEGIN …, ITEM <conversation> <last number> <read number> <unread> …, END REQ_CONVERSATIONS",
    ),
    Verb(
        b"REQ_CLIENT_STATUS",
        "asks whether an account is online, and when it last was",
        b"STATUS",
        ("account",),
        tags=_tags(),
        reply="OK REQ_CLIENT_STATUS <account> <online|offline> <last seen in ms>[ <display name>]",
    ),
    Verb(
        b"REQ_TOPICS",
        "lists the topics that you are a member of",
        b"TOPICS",
        tags=_tags(),
        reply="BEGIN …, ITEM <topic> <owner> <open|invitation> <members> …, END REQ_TOPICS",
    ),
    Verb(
        b"REQ_MEMBERS",
        "lists the members of a topic of yours",
        b"MEMBERS",
        ("topic",),
        tags=_tags(),
        reply="BEGIN …, ITEM <account> <owner|member> <read number> …, END REQ_MEMBERS",
    ),
    Verb(
        b"SEND_PASSWORD",
        "changes your password, after a login with the old one; your other devices have to log in with the new one",
        b"PASSWORD",
        text=Text.REQUIRED,
        text_name="password",
        tags=_tags(),
        reply="OK SEND_PASSWORD",
    ),
    Verb(
        b"REQ_DEVICES",
        "lists your devices",
        b"DEVICES",
        tags=_tags(),
        reply="BEGIN …, ITEM <device> <online|offline> <last here in ms> <token ends in ms> …, END REQ_DEVICES",
    ),
    Verb(
        b"REVOKE_DEVICE",
        "ends the token and the connection of a device of yours, and forgets it",
        b"REVOKE",
        ("device",),
        tags=_tags(),
        reply="OK REVOKE_DEVICE <device>",
    ),
    Verb(
        b"BLOCK_CLIENT",
        "lets an account neither write to you nor see whether you are there; it is not told",
        b"BLOCK",
        ("account",),
        tags=_tags(),
        reply="OK BLOCK_CLIENT <account>",
    ),
    Verb(
        b"UNBLOCK_CLIENT",
        "ends that",
        b"UNBLOCK",
        ("account",),
        tags=_tags(),
        reply="OK UNBLOCK_CLIENT <account>",
    ),
    Verb(
        b"REQ_BLOCKED",
        "lists whom you have blocked",
        b"BLOCKED",
        tags=_tags(),
        reply="BEGIN …, ITEM <account> …, END REQ_BLOCKED",
    ),
    Verb(
        b"ADD_CONTACT",
        "lets an account begin to write to you when only contacts may",
        b"CONTACT",
        ("account",),
        tags=_tags(),
        reply="OK ADD_CONTACT <account>",
    ),
    Verb(
        b"REMOVE_CONTACT",
        "ends that; who has written to you before still may",
        b"UNCONTACT",
        ("account",),
        tags=_tags(),
        reply="OK REMOVE_CONTACT <account>",
    ),
    Verb(
        b"REQ_CONTACTS",
        "lists your contacts",
        b"CONTACTS",
        tags=_tags(),
        reply="BEGIN …, ITEM <account> …, END REQ_CONTACTS",
    ),
    Verb(
        b"SEND_PRIVACY",
        "says who may begin to write to you: everyone or contacts",
        b"PRIVACY",
        ("privacy",),
        tags=_tags(),
        reply="OK SEND_PRIVACY <privacy>",
    ),
    Verb(
        b"SEND_NAME",
        "sets the name that others are shown",
        b"NAME",
        text=Text.REQUIRED,
        text_name="display name",
        tags=_tags(),
        reply="OK SEND_NAME",
    ),
    _HELP,
    _QUIT,
)

GATEWAY_VERBS: tuple[Verb, ...] = (
    _HELLO,
    Verb(
        b"REQ_MSG_SERVER",
        "asks which msg_server to connect to",
        b"SERVER",
        tags=_tags(),
        states=ANY,
        reply="SELECT_MSG_SERVER_FOR_CLIENT <host:port>[ <host:port>][ <host:port>]",
    ),
    _PING,
    _HELP,
    _QUIT,
)
