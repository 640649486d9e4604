"""The people of the demo: clients who note what they send and what they receive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from fishchat.client import Client, HistoryItem, Message

TOPIC = "harbour"
#: The account of the person who looks on, and may write in a browser or a terminal meanwhile.
YOU = "you"
#: The most messages that one request of the history returns.
PAGE = 100


class Person:
    """One account on one device.

    :ivar received: ids of the messages that were pushed, in their order. :ivar sent: ids of the messages that are
    stored, in their order. :ivar said: how many were to be sent.
    :param hear: called with each message.
    """

    def __init__(
        self, account: str, servers: Sequence[str], reactor: Any, hear: Callable[[Message], None] | None = None
    ) -> None:
        self.client = Client(account, device="demo", servers=servers, reactor=reactor, operations=True)
        self.received: list[str] = []
        self.sent: list[str] = []
        self.said = 0
        self._hear = hear
        self.client.on_message = self._heard

    def _heard(self, message: Message) -> None:
        if message.from_ != YOU:
            self.received.append(message.id)
        if self._hear is not None:
            self._hear(message)

    def say(self, text: str, reply: str | None = None) -> Deferred[str]:
        """Send a message to the topic. The result fires with its id when it is stored."""
        self.said += 1
        return self.client.send(f"#{TOPIC}", text, reply).addCallback(self._stored)

    def _stored(self, message_id: str) -> str:
        self.sent.append(message_id)
        return message_id


async def broken_promise(people: Sequence[Person]) -> str:
    """Return which promise was not kept, or nothing. Everything that was sent must be stored already.

    Each message stands once in the history, in the order of its sender, and was pushed once to everyone else, in the
    order of the history.
    """
    history: list[HistoryItem] = await people[0].client.history(f"#{TOPIC}", limit=PAGE)
    stands = [item for item in history if not item.notice and item.from_ != YOU]
    order = [item.id for item in stands]
    if twice := [one for one, count in Counter(order).items() if count > 1]:
        return f"{twice} stand twice"
    for person in people:
        account = person.client.account
        if [item.id for item in stands if item.from_ == account] != person.sent:
            return f"what {account} wrote is not what stands"
        others = [item.id for item in stands if item.from_ != account]
        if person.received != others:
            return f"{account} received {person.received} instead of {others}"
    return ""
