"""Delivery: the devices logged in here, the conversations that they read, and the reading of the log for both.

Each part knows only the parts that its constructor names. The one circle (a conversation asks for its log, which is
read into the conversation) is closed by :class:`Delivery`.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime

from fishchat.interfaces import IStore
from fishchat.model.conversation import Conversation
from fishchat.model.device import Device
from fishchat.services.msg_server.delivery.catching_up import CatchingUp
from fishchat.services.msg_server.delivery.log_reader import Known, Logs
from fishchat.services.msg_server.delivery.membership import Membership
from fishchat.services.msg_server.delivery.outcomes import Outcomes
from fishchat.services.msg_server.delivery.presence import Presence
from fishchat.services.msg_server.delivery.reaction_sums import ReactionSums
from fishchat.services.msg_server.delivery.replay import Feeder
from fishchat.services.msg_server.delivery.rooms import Rooms
from fishchat.services.msg_server.delivery.signals import Signals
from fishchat.services.msg_server.delivery.watchers import Watchers
from fishchat.storage.epoch import Epoch

#: The messages of one conversation that a device with the capability ``lazy`` is pushed after its absence.
NEWEST = 50


class Delivery:
    """Make the parts of the delivery, add and remove devices.

    :ivar presence: the devices logged in here.
    :ivar rooms: the conversations that these devices read.
    :ivar membership: which of these devices read a topic.
    :ivar outcomes: processes the outcomes of this server's own messages.
    :ivar watchers: which of these devices watch accounts and conversations.
    :ivar signals: pushes that are never stored.
    :ivar feeder: delivers missed messages.
    """

    def __init__(self, connection: IStore, epoch: Epoch, clock: IReactorTime, newest: int = NEWEST) -> None:
        logs = Logs(connection)
        self.presence = Presence()
        self.rooms = Rooms(self.presence, self, clock)
        self.membership = Membership(self.presence, self.rooms, logs, self)
        self.outcomes = Outcomes(self.presence, self.rooms, self)
        self.watchers = Watchers()
        self.signals = Signals(self.presence, self.watchers)
        self.rooms.on_silent_reaction = ReactionSums(connection, self.watchers, clock).changed
        self.feeder = Feeder(logs, self.membership.refresh, newest)
        self.rooms.announced = self.feeder.announced
        self._catching_up = CatchingUp(logs, self.presence, self.rooms, self.membership, epoch)
        connection.on_connected.append(self.sweep)

    def add(self, device: Device, talks: Iterable[Known]) -> None:
        """Add a device: it receives what it missed, then ``RESP_SYNCED``, then new messages."""
        self.presence.add(device)
        self.rooms.enter(device, talks)
        self.feeder.begin(device)

    def remove(self, device: Device) -> None:
        """Remove a device that has disconnected."""
        self.presence.remove(device)
        self.feeder.forget(device)
        self.watchers.forget(device)
        self.rooms.leave(device)

    def ask(self, device: Device, name: bytes) -> None:
        """Read the device's place from the store, see ``ILog``."""
        self._catching_up.ask(device, name)

    def catch_up(self, conversation: Conversation) -> None:
        """Read the log of the conversation, see ``ILog``."""
        self._catching_up.catch_up(conversation)

    def feed(self, device: Device) -> None:
        """Feed the device from the log, see ``ILog``."""
        self.feeder.feed(device)

    def sweep(self) -> None:
        """Read for every device what its login would read, because something may have been missed."""
        self._catching_up.sweep()
