"""Kill every process of a running FishChat once while clients talk, and see whether the promises are kept.

``python -m fishchat.test.faults --seconds 60 --seed 1`` starts ``fishchat up --processes`` on free ports, with data of
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
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, ensureDeferred
from twisted.internet.task import deferLater, react
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.client import Client, ClientState, Gap, Message, RefusedError
from fishchat.clock import use_monotonic
from fishchat.model.names import p2p
from fishchat.test.journal import Journal, Kill, Seen, Sent, recovery, violations
from fishchat.test.processes import ROLES, Place, Up

#: Accounts, and how many of them share a topic; each talks with one other alone, too.
CLIENTS, TOPIC = 24, 6
#: Sends of one client without an answer at most, and how many a second it begins on the average.
WINDOW, RATE = 8, 40.0
#: Seconds for everything to start; and at the end for everybody to be back, for all answers, for all messages.
START, BACK, ANSWERS, DRAIN = 20.0, 20.0, 20.0, 20.0
#: Sentences shown of each kind of violation.
SHOWN = 5


class Talker:
    """An account with one device, which sends to each of its conversations and notes what it is handed."""

    def __init__(self, name: str, run: Run) -> None:
        self.name = name
        self.pending = 0
        #: Where it sends: what ``Client.send`` takes, and the conversation.
        self.places: list[tuple[str, str]] = []
        self._run = run
        self._number = 0
        self._resting = False
        self.client = self._make(None)

    def _make(self, state: ClientState | None) -> Client:
        """A client that logs in at whatever server the gateway names."""
        gateway = f"127.0.0.1:{self._run.place.gateway}"
        client = Client(self.name, gateway=gateway, servers=(), reactor=self._run.reactor, state=state)
        client.on_message, client.on_gap, client.on_closed = self._handed, self._told_of_gap, self._closed
        return client

    async def restart(self) -> None:
        """End when all is answered, and go on as a new program does, perhaps at another server."""
        self._resting = True
        await self._run.until(lambda: not self.pending, ANSWERS)
        await self.client.stop()
        self.client = self._make(self.client.state)
        await self.client.start()
        self._resting = False

    async def talk(self) -> None:
        """Send until the run says that it is enough."""
        run = self._run
        while run.talking:
            if self.pending < WINDOW and not self._resting:
                self._send(*run.random.choice(self.places))
            await deferLater(run.reactor, run.random.uniform(0.0, 2.0 / RATE))

    def _send(self, to: str, conversation: str) -> None:
        self._number += 1
        # Letters of more than one byte, and a line break, which travels escaped.
        text = f"{self.name} {self._number} 鱼传尺素" + "\nagain" * (self._number % 2)
        sent = Sent(self.name, conversation, text, self._run.reactor.seconds())
        self._run.journal.sent.append(sent)
        self.pending += 1
        self.client.send(to, text).addBoth(self._answered, sent)

    def _answered(self, answer: str | Failure, sent: Sent) -> None:
        self.pending -= 1
        sent.answered_at = self._run.reactor.seconds()
        if not isinstance(answer, Failure):
            sent.id = answer
        elif answer.check(RefusedError):
            sent.refused = str(answer.value)

    def _handed(self, message: Message) -> None:
        seen = Seen(message.from_, message.conversation, message.text, message.id)
        journal = self._run.journal
        journal.handed[self.name].append(seen)
        journal.arrived[message.text] = self._run.reactor.seconds()

    def _told_of_gap(self, gap: Gap) -> None:
        self._run.journal.complaints.append(f"{self.name} was told of a {gap}")

    def _closed(self, reason: str) -> None:
        if reason != "stopped":
            self._run.journal.complaints.append(f"{self.name} was closed: {reason}")


@implementer(ILogObserver)
class _Failures:
    """Notes what the clients log as their own failure."""

    def __init__(self, complaints: list[str]) -> None:
        self._complaints = complaints

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical:
            self._complaints.append(f"a client failed: {event.get('log_failure') or event.get('log_format')}")


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
        self.random = Random(seed)
        self.place = Place(data)
        self.up = Up(self.place)
        self.journal = Journal()
        self.talkers = {name: Talker(name, self) for name in (f"user{n:02}" for n in range(CLIENTS))}
        self.talking = True
        self.kills: list[Kill] = []
        self.restarts = 0
        self.begun = 0.0

    async def run(self) -> dict[str, Any]:
        """Everything, from the start to the figures. AssertionError when it cannot even start."""
        observer = _Failures(self.journal.complaints)
        globalLogPublisher.addObserver(observer)
        try:
            await self.up.when_alive(self.reactor, START)
            await self._meet()
            await self._talk_and_kill()
            await self._settle()
            await self._read_logs()
        finally:
            self.talking = False
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

    async def until(self, condition: Callable[[], object], seconds: float) -> bool:
        """Wait for a condition, so long at most; whether it came true."""
        deadline = self.reactor.seconds() + seconds
        while not condition():
            if self.reactor.seconds() >= deadline:
                return False
            await deferLater(self.reactor, 0.02)
        return True

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
            if await self.until(partial(self._runs, victim), BACK):
                self.kills.append(Kill(victim, self.reactor.seconds()))
                await self._hit(self.up.running()[victim])
            else:
                self.journal.complaints.append(f"{victim} does not come back")
        await deferLater(self.reactor, max(0.0, self.begun + self.seconds - self.reactor.seconds()))
        await self.up.when_alive(self.reactor, BACK)
        killed = self.reactor.seconds()
        await self.until(lambda: all(self._answered_since(talker, killed) for talker in self.talkers.values()), BACK)
        self.talking = False
        await self._all([*talks, moves])

    async def _hit(self, pid: int) -> None:
        if self.hang is None:
            os.kill(pid, signal.SIGKILL)
            return
        os.kill(pid, signal.SIGSTOP)
        await deferLater(self.reactor, self.hang)
        os.kill(pid, signal.SIGCONT)

    def _runs(self, name: str) -> bool:
        return name in self.up.running()

    def _victims(self) -> list[str]:
        everybody = [*sorted(ROLES), "redis"]
        return [name for _ in range(self.rounds) for name in self.random.sample(everybody, len(everybody))]

    def _answered_since(self, talker: Talker, when: float) -> bool:
        mine = (one for one in reversed(self.journal.sent) if one.sender == talker.name)
        return any(one.at >= when and one.answered_at for one in mine)

    async def _move(self) -> None:
        """Now and then a client starts anew: else, after two servers were killed in turn, all would be on one."""
        while self.talking:
            await self.random.choice(list(self.talkers.values())).restart()
            self.restarts += 1
            await deferLater(self.reactor, 0.2)

    async def _settle(self) -> None:
        """All sends are answered, and all that was acknowledged has arrived; or it is too late for that."""
        await self.until(lambda: not any(talker.pending for talker in self.talkers.values()), ANSWERS)
        due = sum(len(self.journal.members[one.conversation]) - 1 for one in self.journal.acknowledged)
        await self.until(lambda: sum(map(len, self.journal.handed.values())) >= due, DRAIN)

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
    parser = argparse.ArgumentParser(prog="python -m fishchat.test.faults", description=__doc__)
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
