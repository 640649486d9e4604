"""Vectors of the client's machine: what it does, step by step, for any program that must do the same.

Each scenario is a list of steps with what was put in (``do``) and what came out. ``web/test/machine.test.ts`` replays
them on the machine of the pages. As a program, this writes the files anew: ``python -m fishchat.test.client.vectors``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from fishchat.client.events import RefusedError
from fishchat.client.machine import Machine, Phase
from fishchat.client.state import ClientState
from fishchat.features.messages import client as messages
from fishchat.features.operations import client as operations
from fishchat.features.session.client import ping
from fishchat.features.topics import client as topics
from fishchat.test.client import line_vectors, login_vectors, request_vectors
from fishchat.test.client.shown import new_machine, shown_event

DIRECTORY = Path(__file__).parents[3] / "web" / "test" / "vectors"
SCENARIOS, STEPS = 24, 120
TOKEN = "fct_abc"
TOPIC, PEER = "#fishing", "alice+bob"
_ASKED: dict[str, Any] = {"ping": ping, "history": messages.history, "leave": topics.leave}


class Server:
    """A server that answers as real ones may, with all the refusals that the machine handles."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.epoch = 7
        self.numbers = {TOPIC: 0, PEER: 0}
        #: The next cseq, and what is stored under those before it.
        self.counters = {TOPIC: 1, PEER: 1}
        self.stored: dict[tuple[str, int], str] = {}

    def next_id(self, conversation: str) -> str:
        """Return the id of a new message."""
        self.numbers[conversation] += 1
        return f"{conversation}:{self.epoch}-{self.numbers[conversation]}"

    def answer(self, line: str) -> list[str]:
        """Return the lines that answer a command."""
        tags, _, rest = line[1:].partition(" ") if line.startswith("@") else ("", "", line)
        verb, _, fields = rest.partition(" ")
        if verb == "HELLO":
            return ["OK HELLO fishchat/1 caps=ack,lazy,ops"]
        if verb == "SEND_CLIENT_ID":
            return self._log_in()
        if verb == "SEND_ACK":
            return []
        found = dict(one.partition("=")[::2] for one in tags.split(";"))
        if "cseq" in found:
            return [self._number(verb, fields, int(found["cseq"]))]
        if self.random.random() < 0.2:
            return [f"ERR {verb} TRYAGAIN retry=1 the store is away"]
        if verb == "REQ_HISTORY":
            return [
                "BEGIN REQ_HISTORY 2",
                f"@edited={PEER}:7-4;react=+1:2;mine=+1 ITEM {PEER}:7-1 bob 1796000000000 hello",
                f"@esc;reply={PEER}:7-1 ITEM {PEER}:7-2 alice 1796000001000 two\\nlines",
                "END REQ_HISTORY",
            ]
        if verb == "LEAVE_TOPIC" and self.random.random() < 0.5:
            return [f"ERR {verb} {self.random.choice(('NOTMEMBER', 'UNKNOWN retry=1'))} no"]
        return [f"OK {verb}"]

    def _log_in(self) -> list[str]:
        chance = self.random.random()
        if chance < 0.05:
            return ["ERR SEND_CLIENT_ID TRYAGAIN retry=2 the store is away"]
        if chance < 0.08:
            return ["ERR SEND_CLIENT_ID BUSY limit=1 retry=5 this server is full"]
        return [f"OK SEND_CLIENT_ID alice token={TOKEN}", "RESP_SYNCED"]

    def _number(self, verb: str, fields: str, cseq: int) -> str:
        target = fields.partition(" ")[0].partition(":")[0]
        conversation = PEER if target in ("bob", PEER) else TOPIC
        expected, chance = self.counters[conversation], self.random.random()
        known = self.stored.get((conversation, cseq))
        if known is not None and chance < 0.7:
            return f"OK {verb} {known}"
        if cseq < expected:
            word = "OLD" if chance < 0.85 else f"CONFLICT expected={expected}"
            return f"ERR {verb} {word} that number is used"
        if cseq > expected or cseq == 0:
            return f"ERR {verb} GAP expected={expected} a number is missing"
        if chance < 0.7:
            return f"OK {verb} {self._store(conversation, cseq)}"
        if chance < 0.8:
            return f"ERR {verb} TRYAGAIN retry=1 the store is away"
        if chance < 0.9:
            if self.random.random() < 0.5:
                self._store(conversation, cseq)
            return f"ERR {verb} UNKNOWN retry=1 the store did not answer"
        return f"ERR {verb} {self.random.choice(('NOTMEMBER', 'INTERNAL', 'MUTED until=1796000000000'))} no"

    def _store(self, conversation: str, cseq: int) -> str:
        self.counters[conversation] = cseq + 1
        made = self.stored[conversation, cseq] = self.next_id(conversation)
        return made

    def push(self) -> str:
        """Return a push of any kind."""
        conversation = self.random.choice((TOPIC, PEER))
        kind = self.random.randrange(12)
        if kind == 0:
            self.epoch += 1
            self.numbers[conversation] = max(0, self.numbers[conversation] - self.random.randrange(3))
        if kind == 1:
            last = self.numbers[conversation] + self.random.randrange(4)
            self.numbers[conversation] = last
            return f"RESP_{self.random.choice(('GAP', 'BEHIND'))} {conversation} {max(1, last - 2)} {last}"
        if kind in (2, 3):
            return self._signal(conversation)
        made = self.next_id(conversation)
        of = f"{conversation}:{self.epoch}-{max(1, self.numbers[conversation] - 1)}"
        if kind == 4:
            return f"RESP_EDIT bob {made} {of} another text"
        if kind == 5:
            return f"RESP_REACTION bob {made} {of} + \N{THUMBS UP SIGN}"
        if kind == 6:
            return f"RESP_RECALL bob {made} {of}" + self.random.choice(("", " wrong window"))
        if kind == 7:
            return f"RESP_PIN bob {made} {of} {self.random.choice('+-')}"
        if kind == 8:
            return f"RESP_NOTICE bob {made} JOINED carol"
        known = ("", "@esc ", f"@reply={of} ", "@new-tag=x\\sy ")
        tags = self.random.choice((*known, "@mention=alice,carol ") if conversation == TOPIC else known)
        head = f"RESP_MESSAGE_TOPIC fishing bob {made}" if conversation == TOPIC else f"RESP_MESSAGE_P2P bob {made}"
        return f"{tags}{head} hello \N{FISH} 你好\\n"

    def _signal(self, conversation: str) -> str:
        return self.random.choice(
            (
                f"RESP_READ bob {conversation}:{self.epoch}-{max(1, self.numbers[conversation])}",
                "RESP_PRESENCE bob online 1796000000000",
                f"RESP_TYPING bob {conversation}",
                f"RESP_REACTIONS {conversation}:7-1 +1:2,a\\:b:1",
                "RESP_PING",
                "RESP_MOVE - within=1",
                "RESP_SOMETHING_NEW a b",
            )
        )


