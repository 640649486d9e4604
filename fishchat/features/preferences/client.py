"""Requests about conversation settings, for the client library."""

from __future__ import annotations

from fishchat.errors import ProtocolError
from fishchat.features.preferences import rows
from fishchat.features.requests import Events, RefusedError, Request, conversation_of, nothing, request

EVENTS: Events = {}


def set_conversation(conversation: str, setting: str, value: str) -> Request[None]:
    """Set one setting of a conversation. Raises RefusedError for a setting or a value that no server accepts."""
    try:
        name = rows.SETTING.read(setting.encode("utf-8", "replace"))
        checked = rows.read_value(name, value.encode("utf-8", "replace"))
    except ProtocolError as error:
        raise RefusedError(error.word, error.text) from None
    return request(rows.SET_CONVERSATION, conversation_of(conversation), name, text=checked, result=nothing)
