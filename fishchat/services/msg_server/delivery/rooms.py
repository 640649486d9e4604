"""The conversations that this server's devices read, and how messages reach them.

Messages have two sources, this server's own commits and the router's hints; both lead to ``Conversation.hear``.
After a lost hint, a new epoch or an unknown outcome, the server reads the log.

A device's place in a conversation, a :class:`Reading`, moves between these states::

    behind, lagging    fed from the log by ``replay``, while the device has room
    behind, fed        the log had no more; the next message makes it live
    live               receives each message from ``Conversation.hear``; behind again without room
    closed             its account sees no more: fed to the end of its last span, then dropped
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from fishchat.model.conversation import Conversation, IReads
from fishchat.model.device import REFILL, Device, Reading, start_of
from fishchat.model.message import UNKNOWN, Message, from_body
from fishchat.model.names import START, Position, accounts_of
from fishchat.services.msg_server.delivery.log_reader import Known
from fishchat.services.msg_server.delivery.presence import Presence

#: Seconds that a message ahead of a gap is held.
HOLD = 0.02
#: Topics without a member here whose membership version is remembered.
UNREAD = 10_000


def _ignore(conversation: bytes, of: Position) -> None:
    """Ignore a reaction, until somebody wants to know."""


def _position_of(reading: Reading) -> Position:
    return reading.position


class ILog(Protocol):
    """The reads of the log that conversations need."""

    def ask(self, device: Device, name: bytes) -> None:
        """Read the device's place in this conversation from the store, and begin or end its reading there."""

    def catch_up(self, conversation: Conversation) -> None:
        """Read the log after the conversation's position into ``conversation.read``."""

    def feed(self, device: Device) -> None:
        """Feed the device's lagging readings from the log, while it has room."""


