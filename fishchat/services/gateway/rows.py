"""The verbs of the gateway: its own verb, and the verbs of the session that it also answers."""

from __future__ import annotations

from fishchat.features.registry import TERMS
from fishchat.features.session.rows import HELLO, HELP, QUIT, SEND_PING
from fishchat.protocols.rows import ANY, Verb
from fishchat.protocols.table import Group, Table

REQ_MSG_SERVER = Verb(
    b"REQ_MSG_SERVER",
    "returns the addresses of up to three msg_servers to connect to",
    zh="返回最多三个可以连接的 msg_server 的地址",
    alias=b"SERVER",
    states=ANY,
    reply="SELECT_MSG_SERVER_FOR_CLIENT <host:port>[ <host:port>][ <host:port>]",
)

GATEWAY_VERBS = (HELLO, REQ_MSG_SERVER, SEND_PING, HELP, QUIT)
GATEWAY_COMMANDS = Table(
    GATEWAY_VERBS,
    [
        Group(b"gateway", "Gateway", "网关", [REQ_MSG_SERVER]),
        Group(b"session", "Session", "连接", [HELLO, SEND_PING, HELP, QUIT]),
    ],
    TERMS,
)
