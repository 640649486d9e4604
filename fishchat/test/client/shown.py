"""What all vectors share: the machine whose vectors they are, and its events as the pages see them."""

from __future__ import annotations

import dataclasses
from typing import Any

from fishchat.client.events import RefusedError, Settled
from fishchat.client.machine import Machine
from fishchat.features.requests import ClientError

ACCOUNT, DEVICE = "alice", "web"


def new_machine(**options: Any) -> Machine:
    """Return a machine that asks for what the pages ask for."""
    return Machine(ACCOUNT, DEVICE, lazy=True, own_reads=True, operations=True, **options)


def online() -> Machine:
    """Return a machine that is logged in, with nothing to tell and nothing to send."""
    machine = new_machine()
    machine.connected(0.0)
    for line in (
        "HELLO fishchat/1 auth=open sasl=",
        "OK HELLO fishchat/1 caps=ack,lazy,ops",
        "OK SEND_CLIENT_ID alice",
    ):
        machine.lines(0.0)
        machine.received(line.encode(), 0.0)
    machine.events()
    return machine


_NAMES = {"ReactionSums": "reactionSums"}


def shown_event(event: Any) -> dict[str, Any]:
    """Return an event as the pages see it: times in ms, no times where none were asked for."""
    name = type(event).__name__
    made: dict[str, Any] = {"type": _NAMES.get(name, name.lower())}
    if isinstance(event, Settled):
        failed = isinstance(event.value, ClientError)
        error = event.value.word if isinstance(event.value, RefusedError) else "INTERNAL" if failed else None
        return {**made, "key": event.key, "value": None if failed else _value(event.value), "error": error}
    for field in dataclasses.fields(event):
        made[field.name.rstrip("_")] = _value(getattr(event, field.name))
    made.pop("topic", None)
    if name in ("Presence",):
        made["since"] = round(event.since * 1000)
    if name == "Broken":
        made = {"type": "broken"}
    if name == "Ended":
        made["error"] = event.error.word if isinstance(event.error, RefusedError) else None
    return made


def _value(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_value(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        made = {field.name.rstrip("_"): _value(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {**made, "time": round(made["time"] * 1000)} if "time" in made else made
    return dict(value) if isinstance(value, dict) else value
