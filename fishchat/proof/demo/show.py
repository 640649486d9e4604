"""The demo: a FishChat of its own, a conversation, and the death of a server in the middle of it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import globalLogBeginner, textFileLogObserver

from fishchat.client import Edited, Message, Reacted
from fishchat.client.events import Operation
from fishchat.proof.demo.cast import TOPIC, YOU, Person, broken_promise
from fishchat.proof.demo.words import Words
from fishchat.proof.processes import COMMAND, HERE, free_rows
from fishchat.proof.site import Place, Up, variables
from fishchat.web import static_directory

#: Seconds that a start, a login and the delivery of a message may take.
PATIENCE = 30.0

Say = Callable[[str], object]


@dataclass(frozen=True)
class Pace:
    """Seconds before the conversation, and between two of its messages."""

    lead: float = 12.0
    line: float = 1.3


class Demo:
    """One showing. ``say`` prints a line; ``opened`` is called with the address of the page."""

    def __init__(self, reactor: Any, words: Words, say: Say, opened: Say, pace: Pace, stay: bool = False) -> None:
        self._reactor, self._words, self._say, self._opened = reactor, words, say, opened
        self._pace, self._stay = pace, stay
        self._place = Place(servers=2)
        [web, sockets] = free_rows([1, 2])
        self._web = f"127.0.0.1:{web}"
        first, second = self._place.addresses
        self._server_of = {first: "ms1", second: "ms2"}
        self._alice = Person("alice", (first, second), reactor)
        self._carol = Person("carol", (first, second), reactor)
        self._bob = Person("bob", (second, first), reactor)
        self._you = Person(YOU, (second, first), reactor, self._heard)
        self._you.client.on_operation = self._changed
        self._people = [self._alice, self._bob, self._carol, self._you]
        self._log = (self._place.data / "demo.log").open("w", encoding="utf-8")
        more = variables(WEB__LISTEN=self._web, MSG_SERVER__LISTEN_WEB=f"127.0.0.1:{sockets}")
        self._environment = self._place.environment(PYTHONPATH=HERE, **more)
        self._up: Up | None = None

    async def run(self) -> dict[str, Any]:
        """Show everything. Return ``kept``, ``messages``, and the seconds that the clients were ``away``."""
        globalLogBeginner.beginLoggingTo([textFileLogObserver(self._log)], redirectStandardIO=False)
        try:
            self._tell("starting")
            self._up = Up(self._place, environment=self._environment)
            await self._up.when_alive(self._reactor, PATIENCE)
            await self._gather()
            await self._invite()
            self._tell("begin")
            await self._talk()
            away = await self._kill()
            await self._talk_on()
            return await self._judge(away)
        finally:
            await self._end()

    def _tell(self, name: str, *values: object) -> None:
        self._say(f"\n== {self._words(name, *values)}")

    async def _gather(self) -> None:
        for person in self._people:
            await person.client.start()
        owner = self._alice.client
        await owner.create_topic(TOPIC, history="all")
        for person in self._people[1:]:
            await person.client.join(TOPIC)

    async def _invite(self) -> None:
        if static_directory() is None:
            self._tell("no-page")
        else:
            address = f"http://{self._web}/#account={YOU}"
            self._tell("page", address)
            self._opened(address)
        # What the chat keeps belongs to the demo, and is removed with it.
        command = f"XDG_DATA_HOME={self._place.data} {_command()} chat {YOU}@{self._place.addresses[1]}"
        self._tell("terminal", command)
        self._tell("wait", f"{self._pace.lead:g}")
        await deferLater(self._reactor, self._pace.lead)

    async def _say_as(self, person: Person, text: str, reply: str | None = None) -> str:
        sent = await person.say(text, reply)
        await deferLater(self._reactor, self._pace.line)
        return sent

    async def _talk(self) -> None:
        first = await self._say_as(self._alice, "Good morning! Who comes fishing on Sunday?")
        await self._say_as(self._bob, "Me! 我带早饭。", reply=first)
        await self._say_as(self._carol, "I bring the boat 🚤")
        await self._say_as(self._bob, "星期天还是星期六？")
        self._tell("change")
        await self._alice.client.edit(first, "Good morning! Who comes fishing on *Saturday*?")
        await deferLater(self._reactor, self._pace.line)
        await self._bob.client.react(first, "🎣")
        await deferLater(self._reactor, self._pace.line)
        await self._say_as(self._alice, "Saturday, of course. Six o'clock at the harbour.")

    async def _kill(self) -> float:
        """Kill the first msg_server while its clients write; return after how many seconds they were online again."""
        self._tell("kill")
        up = self._up
        assert up is not None
        clients = (self._alice.client, self._carol.client)
        killed = up.running()["ms1"]
        os.kill(killed, signal.SIGKILL)
        began = self._reactor.seconds()
        self._alice.say("Who has bait?")
        self._carol.say("I can buy some on Friday.")
        self._alice.say("Good. And bring hooks, size 8.")
        self._tell("look")
        self._bob.say("I have rods for all of us.")
        await self._until(lambda: not any(client.is_online for client in clients))
        await self._until(lambda: all(client.is_online for client in clients))
        away: float = self._reactor.seconds() - began
        await self._settled()
        self._tell("moved", away)
        await self._until(lambda: up.running().get("ms1", killed) != killed)
        await up.when_alive(self._reactor, PATIENCE)
        self._tell("back")
        return away

    async def _talk_on(self) -> None:
        await self._say_as(self._carol, "Was there something? My page blinked.")
        await self._say_as(self._bob, "Not that I noticed. 没事，星期六见！")
        await self._say_as(self._alice, "See you on Saturday 🐟")

    async def _settled(self) -> None:
        """Wait until everyone has what everyone sent."""
        count = sum(person.said for person in self._people)
        await self._until(lambda: all(len(one.received) + len(one.sent) >= count for one in self._people))

    async def _judge(self, away: float) -> dict[str, Any]:
        await self._settled()
        count = sum(person.said for person in self._people)
        broken = await broken_promise(self._people)
        self._tell(*(("broken", broken) if broken else ("kept", count)))
        if self._stay:
            self._tell("stay")
            await Deferred()
        return {"kept": not broken, "messages": count, "away": round(away, 2)}

    async def _until(self, condition: Callable[[], bool]) -> None:
        deadline = self._reactor.seconds() + PATIENCE
        while not condition():
            if self._reactor.seconds() > deadline:
                raise AssertionError(f"nothing happened for {PATIENCE:g} s; see {self._place.data}")
            await deferLater(self._reactor, 0.02)

    def _heard(self, message: Message) -> None:
        server = self._server_of.get(_person(self._people, message.from_).client.server, "?")
        answers = " ↩" if message.reply else ""
        self._say(f"   {message.from_:>6} on {server}{answers}  {message.text}")

    def _changed(self, operation: Operation) -> None:
        if isinstance(operation, Edited):
            self._say(f"   {operation.from_:>6} corrects  {operation.text}")
        elif isinstance(operation, Reacted):
            self._say(f"   {operation.from_:>6} reacts  {operation.reaction}")

    async def _end(self) -> None:
        for person in self._people:
            person.client.stop().addErrback(lambda _: None)
        if self._up is not None:
            try:
                await self._up.stop(self._reactor)
            except (CancelledError, AssertionError):
                self._up.kill()
        self._log.close()
        self._place.close()
        self._tell("end")


def _person(people: list[Person], account: str) -> Person:
    return next((one for one in people if one.client.account == account), people[-1])


def _command() -> str:
    """Return the command as it was typed here, if it was, else one that works anywhere."""
    typed = Path(sys.argv[0])
    return str(typed) if typed.name == "fishchat" else " ".join(COMMAND)
