"""The verbs of a connection. HELLO, SEND_PING, HELP and QUIT are the same at every server."""

from __future__ import annotations

from fishchat.features.engine import Engine, Handlers, IServed, ISession
from fishchat.features.registry import CAPABILITIES
from fishchat.features.session import rows
from fishchat.protocols.replies import help_lines, ok_line
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
    session.capabilities = frozenset(granted)
    session.said_hello = True
    caps = b" caps=" + b",".join(sorted(granted)) if granted else b""
    session.answer(ok_line(command, b"fishchat/1" + caps))


def ping(session: IServed, command: Command) -> None:
    """Carry out SEND_PING: answer as a sign of life."""
    session.answer(ok_line(command))


def help(session: IServed, command: Command) -> None:
    """Carry out HELP: list or explain verbs."""
    session.answer(help_lines(session.commands, command))


def quit(session: IServed, command: Command) -> None:
    """Carry out QUIT: answer the commands received so far, then close."""
    session.quit(ok_line(command))


#: Verb → its handler at every server.
COMMON: Handlers = {rows.SEND_PING.name: ping, rows.HELP.name: help, rows.QUIT.name: quit}


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb at a msg_server."""
    return {
        **COMMON,
        rows.HELLO.name: hello_with_capabilities,
        rows.SEND_CLIENT_ID.name: engine.logins.log_in,
        rows.SEND_AUTH.name: engine.logins.authenticate,
    }
