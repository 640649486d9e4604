"""The call of the script of conversation settings."""

from __future__ import annotations

from typing import Any

from fishchat.storage.ask import Ask, accepted
from fishchat.storage.logs.calls import Appended, parse_appended
from fishchat.storage.script import script

_SET = script("preferences/set")

#: The most conversations for which an account may have settings.
KEPT = 10_000


def set_setting(
    stream: bytes, account: bytes, conversation: bytes, setting: bytes, value: bytes, body: bytes
) -> Ask[Appended | None]:
    """Set one setting of a conversation; an empty ``value`` removes a remark.

    Returns the notice with ``body`` to the account's other devices; None if nothing changed.
    """

    def parse(reply: Any) -> Appended | None:
        return parse_appended(reply) if accepted(reply) else None

    return Ask(_SET, (stream, account, conversation, setting, value, KEPT, body), parse)
