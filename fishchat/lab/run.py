"""Kill every process of a running FishChat once while clients talk, and see whether the promises are kept.

``python -m fishchat.lab.run --seconds 60 --seed 1`` starts ``fishchat up --processes`` on free ports, with data of
its own; prints one line of JSON; and ends with code 1 when anything was lost, doubled, out of order, invented, or left
without an answer. What was wrong is then on standard error, and the data are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from functools import partial
from itertools import takewhile
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, ensureDeferred
from twisted.internet.task import deferLater, react
from twisted.logger import globalLogPublisher

from fishchat.clock import use_monotonic
from fishchat.lab.journal import Kill, Seen, recovery, violations
from fishchat.lab.processes import ROLES, Place, Up
from fishchat.lab.talkers import ANSWERS, Failures, Scene, Talker, within
from fishchat.model.names import p2p

#: Accounts, and how many of them share a topic; each talks with one other alone, too.
CLIENTS, TOPIC = 24, 6
#: Seconds of hurry before each kill, so that everything is under way then.
HURRY = 0.2
#: Seconds for everything to start; and at the end for everybody to be back, and for all messages to arrive.
START, BACK, DRAIN = 20.0, 20.0, 20.0
#: Sentences shown of each kind of violation.
SHOWN = 5


class Run:
    """One run, and all that it knows."""

    def __init__(
        self,
        reactor: Any,
        seconds: float,
        seed: int,
        rounds: int = 1,
        hang: float | None = None,
        data: Path | None = None,
    ) -> None:
        self.reactor = reactor
        self.rounds = rounds
        self.hang = hang
        self.seconds = seconds
        self.seed = seed
        #: For the plan alone, so that a seed gives the same one however fast the clients are.
        self.random = Random(seed)
        self.place = Place(data)
        self.up = Up(self.place)
        self.scene = Scene(reactor, f"127.0.0.1:{self.place.gateway}", Random(~seed))
        self.journal = self.scene.journal
        self.talkers = {name: Talker(name, self.scene) for name in (f"user{n:02}" for n in range(CLIENTS))}
        self.kills: list[Kill] = []
        self.restarts = 0
        self.begun = 0.0

    async def run(self) -> dict[str, Any]:
        """Everything, from the start to the figures. AssertionError when it cannot even start."""
        observer = Failures(self.journal.complaints)
        globalLogPublisher.addObserver(observer)
        try:
            await self.up.when_alive(self.reactor, START)
            await self._meet()
            await self._talk_and_kill()
            await self._settle()
            await self._read_logs()
        finally:
            self.scene.talking = False
            await self._all([talker.client.stop() for talker in self.talkers.values()])
            globalLogPublisher.removeObserver(observer)
        code = await self.up.stop(self.reactor)
        if code != 0:
            self.journal.complaints.append(f"fishchat up ended with code {code}")
        self._look_for_tracebacks()
        return self.figures()

    def end(self, keep: bool = False) -> None:
        """End what still runs, and remove the data."""
        self.up.kill()
        if not keep:
            self.place.close()

    def figures(self) -> dict[str, Any]:
        """What happened, in numbers."""
        found = {name: len(sentences) for name, sentences in violations(self.journal).items()}
        return {
            "seed": self.seed,
            "seconds": self.seconds,
            "rounds": self.rounds,
            "hang": self.hang,
            "sent": len(self.journal.sent),
            "acknowledged": len(self.journal.acknowledged),
            "handed": sum(map(len, self.journal.handed.values())),
            **found,
            "restarts": self.restarts,
            "kills": recovery(self.journal, self.kills, self.begun),
            "kept": not any(found.values()),
        }

    # The parts of a run.

    async def _meet(self) -> None:
        """Everybody logs in; pairs and topics are formed."""
        names = list(self.talkers)
        await self._all([talker.client.start() for talker in self.talkers.values()])
        self.random.shuffle(names)
        for one, other in zip(names[::2], names[1::2], strict=True):
            self._place(p2p(one.encode(), other.encode()).decode(), {one: other, other: one})
        self.random.shuffle(names)
        for number in range(len(names) // TOPIC):
            members = names[number * TOPIC : (number + 1) * TOPIC]
            topic = f"topic{number}"
            await self.talkers[members[0]].client.create_topic(topic)
            await self._all([self.talkers[name].client.join(topic) for name in members[1:]])
            self._place(f"#{topic}", dict.fromkeys(members, f"#{topic}"))
        self.journal.handed = {name: [] for name in names}

    def _place(self, conversation: str, addresses: dict[str, str]) -> None:
        self.journal.members[conversation] = list(addresses)
        for name, to in addresses.items():
            self.talkers[name].places.append((to, conversation))

    async def _talk_and_kill(self) -> None:
        self.begun = self.reactor.seconds()
        talks = [ensureDeferred(talker.talk()) for talker in self.talkers.values()]
        moves = ensureDeferred(self._move())
        victims = self._victims()
        for number, victim in enumerate(victims):
            at = self.begun + self.seconds * (number + self.random.uniform(0.2, 0.8)) / len(victims)
            await deferLater(self.reactor, max(0.0, at - self.reactor.seconds()))
            # In a short run of many rounds it may not be back from the last time.
            if await within(self.reactor, partial(self._runs, victim), BACK):
                await self._hit(victim)
            else:
                self.journal.complaints.append(f"{victim} does not come back")
        await deferLater(self.reactor, max(0.0, self.begun + self.seconds - self.reactor.seconds()))
        await self.up.when_alive(self.reactor, BACK)
        killed = self.reactor.seconds()
        await within(self.reactor, partial(self._all_answered_since, killed), BACK)
        self.scene.talking = False
        await self._all([*talks, moves])

    async def _hit(self, victim: str) -> None:
        self.scene.hurry = True
        await deferLater(self.reactor, HURRY)
        pid = self.up.running()[victim]
        self.kills.append(Kill(victim, self.reactor.seconds()))
        os.kill(pid, signal.SIGKILL if self.hang is None else signal.SIGSTOP)
        self.scene.hurry = False
        left = sorted(self.journal.members.keys() - self.scene.silent)
        if len(left) > len(self.journal.members) / 2:
            self.scene.silent.add(self.random.choice(left))
        if self.hang is not None:
            await deferLater(self.reactor, self.hang)
            os.kill(pid, signal.SIGCONT)

    def _runs(self, name: str) -> bool:
        return name in self.up.running()

    def _victims(self) -> list[str]:
        everybody = [*sorted(ROLES), "redis"]
        return [name for _ in range(self.rounds) for name in self.random.sample(everybody, len(everybody))]

    def _all_answered_since(self, when: float) -> bool:
        recent = takewhile(lambda one: one.at >= when, reversed(self.journal.sent))
        answered = {one.sender for one in recent if one.answered_at}
        return all(name in answered or talker.is_silent for name, talker in self.talkers.items())

    async def _move(self) -> None:
        """Now and then a client starts anew: else, after two servers were killed in turn, all would be on one."""
        while self.scene.talking:
            talker = self.scene.random.choice(list(self.talkers.values()))
            # A login would bring what somebody missed in a conversation that is silent now.
            if talker.is_loud:
                await talker.restart()
                self.restarts += 1
            await deferLater(self.reactor, 0.2)

    async def _settle(self) -> None:
        """All sends are answered, and all that was acknowledged has arrived; or it is too late for that."""
        await within(self.reactor, lambda: not any(talker.pending for talker in self.talkers.values()), ANSWERS)
        due = sum(len(self.journal.members[one.conversation]) - 1 for one in self.journal.acknowledged)
        await within(self.reactor, lambda: sum(map(len, self.journal.handed.values())) >= due, DRAIN)

    async def _read_logs(self) -> None:
        await self._all([self._read_log(*item) for item in self.journal.members.items()])

    async def _read_log(self, conversation: str, members: list[str]) -> None:
        client = self.talkers[members[0]].client
        log: list[Seen] = []
        before = None
        while page := await client.history(conversation, before=before, limit=100):
            log = [Seen(one.from_, conversation, one.text, one.id) for one in page] + log
            before = page[0].id
        self.journal.logs[conversation] = log

    def _look_for_tracebacks(self) -> None:
        for path in sorted([*self.place.data.glob("*.log"), self.place.data / "output"]):
            # The error itself is the first line behind that is not indented.
            for found in re.findall(
                r"Traceback \(most recent.*\n(?:[ \t]+.*\n)*(.*)", path.read_text("utf-8", "replace")
            ):
                self.journal.complaints.append(f"{path.name} has a traceback: {found}")

    @staticmethod
    async def _all(waiting: list[Any]) -> None:
        deferreds: list[Deferred[Any]] = [ensureDeferred(one) for one in waiting]
        await DeferredList(deferreds, fireOnOneErrback=True, consumeErrors=True)


async def main(reactor: Any, *arguments: str) -> None:
    """The command. Raises SystemExit(1) for a violation."""
    parser = argparse.ArgumentParser(prog="python -m fishchat.lab.run", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the killing takes")
    parser.add_argument("--seed", type=int, default=1, help="the order of the killing, and its moments")
    parser.add_argument("--rounds", type=int, default=1, help="how often each process is killed")
    parser.add_argument("--hang", type=float, help="let each process hang for so many seconds, instead of killing it")
    parser.add_argument("--data", type=Path, help="an empty directory for the data; they are kept")
    told = parser.parse_args(arguments)
    use_monotonic(reactor)
    run = Run(reactor, told.seconds, told.seed, told.rounds, told.hang, told.data)
    kept = False
    try:
        figures = await run.run()
        kept = figures["kept"]
    finally:
        run.end(keep=not kept)
    print(json.dumps(figures), flush=True)
    if kept:
        return
    for name, sentences in violations(run.journal).items():
        for sentence in sentences[:SHOWN]:
            print(f"{name}: {sentence}", file=sys.stderr)
    print(f"the data are in {run.place.data}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    react(main, sys.argv[1:])
