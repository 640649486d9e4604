"""Clients that talk without end and keep a journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, LogLevel
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.client import Client, RefusedError
from fishchat.proof.lab.minimal import MinimalClient, Refused
from fishchat.proof.lab.record import Recorder

#: Sends of one client without an answer at most.
WINDOW = 16
#: How many a second a client sends while there is hurry.
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
    :ivar rate: messages a second of one client.
    :ivar hurry: as much as possible is to be under way.
    :ivar muted: nobody sends for now.
    :ivar silent: conversations in which nothing is said any more: what is missing there will not show by what follows.
    """

    reactor: Any
    gateway: str
    random: Random
    recorder: Recorder
    rate: float
    talking: bool = True
    hurry: bool = False
    muted: bool = False
    silent: set[str] = field(default_factory=set)


class Talker:
    """One device of an account, which sends to each of its conversations and notes what it is handed.

    :ivar name: ``account/device``.
    :ivar places: where it sends: what ``send`` takes, and the conversation.
    :param independent: whether it is the lab's own small client and not that of the product.
    """

    def __init__(self, name: str, scene: Scene, independent: bool = False) -> None:
        self.name = name
        self.account, _, self.device = name.partition("/")
        self.independent = independent
        self.pending = 0
        self.places: list[tuple[str, str]] = []
        self._scene = scene
        self._number = 0
        self._logins = 0
        self._resting = False
        self.client: Any = self._make(None)

    @property
    def is_silent(self) -> bool:
        """Whether it has nowhere left to send."""
        return all(conversation in self._scene.silent for _, conversation in self.places)

    @property
    def is_loud(self) -> bool:
        """Whether it may send wherever it can."""
        return not any(conversation in self._scene.silent for _, conversation in self.places)

    async def start(self) -> None:
        """Log in for the first time."""
        await self.client.start()
        self._scene.recorder.device(self.name)

    async def restart(self) -> None:
        """End when all is answered, and go on as a new program does, perhaps at another server."""
        self._resting = True
        # What has no answer yet would be sent by the new program, and nobody would hear of it here.
        if await within(self._scene.reactor, lambda: not self.pending, ANSWERS):
            await self.client.stop()
            self.client = self._make(self.client.state)
            await self.client.start()
        self._resting = False

    async def take_over(self) -> None:
        """Log in a second program that is the same device, while the first one is there: it is put in its place."""
        self._resting = True
        if not await within(self._scene.reactor, lambda: not self.pending, ANSWERS):
            self._resting = False
            return
        first, replaced = self.client, Deferred[str]()
        first.on_closed = replaced.callback
        self._logins += 1
        self.client = self._make(first.state)
        await self.client.start()
        reason = await replaced.addTimeout(ANSWERS, self._scene.reactor, lambda *_: "is still there")
        if reason != "replaced":
            self._scene.recorder.complain(f"the first of two programs that are {self.name} {reason}")
        self._resting = False

    async def talk(self) -> None:
        """Send until it is enough."""
        scene = self._scene
        while scene.talking:
            places = [place for place in self.places if place[1] not in scene.silent]
            if places and self.pending < WINDOW and not self._resting and not scene.muted:
                self._send(*scene.random.choice(places))
            await deferLater(scene.reactor, scene.random.uniform(0.0, 2.0 / (BURST if scene.hurry else scene.rate)))

    def _make(self, state: Any) -> Any:
        """A client that logs in at whatever server the gateway names."""
        scene = self._scene
        login = f"{self.name}/{self._logins + 1}" if self._logins else self.name
        if self.independent:
            client: Any = MinimalClient(self.account, gateway=scene.gateway, reactor=scene.reactor, state=state)
        else:
            client = Client(
                self.account,
                device=self.device,
                gateway=scene.gateway,
                servers=(),
                reactor=scene.reactor,
                state=state,
            )
        client.on_message = lambda message: scene.recorder.hand(login, message)
        client.on_gap = lambda gap: scene.recorder.gap(login, gap.conversation, str(gap))
        client.on_closed = self._closed
        return client

    def _send(self, to: str, conversation: str) -> None:
        self._number += 1
        # Letters of more than one byte, and a line break, which travels escaped.
        text = f"{self.name} {self._number} 鱼传尺素" + "\nagain" * (self._number % 2)
        at = self._scene.recorder.send(self.name, conversation, text)
        self.pending += 1
        self.client.send(to, text).addBoth(self._answered, conversation, text, at)

    def _answered(self, answer: str | Failure, conversation: str, text: str, at: float) -> None:
        self.pending -= 1
        if not isinstance(answer, Failure):
            self._scene.recorder.ok(self.name, conversation, text, answer, at)
        elif answer.check(RefusedError, Refused):
            self._scene.recorder.refused(text, str(answer.value))

    def _closed(self, reason: str) -> None:
        if reason != "stopped":
            self._scene.recorder.complain(f"{self.name} was closed: {reason}")


@implementer(ILogObserver)
class Failures:
    """Notes what the clients log as their own failure."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical:
            self._complain(f"a client failed: {event.get('log_failure') or event.get('log_format')}")
