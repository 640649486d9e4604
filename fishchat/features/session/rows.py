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
END = Field("end", _read_end, b"silence", grammar=_words(ENDS), shown="<why>")
ADDRESS = Field(
    "address", _read_address, b"127.0.0.1:19001", _write_address, '( host-port / "-" )', shown="<host:port>"
)
WITHIN = Field("within", _read_within, b"within=30", _write_within, '"within=" number', shown="within=<seconds>")
#: Words in angle brackets, in Chinese.
TERMS = {
    "caps=ack,lazy,ops,time": "caps=ack,lazy,ops,time",
    "mechanism": "机制",
    "message": "SCRAM 消息",
    "seconds": "秒",
    "secret": "密码或令牌",
    "sentence": "说明",
    "token": "令牌",
    "verb": "命令",
    "version": "版本",
    "why": "原因",
}

DEVICE = Tag(b"device", "the name of the device; `main` if absent", read_name, b"phone", zh="设备名；不写就是 main")

HELLO = Verb(
    b"HELLO",
    "announces the protocol version and the client's capabilities: ack requests acknowledged delivery, lazy only the "
    "newest of many missed messages, ops what your other devices have read, time the times of messages",
    zh="声明协议版本和客户端的能力：ack 表示由客户端确认收到的消息，lazy 表示错过很多消息时只收最新的，"
    "ops 表示得知自己的其他设备读到哪里，time 表示附带消息的时间",
    fields=(VERSION,),
    text=Text.OPTIONAL,
    text_name="caps=ack,lazy,ops,time",
    text_sample=b"caps=ack,time",
    states=BEFORE,
    programs=True,
    reply="OK HELLO fishchat/1 caps=ack,lazy,ops,time",
)
SEND_CLIENT_ID = Verb(
    b"SEND_CLIENT_ID",
    "logs in to an account; @device names the device, main if absent",
    zh="登录一个帐号；@device 指定设备名，不写就是 main",
    alias=b"LOGIN",
    fields=(ACCOUNT,),
    text=Text.OPTIONAL,
    text_name="secret",
    text_sample=b"",
    tags=(DEVICE,),
    states=BEFORE,
    reply="OK SEND_CLIENT_ID <account>[ token=<token>], then the pushes that were missed, then RESP_SYNCED",
)
SEND_AUTH = Verb(
    b"SEND_AUTH",
    "logs in by SCRAM in two steps, without sending the password",
    zh="用 SCRAM 分两步登录，不发送密码本身",
    alias=b"AUTH",
    fields=(MECHANISM,),
    text=Text.REQUIRED,
    text_name="message",
    text_sample=b"n,,n=alice,r=c2FtcGxl",
    tags=(DEVICE,),
    programs=True,
    secrets=True,
    states=frozenset({State.GREETED, State.PROVING}),
    reply=(
        "OK SEND_AUTH <message>, then OK SEND_AUTH <message> token=<token>, "
        "then the pushes that were missed, then RESP_SYNCED"
    ),
)
SEND_PING = Verb(
    b"SEND_PING",
    "checks that the connection is alive",
    zh="检查连接是否正常",
    alias=b"PING",
    states=ANY,
    reply="OK SEND_PING",
)
HELP = Verb(
    b"HELP",
    "lists what you can type now, or explains a verb, a push, an error or a group: HELP about topics",
    zh="列出现在可用的命令，或解释某个命令、推送、错误或一组命令：HELP zh about topics",
    text=Text.OPTIONAL,
    text_name="verb",
    text_sample=b"MSG",
    states=ANY,
    reply="BEGIN HELP n, ITEM …, END HELP",
)
QUIT = Verb(b"QUIT", "closes the connection", zh="断开连接", states=ANY, reply="OK QUIT")

RESP_SYNCED = Push(
    b"RESP_SYNCED",
    "all messages that were missed before the login have been delivered",
    zh="登录前错过的消息已全部送达",
    event="Synced",
)
RESP_PING = Push(
    b"RESP_PING",
    "asks whether the client is alive; any line is an answer, `SEND_PING` is a good one",
    zh="服务器询问客户端是否还在；回任意一行即可，最好是 `SEND_PING`",
    event="Pinged",
)
RESP_REPLACED = Push(
    b"RESP_REPLACED",
    "the same device has logged in on another connection, so this one is closed",
    zh="同一台设备在另一个连接上登录了，本连接被关闭",
    event="Replaced",
)
RESP_REVOKED = Push(
    b"RESP_REVOKED",
    "the login was revoked and the connection is closed: the account was `disabled` or `deleted`, the device was "
    "`revoked`, or the `password` was changed",
    zh="登录已失效，连接被关闭：帐号被停用（`disabled`）或删除（`deleted`），设备被吊销（`revoked`），或密码已更改（`password`）",
    fields=(WHY,),
    event="Revoked",
)
RESP_MOVE = Push(
    b"RESP_MOVE",
    "this server stops, often at once: [connect to this address](#moving), or ask the gateway if it is `-`",
    zh="这台服务器即将停止，往往立刻就停：请改连这个地址；若为 `-`，请向网关询问地址",
    fields=(ADDRESS, WITHIN),
    event="Moved",
)
RESP_BYE = Push(
    b"RESP_BYE",
    "the server closes this connection, and the sentence says why: after too much `silence`, because its `time` is "
    "over, or because the server is about to `stop`",
    zh="服务器关闭了这个连接，后面的句子说明原因：太久没有动静（`silence`），时间到了（`time`），或服务器即将停止（`stop`）",
    fields=(END,),
    text=Text.OPTIONAL,
    text_name="sentence",
    event="Bye",
)

VERBS = (HELLO, SEND_CLIENT_ID, SEND_AUTH, SEND_PING, HELP, QUIT)
PUSHES = (RESP_SYNCED, RESP_PING, RESP_REPLACED, RESP_REVOKED, RESP_MOVE, RESP_BYE)
