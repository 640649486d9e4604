"""Parsing of the server's pushes, from lines to events. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fishchat.features.registry import FEATURES, part
from fishchat.features.requests import Events, text_of
from fishchat.protocols.fields import NO_TAGS
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


def parse_push(verb: bytes, rest: bytes, escaped: bool, tags: Mapping[bytes, bytes] = NO_TAGS) -> object | None:
    """Return the event of a ``RESP_…`` line; None for an unknown one. Raises ValueError or ProtocolError."""
    found = _BY_NAME.get(verb)
    if found is None:
        return None
    push, make = found
    values, text = push.read(rest)
    if push.text is not Text.NONE:
        values.append(text_of(text, escaped))
    if not tags:
        return make(*values)
    known = push.tag_rows
    told = {name.decode(): known[name].read(value) for name, value in tags.items() if name in known and name != b"esc"}
    return make(*values, **told)
