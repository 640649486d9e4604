"""One run: a site, clients that talk, a fault while they do, and at the end the judgement of the checkers."""

from __future__ import annotations

import re
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList, FirstError, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import globalLogPublisher

from fishchat.client import ClosedError
from fishchat.model.names import p2p
from fishchat.proof.lab.checkers import recovery, violations
from fishchat.proof.lab.journal import read
from fishchat.proof.lab.minimal import Closed
from fishchat.proof.lab.probe import Probe
from fishchat.proof.lab.record import Recorder
from fishchat.proof.lab.site import SERVERS, Shape, Site
from fishchat.proof.lab.talkers import ANSWERS, Failures, Scene, Talker, within

#: Accounts, and how many of them share a topic; each talks with one other alone, too.
ACCOUNTS, TOPIC = 24, 6
#: Every fourth account has a second device, every third one speaks through the lab's own client.
SECOND_DEVICE, INDEPENDENT = 4, 3
#: Seconds of hurry before a fault, so that everything is under way then.
HURRY = 0.2
#: Seconds until everybody has an answer again, and until nothing arrives any more.
BACK, DRAIN, QUIET = 30.0, 30.0, 6.0
#: Seconds for what all clients do together; and how many messages of the store are read in a second at least.
TOGETHER, READ = 60.0, 1000
#: Seconds between two clients that start anew, while nothing is wrong.
MOVE_EVERY = 0.2


@dataclass(frozen=True)
class Plan:
    """What is asked of a run.

    :ivar seconds: how long the fault has; a fault may take a little longer.
    :ivar rate: messages a second, of all clients together.
    :ivar back: the longest time in seconds from the healing to the first ``OK``.
    :ivar probed: whether every command is to be answered in time: not while a msg_server itself hangs.
    :ivar notes: an empty directory for the journal and the data.
    """

    seed: int = 1
    seconds: float = 20.0
    rate: float = 500.0
    back: float = 10.0
    shape: Shape = field(default_factory=Shape)
    probed: bool = True
    notes: Path | None = None


class NotStartedError(Exception):
    """FishChat or its clients did not even start, so nothing is said of promises."""


