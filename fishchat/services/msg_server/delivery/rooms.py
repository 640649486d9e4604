"""Who is here, and how messages reach them: the conversations of this server's devices, kept right by the log.

Messages come from two sides, this server's own commits and the router's hints; both end in ``Conversation.hear``.
Whatever else may have happened (a lost hint, a new epoch, an unknown outcome) is mended by reading the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import DeferredSemaphore, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.errors import Refusal
from fishchat.features.messages.rows import RESP_READ
from fishchat.model.conversation import Conversation, IReads
from fishchat.model.device import REFILL, Device, Reading, start_of
from fishchat.model.message import ESCAPED, PLAIN, Message, from_body, push_line
from fishchat.model.names import START, Position, accounts_of, parse_position
from fishchat.services.msg_server.delivery.log_reader import Known, Logs
from fishchat.services.msg_server.delivery.membership import Membership
from fishchat.services.msg_server.delivery.replay import Feeder
from fishchat.services.msg_server.queue.commits import tryagain
from fishchat.services.msg_server.queue.items import Send
from fishchat.storage.epoch import Epoch
from fishchat.storage.redis import Connection, StoreError

#: Seconds that a message ahead of a gap is held.
HOLD = 0.02
#: Conversations and devices that read from the store at the same time, so that a sweep of many does not flood it.
READERS = 32
#: Topics without anyone here whose membership version is remembered.
DESERTED = 10_000


@implementer(IReads)
class Delivery:
    """The devices that are logged in here, and their conversations.

    :ivar membership: who of them reads a topic.
    """

    log = Logger()

    def __init__(self, connection: Connection, epoch: Epoch, clock: IReactorTime) -> None:
        self._clock = clock
        self._epoch = epoch
        self._logs = Logs(connection)
        self.accounts: dict[bytes, dict[bytes, Device]] = {}
        self.conversations: dict[bytes, Conversation] = {}
        self.membership = Membership(self, self._logs)
        self._feeder = Feeder(self._logs, self.membership.refresh)
        #: Messages of this server that were refused, or had been stored before: a figure of the heartbeat.
        self.unstored = 0
        #: Readings whose cursor is to be stored.
        self.dirty: set[Reading] = set()
        self._readers = DeferredSemaphore(READERS)
        self._to_sweep: set[Device] = set()
        #: Topics nobody here is a member of, by the version for which that was found.
        self._deserted: dict[bytes, int] = {}
        #: While logins are on their way: what was heard meanwhile, since they may not know of it.
        self._logins = 0
        self._heard: dict[bytes, Position] = {}
        connection.on_connected.append(self.sweep)

    # -- messages

    def stored(self, sends: list[Send], results: list[Any], versions: dict[bytes, int], epoch: int) -> None:
        """This server's own batch is on disk: hand it out, answer its senders."""
        conversations = self.conversations
        for send, result in zip(sends, results, strict=True):
            if type(result) is not int:
                self._settle_otherwise(send, result)
                continue
            name = send.conversation
            message_id = b"%s:%d-%d" % (name, epoch, result)
            command = send.command
            flag = ESCAPED if b"esc" in command.tags else PLAIN
            line = push_line(name, message_id, send.account, flag, command.text)
            message = Message(epoch, result, send.sender, line)
            conversation, version = conversations.get(name), versions.get(name, 0)
            try:
                if conversation is not None and conversation.version == version and result != 1:
                    conversation.hear(message)
                else:
                    self._hear_of(name, message, version)
            except Exception:
                # It is stored all the same, and its sender and all others are to know.
                self.log.failure("{name} could not be handed out", name=message_id)
            send.settle(message_id)

    def _settle_otherwise(self, send: Send, result: bytes) -> None:
        self.unstored += 1
        word, _, rest = result.decode().partition(" ")
        if word == "DUP":
            self._stored_before(send, parse_position(rest.encode()))
            send.settle(b"%s:%s" % (send.conversation, rest.encode()))
        elif word == "TRYAGAIN":
            send.fail(tryagain())
        elif rest:
            send.fail(Refusal(word, expected=rest))
        else:
            send.fail(Refusal(word))

    def _stored_before(self, send: Send, position: Position) -> None:
        """It was stored when nobody could say so: then nobody here may have been told of it either."""
        conversation = self.conversations.get(send.conversation)
        if conversation is not None:
            if position > conversation.position:
                conversation.behind_log(position)
            return
        for account in accounts_of(send.conversation):
            for device in self.accounts.get(account, {}).values():
                self.ask(device, send.conversation)

    def told(self, name: bytes, epoch: int, seq: int, body: bytes, version: int) -> None:
        """The router tells of a message that another server stored."""
        conversation = self.conversations.get(name)
        if self._logins:
            self._heard[name] = max(self._heard.get(name, START), (epoch, seq))
        message = from_body(name, epoch, seq, body)
        if conversation is not None and conversation.version == version and seq != 1:
            conversation.hear(message)
        else:
            self._hear_of(name, message, version)

    def told_read(self, name: bytes, body: bytes) -> None:
        """The router tells that the other side has read: this is never stored, whoever is away misses it."""
        account, _, _, _, position = body.split(b" ", 4)
        self.push_receipt(name, account, position)

    def push_receipt(self, name: bytes, reader: bytes, position: bytes) -> None:
        """``RESP_READ`` to the other side's devices."""
        line = RESP_READ.line(reader, (name, *parse_position(position))) + b"\r\n"
        for account in accounts_of(name):
            if account != reader:
                for device in self.accounts.get(account, {}).values():
                    device.push(line)

    def _hear_of(self, name: bytes, message: Message, version: int) -> None:
        """A message of a conversation that is not known here, or not under this membership."""
        conversation = self.conversations.get(name)
        if name[:1] == b"#":
            self._hear_of_topic(name, conversation, message, version)
            return
        readers = [device for account in accounts_of(name) for device in self.accounts.get(account, {}).values()]
        if not readers:
            return
        if message.seq != 1 or conversation is not None:
            # One that is known here although it has just begun: the store was put back to an earlier state.
            for device in readers:
                if name not in device.readings:
                    self.ask(device, name)
            if conversation is not None:
                conversation.hear(message)
            return
        before = message.epoch, 0
        for device in readers:
            self.update(device, Known(name, before, b"", [(before, None)], 0))
        self.conversations[name].hear(message)

    def _hear_of_topic(self, name: bytes, known: Conversation | None, message: Message, version: int) -> None:
        if known is None:
            if not self.accounts or self._deserted.get(name) == version:
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
        """A login is on its way: remember what is heard until it is through."""
        self._logins += 1

    def login_ends(self) -> None:
        """The login is through, or refused."""
        self._logins -= 1
        if not self._logins:
            self._heard.clear()

    def add(self, device: Device, talks: Iterable[Known]) -> None:
        """A device is logged in: it is given what it missed, then ``RESP_SYNCED``, then what comes."""
        self.accounts.setdefault(device.account, {})[device.key] = device
        goals: dict[Reading, Position] = {}
        device.syncing = goals
        for known in talks:
            reading = self._begin(device, known)
            if reading is not None and reading.at < known.last:
                goals[reading] = known.last
                device.lagging[reading] = None
        for name, position in self._heard.items():
            self._missed(device, name, position)
        self._feeder.begin(device)

    def _missed(self, device: Device, name: bytes, position: Position) -> None:
        """The router told of this message before the login was known here."""
        conversation = self.conversations.get(name)
        if name in device.readings and conversation is not None:
            if position > conversation.position:
                conversation.behind_log(position)
        elif device.account in accounts_of(name):
            self.ask(device, name)

    def remove(self, device: Device) -> None:
        """A device is gone."""
        if self.is_here(device):
            del self.accounts[device.account][device.key]
            if not self.accounts[device.account]:
                del self.accounts[device.account]
        device.lagging.clear()
        device.syncing = None
        for reading in list(device.readings.values()):
            self.drop(reading)

    def drop(self, reading: Reading) -> None:
        """Forget a reading, and its conversation with the last one."""
        reading.device.readings.pop(reading.conversation.name, None)
        reading.device.left[reading.conversation.name] = reading
        position = reading.position
        reading.device.lagging.pop(reading, None)
        reading.device.free(reading.unacked)
        if reading.device.lagging:
            self.feed(reading.device)
        reading.conversation.remove(reading)
        reading.live, reading.at = False, position
        self.desert(reading.conversation)

    def acknowledged(self, reading: Reading) -> None:
        """The device has acknowledged something: it may have room again, or be through with a closed conversation."""
        device = reading.device
        if not reading.unacked and not reading.open and reading not in device.lagging and reading.next_span() is None:
            self.drop(reading)
        elif device.lagging and device.room >= REFILL:
            self.feed(device)

    def desert(self, conversation: Conversation) -> None:
        """Forget a conversation that nobody here reads any more."""
        if conversation.live or conversation.behind or self.conversations.get(conversation.name) is not conversation:
            return
        del self.conversations[conversation.name]
        if conversation.name[:1] == b"#" and conversation.version is not None:
            if len(self._deserted) >= DESERTED:
                self._deserted.clear()
            self._deserted[conversation.name] = conversation.version

    def populate(self, name: bytes) -> None:
        """Somebody here may have become a member of this topic."""
        self._deserted.pop(name, None)

    def is_here(self, device: Device) -> bool:
        """Whether this very device is logged in here."""
        return self.accounts.get(device.account, {}).get(device.key) is device

    # -- what the store knows

    def ask(self, device: Device, name: bytes) -> None:
        """Ask the store where the device stands in this conversation, and begin or end its reading there."""
        ensureDeferred(self._asked(device, name)).addErrback(self._not_read)

    async def _asked(self, device: Device, name: bytes) -> None:
        known = await self._logs.talk(device.account, device.name, name)
        if self.is_here(device) and known.spans:
            self.update(device, known)
            conversation = self.conversations.get(name)
            if conversation is not None and known.last > conversation.position:
                # What was heard before the question may be behind what was opened meanwhile, by an earlier message.
                conversation.behind_log(known.last)

    def update(self, device: Device, known: Known) -> None:
        """What the store knows of one of a device's conversations, while it is logged in."""
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
        if reading.live or reading.fed or reading in device.lagging:
            return
        if device.syncing is None:
            conversation.settle(reading)
        elif reading in device.syncing:
            device.lagging[reading] = None
            self.feed(device)

    # -- conversations

    def open(self, name: bytes, position: Position, version: int | None) -> Conversation:
        """The conversation; a new one stands at ``position`` under this membership."""
        conversation = self.conversations.get(name)
        if conversation is None:
            if name[:1] == b"#":
                # Devices that were here before may have become members elsewhere: the next message finds out.
                version = None
            conversation = self.conversations[name] = Conversation(name, position, self, version)
        return conversation

    def _begin(self, device: Device, known: Known) -> Reading | None:
        """A new reading, behind; None when there is nothing more to see in it."""
        if known.name not in self.conversations and known.last > START:
            self._ask_others(device, known.name)
        conversation = self.open(known.name, known.last, known.version)
        # The stored cursor is up to a second behind.
        before = device.left.get(known.name)
        at = max(start_of(known.cursor, known.spans), before.at if before else START)
        reading = Reading(device, conversation, at, known.spans)
        if not reading.open and reading.next_span() is None:
            self.desert(conversation)
            return None
        device.readings[known.name] = reading
        conversation.add(reading)
        return reading

    def _ask_others(self, device: Device, name: bytes) -> None:
        """A conversation is opened past its first message: whoever was here before it began has not been told of it."""
        for account in accounts_of(name):
            for other in self.accounts.get(account, {}).values():
                if other is not device and name not in other.readings:
                    self.ask(other, name)

    def hold(self, conversation: Conversation) -> None:
        """See IReads."""
        self._clock.callLater(HOLD, conversation.give_up_holding)

    def feed(self, device: Device) -> None:
        """See IReads."""
        self._feeder.feed(device)

    def catch_up(self, conversation: Conversation) -> None:
        """See IReads."""
        self._readers.run(self._read, conversation).addErrback(self._not_read)

    async def _read(self, conversation: Conversation) -> None:
        try:
            while True:
                page = await self._logs.page(conversation.name, conversation.position, None)
                if page.version != conversation.version:
                    await self.membership.refresh(conversation)
                elif not conversation.read(page.messages, page.more):
                    break
        finally:
            # Unread for now, when the store is away: the next sweep finds that its log goes on.
            conversation.catching = False
        self.desert(conversation)

    def sweep(self) -> None:
        """Something may have been missed: read for every device what its login would read."""
        self._deserted.clear()
        for devices in self.accounts.values():
            for device in devices.values():
                if device not in self._to_sweep:
                    self._to_sweep.add(device)
                    self._readers.run(self._sweep, device).addErrback(self._not_read)

    async def _sweep(self, device: Device) -> None:
        self._to_sweep.discard(device)
        session, talks = await self._logs.talks(device.account, device.name)
        if not self.is_here(device):
            return
        if session != device.session:
            # Only a login that took its place ends it for good; else it may come again, here or elsewhere. A store that
            # was started anew may be an older copy, and that session one of the past.
            same = not session or session.split()[::2] == device.session.split()[::2]
            is_sure = not same and device.epoch == self._epoch.current
            (device.replaced if is_sure else device.evicted)()
            return
        for known in talks:
            self.update(device, known)
            conversation = self.conversations.get(known.name)
            if conversation is not None and known.name in device.readings:
                if conversation.version != known.version:
                    conversation.version = None
                if known.last > conversation.position:
                    conversation.behind_log(known.last)
        self._feeder.feed(device)

    def _not_read(self, failure: Failure) -> None:
        # The store is away: when it is back, everything is swept.
        if failure.check(StoreError) is None:
            self.log.failure("a conversation could not be read", failure)
