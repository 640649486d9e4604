"""Clients that talk without end and note what happens, for ``faults``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, LogLevel
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.client import Client, ClientState, Gap, Message, RefusedError
from fishchat.lab.journal import Journal, Seen, Sent

#: Sends of one client without an answer at most, and how many a second it begins on the average.
WINDOW, RATE = 8, 40.0
#: How many a second while there is hurry.
BURST = 400.0
#: Seconds for all answers.
ANSWERS = 20.0


async def within(reactor: Any, condition: Callable[[], object], seconds: float) -> bool:
    """Wait for a condition, so long at most; whether it came true."""
    deadline = reactor.seconds() + seconds
    while not condition():
        if reactor.seconds() >= deadline:
            return False
        await deferLater(reactor, 0.02)
    return True


@dataclass
class Scene:
    """What all talkers share.

    :ivar gateway: its address.
    :ivar hurry: as much as possible is to be under way.
    :ivar silent: conversations in which nothing is said any more: what is missing there will not show by what follows.
    """

    reactor: Any
    gateway: str
    random: Random
    journal: Journal = field(default_factory=Journal)
    talking: bool = True
    hurry: bool = False
    silent: set[str] = field(default_factory=set)


class Talker:
    """An account with one device, which sends to each of its conversations and notes what it is handed."""

    def __init__(self, name: str, scene: Scene) -> None:
        self.name = name
        self.pending = 0
        #: Where it sends: what ``Client.send`` takes, and the conversation.
        self.places: list[tuple[str, str]] = []
        self._scene = scene
        self._number = 0
        self._resting = False
        self.client = self._make(None)

    def _make(self, state: ClientState | None) -> Client:
        """A client that logs in at whatever server the gateway names."""
        client = Client(self.name, gateway=self._scene.gateway, servers=(), reactor=self._scene.reactor, state=state)
        client.on_message, client.on_gap, client.on_closed = self._handed, self._told_of_gap, self._closed
        return client

    @property
    def is_silent(self) -> bool:
        """Whether it has nowhere left to send."""
        return all(conversation in self._scene.silent for _, conversation in self.places)

    @property
    def is_loud(self) -> bool:
        """Whether it may send wherever it can."""
        return not any(conversation in self._scene.silent for _, conversation in self.places)

    async def restart(self) -> None:
        """End when all is answered, and go on as a new program does, perhaps at another server."""
        self._resting = True
        await within(self._scene.reactor, lambda: not self.pending, ANSWERS)
        await self.client.stop()
        self.client = self._make(self.client.state)
        await self.client.start()
        self._resting = False

    async def talk(self) -> None:
        """Send until it is enough."""
        scene = self._scene
        while scene.talking:
            places = [place for place in self.places if place[1] not in scene.silent]
            if places and self.pending < WINDOW and not self._resting:
                self._send(*scene.random.choice(places))
            await deferLater(scene.reactor, scene.random.uniform(0.0, 2.0 / (BURST if scene.hurry else RATE)))

    def _send(self, to: str, conversation: str) -> None:
        self._number += 1
        # Letters of more than one byte, and a line break, which travels escaped.
        text = f"{self.name} {self._number} 鱼传尺素" + "\nagain" * (self._number % 2)
        sent = Sent(self.name, conversation, text, self._scene.reactor.seconds())
        self._scene.journal.sent.append(sent)
        self.pending += 1
        self.client.send(to, text).addBoth(self._answered, sent)

    def _answered(self, answer: str | Failure, sent: Sent) -> None:
        self.pending -= 1
        sent.answered_at = self._scene.reactor.seconds()
        if not isinstance(answer, Failure):
            sent.id = answer
        elif answer.check(RefusedError):
            sent.refused = str(answer.value)

    def _handed(self, message: Message) -> None:
        seen = Seen(message.from_, message.conversation, message.text, message.id)
        journal = self._scene.journal
        journal.handed[self.name].append(seen)
        journal.arrived[message.text] = self._scene.reactor.seconds()

    def _told_of_gap(self, gap: Gap) -> None:
        self._scene.journal.complaints.append(f"{self.name} was told of a {gap}")

    def _closed(self, reason: str) -> None:
        if reason != "stopped":
            self._scene.journal.complaints.append(f"{self.name} was closed: {reason}")


@implementer(ILogObserver)
class Failures:
    """Notes what the clients log as their own failure."""

    def __init__(self, complaints: list[str]) -> None:
        self._complaints = complaints

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical:
            self._complaints.append(f"a client failed: {event.get('log_failure') or event.get('log_format')}")
