"""The verbs of a connection. HELLO, SEND_PING, HELP and QUIT are the same at every server."""

from __future__ import annotations

from collections.abc import Callable

from fishchat.features.engine import Engine, Handlers, IServed, ISession
from fishchat.features.registry import CAPABILITIES
from fishchat.features.session import rows
from fishchat.model.device import shared
from fishchat.protocols.help import LOG_IN, NO_SECRETS, NOW, TOO_LATE, help_lines
from fishchat.protocols.replies import ok_line
from fishchat.protocols.rows import State, Verb
from fishchat.protocols.table import Command


def hello(session: IServed, command: Command) -> None:
    """Carry out HELLO at a server without capabilities."""
    session.said_hello = True
    session.answer(ok_line(command, b"fishchat/1"))


def hello_with_capabilities(session: ISession, command: Command) -> None:
    """Carry out HELLO: choose the profile. Unknown capabilities are ignored: the answer names the granted ones."""
    granted = set(session.capabilities)
    for word in command.text.split():
        key, _, names = word.partition(b"=")
        if key == b"caps":
            granted.update(name for name in names.split(b",") if name in CAPABILITIES)
    session.capabilities = shared(frozenset(granted))
    session.said_hello = True
    caps = b" caps=" + b",".join(sorted(granted)) if granted else b""
    session.answer(ok_line(command, b"fishchat/1" + caps))


def ping(session: IServed, command: Command) -> None:
    """Carry out SEND_PING: answer as a sign of life."""
    session.answer(ok_line(command))


def help(session: IServed, command: Command) -> None:
    """Carry out HELP at a server where every verb is possible at any time."""
    session.answer(help_lines(session.commands, command))


def help_now(mode: str) -> Callable[[ISession, Command], None]:
    """Return the handler of HELP at a server of this mode: it knows what is possible now."""

    def help(session: ISession, command: Command) -> None:
        def bar(verb: Verb) -> str:
            if verb.secrets and mode == "open":
                return NO_SECRETS
            if session.state in verb.states:
                return NOW
            return LOG_IN if State.GREETED not in verb.states else TOO_LATE

        session.answer(help_lines(session.commands, command, bar))

    return help


def quit(session: IServed, command: Command) -> None:
    """Carry out QUIT: answer the commands received so far, then close."""
    session.quit(ok_line(command))


#: Verb → its handler at every server.
COMMON: Handlers = {rows.SEND_PING.name: ping, rows.HELP.name: help, rows.QUIT.name: quit}


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb at a msg_server."""
    return {
        **COMMON,
        rows.HELP.name: help_now(engine.settings.mode),
        rows.HELLO.name: hello_with_capabilities,
        rows.SEND_CLIENT_ID.name: engine.logins.log_in,
        rows.SEND_AUTH.name: engine.logins.authenticate,
    }
