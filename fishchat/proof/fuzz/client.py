"""The client's machine with any input: it never raises, and acknowledges only what it has handed out."""

from __future__ import annotations

import math
import re
from typing import Any

from fishchat.client.events import Gap, Message, Moved, Notice
from fishchat.client.machine import Machine, Phase
from fishchat.client.state import ClientState, SavedSend
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.model.names import Position, parse_position, split_id
from fishchat.proof.fuzz.helpers import Dice, claim
from fishchat.protocols.lines import MAX_OUT, LineSplitter

TALK = b"alice+bob"
GREETING = b"HELLO fishchat/1 server=ms1 auth=open maxline=8192 maxtext=7168 caps=ack"
#: This many rounds of SCRAM take too long for a fuzzer, and the machine would do them: a server may ask for them.
_ROUNDS = re.compile(rb",i=[0-9]{5,7}(?![0-9])")
_OLD = ClientState(
    "alice",
    counters={"alice+bob": 3},
    sends=[SavedSend("bob", "old", 2), SavedSend("#fishing", "new")],
    done={"alice+bob": "7-5"},
    ahead={"alice+bob": [("7-7", "7-8")]},
    token="fct_ymVJM0fFnrdnQGZvHZE3zz5vqDbWqB8gVPUzRZZXu2Y",
)


class _User:
    """The user of the machine, which remembers what the machine handed out."""

    def __init__(self, how: int) -> None:
        state = _OLD if how & 1 else None
        secret = "correct horse battery" if how & 2 else None
        self.machine = Machine("alice", secret=secret, state=state, manual_ack=bool(how & 4))
        self.now = 1000.0
        self.pushed: dict[bytes, Position] = {}
        self.handed: dict[bytes, list[Position]] = {}
        #: Ids that are not new: its own messages, and those handed out in an earlier run.
        self.known: dict[bytes, list[Position]] = {TALK: [(7, 5), (7, 8)]} if how & 1 else {}
        self.settled: set[int] = set()

    def connect(self, how: int) -> None:
        """Open a new connection, perhaps with the login already done."""
        self.pushed.clear()
        self.machine.connected(self.now)
        if how & 8:
            for line in (GREETING, b"OK HELLO fishchat/1 caps=ack", b"OK SEND_CLIENT_ID alice", b"RESP_SYNCED"):
                self.take(line)

    def take(self, line: bytes) -> None:
        """Pass a line to the machine, then take its events."""
        if _ROUNDS.search(line):
            return
        self._note(line)
        self.machine.received(line, self.now)
        self._events()
        self.lines()

    def _note(self, line: bytes) -> None:
        """Record every id that a push on this connection could have, whatever the machine makes of it."""
        for word in line.split(b" ")[1:5]:
            try:
                conversation, epoch, seq = split_id(word)
            except ValueError:
                continue
            if line[:3] == b"OK ":
                self.known.setdefault(conversation, []).append((epoch, seq))
            else:
                self.pushed[conversation] = max(self.pushed.get(conversation, (0, 0)), (epoch, seq))

    def _events(self) -> None:
        for event in self.machine.events():
            if isinstance(event, (Message, Notice)):
                conversation, epoch, seq = split_id(event.id.encode())
                before = self.handed.setdefault(conversation, [])
                claim(not before or before[-1] < (epoch, seq), "handed out twice, or not in order", event)
                before.append((epoch, seq))
            elif isinstance(event, Moved):
                claim(math.isfinite(event.within) and event.within >= 0, "no time to wait", event)
            elif isinstance(event, Gap):
                claim(event.first >= 0 and event.last >= 0, "no numbers", event)
            elif key := getattr(event, "key", 0):
                claim(key not in self.settled, "settled twice", event)
                self.settled.add(key)

    def lines(self) -> None:
        """Take the pending lines: commands, and acknowledgements of messages that were handed out."""
        for line in self.machine.lines(self.now):
            command = MSG_SERVER_COMMANDS.parse(line)
            if command.verb.name == b"SEND_ACK":
                conversation, epoch, seq = command.fields[0]
                self._acknowledged(conversation, (epoch, seq))
        deadline = self.machine.deadline(self.now)
        claim(deadline is None or math.isfinite(deadline), "no time to look again", deadline)

    def _acknowledged(self, conversation: bytes, position: Position) -> None:
        claim(position <= self.pushed.get(conversation, (0, 0)), "acknowledged, and never came", position)
        known = [*self.handed.get(conversation, []), *self.known.get(conversation, []), (0, 0)]
        claim(position <= max(known), "acknowledged, and was handed to nobody", conversation, position, known)
        if self.machine.manual_ack:
            finished = parse_position(self.machine.snapshot().done[conversation.decode()].encode())
            claim(position <= finished, "acknowledged, and not dealt with", position, finished)


def client(data: bytes) -> None:
    """Byte 0 chooses the client. Each line is received from the server, or, if it begins with ``!``, is an action."""
    how = data[0] if data else 0
    user = _User(how)
    user.connect(how)
    for line in LineSplitter(MAX_OUT).feed(data[1:] + b"\n"):
        if line[:1] == b"!":
            _act(user, how, Dice(line[1:]))
        else:
            user.take(line)
    state = user.machine.snapshot()
    claim(ClientState.from_json(state.to_json()) == state, "the state is not what was remembered", state.to_json())


def _act(user: _User, how: int, dice: Dice) -> None:
    machine: Any = user.machine
    act = dice.byte() % 6
    if act == 0:
        machine.send(dice.pick(("bob", "#fishing", "zed")), dice.text().decode())
    elif act == 1:
        user.now += dice.byte()
        machine.tick(user.now)
    elif act == 2:
        machine.lost()
        if machine.phase is Phase.AWAY:
            user.connect(how)
    elif act == 3:
        for conversation, handed in user.handed.items():
            finish = dice.pick((machine.finish, machine.finish_up_to))
            finish((b"%s:%d-%d" % (conversation, *dice.pick(handed))).decode(), user.now)
    elif act == 4:
        machine.drain()
    else:
        machine.close()
    user._events()
    user.lines()
