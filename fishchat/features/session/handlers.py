"""The verbs that every server has: HELLO, SEND_PING, HELP, QUIT."""

from __future__ import annotations

from typing import Protocol

from fishchat.protocols.replies import help_lines, ok_line
from fishchat.protocols.table import Command, Table


class IServed(Protocol):
    """A client of any server."""

    @property
    def commands(self) -> Table:
        """The verbs of this server."""

    def answer(self, line: bytes) -> None:
        """Answer a command, after all that were asked before it."""

    def quit(self, line: bytes) -> None:
        """Answer what was asked, then with ``line``, then close."""


class IAcknowledging(IServed, Protocol):
    """A client that may choose to acknowledge."""

    acks: bool


def hello(session: IServed, command: Command) -> None:
    """HELLO, where there is nothing to choose."""
    session.answer(ok_line(command, b"fishchat/1"))


def hello_with_capabilities(session: IAcknowledging, command: Command) -> None:
    """HELLO: choose the profile. Unknown capabilities are passed over: the answer names what is granted."""
    for word in command.text.split():
        key, _, names = word.partition(b"=")
        if key == b"caps" and b"ack" in names.split(b","):
            session.acks = True
    caps = b" caps=ack" if session.acks else b""
    session.answer(ok_line(command, b"fishchat/1" + caps))


def ping(session: IServed, command: Command) -> None:
    """SEND_PING: a sign of life."""
    session.answer(ok_line(command))


def help(session: IServed, command: Command) -> None:
    """HELP."""
    session.answer(help_lines(session.commands, command))


def quit(session: IServed, command: Command) -> None:
    """QUIT: answer what was asked, then close."""
    session.quit(ok_line(command))
