"""Conversation settings at the msg_server."""

from __future__ import annotations

from fishchat.errors import Refusal
from fishchat.features.engine import Engine, Handlers, IRooms, ISession
from fishchat.features.preferences import calls, rows
from fishchat.model.message import NOTICE, pack_body
from fishchat.model.names import concerns, conversation_with
from fishchat.protocols.replies import ok_line
from fishchat.protocols.table import Command
from fishchat.storage.logs.calls import Appended


class Preferences:
    """The verb of conversation settings.

    :param stream: the stream to which scripts add messages for other servers.
    """

    def __init__(self, rooms: IRooms, stream: bytes) -> None:
        self._rooms = rooms
        self._stream = stream

    def set(self, session: ISession, command: Command) -> None:
        """Carry out SET_CONVERSATION: keep a setting, and notify the other devices of the account."""
        named, setting = command.fields
        value = rows.read_value(setting, command.text)
        device = session.device
        assert device is not None
        account = device.account
        conversation = conversation_with(named, account)
        if not concerns(conversation, account):
            raise Refusal("NOTFOUND")
        shown = b"%s %s %s" % (conversation, setting, value)
        stored = b"" if setting == b"remark" and value == rows.NO_REMARK else value
        body = pack_body(account, device.name, -1, NOTICE, b"SET " + shown)

        def take(notice: Appended | None) -> bytes:
            if notice is not None:
                self._rooms.told(
                    notice.conversation, notice.epoch, notice.number, notice.body, notice.version, notice.time
                )
            return ok_line(command, shown)

        session.ask(command, calls.set_setting(self._stream, account, conversation, setting, stored, body), take)


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    return {rows.SET_CONVERSATION.name: Preferences(engine.rooms, engine.stream).set}
