"""Verbs and pushes of the connection itself."""

from __future__ import annotations

from fishchat.errors import ProtocolError
from fishchat.protocols.fields import ACCOUNT, Field, Tag, read_name, read_one_of, same
from fishchat.protocols.rows import ANY, BEFORE, Push, State, Text, Verb

#: The SASL mechanisms of SEND_AUTH.
MECHANISMS = (b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS")
#: The reasons for which a login can be revoked.
REASONS = (b"disabled", b"deleted", b"revoked", b"password")
#: The reasons for which a server closes a connection that no other last line explains.
ENDS = (b"silence", b"time", b"stop")


def _read_version(value: bytes) -> bytes:
    if value != b"1":
        raise ProtocolError("VERSION")
    return value


def _read_address(value: bytes) -> bytes | None:
    if not value:
        raise ProtocolError("FIELDS", "an address looks like host:port")
    return None if value == b"-" else value


def _write_address(value: bytes | None) -> bytes:
    return b"-" if value is None else value


def _read_within(value: bytes) -> float:
    key, _, seconds = value.partition(b"=")
    try:
        number = float(seconds)
    except ValueError:
        number = -1.0
    # A timer cannot have a negative, infinite or undefined time.
    if key != b"within" or not 0 <= number < 1e9:
        raise ProtocolError("FIELDS", "a time looks like within=30")
    return number


def _write_within(value: float) -> bytes:
    return b"within=%d" % value


def _read_end(value: bytes) -> bytes:
    # Any word is accepted: a later server may have other reasons.
    if not value:
        raise ProtocolError("FIELDS", "the reason is missing")
    return value


def _words(values: tuple[bytes, ...]) -> str:
    return f"( {' / '.join(f'{chr(34)}{one.decode()}{chr(34)}' for one in values)} )"


VERSION = Field("version", _read_version, b"1", grammar='"1"')
MECHANISM = Field("mechanism", read_one_of("the mechanism", MECHANISMS), MECHANISMS[0], grammar=_words(MECHANISMS))
# Any word is accepted: a later server may have other reasons.
WHY = Field("why", same, b"password", grammar=_words(REASONS))
END = Field("why", _read_end, b"silence", grammar=_words(ENDS))
ADDRESS = Field(
    "address", _read_address, b"127.0.0.1:19001", _write_address, '( host-port / "-" )', shown="<host:port>"
)
WITHIN = Field("within", _read_within, b"within=30", _write_within, '"within=" number', shown="within=<seconds>")
DEVICE = Tag(b"device", "the name of the device; `main` if absent", read_name, b"phone")

HELLO = Verb(
    b"HELLO",
    "announces the protocol version and the client's capabilities: ack requests acknowledged delivery, "
    "time the times of messages",
    fields=(VERSION,),
    text=Text.OPTIONAL,
    text_name="caps=ack,time",
    states=BEFORE,
    reply="OK HELLO fishchat/1 caps=ack,time",
)
SEND_CLIENT_ID = Verb(
    b"SEND_CLIENT_ID",
    "logs in to an account; @device names the device, main if absent",
    alias=b"LOGIN",
    fields=(ACCOUNT,),
    text=Text.OPTIONAL,
    text_name="secret",
    tags=(DEVICE,),
    states=BEFORE,
    reply="OK SEND_CLIENT_ID <account>[ token=<token>], then the pushes that were missed, then RESP_SYNCED",
)
SEND_AUTH = Verb(
    b"SEND_AUTH",
    "logs in by SCRAM in two steps, without sending the password",
    alias=b"AUTH",
    fields=(MECHANISM,),
    text=Text.REQUIRED,
    text_name="message",
    tags=(DEVICE,),
    states=frozenset({State.GREETED, State.PROVING}),
    reply=(
        "OK SEND_AUTH <message>, then OK SEND_AUTH <message> token=<token>, "
        "then the pushes that were missed, then RESP_SYNCED"
    ),
)
SEND_PING = Verb(
    b"SEND_PING",
    "checks that the connection is alive",
    alias=b"PING",
    states=ANY,
    reply="OK SEND_PING",
)
HELP = Verb(
    b"HELP",
    "lists all verbs, explains one, or lists those of a group: HELP about topics",
    text=Text.OPTIONAL,
    text_name="verb",
    states=ANY,
    reply="BEGIN HELP n, ITEM …, END HELP",
)
QUIT = Verb(b"QUIT", "closes the connection", states=ANY, reply="OK QUIT")

RESP_SYNCED = Push(b"RESP_SYNCED", "all messages that were missed before the login have been delivered", event="Synced")
RESP_PING = Push(
    b"RESP_PING", "asks whether the client is alive; any line is an answer, `SEND_PING` is a good one", event="Pinged"
)
RESP_REPLACED = Push(
    b"RESP_REPLACED", "the same device has logged in on another connection, so this one is closed", event="Replaced"
)
RESP_REVOKED = Push(
    b"RESP_REVOKED",
    "the login was revoked and the connection is closed: the account was `disabled` or `deleted`, the device was "
    "`revoked`, or the `password` was changed",
    fields=(WHY,),
    event="Revoked",
)
RESP_MOVE = Push(
    b"RESP_MOVE",
    "this server stops, often at once: [connect to this address](#moving), or ask the gateway if it is `-`",
    fields=(ADDRESS, WITHIN),
    event="Moved",
)
RESP_BYE = Push(
    b"RESP_BYE",
    "the server closes this connection, and the sentence says why: after too much `silence`, because its `time` is "
    "over, or because the server is about to `stop`",
    fields=(END,),
    text=Text.OPTIONAL,
    text_name="sentence",
    event="Bye",
)

VERBS = (HELLO, SEND_CLIENT_ID, SEND_AUTH, SEND_PING, HELP, QUIT)
PUSHES = (RESP_SYNCED, RESP_PING, RESP_REPLACED, RESP_REVOKED, RESP_MOVE, RESP_BYE)
