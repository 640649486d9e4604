"""Reports at the msg_server."""

from __future__ import annotations

from fishchat.errors import Refusal
from fishchat.features.engine import Engine, Handlers, IAudit, ISession
from fishchat.features.reports import calls, rows
from fishchat.model.display_names import is_clean
from fishchat.model.names import format_position, message_id
from fishchat.protocols.replies import ok_line
from fishchat.protocols.table import Command


class Reports:
    """The verb of reports."""

    def __init__(self, audit: IAudit) -> None:
        self._audit = audit

    def report(self, session: ISession, command: Command) -> None:
        """Carry out REPORT_MESSAGE: copy a message for the operators. The audit record has no text of it."""
        conversation, epoch, number = command.fields[0]
        reason, account, host = command.text, session.account, session.peer.host
        if len(reason) > rows.REASON_LENGTH:
            most = rows.REASON_LENGTH
            raise Refusal("TEXTTOOLONG", f"a reason has at most {most} bytes", limit=most)
        if not is_clean(reason):
            raise Refusal("CONTROL", "the reason contains a character that changes the direction of writing; remove it")
        named = message_id(conversation, epoch, number)

        def take(is_new: bool) -> bytes:
            if is_new:
                self._audit.note("reported", host, account=account, what=named)
            return ok_line(command, named)

        at = format_position((epoch, number))
        session.ask(command, calls.report(account, conversation, at, reason, rows.DAILY), take)


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    return {rows.REPORT_MESSAGE.name: Reports(engine.audit).report}
