"""Outcomes of this server's own messages: the stored ones are delivered, and the senders are answered."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from fishchat.errors import Refusal, tryagain, unknown
from fishchat.model.message import UNKNOWN, Message, from_body, push_line
from fishchat.model.names import Position, accounts_of, parse_position
from fishchat.services.msg_server.delivery.presence import Presence
from fishchat.services.msg_server.delivery.rooms import ILog, Rooms
from fishchat.services.msg_server.queue.items import Change, Send
from fishchat.storage.ask import pairs_of


class Outcomes:
    """Process the results of batches.

    :ivar unstored: messages that were refused, or had been stored before: a figure of the heartbeat.
    """

    log = Logger()

    def __init__(self, presence: Presence, rooms: Rooms, log: ILog) -> None:
        self._presence = presence
        self._rooms = rooms
        self._log = log
        self.unstored = 0

    def stored(self, sends: list[Send], results: list[Any], versions: dict[bytes, int], epoch: int, time: int) -> None:
        """Deliver a batch that is on disk since ``time``, and answer its senders."""
        conversations = self._rooms.conversations
        for send, result in zip(sends, results, strict=True):
            if type(result) is not int:
                try:
                    if result.startswith(b"PASSED "):
                        self._passed(send, int(result[7:]), versions.get(send.conversation, 0), epoch, time)
                    else:
                        self._not_stored(send, result)
                except Exception:
                    # The other senders of the batch must get their answers.
                    self.log.failure("the result {result!r} could not be taken", result=result)
                    send.fail(unknown())
                continue
            name = send.conversation
            message_id = b"%s:%d-%d" % (name, epoch, result)
            if type(send) is Send:
                line = push_line(name, message_id, send.account, send.form, send.text)
                message = Message(epoch, result, send.sender, line, time)
            else:
                message = from_body(name, epoch, result, send.body, time)
            conversation, version = conversations.get(name), versions.get(name, 0)
            try:
                if conversation is not None and conversation.version == version and result != 1:
                    conversation.hear(message)
                else:
                    self._rooms.hear_of(name, message, version)
            except Exception:
                # The message is stored all the same, so its sender and all readers must receive it.
                self.log.failure("{name} could not be handed out", name=message_id)
            send.asker.stored(send.token, message_id, time)

    def _passed(self, send: Send, number: int, version: int, epoch: int, time: int) -> None:
        """Take an operation that is stored but pushed to nobody: every device passes over its number."""
        name = send.conversation
        of = parse_position(send.wanted.of) if isinstance(send, Change) else None
        self._rooms.hear(name, Message(epoch, number, send.sender, b"", time, UNKNOWN, of), version)
        send.asker.stored(send.token, b"%s:%d-%d" % (name, epoch, number), time)

    def _not_stored(self, send: Send, result: bytes) -> None:
        self.unstored += 1
        word, _, rest = result.decode().partition(" ")
        if word == "DUP":
            position, _, time = rest.partition(" ")
            self._stored_before(send, parse_position(position.encode()))
            send.asker.stored(send.token, b"%s:%s" % (send.conversation, position.encode()), int(time))
        elif word == "TRYAGAIN":
            send.fail(tryagain())
        else:
            send.fail(Refusal(word, **pairs_of(rest.encode())))

    def _stored_before(self, send: Send, position: Position) -> None:
        """Deliver a message that an earlier attempt had stored: the devices here may not have received it."""
        conversation = self._rooms.conversations.get(send.conversation)
        if conversation is not None:
            if position > conversation.position:
                conversation.behind_log(position)
            return
        for device in self._presence.of_all(accounts_of(send.conversation)):
            self._log.ask(device, send.conversation)