class Run:
    """A run, and what a fault may use of it.

    :ivar random: for what the fault decides, so that a seed gives the same plan however fast the clients are.
    :ivar moving: whether clients start anew now and then; a fault that looks at connections may stop that.
    """

    def __init__(self, reactor: Any, name: str, act: Callable[[Run], Awaitable[None]], plan: Plan) -> None:
        self.reactor = reactor
        self.name = name
        self.plan = plan
        self.random = Random(plan.seed)
        self.site = Site(reactor, Random(plan.seed + 1000), plan.shape, plan.notes)
        self.recorder = Recorder(self.site.notes / "journal.jsonl", reactor.seconds)
        scene_random = Random(~plan.seed)
        rate = plan.rate / (ACCOUNTS + ACCOUNTS // SECOND_DEVICE)
        self.scene = Scene(reactor, self.site.gateway, scene_random, self.recorder, rate)
        self.talkers = self._talkers()
        self.conversations: dict[str, list[str]] = {}
        self.moving = True
        self.found: dict[str, list[str]] = {}
        ports = (self.site.place.msg_server + number for number in range(SERVERS))
        self.probes = [Probe(reactor, port, f"probe{port}", self.recorder) for port in ports]
        self._act = act

    async def run(self) -> dict[str, Any]:
        """Everything, from the start to the figures. NotStartedError when there was nothing that could be judged."""
        observer = Failures(self.recorder.complain)
        globalLogPublisher.addObserver(observer)
        try:
            await self._start()
            for part in (self._talk, self._settle, self._read_logs, self._stop_clients):
                await self._tried(part)
        finally:
            globalLogPublisher.removeObserver(observer)
        await self._tried(self._stop_site)
        self._look_for_tracebacks()
        self._look_for_nothing()
        self.recorder.close()
        return self.judge()

    async def end(self, keep: bool = False) -> None:
        """End what still runs, and remove the data."""
        self.recorder.close()
        await self.site.end(keep)

    def judge(self) -> dict[str, Any]:
        """What happened, in numbers, from the journal alone."""
        journal = read(self.site.notes / "journal.jsonl")
        self.found = violations(journal)
        back = recovery(journal)
        first = [one["first"] for one in back if one["first"] is not None]
        if first and max(first) > self.plan.back:
            self.found["late"] = [f"the first OK came {max(first)} s after a fault; allowed are {self.plan.back} s"]
        return {
            "fault": self.name,
            "seed": self.plan.seed,
            "sent": len(journal.sent),
            "acknowledged": len(journal.acknowledged),
            "handed": sum(map(len, journal.handed.values())),
            "faults": dict(sorted(self.recorder.faults.items())),
            "first_ok": max(first, default=None),
            "longest_answer": round(max(probe.longest for probe in self.probes), 3),
            "all_ok": max((one["all"] for one in back if one["all"] is not None), default=None),
            "violations": {name: len(sentences) for name, sentences in self.found.items() if sentences},
            "kept": not any(self.found.values()),
        }

    # For faults.

    async def pause(self, seconds: float) -> None:
        """Let so much time pass."""
        await deferLater(self.reactor, max(0.0, seconds))

    async def until(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Wait for it; the run is not kept when it does not come true in time."""
        if not await within(self.reactor, condition, seconds):
            self.recorder.complain(f"after {seconds} s still not: {what}")

    def signal(self, who: str, signum: signal.Signals) -> None:
        """Send it to this process; the run is not kept when there is none."""
        if not self.site.signal(who, signum):
            self.recorder.complain(f"there was no {who} that could get {signum.name}")

    async def hurry(self) -> None:
        """Have as much as possible under way at the return; from then on one conversation more is silent."""
        self.scene.hurry = True
        await self.pause(HURRY)
        self.scene.hurry = False
        left = sorted(self.conversations.keys() - self.scene.silent)
        if len(left) > len(self.conversations) / 2:
            self.scene.silent.add(self.random.choice(left))

    async def arrival(self, seconds: float) -> None:
        """Nobody sends until all that was sent has arrived; the run is not kept when that takes longer than this.

        What was missed has to be found out then, with nothing that follows it.
        """
        self.scene.muted = True
        await self.until(lambda: not any(talker.pending for talker in self.talkers.values()), ANSWERS, "all answers")
        recorder = self.recorder
        await self.until(lambda: recorder.handed >= recorder.due, seconds, "the arrival of all that was sent")
        self.scene.muted = False

    # The parts of a run.

    async def _start(self) -> None:
        try:
            await self.site.start()
            await self._meet()
        except CancelledError:
            raise
        except Exception as error:
            raise NotStartedError(f"nothing could be tried: {error}") from error

    async def _tried(self, part: Callable[[], Awaitable[None]]) -> None:
        """A part that fails is what a run is to find: what was until then is judged, and the run is not kept."""
        try:
            await part()
        except CancelledError:
            raise
        except Exception as error:
            self.recorder.complain(f"the run broke off: {type(error).__name__}: {error}")

    def _talkers(self) -> dict[str, Talker]:
        found = []
        for number in range(ACCOUNTS):
            account = f"user{number:02}"
            found.append(Talker(f"{account}/main", self.scene, independent=number % INDEPENDENT == 0))
            if number % SECOND_DEVICE == 0:
                found.append(Talker(f"{account}/phone", self.scene))
        return {talker.name: talker for talker in found}

    def devices(self, account: str) -> list[Talker]:
        """Those of an account."""
        return [talker for talker in self.talkers.values() if talker.account == account]

    async def _meet(self) -> None:
        """Everybody logs in; pairs and topics are formed."""
        await self._all([talker.start() for talker in self.talkers.values()])
        accounts = sorted({talker.account for talker in self.talkers.values()})
        self.random.shuffle(accounts)
        for one, other in zip(accounts[::2], accounts[1::2], strict=True):
            self._place(p2p(one.encode(), other.encode()).decode(), {one: other, other: one})
        self.random.shuffle(accounts)
        for number in range(len(accounts) // TOPIC):
            members = accounts[number * TOPIC : (number + 1) * TOPIC]
            topic = f"topic{number}"
            await self.devices(members[0])[0].client.create_topic(topic)
            await self._all([self.devices(account)[0].client.join(topic) for account in members[1:]])
            self._place(f"#{topic}", dict.fromkeys(members, f"#{topic}"))

    def _place(self, conversation: str, addresses: dict[str, str]) -> None:
        self.conversations[conversation] = list(addresses)
        devices = 0
        for account, to in addresses.items():
            self.recorder.membership(account, conversation, "asks-in")
            self.recorder.membership(account, conversation, "in")
            for talker in self.devices(account):
                talker.places.append((to, conversation))
                devices += 1
        self.recorder.receivers(conversation, devices)

    async def _talk(self) -> None:
        talks = [ensureDeferred(talker.talk()) for talker in self.talkers.values()]
        for probe in self.probes if self.plan.probed else ():
            probe.start()
        moves = ensureDeferred(self._move())
        began = self.reactor.seconds()
        try:
            await self._act(self)
            await self.pause(began + self.plan.seconds - self.reactor.seconds())
            await self.site.when_alive()
            healed = self.reactor.seconds()
            await self.until(partial(self._all_answered_since, healed), BACK, "an OK for everybody")
        finally:
            self.scene.talking = False
            for probe in self.probes:
                probe.stop()
        await self._all([*talks, moves])

    def _all_answered_since(self, when: float) -> bool:
        heard = self.recorder.heard
        return all(talker.is_silent or heard.get(name, 0.0) >= when for name, talker in self.talkers.items())

    async def _move(self) -> None:
        """Now and then a client starts anew: else, after two servers were killed in turn, all would be on one."""
        while self.scene.talking:
            talker = self.scene.random.choice(list(self.talkers.values()))
            # A login would bring what somebody missed in a conversation that is silent now.
            if self.moving and talker.is_loud:
                await talker.restart()
            await self.pause(MOVE_EVERY)

    async def _settle(self) -> None:
        """All sends are answered, and all that was acknowledged has arrived; or it is too late for that."""
        await within(self.reactor, lambda: not any(talker.pending for talker in self.talkers.values()), ANSWERS)
        await within(self.reactor, self._has_arrived, DRAIN)

    def _has_arrived(self) -> bool:
        recorder = self.recorder
        is_quiet = self.reactor.seconds() - recorder.last_handed > QUIET
        return is_quiet or recorder.handed >= recorder.due

    async def _read_logs(self) -> None:
        reading = [self._read_log(*item) for item in self.conversations.items()]
        await self._all(reading, TOGETHER + self.recorder.sent / READ)

    async def _stop_clients(self) -> None:
        await self._all([talker.client.stop() for talker in self.talkers.values()])

    async def _stop_site(self) -> None:
        if code := await self.site.stop():
            self.recorder.complain(f"fishchat up ended with code {code}")

    async def _read_log(self, conversation: str, members: list[str]) -> None:
        for account in members:
            try:
                return await self._read_as(self.devices(account)[0].client, conversation)
            except (ClosedError, Closed) as error:
                self.recorder.complain(f"{account} cannot read {conversation}: {error}")

    async def _read_as(self, client: Any, conversation: str) -> None:
        pages: list[list[Any]] = []
        while page := await client.history(conversation, before=pages[-1][0].id if pages else None, limit=100):
            pages.append(page)
        for page in reversed(pages):
            for item in page:
                self.recorder.log(conversation, item)

    def _look_for_nothing(self) -> None:
        """What was not done, and not asked, proves nothing."""
        if not self.recorder.faults:
            self.recorder.complain(f"in {self.plan.seconds} s nothing was done")
        for probe in self.probes if self.plan.probed else ():
            if not probe.stored:
                self.recorder.complain(f"{probe.account} was never told OK")

    def _look_for_tracebacks(self) -> None:
        for path in sorted([*self.site.data.glob("*.log*"), self.site.data / "output"]):
            # The error itself is the first line behind that is not indented.
            for found in re.findall(
                r"Traceback \(most recent.*\n(?:[ \t]+.*\n)*(.*)", path.read_text("utf-8", "replace")
            ):
                self.recorder.complain(f"{path.name} has a traceback: {found}")

    async def _all(self, waiting: list[Any], seconds: float = TOGETHER) -> None:
        """Wait for all of them. The first failure of one; TimeoutError when it takes longer."""
        deferreds: list[Deferred[Any]] = [ensureDeferred(one) for one in waiting]
        together = DeferredList(deferreds, fireOnOneErrback=True, consumeErrors=True)
        try:
            await together.addTimeout(seconds, self.reactor)
        except FirstError as first:
            first.subFailure.raiseException()
