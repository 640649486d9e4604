"""Ways into a topic: what the scripts that include ``lib/admit.lua`` reply, and what the msg_server does then.

An open topic, an invitation, a link and an accepted request lead to the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fishchat.errors import Refusal
from fishchat.model.message import NOTICE, pack_body
from fishchat.model.names import Position, parse_position, topic_conversation
from fishchat.model.remarks import REMARK_BYTES, remark
from fishchat.storage.ask import accepted
from fishchat.storage.logs.calls import Appended, parse_appended

if TYPE_CHECKING:
    from fishchat.features.engine import Engine
    from fishchat.model.device import Device

#: The most open requests to join one topic.
REQUESTS = 1000

#: The sentence of ``BANNED`` for an admin or a member who acts on the banned account.
OTHER_BANNED = "the account is banned from this topic; an admin can end that"


@dataclass(frozen=True)
class Entered:
    """The result of a way into a topic.

    :ivar version: the membership version; 0 if the account has only asked to join.
    :ivar after: the position after which the account is pushed messages; None if it has only asked.
    :ivar notices: the notices that were stored in the same step.
    """

    version: int
    after: Position | None
    notices: list[Appended]


def parse_entered(reply: Any) -> Entered:
    """Parse the reply of a script that leads into a topic. Raises Refusal."""
    version, after, notices = accepted(reply)[:3]
    return Entered(version, parse_position(after) if after else None, [parse_appended(notice) for notice in notices])


def parse_other(reply: Any) -> Sequence[Any]:
    """Return a reply about another account unchanged; raises Refusal where that one is a member or banned."""
    if reply[0] == b"EXISTS":
        raise Refusal("EXISTS", "the account is already a member")
    if reply[0] == b"BANNED":
        raise Refusal("BANNED", OTHER_BANNED)
    found: Sequence[Any] = reply
    return found


def remark_of(text: bytes) -> bytes:
    """Return the text of a request or the reason of a refusal. Raises Refusal."""
    if len(text) > REMARK_BYTES:
        raise Refusal("TEXTTOOLONG", limit=REMARK_BYTES)
    try:
        return remark(text)
    except ValueError as error:
        raise Refusal("FIELDS", str(error)) from None


def notice_body(device: Device, text: bytes) -> bytes:
    """Return the stored form of a notice that a device causes."""
    return pack_body(device.account, device.name, -1, NOTICE, text)


class Entering:
    """Publishes what a way into a topic has led to."""

    def __init__(self, engine: Engine) -> None:
        self._rooms = engine.rooms
        self._membership = engine.membership
        self._news = engine.topic_news

    def done(self, account: bytes, topic: bytes, entered: Entered) -> None:
        """Begin the readings of a new member here, notify the other servers, deliver the notices."""
        if entered.after is not None:
            self._membership.joined(account, topic_conversation(topic), entered.version, entered.after)
            self._news.changed(topic, "joined", account)
        self.deliver(entered.notices)

    def deliver(self, notices: Sequence[Appended]) -> None:
        """Deliver stored notices to the clients of this server."""
        for one in notices:
            self._rooms.told(one.conversation, one.epoch, one.number, one.body, one.version, one.time)
