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

from fishchat.client import Client, Edited, Pinned, Reacted, Recalled, RefusedError
from fishchat.proof.lab.changing import Changer, Wish
from fishchat.proof.lab.minimal import MinimalClient, Operation, Refused
from fishchat.proof.lab.record import Recorder

#: The greatest number of messages of one client without an answer.
WINDOW = 16
#: The messages a second of one client during a burst.
BURST = 400.0
#: Seconds for all answers.
ANSWERS = 20.0
#: The shares of what a client sends that change messages, and that answer one.
CHANGES, REPLIES = 0.25, 0.1


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
    :ivar owners: the account that runs each topic.
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
    owners: dict[str, str] = field(default_factory=dict)


class Talker:
    """One device of an account, which sends to each of its conversations and records what it receives.

    :ivar name: ``account/device``.
    :ivar places: where it sends: the address that ``send`` takes, and the conversation.
    :param independent: whether it uses the lab's own small client instead of the client library.
    :param plain: whether it knows nothing of operations, as an older program.
    """

    def __init__(self, name: str, scene: Scene, independent: bool = False, plain: bool = False) -> None:
        self.name = name
        self.account, _, self.device = name.partition("/")
        self.independent = independent
        self.plain = plain
        self.pending = 0
        self.places: list[tuple[str, str]] = []
        self._scene = scene
        self._number = 0
        self._logins = 0
        self._resting = False
        self._changer = Changer(self.account, scene.random)
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
        self._scene.recorder.device(self.name, not self.plain)

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
                to, conversation = scene.random.choice(places)
                if self.plain or scene.random.random() >= CHANGES or not self.change(conversation):
                    self.say(to, conversation)
            await deferLater(scene.reactor, scene.random.uniform(0.0, 2.0 / (BURST if scene.hurry else scene.rate)))

    async def command(self, method: str, *arguments: Any) -> Any:
        """Return the result of a method of the client, which is not restarted meanwhile."""
        await self.ready()
        self.pending += 1
        try:
            return await getattr(self.client, method)(*arguments)
        finally:
            self.pending -= 1

    async def ready(self) -> None:
        """Wait while the client is restarted: it would not answer what is asked of it then."""
        await within(self._scene.reactor, lambda: not self._resting, ANSWERS)

    def say(self, to: str, conversation: str) -> Deferred[None]:
        """Send a message; fires when it has its answer."""
        scene = self._scene
        text = self._text()
        known = self._changer.any(conversation) if scene.random.random() < REPLIES else None
        at = scene.recorder.send(self.name, conversation, text)
        self.pending += 1
        sent = self.client.send(to, text, reply=known.id if known else None)
        answered: Deferred[None] = sent.addBoth(self._answered, conversation, text, at)
        return answered

    def change(self, conversation: str) -> Deferred[None] | None:
        """Change a message that the device knows; None if there is nothing to change."""
        rules = self._scene.owners.get(conversation) == self.account
        wish = self._changer.wish(conversation, self._text(), rules)
        return self.do(wish, conversation) if wish is not None else None

    def do(self, wish: Wish, conversation: str) -> Deferred[None]:
        """Ask for an operation; fires when it has its answer."""
        self._number += 1
        key = f"{self.name} {self._number}"
        self._scene.recorder.change(key, self.name, wish.kind, wish.of.id, wish.of.origin, wish.what)
        self.pending += 1
        done: Deferred[None] = wish.ask(self.client).addBoth(self._done, key, wish, conversation)
        return done

    def known(self, conversation: str) -> Any:
        """Return a message of a conversation that the device knows, or None."""
        return self._changer.any(conversation)

    def _make(self, state: Any) -> Any:
        """Return a client that logs in at the server that the gateway names."""
        scene = self._scene
        login = f"{self.name}/{self._logins + 1}" if self._logins else self.name
        scene.recorder.begun(login)
        # The independent client speaks neither TLS nor of accounts.
        if self.independent and scene.authority is None:
            client: Any = MinimalClient(
                self.account, gateway=scene.gateway, reactor=scene.reactor, state=state, operations=not self.plain
            )
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
                operations=not self.plain,
            )
        client.on_message = lambda message: self._given(login, message)
        client.on_operation = lambda operation: tell(scene.recorder, login, operation)
        client.on_gap = lambda gap: scene.recorder.gap(login, gap.conversation, gap.first, gap.last)
        client.on_closed = self._closed
        return client

    def _text(self) -> str:
        self._number += 1
        # Letters of more than one byte, and a line break, which travels escaped.
        return f"{self.name} {self._number} 鱼传尺素" + "\nagain" * (self._number % 2)

    def _given(self, login: str, message: Any) -> None:
        # Notices are no messages; the small client passes them on alike.
        if getattr(message, "is_notice", False):
            return
        recorder = self._scene.recorder
        recorder.hand(login, message)
        origin = recorder.origins.get(message.text, message.text)
        self._changer.remember(message.conversation, message.id, origin, message.from_)

    def _answered(self, answer: str | Failure, conversation: str, text: str, at: float) -> None:
        self.pending -= 1
        if not isinstance(answer, Failure):
            self._scene.recorder.ok(self.name, conversation, text, answer, at)
            if answer:
                self._changer.remember(conversation, answer, text, self.account)
        elif answer.check(RefusedError, Refused):
            self._scene.recorder.refused(text, str(answer.value))

    def _done(self, answer: str | Failure, key: str, wish: Wish, conversation: str) -> None:
        self.pending -= 1
        if not isinstance(answer, Failure):
            self._changer.done(conversation, wish)
            self._scene.recorder.changed(key, self.name, wish.kind, wish.of.id, wish.of.origin, answer)
        elif answer.check(RefusedError, Refused):
            self._scene.recorder.unchanged(key, str(answer.value))

    def _closed(self, reason: str) -> None:
        if reason != "stopped":
            self._scene.recorder.complain("closed", f"{self.name} was closed: {reason}")


def tell(recorder: Recorder, login: str, operation: Any) -> None:
    """Record an operation that was delivered by either client."""
    kind, what = _kind_of(operation)
    recorder.tell(login, operation, kind, what)


def _kind_of(operation: Operation | Edited | Recalled | Reacted | Pinned) -> tuple[str, str]:
    if isinstance(operation, Edited):
        return "edit", operation.text
    if isinstance(operation, Recalled):
        return "recall", operation.reason
    if isinstance(operation, Reacted):
        return "react" if operation.added else "unreact", operation.reaction
    if isinstance(operation, Pinned):
        return "pin" if operation.added else "unpin", ""
    return operation.kind, operation.what


@implementer(ILogObserver)
class Failures:
    """Records the clients' log messages about their own failures."""

    def __init__(self, complain: Callable[[str, str], None]) -> None:
        self._complain = complain

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical:
            self._complain("client", f"a client failed: {event.get('log_failure') or event.get('log_format')}")