# The branches are the moves of one random walk.
def scenario(seed: int) -> list[dict[str, Any]]:
    """Return the steps of one scenario; the same ones for the same seed."""
    random = Random(seed)
    server = Server(random)
    machine = new_machine()
    steps: list[dict[str, Any]] = []
    wire: list[str] = []
    now = 0.0

    def step(do: list[Any], result: Any = None) -> None:
        events = [shown_event(event) for event in machine.events()]
        lines = [line.decode() for line in machine.lines(now)]
        wire.extend(lines)
        state = _state(machine) if machine.changed else None
        machine.saved()
        made = {"now": now, "do": do, "result": result, "events": events, "lines": lines}
        steps.append({**made, "state": state, "deadline": machine.deadline(now), "phase": machine.phase.name.lower()})

    for _ in range(STEPS):
        now = round(now + random.choice((0, 0, 0.1, 0.6, 1.1, 5.0)), 3)
        if machine.phase in (Phase.AWAY, Phase.BROKEN):
            if machine.phase is Phase.BROKEN:
                machine.lost()
                step(["lost"])
            wire.clear()
            machine.connected(now)
            step(["connected"])
            _feed(machine, step, ["HELLO fishchat/1 server=ms1 auth=open sasl="], now)
            continue
        action = random.randrange(10)
        if wire and action < 5:
            _feed(machine, step, server.answer(wire.pop(0)), now)
        elif action == 5:
            machine.tick(now)
            step(["tick"])
        elif action == 6 and machine.phase is Phase.ONLINE:
            _feed(machine, step, [server.push() for _ in range(random.randrange(1, 4))], now)
        elif action == 7 and random.random() < 0.15:
            machine.lost()
            step(["lost"])
        elif action == 8 and random.random() < 0.15:
            state = json.loads(json.dumps(_state(machine)))
            machine = new_machine(state=msgspec.convert(state, ClientState))
            wire.clear()
            step(["restart"])
        else:
            step(*_call(machine, random))
    return steps


def _feed(machine: Machine, step: Any, lines: list[str], now: float) -> None:
    for line in lines:
        machine.received(line.encode(), now)
    step(["lines", lines])


def _call(machine: Machine, random: Random) -> tuple[list[Any], Any]:
    peer, topic = (f"{conversation}:7-{random.randrange(1, 5)}" for conversation in (PEER, TOPIC))
    do = random.choice(
        (
            ["send", "bob", "hello"],
            ["send", "bob", "an answer", peer],
            ["send", "#fishing", "two\nlines \\"],
            ["send", "#fishing", "@bob", None, ["bob", "carol"]],
            ["send", random.choice(("BOB", "bob")), "x", "7-1"],
            ["operate", "react", peer, "+1"],
            ["operate", "edit", topic, "new"],
            ["operate", "edit", peer, "two\nlines", peer],
            ["operate", "recall", topic, "wrong window"],
            ["operate", "pin", topic],
            ["ask", "ping"],
            ["ask", "history", "bob", None, None, 50],
            ["ask", "leave", "fishing"],
        )
    )
    try:
        return do, _called(machine, *do)
    except RefusedError as error:
        return do, error.word


def _called(machine: Machine, what: str, *arguments: Any) -> int:
    if what == "send":
        return machine.send(*arguments)
    name, *rest = arguments
    if what == "operate":
        return machine.operate(getattr(operations, name)(*rest))
    return machine.ask(_ASKED[name](*rest))


def _state(machine: Machine) -> Any:
    return json.loads(machine.snapshot().to_json())


def files() -> Iterator[tuple[Path, str]]:
    """Yield each file with its content."""
    made: dict[str, list[Any]] = {
        "machine": [scenario(seed) for seed in range(SCENARIOS)],
        "lines": line_vectors.vectors(),
        "logins": login_vectors.vectors(),
        "requests": request_vectors.vectors(),
    }
    for name, one in made.items():
        # One entry a line, so that a change can be read.
        text = ",\n".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in one)
        yield DIRECTORY / f"{name}.json", f"[\n{text}\n]\n"


if __name__ == "__main__":
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for path, text in files():
        path.write_text(text, "utf-8")
