"""The client's promises against a model of the server, under every sequence of mishaps that hypothesis thinks of."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.client.events import Broken, Message, RefusedError, Settled
from fishchat.client.machine import Machine
from fishchat.client.state import ClientState

#: What befalls a send at the server: the words of DESIGN, section 6; "lost" and "kept" are both answered UNKNOWN.
MOODS = ("fine", "TRYAGAIN", "lost", "kept", "FLOOD", "NOTMEMBER", "INTERNAL lost", "INTERNAL kept")
TOPICS = ("#fishing", "#sailing")
#: So many pushes are left unacknowledged; a real server allows 256.
UNACKNOWLEDGED = 4


@dataclass
class Entry:
    """A message in the log of a conversation."""

    sender: str
    cseq: int
    text: str


@dataclass
class ModelServer:
    """One device's view of a server: its logs, counters, cursors and the connection's two directions.

    :ivar looks_first: whether a repeated number is recognised before the sender's right to write is checked.
    :ivar echoes: whether a login replays the device's own messages too.
    :ivar look_back: how far back in the log a repeated number is found; beyond it the answer is OLD.
    """

    looks_first: bool
    echoes: bool
    look_back: int
    logs: dict[str, list[Entry]] = field(default_factory=lambda: {topic: [] for topic in TOPICS})
    cursors: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOPICS, 0))
    safe_cursors: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOPICS, 0))
    pushed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOPICS, 0))
    unacknowledged: set[tuple[str, int]] = field(default_factory=set)
    moods: list[str] = field(default_factory=list)
    to_server: list[str] = field(default_factory=list)
    to_client: list[str] = field(default_factory=list)
    online: bool = False

    def connect(self) -> None:
        self.safe_cursors = dict(self.cursors)
        self.to_server, self.to_client = [], ["HELLO fishchat/1 server=model caps=ack"]
        self.online = False

    def expected(self, topic: str) -> int:
        return 1 + max((entry.cseq for entry in self.logs[topic] if entry.sender == "alice"), default=0)

    def post(self, topic: str, text: str) -> None:
        """Bob writes."""
        self.logs[topic].append(Entry("bob", 0, text))
        self.feed()

    def feed(self) -> None:
        """Push what comes next, while not too much is unacknowledged."""
        for topic in TOPICS if self.online else ():
            log = self.logs[topic]
            while self.pushed[topic] < len(log) and len(self.unacknowledged) < UNACKNOWLEDGED:
                self.pushed[topic] += 1
                seq = self.pushed[topic]
                entry = log[seq - 1]
                if entry.sender == "bob" or self.echoes:
                    self.unacknowledged.add((topic, seq))
                    self.to_client.append(f"RESP_MESSAGE_TOPIC {topic[1:]} {entry.sender} {topic}:1-{seq} {entry.text}")

    def take(self) -> None:
        """Carry out the oldest command on the wire."""
        line = self.to_server.pop(0)
        tags = ""
        if line.startswith("@"):
            tags, _, line = line.partition(" ")
        verb, _, rest = line.partition(" ")
        if verb == "SEND_MESSAGE_TOPIC":
            to, _, text = rest.partition(" ")
            self.to_client.append(self.store(f"#{to}", int(tags.removeprefix("@cseq=")), text))
        elif verb == "SEND_ACK":
            self.acknowledge(rest)
        elif verb == "SEND_CLIENT_ID":
            self.to_client.append("OK SEND_CLIENT_ID alice")
            self.log_in()
        else:
            self.to_client.append(f"OK {verb} fishchat/1 caps=ack" if verb == "HELLO" else f"OK {verb}")

    def log_in(self) -> None:
        self.online, self.pushed, self.unacknowledged = True, dict(self.cursors), set()
        self.feed()

    def acknowledge(self, message_id: str) -> None:
        topic, _, position = message_id.partition(":1-")
        if int(position) > self.pushed.get(topic, 0):
            raise AssertionError(f"acknowledged above what was pushed: {message_id}")
        self.cursors[topic] = max(self.cursors[topic], int(position))
        self.unacknowledged = {one for one in self.unacknowledged if one[0] != topic or one[1] > int(position)}
        self.feed()

    def store(self, topic: str, cseq: int, text: str) -> str:
        """The answer to a send, by the rules of DESIGN, section 6, and the mood of the moment."""
        mood = self.moods.pop(0) if self.moods else "fine"
        verb = "SEND_MESSAGE_TOPIC"
        if mood in ("TRYAGAIN", "FLOOD"):
            return f"ERR {verb} {mood} retry=1 later"
        if mood.endswith("lost"):
            return f"ERR {verb} INTERNAL a defect" if "INTERNAL" in mood else f"ERR {verb} UNKNOWN retry=1 who knows"
        refused = mood == "NOTMEMBER"
        if refused and not (self.looks_first and 0 < cseq < self.expected(topic)):
            return f"ERR {verb} NOTMEMBER join first"
        answer = f"{verb} {self.look_up(topic, cseq, text)}"
        if mood == "kept":
            return f"ERR {verb} UNKNOWN retry=1 who knows"
        if mood == "INTERNAL kept":
            return f"ERR {verb} INTERNAL a defect"
        return ("OK " if ":1-" in answer else "ERR ") + answer

    def look_up(self, topic: str, cseq: int, text: str) -> str:
        log, expected = self.logs[topic], self.expected(topic)
        if cseq == 0 or cseq > expected:
            return f"GAP expected={expected} go on"
        if cseq == expected:
            log.append(Entry("alice", cseq, text))
            for places in (self.cursors, self.pushed):  # over one's own message there is nothing to acknowledge
                if places[topic] == len(log) - 1:
                    places[topic] = len(log)
            return f"{topic}:1-{len(log)}"
        for seq in range(len(log), max(0, len(log) - self.look_back), -1):
            if (log[seq - 1].sender, log[seq - 1].cseq) == ("alice", cseq):
                same = log[seq - 1].text == text
                return f"{topic}:1-{seq}" if same else f"CONFLICT expected={expected} go on"
        return f"OLD it is stored; expected={expected}"


class World:
    """The model server, a client, its user, and a network that loses connections."""

    def __init__(self, server: ModelServer, patient: bool) -> None:
        self.server, self.patient = server, patient
        self.now = 0.0
        self.saved = Machine("alice").snapshot().to_json()
        self.sent: dict[str, list[str]] = {topic: [] for topic in TOPICS}
        self.results: dict[str, object] = {}
        #: Texts that the user has dealt with, in order, and what waits for that.
        self.dealt: dict[str, list[str]] = {topic: [] for topic in TOPICS}
        self.waiting: list[Message] = []
        self.connected = False
        self.start()

    def start(self) -> None:
        self.keys: dict[int, str] = {}
        self.handed: dict[str, int] = {}
        self.waiting = []
        state = ClientState.from_json(self.saved)
        self.machine = Machine("alice", state=state, manual_ack=True)
        # The keys of what an earlier program left are given in order.
        for key, left in enumerate(state.sends, 1):
            self.keys[key] = left.text
        self.now += 1

    def flush(self) -> None:
        """What the glue does: time, events, lines, save, write."""
        self.machine.tick(self.now)
        for event in self.machine.events():
            if isinstance(event, Settled):
                text = self.keys[event.key]
                assert text not in self.results or not isinstance(event.value, RefusedError)
                self.results[text] = event.value
            elif isinstance(event, Message):
                seq = int(event.id.rpartition("-")[2])
                assert seq > self.handed.get(event.conversation, 0), "handed out twice, or out of order"
                self.handed[event.conversation] = seq
                if self.patient:
                    self.waiting.append(event)
                else:
                    self.deal(event)
            elif isinstance(event, Broken):
                raise AssertionError(event.reason)
        lines = [line.decode() for line in self.machine.lines(self.now)]
        self.saved = self.machine.snapshot().to_json()
        for line in lines:
            if line.startswith("SEND_ACK "):
                topic, _, position = line[9:].partition(":1-")
                log = self.server.logs[topic]
                below = [entry.text for entry in log[: int(position)] if entry.sender == "bob"]
                assert set(below) <= set(self.dealt[topic]), "acknowledged what was not dealt with"
        if self.connected:
            self.server.to_server += lines
        assert self.connected or not lines

    def deal(self, message: Message) -> None:
        self.machine.finish(message.id, self.now)
        if message.from_ == "bob":
            self.dealt[message.conversation].append(message.text)

    def act(self, what: str, number: int) -> None:
        """One thing happens; ``number`` says which, or how often."""
        getattr(self, "do_" + what)(number)
        self.flush()

    def do_send(self, number: int) -> None:
        topic = TOPICS[number % len(TOPICS)]
        text = f"a{sum(map(len, self.sent.values()))}"
        self.sent[topic].append(text)
        self.keys[self.machine.send(topic, text)] = text

    def do_post(self, number: int) -> None:
        topic = TOPICS[number % len(TOPICS)]
        self.server.post(topic, f"b{len(self.server.logs[topic])}")

    def do_stranger(self, number: int) -> None:
        """Another program with this device's name takes a number."""
        topic = TOPICS[number % len(TOPICS)]
        self.server.look_up(topic, self.server.expected(topic), f"s{len(self.server.logs[topic])}")

    def do_serve(self, number: int) -> None:
        for _ in self.server.to_server[: number + 1]:
            self.server.take()

    def do_hear(self, number: int) -> None:
        for _ in self.server.to_client[: number + 1]:
            self.machine.received(self.server.to_client.pop(0).encode(), self.now)

    def do_mood(self, number: int) -> None:
        self.server.moods.append(MOODS[number % len(MOODS)])

    def do_wait(self, number: int) -> None:
        self.now += number / 4

    def do_deal(self, number: int) -> None:
        if self.waiting:
            self.deal(self.waiting.pop(number % len(self.waiting)))

    def do_connect(self, number: int) -> None:
        if not self.connected:
            self.connected = True
            self.server.connect()
            self.machine.connected(self.now)

    def do_drop(self, number: int) -> None:
        self.interrupt(number)

    def do_crash(self, number: int) -> None:
        """The server forgets cursors of the last second, never a message."""
        self.interrupt(number)
        self.server.cursors = dict(self.server.safe_cursors)

    def do_restart(self, number: int) -> None:
        self.interrupt(number)
        self.start()

    def interrupt(self, number: int) -> None:
        """The connection is lost: some of what is under way still arrives at the server."""
        for _ in self.server.to_server[:number]:
            self.server.take()
        self.server.to_server, self.server.to_client, self.server.online = [], [], False
        if self.connected:
            self.machine.lost()
        self.connected = False

    def heal(self) -> None:
        """Nothing goes wrong any more: run until everything has come to rest."""
        self.server.moods = []
        for _ in range(2000):
            self.act("connect", 0)
            self.act("serve", 100)
            self.act("hear", 100)
            self.act("deal", 0)
            self.act("wait", 2)
            if self.resting():
                return
        raise AssertionError("it does not come to rest")

    def resting(self) -> bool:
        state = self.machine.snapshot()
        quiet = not (state.sends or self.waiting or self.server.to_server or self.server.to_client)
        fed = all(self.server.pushed[topic] == len(log) for topic, log in self.server.logs.items())
        return quiet and fed and self.server.online


