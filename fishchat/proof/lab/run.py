"""One run: a rig, clients that talk, a fault while they do, and the judgement of the checkers at the end."""

from __future__ import annotations

import re
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import globalLogPublisher

from fishchat.proof.lab.checkers import violations
from fishchat.proof.lab.governing import Governor
from fishchat.proof.lab.inspection import Inspector
from fishchat.proof.lab.journal import Journal
from fishchat.proof.lab.participants import DEVICES, GOVERNED, Participants
from fishchat.proof.lab.probe import Probe
from fishchat.proof.lab.reading import read
from fishchat.proof.lab.record import Recorder
from fishchat.proof.lab.recovery import recovery
from fishchat.proof.lab.rig import Rig, Shape
from fishchat.proof.lab.talkers import ANSWERS, Failures, Scene, within
from fishchat.proof.site import SERVERS

#: Seconds of a burst before a fault, so that many messages are under way then.
HURRY = 0.2
#: Seconds until every client has an answer again, until everything has arrived, and of silence that end the waiting.
BACK, DRAIN, QUIET = 30.0, 30.0, 6.0
#: Seconds between two clients that restart.
MOVE_EVERY = 0.2


@dataclass(frozen=True)
class Plan:
    """The parameters of a run.

    :ivar seconds: how long the fault has; a fault may take a little longer.
    :ivar rate: the messages a second of all clients together.
    :ivar back: the seconds within which every msg_server and every client must have an ``OK`` after the fault.
    :ivar notes: an empty directory for the journal and the data.
    """

    seed: int = 1
    seconds: float = 20.0
    rate: float = 500.0
    back: float = 10.0
    shape: Shape = field(default_factory=Shape)
    notes: Path | None = None


class NotStartedError(Exception):
    """FishChat or its clients did not start, so the run shows nothing about promises."""


