"""All scripts by name, and how their one packed argument is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgpack

from fishchat.storage.script import Script

SEND = Script("send")
LOGIN = Script("login", using="accounts")
LOGOUT = Script("logout")
TALK = Script("talk")
TALKS = Script("talks")
ACK = Script("ack")
READ = Script("read")
CREATE = Script("create")
JOIN = Script("join")
LEAVE = Script("leave")
INVITE = Script("invite")
DISMISS = Script("dismiss")
PAGE = Script("page")
MEMBERS = Script("members")
ROSTER = Script("roster")
TOPICS = Script("topics")
CONVERSATIONS = Script("conversations")
HISTORY = Script("history")
STATUS = Script("status")
LOCATE = Script("locate")
EPOCH = Script("epoch")
REGISTER = Script("register")
RETIRE = Script("retire")
REAP = Script("reap")
TRIM = Script("trim")
ROUTE_TAKE = Script("route_take")
ROUTE_STORE = Script("route_store")
ROUTE_RELEASE = Script("route_release")

ATTEMPT = Script("attempt", using="accounts")
SPARE = Script("spare", using="accounts")
ENROL = Script("enrol")
SECRET = Script("secret", using="accounts")
HARDEN = Script("harden")
PROFILE = Script("profile")
DISABLE = Script("disable", using="accounts")
REVOKE = Script("revoke", using="accounts")
GRANT = Script("grant", using="accounts")
BEARER = Script("bearer", using="accounts")
DEVICES = Script("devices", using="accounts")
RELATE = Script("relate")
RELATIONS = Script("relations")
PORTRAIT = Script("portrait")
OFFER = Script("offer")
ERASE = Script("erase", using="accounts")
ERASE_TALK = Script("erase_talk")
ERASE_END = Script("erase_end")

ALL: tuple[Script, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Script))


def pack(*args: Any) -> bytes:
    """The scripts' one argument. Redis' MessagePack knows no bin type, so bytes go as raw strings."""
    packed: bytes = msgpack.packb(args, use_bin_type=False)
    return packed


def unpack(packed: bytes) -> Any:
    """What a script packed: strings come as bytes."""
    return msgpack.unpackb(packed, raw=True)


@dataclass(frozen=True)
class Fence:
    """Who writes, and under which lease and epoch: every write carries it, the scripts check it."""

    server: bytes
    incarnation: bytes
    epoch: int
    #: The number of the connection that writes: what an earlier one left in Redis' buffers must not be done late.
    writer: int = 0

    @property
    def token(self) -> bytes:
        """What the lease holds."""
        return b"%s.%d" % (self.incarnation, self.writer)

    @property
    def args(self) -> tuple[bytes, bytes, bytes]:
        """As the scripts want it."""
        return self.server, self.token, b"%d" % self.epoch
