"""Answers that are lists of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fishchat.protocols.replies import list_lines

if TYPE_CHECKING:
    from fishchat.features.engine import ISession
    from fishchat.protocols.table import Command
    from fishchat.storage.ask import Ask


def ask_list(session: ISession, command: Command, ask: Ask[list[Any]], form: bytes) -> None:
    """Answer with an item of ``form`` for each row of the result."""

    def take(rows: list[Any]) -> bytes:
        return list_lines(command, [(form % row, b"") for row in rows])

    session.ask(command, ask, take, alone=True)


def named_item(account: bytes, name: bytes) -> bytes:
    """Return ``<account>`` with the display name after it, if there is one."""
    return b"%s %s" % (account, name) if name else account
