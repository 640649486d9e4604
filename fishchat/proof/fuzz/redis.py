"""Replies of Redis: each command has one outcome, for any bytes and any cuts."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from fishchat.proof.fuzz.helpers import claim, pieces, quiet
from fishchat.storage.wire import CommandWire, ReplyError, StoreError, SubscriberWire

#: The number of commands that wait for a reply.
ASKED = 4


def redis(data: bytes) -> None:
    """Byte 0 chooses the cuts and the kind of connection; the rest is sent by Redis."""
    flags, said = data[0] if data else 0, data[1:]
    subscriber = bool(flags & 1)
    with quiet():
        whole = _outcomes([said], subscriber)
        cut = _outcomes(pieces(said, flags), subscriber)
    claim(repr(whole) == repr(cut), "another cut, another outcome", whole, cut)


def _outcomes(parts: list[bytes], subscriber: bool) -> list[Any]:
    """Return the outcome of each command, and the messages that were received."""
    clock = Clock()
    heard: list[Any] = []
    lost: list[str] = []

    def gone(wire: Any, reason: str) -> None:
        lost.append(reason)

    arguments = (clock, 3.0, lambda _: None, gone)
    wire: Any
    if subscriber:
        wire = SubscriberWire(*arguments, receive=lambda channel, message: heard.append((channel, message)))
    else:
        wire = CommandWire(*arguments)
    transport = StringTransport()
    wire.makeConnection(transport)
    outcomes: dict[int, list[Any]] = {number: [] for number in range(ASKED)}
    for number in outcomes:
        wire.run("PING").addBoth(outcomes[number].append)
    for part in parts:
        if wire.closed or transport.disconnected:
            break
        wire.dataReceived(part)
    wire.connectionLost(Failure(ConnectionDone("end")))
    claim(len(lost) == 1, "its owner was told of the end more than once, or never", lost)
    claim(not clock.getDelayedCalls(), "a timer is left")
    return [_outcome(found) for found in outcomes.values()] + heard


def _outcome(found: list[Any]) -> Any:
    claim(len(found) == 1, "a command has more or less than one outcome", found)
    result = found[0]
    if not isinstance(result, Failure):
        return result
    claim(isinstance(result.value, StoreError), "another error", result)
    if isinstance(result.value, ReplyError):
        claim(isinstance(result.value.word, str), "a refusal without a word", result)
        return result.value.text
    return type(result.value)