@implementer(IReads)
class Rooms:
    """The conversations with devices here.

    :ivar conversations: by name.
    :ivar dirty: readings whose cursor is not stored yet.
    """

    def __init__(self, presence: Presence, log: ILog, clock: IReactorTime) -> None:
        self._presence = presence
        self._log = log
        self._clock = clock
        #: Called with the conversation and the message of a reaction that is not pushed.
        self.on_silent_reaction: Callable[[bytes, Position], object] = _ignore
        #: Returns up to where a device was told of messages, pushed or in a range.
        self.announced: Callable[[Reading], Position] = _position_of
        self.conversations: dict[bytes, Conversation] = {}
        self.dirty: set[Reading] = set()
        #: Topic without a member here → the membership version for which this was found.
        self._unread: dict[bytes, int] = {}
        #: Messages received while logins are under way, because the reply to a login may not include them.
        self._logins = 0
        self._heard: dict[bytes, Position] = {}

    # -- messages

    def told(self, name: bytes, epoch: int, seq: int, body: bytes, version: int, time: int) -> None:
        """Take a message that did not pass this server's queue: from a router, or a notice of a script."""
        if self._logins:
            self._heard[name] = max(self._heard.get(name, START), (epoch, seq))
        self.hear(name, from_body(name, epoch, seq, body, time), version)

    def hear(self, name: bytes, message: Message, version: int) -> None:
        """Take a message of a conversation that was stored under this membership version."""
        if message.of is not None and message.needs == UNKNOWN:
            self.on_silent_reaction(name, message.of)
        conversation = self.conversations.get(name)
        if conversation is not None and conversation.version == version and message.seq != 1:
            conversation.hear(message)
        else:
            self.hear_of(name, message, version)

    def hear_of(self, name: bytes, message: Message, version: int) -> None:
        """Take a message of a conversation that is unknown here, or known under another membership version."""
        conversation = self.conversations.get(name)
        if name[:1] == b"#":
            self._hear_of_topic(name, conversation, message, version)
            return
        readers = self._presence.of_all(accounts_of(name))
        if not readers:
            return
        if message.seq != 1 or conversation is not None:
            # The conversation has just begun but is known here: the store was restored from an earlier state.
            for device in readers:
                if name not in device.readings:
                    self._log.ask(device, name)
            if conversation is not None:
                conversation.hear(message)
            return
        before = message.epoch, 0
        for device in readers:
            self.update(device, Known(name, before, b"", [(before, None)], 0))
        self.conversations[name].hear(message)

    def _hear_of_topic(self, name: bytes, known: Conversation | None, message: Message, version: int) -> None:
        if known is None:
            if not self._presence or self._unread.get(name) == version:
                return
            known = self.open(name, message.position, None)
        elif known.version is not None and version < known.version:
            known.hear(message)
            return
        else:
            known.version = None
        known.behind_log(message.position)

    # -- devices

    def login_begins(self) -> None:
        """Remember messages until ``login_ends``, because the reply to the login may not include them."""
        self._logins += 1

    def login_ends(self) -> None:
        """Forget these messages after the last login was stored or refused."""
        self._logins -= 1
        if not self._logins:
            self._heard.clear()

    def enter(self, device: Device, talks: Iterable[Known]) -> None:
        """Begin the readings of a device that has just logged in; ``syncing`` is what it has missed."""
        goals: dict[Reading, Position] = {}
        device.syncing = goals
        for known in talks:
            reading = self._begin(device, known)
            if reading is not None and reading.at < known.last:
                goals[reading] = known.last
                device.lagging[reading] = None
        for name, position in self._heard.items():
            self._missed(device, name, position)

    def _missed(self, device: Device, name: bytes, position: Position) -> None:
        """Take a message that was received while the login was under way."""
        conversation = self.conversations.get(name)
        if name in device.readings and conversation is not None:
            if position > conversation.position:
                conversation.behind_log(position)
        elif device.account in accounts_of(name):
            self._log.ask(device, name)

    def leave(self, device: Device) -> None:
        """End the readings of a device that has disconnected."""
        device.lagging.clear()
        device.syncing = None
        for reading in list(device.readings.values()):
            self.drop(reading)

    def drop(self, reading: Reading) -> None:
        """Forget a reading, and its conversation with its last reading."""
        reading.device.readings.pop(reading.conversation.name, None)
        reading.device.left[reading.conversation.name] = reading
        position = reading.position
        reading.device.lagging.pop(reading, None)
        reading.device.free(reading.unacked)
        if reading.device.lagging:
            self._log.feed(reading.device)
        reading.conversation.remove(reading)
        reading.live, reading.at = False, position
        self.release(reading.conversation)

    def acknowledged(self, reading: Reading) -> None:
        """Continue after an acknowledgement: feed a device with room again, drop a reading that is complete."""
        device = reading.device
        if not reading.unacked and not reading.open and reading not in device.lagging and reading.next_span() is None:
            self.drop(reading)
        elif device.lagging and device.room >= REFILL:
            self._log.feed(device)

    def release(self, conversation: Conversation) -> None:
        """Forget a conversation if no device here reads it any more."""
        if conversation.live or conversation.behind or self.conversations.get(conversation.name) is not conversation:
            return
        del self.conversations[conversation.name]
        if conversation.name[:1] == b"#" and conversation.version is not None:
            if len(self._unread) >= UNREAD:
                self._unread.clear()
            self._unread[conversation.name] = conversation.version

    def expect_members(self, name: bytes) -> None:
        """Take note that an account here may have become a member of this topic."""
        self._unread.pop(name, None)

    # -- readings

    def update(self, device: Device, known: Known) -> None:
        """Take the stored state of a logged-in device's conversation."""
        reading = device.readings.get(known.name)
        if reading is None:
            reading = self._begin(device, known)
            if reading is not None and device.syncing is None:
                reading.conversation.settle(reading)
            return
        conversation = reading.conversation
        if reading.spans != known.spans:
            reading.spans, reading.fed = known.spans, False
            if reading.live:
                conversation.close(reading)
            # A join may have moved the cursor past messages that are in history and are not to be pushed.
            start = start_of(known.cursor, known.spans)
            if start > reading.at:
                reading.skip(start)
        if reading.live or reading.fed or reading in device.lagging:
            return
        if device.syncing is None:
            conversation.settle(reading)
        elif reading in device.syncing:
            device.lagging[reading] = None
            self._log.feed(device)

    # -- conversations

    def open(self, name: bytes, position: Position, version: int | None) -> Conversation:
        """Return the conversation; a new one begins at ``position`` with this membership version."""
        conversation = self.conversations.get(name)
        if conversation is None:
            if name[:1] == b"#":
                # Accounts here may have become members on other servers: the next message finds out.
                version = None
            conversation = self.conversations[name] = Conversation(name, position, self, version)
        return conversation

    def _begin(self, device: Device, known: Known) -> Reading | None:
        """Begin a reading, behind. Returns None if its account can see nothing more."""
        if known.name not in self.conversations and known.last > START:
            self._ask_others(device, known.name)
        conversation = self.open(known.name, known.last, known.version)
        # The stored cursor is up to a second old.
        before = device.left.get(known.name)
        at = max(start_of(known.cursor, known.spans), before.at if before else START)
        reading = Reading(device, conversation, at, known.spans)
        if not reading.open and reading.next_span() is None:
            self.release(conversation)
            return None
        device.readings[known.name] = reading
        conversation.add(reading)
        return reading

    def _ask_others(self, device: Device, name: bytes) -> None:
        """Read the places of the devices that logged in before this conversation began: they do not know it yet."""
        for other in self._presence.of_all(accounts_of(name)):
            if other is not device and name not in other.readings:
                self._log.ask(other, name)

    def sweep(self) -> None:
        """Forget which topics have no member here, because news may have been missed."""
        self._unread.clear()

    # -- for conversations

    def hold(self, conversation: Conversation) -> None:
        """Give the gap its time, see ``IReads``."""
        self._clock.callLater(HOLD, conversation.give_up_holding)

    def feed(self, device: Device) -> None:
        """Feed the device from the log, see ``IReads``."""
        self._log.feed(device)

    def catch_up(self, conversation: Conversation) -> None:
        """Read the log of the conversation, see ``IReads``."""
        self._log.catch_up(conversation)
