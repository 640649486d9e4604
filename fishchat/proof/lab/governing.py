"""One topic is run while faults happen: members are muted, kicked and banned, and the ownership changes hands."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from twisted.internet.defer import TimeoutError as LateError
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.task import deferLater

from fishchat.client import ClosedError, RefusedError
from fishchat.proof.lab.minimal import Closed, Refused
from fishchat.proof.lab.participants import GOVERNED, Participants
from fishchat.proof.lab.rig import Rig
from fishchat.proof.lab.talkers import Scene, Talker

TOPIC = GOVERNED.removeprefix("#")
#: Seconds between two steps, and between two looks at the store.
PACE, LOOK = 0.3, 0.5


class Governor:
    """Runs the topic. Its members: two that own it in turn, two that only talk, one that suffers, one that reads.

    :ivar active: whether it acts; after a fault that takes something from the store nobody can say who is a member.
    """

    def __init__(self, scene: Scene, participants: Participants, random: Random) -> None:
        self.active = True
        self._scene = scene
        self._participants = participants
        self._random = random
        self._recorder = scene.recorder
        self._owner = self._heir = self._member = self._subject = ""

    async def meet(self) -> None:
        """Form the topic."""
        accounts = sorted({talker.account for talker in self._participants.talkers.values()})
        members = self._random.sample(accounts, 6)
        self._owner, self._heir, self._member, other, self._subject, _ = members
        await self._participants.assemble(members)
        self._recorder.owner(GOVERNED, self._owner, "asks-in")
        self._recorder.owner(GOVERNED, self._owner, "in")
        await self._as(self._owner, "set_role", self._heir, "admin")
        for account in (self._owner, self._heir, self._member, other):
            for talker in self._participants.devices(account):
                talker.places.append((GOVERNED, GOVERNED))

    async def run(self) -> None:
        """Act until the scene ends."""
        steps: list[Callable[[], Coroutine[Any, Any, None]]] = [self._mute, self._kick, self._ban, self._transfer]
        while self._scene.talking:
            self._random.shuffle(steps)
            for step in steps:
                if self._scene.talking and self.active and not self._scene.muted:
                    await step()
                await self._pause(PACE)

    async def look(self, rig: Rig) -> None:
        """Record again and again what the store has of the topic."""
        keys = [("HKEYS", f"{name}:{GOVERNED}") for name in ("members", "admins", "banned")]
        while self._scene.talking:
            began = self._recorder.now()
            try:
                reply = await rig.redis(("MULTI",), ("HGET", f"topic:{GOVERNED}", "owner"), *keys, ("EXEC",))
                owner, *accounts = reply[-1]
            except (OSError, ConnectError, ConnectionClosed, LateError, TypeError, ValueError):
                # Redis is down, stopped or loading.
                pass
            else:
                names = [[one.decode() for one in found] for found in accounts]
                self._recorder.sight(began, GOVERNED, (owner or b"").decode(), *names)
            await self._pause(LOOK)

    async def _pause(self, seconds: float) -> None:
        await deferLater(self._scene.reactor, seconds)

    def _device(self, account: str) -> Talker:
        return self._random.choice(self._participants.devices(account))

    async def _as(self, account: str, method: str, *arguments: str) -> str:
        """Return the word of the answer to a command of this account."""
        try:
            await self._device(account).command(method, TOPIC, *arguments)
        except (RefusedError, Refused) as refused:
            return refused.word
        except (ClosedError, Closed) as closed:
            return str(closed)
        return "OK"

    async def _surely(self, account: str, method: str, *arguments: str) -> None:
        word = await self._as(account, method, *arguments)
        if word != "OK":
            self._recorder.complain("failed", f"{account} may {method} {arguments}, but the answer is {word}")

    async def _attempt(self, account: str, method: str, *arguments: str) -> None:
        """Try what is forbidden."""
        began = self._recorder.now()
        word = await self._as(account, method, *arguments)
        self._recorder.attempt(began, account, GOVERNED, method, word)

    async def _mute(self) -> None:
        """The subject is muted, leaves, joins again, and is still muted."""
        recorder, subject = self._recorder, self._subject
        await self._attempt(self._member, "mute", subject)
        recorder.sanction("mute", subject, GOVERNED, "asks-in")
        await self._surely(self._heir, "mute", subject)
        recorder.sanction("mute", subject, GOVERNED, "in")
        await self._speak()
        await self._step(subject, subject, "leave", "asks-out", "out")
        await self._join()
        await self._speak()
        recorder.sanction("mute", subject, GOVERNED, "asks-out")
        await self._surely(self._owner, "unmute", subject)
        recorder.sanction("mute", subject, GOVERNED, "out")
        await self._speak()

    async def _kick(self) -> None:
        await self._attempt(self._member, "kick", self._subject)
        await self._step(self._owner, self._subject, "kick", "asks-out", "out")
        await self._join()
        await self._speak()

    async def _ban(self) -> None:
        recorder, subject = self._recorder, self._subject
        await self._attempt(self._member, "ban", subject)
        recorder.sanction("ban", subject, GOVERNED, "asks-in")
        await self._step(self._heir, subject, "ban", "asks-out", "out")
        recorder.sanction("ban", subject, GOVERNED, "in")
        # Long enough for the store to be looked at.
        await self._pause(2 * LOOK)
        await self._attempt(subject, "join")
        recorder.sanction("ban", subject, GOVERNED, "asks-out")
        await self._surely(self._owner, "unban", subject)
        recorder.sanction("ban", subject, GOVERNED, "out")
        await self._join()

    async def _transfer(self) -> None:
        await self._attempt(self._heir, "set_role", self._member, "admin")
        self._recorder.owner(GOVERNED, self._heir, "asks-in")
        word = await self._as(self._owner, "transfer", self._heir)
        # After a lost answer the former owner has no right to do it again.
        if word not in ("OK", "RIGHTS"):
            self._recorder.complain("failed", f"{self._owner} may transfer the topic, but the answer is {word}")
        self._recorder.owner(GOVERNED, self._heir, "in")
        self._owner, self._heir = self._heir, self._owner

    async def _join(self) -> None:
        await self._step(self._subject, self._subject, "join", "asks-in", "in")

    async def _step(self, actor: str, account: str, method: str, before: str, after: str) -> None:
        """Change a membership, by its own account or by another one."""
        self._recorder.membership(account, GOVERNED, before)
        await self._surely(actor, method, *([account] if actor != account else []))
        self._recorder.membership(account, GOVERNED, after)

    async def _speak(self) -> None:
        """The subject sends a message and an operation; the journal says whether it may."""
        talker = self._device(self._subject)
        await talker.ready()
        await talker.say(GOVERNED, GOVERNED)
        await talker.ready()
        if not talker.plain and (changing := talker.change(GOVERNED)) is not None:
            await changing
