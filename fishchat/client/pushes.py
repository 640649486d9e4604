"""Parsing of the server's pushes, from lines to events. Pure."""

from __future__ import annotations

from collections.abc import Callable

from fishchat.features.registry import FEATURES, part
from fishchat.features.requests import Events, text_of
from fishchat.protocols.rows import Push, Text


def _events() -> Events:
    found: dict[Push, Callable[..., object]] = {}
    for feature in FEATURES:
        client = part(feature, "client")
        if client is not None:
            found.update(client.EVENTS)
    return found


#: The event for each push.
EVENTS: Events = _events()
_BY_NAME = {push.name: (push, make) for push, make in EVENTS.items()}


def parse_push(verb: bytes, rest: bytes, escaped: bool) -> object | None:
    """Return the event of a ``RESP_…`` line; None for an unknown one. Raises ValueError or ProtocolError."""
    found = _BY_NAME.get(verb)
    if found is None:
        return None
    push, make = found
    values, text = push.read(rest)
    return make(*values) if push.text is Text.NONE else make(*values, text_of(text, escaped))
