"""The life of a client's connection as a table: which event leads from which state to which. No I/O.

The row of a verb names the states that allow it. A transition that is missing here is a defect of the server.
"""

from __future__ import annotations

import enum

from fishchat.errors import Refusal
from fishchat.protocols.rows import State, Verb


class Event(enum.Enum):
    """What moves a connection on."""

    LOGIN = "a login was asked for"
    REFUSED = "the login was refused"
    CHALLENGED = "a proof was asked for"
    WELCOME = "the login was stored"
    END = "one side ends the connection"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.GREETED, Event.LOGIN): State.LOGGING_IN,
    (State.LOGGING_IN, Event.REFUSED): State.GREETED,
    (State.LOGGING_IN, Event.WELCOME): State.ONLINE,
    (State.LOGGING_IN, Event.CHALLENGED): State.PROVING,
    (State.PROVING, Event.LOGIN): State.LOGGING_IN,
    (State.GREETED, Event.END): State.CLOSING,
    (State.LOGGING_IN, Event.END): State.CLOSING,
    (State.PROVING, Event.END): State.CLOSING,
    (State.ONLINE, Event.END): State.CLOSING,
    (State.CLOSING, Event.END): State.CLOSING,
    # What was asked for before the end may still be answered after it.
    (State.CLOSING, Event.REFUSED): State.CLOSING,
    (State.CLOSING, Event.CHALLENGED): State.CLOSING,
    (State.CLOSING, Event.WELCOME): State.CLOSING,
}

_HINTS = {
    State.GREETED: "log in first: LOGIN <account>; HELP lists what you can type",
    State.LOGGING_IN: "wait for the answer to your login",
    State.PROVING: "the login is incomplete; send the proof with AUTH",
    State.ONLINE: "you are already logged in",
    State.CLOSING: "the connection is closing; log in on a new one",
}


def after(state: State, event: Event) -> State:
    """The next state. KeyError means that the server broke its own rules."""
    return TRANSITIONS[state, event]


def guard(state: State, verb: Verb) -> None:
    """Raises Refusal ``STATE`` when ``verb`` is not allowed in ``state``."""
    if state not in verb.states:
        raise Refusal("STATE", _HINTS[state])


def is_unauthenticated(state: State) -> bool:
    """Return whether a connection in this state is not logged in yet."""
    return state in (State.GREETED, State.LOGGING_IN, State.PROVING)