#: Mostly things go on; interruptions that come too often would hide what they interrupt.
ACTIONS = (
    ["send"] * 6
    + ["serve", "hear"] * 5
    + ["connect", "mood"] * 4
    + ["wait", "deal"] * 3
    + ["post", "post", "drop", "drop", "crash", "restart"]
)


def histories(*more: str) -> st.SearchStrategy[list[tuple[str, int]]]:
    """What may happen."""
    return st.lists(st.tuples(st.sampled_from([*ACTIONS, *more]), st.integers(0, 7)), min_size=30, max_size=150)


class PromiseTests(SynchronousTestCase):
    """P2, P3 and P4 of DESIGN, section 5, as far as they are the client's."""

    def run_world(self, server: ModelServer, patient: bool, actions: list[tuple[str, int]]) -> World:
        world = World(server, patient)
        world.act("connect", 0)
        for _ in range(3):
            world.act("serve", 9)
            world.act("hear", 9)
        for what, number in actions:
            world.act(what, number)
        world.heal()
        return world

    def check_received(self, world: World) -> None:
        for topic, log in world.server.logs.items():
            wanted = [entry.text for entry in log if entry.sender == "bob"]
            dealt = world.dealt[topic]
            self.assertEqual(sorted(dealt), sorted(wanted))
            if not world.patient:
                self.assertEqual(dealt, wanted)

    def check_sent(self, world: World, strict: bool, ordered: bool = True) -> None:
        for topic, log in world.server.logs.items():
            stored = [entry.text for entry in log if entry.text.startswith("a")]
            self.assertEqual(len(stored), len(set(stored)), "doubled")
            if ordered:
                self.assertEqual(stored, sorted(stored, key=world.sent[topic].index))
            for text in world.sent[topic]:
                result = world.results[text]
                if not isinstance(result, RefusedError):
                    self.assertIn(text, stored)
                elif strict:
                    self.assertNotIn(text, stored)
                if isinstance(result, str) and result:
                    self.assertEqual(log[int(result.rpartition("-")[2]) - 1].text, text)

    @settings(deadline=None, max_examples=200)
    @given(st.booleans(), st.booleans(), st.sampled_from([3, 1000]), histories())
    def test_exactly_once(self, patient: bool, echoes: bool, look_back: int, actions: list[tuple[str, int]]) -> None:
        """Each message is stored once, in order, or refused and not stored; each one received is dealt with once."""
        world = self.run_world(ModelServer(True, echoes, look_back), patient, actions)
        self.check_received(world)
        self.check_sent(world, strict=True)

    @settings(deadline=None, max_examples=200)
    @given(st.booleans(), st.booleans(), st.sampled_from([3, 1000]), histories())
    def test_refusal_first(self, patient: bool, echoes: bool, look_back: int, actions: list[tuple[str, int]]) -> None:
        """With a server that refuses even the repetition of what it stored nothing is doubled or lost either.

        Only a refusal may then be told of a message that is stored.
        """
        world = self.run_world(ModelServer(False, echoes, look_back), patient, actions)
        self.check_received(world)
        self.check_sent(world, strict=False)

    @settings(deadline=None, max_examples=200)
    @given(st.booleans(), histories("stranger"))
    def test_stranger(self, patient: bool, actions: list[tuple[str, int]]) -> None:
        """Even when somebody else uses up its numbers, each message is stored once or refused; the order may suffer."""
        world = self.run_world(ModelServer(True, False, 1000), patient, actions)
        self.check_received(world)
        self.check_sent(world, strict=True, ordered=False)
