"""Clients that send messages all the time and keep a journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
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

#: The greatest number of messages of one client without an answer.
WINDOW = 16
#: The messages a second of one client during a burst.
BURST = 400.0
#: Seconds for all answers.
ANSWERS = 20.0


async def within(reactor: Any, condition: Callable[[], object], seconds: float) -> bool:
    """Wait for a condition, at most so many seconds; return whether it holds."""
    deadline = reactor.seconds() + seconds
    while not condition():
        if reactor.seconds() >= deadline:
            return False
        await deferLater(reactor, 0.02)
    return True


@dataclass
class Scene:
    """The common state of all clients.

    :ivar gateway: the address of the gateway.
    :ivar rate: the messages a second of one client.
    :ivar authority: the file of the authority that clients trust, if they use TLS; ``secrets`` then has a token for
        each ``account/device``.
    :ivar hurry: whether clients send as much as they can.
    :ivar muted: whether all sending is paused.
    :ivar silent: conversations without further sends: no later message reveals a missing one there.
    """

    reactor: Any
    gateway: str
    random: Random
    recorder: Recorder
    rate: float
    authority: Path | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    talking: bool = True
    hurry: bool = False
    muted: bool = False
    silent: set[str] = field(default_factory=set)


class Talker:
    """One device of an account, which sends to each of its conversations and records what it receives.

    :ivar name: ``account/device``.
    :ivar places: where it sends: the address that ``send`` takes, and the conversation.
    :param independent: whether it uses the lab's own small client instead of the client library.
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
        self.client: Any = None

    @property
    def is_silent(self) -> bool:
        """Whether all its conversations are silent."""
        return all(conversation in self._scene.silent for _, conversation in self.places)

    @property
    def is_loud(self) -> bool:
        """Whether none of its conversations is silent."""
        return not any(conversation in self._scene.silent for _, conversation in self.places)

    async def start(self) -> None:
        """Log in for the first time."""
        self.client = self._make(None)
        await self.client.start()
        self._scene.recorder.device(self.name)

    async def restart(self) -> None:
        """Stop when everything is answered, and continue as a new program, perhaps at another server."""
        self._resting = True
        # The new program would repeat unanswered sends, and their answers would not be recorded here.
        if await within(self._scene.reactor, lambda: not self.pending, ANSWERS):
            await self.client.stop()
            self.client = self._make(self.client.state)
            await self.client.start()
        self._resting = False

    async def take_over(self) -> None:
        """Log in a second program of the same device while the first one is connected; it must replace the first."""
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
            self._scene.recorder.complain("replaced", f"the first of two programs of {self.name} {reason}")
        self._resting = False

    async def talk(self) -> None:
        """Send until the scene ends."""
        scene = self._scene
        while scene.talking:
            places = [place for place in self.places if place[1] not in scene.silent]
            if places and self.pending < WINDOW and not self._resting and not scene.muted:
                self._send(*scene.random.choice(places))
            await deferLater(scene.reactor, scene.random.uniform(0.0, 2.0 / (BURST if scene.hurry else scene.rate)))

    def _make(self, state: Any) -> Any:
        """Return a client that logs in at the server that the gateway names."""
        scene = self._scene
        login = f"{self.name}/{self._logins + 1}" if self._logins else self.name
        # The independent client speaks neither TLS nor of accounts.
        if self.independent and scene.authority is None:
            client: Any = MinimalClient(self.account, gateway=scene.gateway, reactor=scene.reactor, state=state)
        else:
            client = Client(
                self.account,
                secret=scene.secrets.get(self.name),
                device=self.device,
                gateway=scene.gateway,
                servers=(),
                tls=scene.authority,
                reactor=scene.reactor,
                state=state,
            )
        client.on_message = lambda message: self._hear(login, message)
        client.on_gap = lambda gap: scene.recorder.gap(login, gap.conversation, gap.first, gap.last)
        client.on_closed = self._closed
        return client

    def _hear(self, login: Any, message: Any) -> None:
        # The independent client passes on notices, such as those of new members, which nobody has sent.
        if not getattr(message, "is_notice", False):
            self._scene.recorder.hand(login, message)

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
            self._scene.recorder.complain("closed", f"{self.name} was closed: {reason}")


@implementer(ILogObserver)
class Failures:
    """Records the clients' log messages about their own failures."""

    def __init__(self, complain: Callable[[str, str], None]) -> None:
        self._complain = complain

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical:
            self._complain("client", f"a client failed: {event.get('log_failure') or event.get('log_format')}")