class Run:
    """A run, and what a fault may use of it.

    :ivar random: for decisions of the fault, so that a seed gives the same plan however fast the clients are.
    :ivar moving: whether clients restart now and then; a fault that looks at connections may turn that off.
    :ivar governor: has members of one topic muted, kicked and banned.
    :ivar probes: the probe of each msg_server, by its id.
    """

    def __init__(self, reactor: Any, name: str, act: Callable[[Run], Awaitable[None]], plan: Plan) -> None:
        self.reactor = reactor
        self.name = name
        self.plan = plan
        self.random = Random(plan.seed)
        self.rig = Rig(reactor, Random(plan.seed + 1000), plan.shape, plan.notes)
        self.recorder = Recorder(self.rig.notes / "journal.jsonl", reactor.seconds)
        self.recorder.plan(name, plan.back)
        self.scene = Scene(reactor, "", Random(~plan.seed), self.recorder, plan.rate / DEVICES)
        self.participants = Participants(reactor, self.scene)
        self.governor = Governor(self.scene, self.participants, Random(plan.seed + 2000))
        self.moving = True
        self.found: dict[str, list[str]] = {}
        self.probes = {f"ms{number + 1}": self._probe(number) for number in range(SERVERS)}
        self._act = act

    def _probe(self, number: int) -> Probe:
        return Probe(self.reactor, self.rig.place.msg_server + number, f"ms{number + 1}", self.recorder)

    async def run(self) -> dict[str, Any]:
        """Do everything, and return the figures. NotStartedError when there was nothing to judge."""
        observer = Failures(self.recorder.complain)
        globalLogPublisher.addObserver(observer)
        try:
            await self._start()
            inspector = Inspector(self.reactor, self.rig, self.scene, self.participants)
            reading = (self.participants.read_logs, inspector.inspect)
            for part in (self._talk, self._settle, *reading, self.participants.stop):
                await self._tried(part)
        finally:
            globalLogPublisher.removeObserver(observer)
        await self._tried(self._stop_rig)
        self.look_for_tracebacks()
        self.look_for_nothing()
        self.recorder.close()
        return self.judge()

    async def end(self, keep: bool = False) -> None:
        """End all remaining processes, and remove the data."""
        self.recorder.close()
        await self.rig.end(keep)

    def judge(self) -> dict[str, Any]:
        """Return the figures, which are taken from the journal alone."""
        journal = read(self.rig.notes / "journal.jsonl")
        self.found = violations(journal)
        return {
            "fault": self.name,
            "seed": self.plan.seed,
            **({"tls": True} if self.plan.shape.secure else {}),
            **_figures(journal),
            "faults": dict(sorted(self.recorder.faults.items())),
            "longest_answer": round(max(probe.longest for probe in self.probes.values()), 3),
            "violations": {name: len(sentences) for name, sentences in self.found.items() if sentences},
            "kept": not any(self.found.values()),
        }

    # For faults.

    async def pause(self, seconds: float) -> None:
        """Let so many seconds pass."""
        await deferLater(self.reactor, max(0.0, seconds))

    async def until(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Wait for a condition; record a complaint when it does not hold in time."""
        if not await within(self.reactor, condition, seconds):
            self.recorder.complain("stalled", f"not within {seconds} s: {what}")

    def signal(self, who: str, signum: signal.Signals) -> None:
        """Send a signal to a process; record a complaint when there is none."""
        if not self.rig.signal(who, signum):
            self.recorder.complain("setup", f"there was no {who} that could get {signum.name}")

    async def hurry(self) -> None:
        """Have many messages under way at the return; from then on one more conversation is silent."""
        self.scene.hurry = True
        await self.pause(HURRY)
        self.scene.hurry = False
        conversations = self.participants.conversations.keys() - {GOVERNED}
        left = sorted(conversations - self.scene.silent)
        if len(left) > len(conversations) / 2:
            self.scene.silent.add(self.random.choice(left))

    async def arrival(self, seconds: float) -> None:
        """Stop all sending until everything has arrived; record a complaint when that takes longer.

        Missed messages have to be found without a later one then.
        """
        self.scene.muted = True
        await self.until(lambda: not self.participants.pending, ANSWERS, "all answers")
        await self.until(self.recorder.has_arrived, seconds, "the arrival of everything sent")
        self.scene.muted = False

    # The parts of a run.

    async def _start(self) -> None:
        try:
            await self.rig.start()
            self.scene.gateway, self.scene.authority = self.rig.gateway, self.rig.authority
            if self.plan.shape.secure:
                await self.participants.enrol(self.rig.place.redis_url, list(self.probes.values()))
            await self.participants.meet(self.random)
            await self.governor.meet()
        except CancelledError:
            raise
        except Exception as error:
            raise NotStartedError(f"nothing could be tried: {type(error).__name__}: {error}") from error

    async def _tried(self, part: Callable[[], Awaitable[None]]) -> None:
        """Do a part. A failure belongs to the run: everything before it is judged, and the run is not kept."""
        try:
            await part()
        except CancelledError:
            raise
        except Exception as error:
            self.recorder.complain("failed", f"the run broke off: {type(error).__name__}: {error}")

    async def _talk(self) -> None:
        talks = [ensureDeferred(talker.talk()) for talker in self.participants.talkers.values()]
        for probe in self.probes.values():
            probe.start()
        moves = ensureDeferred(self._move())
        rules = [ensureDeferred(one) for one in (self.governor.run(), self.governor.look(self.rig))]
        began = self.reactor.seconds()
        try:
            await self._act(self)
            await self.pause(began + self.plan.seconds - self.reactor.seconds())
            await self.rig.when_alive()
            await self._recover()
        finally:
            self.scene.talking = False
            for probe in self.probes.values():
                probe.stop()
        await self.participants.together([*talks, moves, *rules])

    async def _recover(self) -> None:
        """Wait until every client and every msg_server has acknowledged something that was sent from now on."""
        healed = self.reactor.seconds()
        stored = {probe: probe.stored for probe in self.probes.values()}
        everybody = partial(self.participants.have_answers_since, healed)
        await self.until(everybody, BACK, "an OK for every client")
        # The first one may have been sent before.
        await self.until(
            lambda: all(probe.stored > before + 1 for probe, before in stored.items()),
            BACK,
            "an OK of every msg_server",
        )

    async def _move(self) -> None:
        """Restart a client now and then: else, after two servers were killed in turn, all would be on one."""
        while self.scene.talking:
            talker = self.scene.random.choice(list(self.participants.talkers.values()))
            # A login would deliver missed messages of a conversation that is silent now.
            if self.moving and talker.is_loud:
                await talker.restart()
            await self.pause(MOVE_EVERY)

    async def _settle(self) -> None:
        """Wait until every message is answered and everything acknowledged has arrived, or until it is too late."""
        await within(self.reactor, lambda: not self.participants.pending, ANSWERS)
        await within(self.reactor, self._has_arrived, DRAIN)

    def _has_arrived(self) -> bool:
        recorder = self.recorder
        is_quiet = self.reactor.seconds() - recorder.last_handed > QUIET
        return is_quiet or recorder.has_arrived()

    async def _stop_rig(self) -> None:
        if code := await self.rig.stop():
            self.recorder.complain("failed", f"fishchat up ended with code {code}")

    def look_for_nothing(self) -> None:
        """Record a complaint when nothing was done, or when a probe was never answered: that proves nothing."""
        if not self.recorder.faults:
            self.recorder.complain("setup", f"in {self.plan.seconds} s nothing was done")
        for probe in self.probes.values():
            if not probe.stored:
                self.recorder.complain("setup", f"{probe.account} never got an OK")

    def look_for_tracebacks(self) -> None:
        """Record a complaint for each traceback in the logs."""
        for path in self.rig.logs:
            # The error itself is the first line after that which is not indented.
            for found in re.findall(
                r"Traceback \(most recent.*\n(?:[ \t]+.*\n)*(.*)", path.read_text("utf-8", "replace")
            ):
                self.recorder.complain("traceback", f"{path.name} has a traceback: {found}")


def _figures(journal: Journal) -> dict[str, Any]:
    back = recovery(journal)
    return {
        "sent": len(journal.sent),
        "acknowledged": len(journal.acknowledged),
        "handed": sum(map(len, journal.handed.values())),
        "first_ok": max((one.first for one in back if one.first is not None), default=None),
        "all_ok": max((one.all for one in back if one.all is not None), default=None),
    }
