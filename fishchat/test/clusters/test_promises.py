"""P1 to P6 of DESIGN under every order of failures that hypothesis finds: see ``sync_world``.

``FISHCHAT_EXAMPLES=2000`` runs that many histories, different ones each time; ``FISHCHAT_SEED=7`` repeats the same.
``FISHCHAT_STEPS`` is their length, and with ``FISHCHAT_REAL_KILLS=1`` a restart of Redis is one by SIGKILL.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model import device
from fishchat.protocols import flow
from fishchat.services.msg_server.delivery import log_reader, replay, rooms
from fishchat.services.msg_server.queue import commits, items
from fishchat.services.router import service as router_service
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.sync_client import Device
from fishchat.test.support.sync_redis import Store
from fishchat.test.support.sync_world import ACCOUNTS, SERVERS, TOPICS, World

_EXAMPLES = os.environ.get("FISHCHAT_EXAMPLES")

QUESTIONS = (
    "SEND_READ",
    "SEND_PING",
    "REQ_CONVERSATIONS",
    "REQ_HISTORY #pond",
    "HELP",
    "INVITE_TOPIC pond alice",
    "INVITE_TOPIC lake carol",
)

keys = st.sampled_from([f"{account}/{name}" for account in ACCOUNTS for name in ("d1", "d2")])
servers = st.sampled_from(SERVERS)
topics = st.sampled_from(TOPICS)
few = st.integers(1, 3)
talks = st.lists(st.tuples(keys, st.sampled_from(ACCOUNTS + TOPICS)), min_size=1, max_size=4)
changes = st.sampled_from(["MOVE", "MOVE", "MOVE", "CREATE_TOPIC", "JOIN_TOPIC", "LEAVE_TOPIC", "DISMISS_TOPIC"])
queues = st.integers(0, 31)
numbers = st.lists(st.integers(0, 63), min_size=1, max_size=20)


class Mishaps(RuleBasedStateMachine):
    """The possible events, a rule for each."""

    store: ClassVar[Store]
    real_kills: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.store)

    @initialize(
        up=st.integers(1, 3), homes=st.lists(st.integers(0, 5), min_size=6, max_size=6), members=st.integers(0, 7)
    )
    def begin(self, up: int, homes: list[int], members: int) -> None:
        """Start some servers, log in most devices, create two topics."""
        world = self.world
        for name in (*SERVERS[:up], "router1", "manager1"):
            world.start(name)
        world.settle()
        for key, home in zip(world.devices, homes, strict=True):
            if home < 5:
                world.connect(world.devices[key], SERVERS[home % up])
                world.settle()
        firsts = [world.devices[f"{account}/d1"] for account in ACCOUNTS]
        for number, topic in enumerate(TOPICS):
            self._change(firsts[number], f"CREATE_TOPIC {topic}")
            for member in range(3):
                if members >> member & 1:
                    self._change(firsts[(number + member) % 3], f"JOIN_TOPIC {topic}")
        self.begun()

    def begun(self) -> None:
        """Prepare more, in subclasses."""

    def _change(self, device: Device, line: str) -> None:
        device.ask(line)
        self.world.settle()

    # -- clients

    @rule(key=keys, server=servers, settled=st.booleans())
    def connect(self, key: str, server: str, settled: bool) -> None:
        """Log a device in, also a second time: the old connection stays open."""
        self.world.connect(self.world.devices[key], server)
        if settled:
            self.world.settle()

    @rule(key=keys, clean=st.booleans())
    def leave(self, key: str, clean: bool) -> None:
        """Lose a connection of a client."""
        self.world.devices[key].leave(clean)

    @rule(key=keys, to=st.sampled_from(ACCOUNTS + TOPICS), count=few)
    def say(self, key: str, to: str, count: int) -> None:
        """Send messages, all at once."""
        for _ in range(count):
            self._say(key, to)

    def _say(self, key: str, to: str) -> None:
        device = self.world.devices[key]
        device.send("#" + to if to in TOPICS else "+".join(sorted((device.account, to))))

    @rule(talk=talks)
    def talk(self, talk: list[tuple[str, str]]) -> None:
        """Send messages, each of which arrives before the next one is sent."""
        for key, to in talk:
            self._say(key, to)
            self.world.settle()

    @rule(pick=queues, key=keys, server=servers, change=st.none() | changes, topic=topics, talk=talks)
    def talk_meanwhile(
        self, pick: int, key: str, server: str, change: str | None, topic: str, talk: list[tuple[str, str]]
    ) -> None:
        """Stall one queue while a device logs in or changes a membership and others send messages."""
        self.world.settle()
        self.world.hold(pick)
        if change is None:
            self.world.connect(self.world.devices[key], server)
        else:
            self.change(key, change, topic)
        self.world.settle()
        self.talk(talk)
        self.world.held = None
        self.world.settle()

    @rule(key=keys)
    def resend(self, key: str) -> None:
        """Send messages without an OK again."""
        for name in list(self.world.devices[key].progress):
            self.world.devices[key].resend(name)

    @rule(key=keys, back=st.sampled_from([0, 0, 0, 1, 3, -1]))
    def ack(self, key: str, back: int) -> None:
        """Acknowledge all or some received messages, or those of an earlier connection."""
        device = self.world.devices[key]
        for name in list(device.progress):
            if back < 0:
                device.ack_early(name)
            else:
                device.ack(name, back)

    @rule(key=keys, verb=changes, topic=topics)
    def change(self, key: str, verb: str, topic: str) -> None:
        """Change a membership; ``MOVE`` lists the possible changes."""
        device = self.world.devices[key]
        if verb == "MOVE":
            verb = "LEAVE_TOPIC" if self.world.oracle.is_member(device.account, "#" + topic) else "JOIN_TOPIC"
        device.ask(f"{verb} {topic}")

    @rule(key=keys, verb=changes, topic=topics, talk=talks)
    def change_and_talk(self, key: str, verb: str, topic: str, talk: list[tuple[str, str]]) -> None:
        """Change a membership, then send messages."""
        self.change(key, verb, topic)
        self.world.settle()
        self.talk(talk)

    @rule(key=keys, line=st.sampled_from(QUESTIONS))
    def ask(self, key: str, line: str) -> None:
        """Send another command, which must not overtake or be overtaken."""
        device = self.world.devices[key]
        if line != "SEND_READ":
            device.ask(line)
            return
        for progress in list(device.progress.values()):
            if progress.got:
                device.ask(f"SEND_READ {progress.got[-1].id}")

    @rule(key=keys)
    def choke(self, key: str) -> None:
        """Let a client stop reading, or read again."""
        link = self.world.devices[key].link
        if link is not None and link.producer is not None:
            if link.protocol.full_since is None:
                link.producer.pauseProducing()
            else:
                link.producer.resumeProducing()

    @rule(account=st.sampled_from(ACCOUNTS), told=st.booleans(), settled=st.booleans())
    def shut_out(self, account: str, told: bool, settled: bool) -> None:
        """Revoke an account's sessions."""
        self.world.shut_out(account, told)
        if settled:
            self.world.settle()

    # -- what is under way, and time

    @rule(picks=numbers)
    def pump(self, picks: list[int]) -> None:
        """Something arrives."""
        for pick in picks:
            self.world.step(pick)

    @rule(picks=numbers)
    def pump_more(self, picks: list[int]) -> None:
        """Something arrives."""
        self.pump(picks)

    @rule(pick=st.none() | queues)
    def hold(self, pick: int | None) -> None:
        """Stall one queue while others continue, or let it continue."""
        self.world.held = None
        if pick is not None:
            self.world.hold(pick)

    @rule(seconds=st.sampled_from([0.0, 0.0, 0.02, 0.1, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        """Deliver everything, and perhaps let time pass."""
        self.world.settle()
        self.world.advance(seconds)

    @rule(seconds=st.sampled_from([0.02, 0.5, 1.0, 5.0, 15.0]))
    def hang(self, seconds: float) -> None:
        """Let time pass without any delivery."""
        self.world.advance(seconds, pumped=False)

    # -- servers

    @rule(name=st.sampled_from((*SERVERS, "router1", "router2", "manager1")), start=st.booleans(), crash=st.booleans())
    def crash(self, name: str, start: bool, crash: bool) -> None:
        """Kill a process, start it, or both."""
        if crash:
            self.world.crash(name)
        if start:
            self.world.start(name)

    @rule(server=servers)
    def lose_lease(self, server: str) -> None:
        """Let the lease of a server end, so that it is declared dead."""
        self.world.expire(b"lease:" + server.encode())

    @rule(server=servers, count=few, talk=talks)
    def lose_hints(self, server: str, count: int, talk: list[tuple[str, str]]) -> None:
        """Lose the next hints for a server."""
        found = self.world.server(server)
        if found is not None:
            found.bus.losing = count
            self.talk(talk)

    @rule(server=servers)
    def cut_off(self, server: str) -> None:
        """Disconnect a server from the bus, or connect it again."""
        found = self.world.server(server)
        if found is not None:
            if found.bus.away:
                found.bus.reconnect()
            else:
                found.bus.disconnect()

    # -- Redis

    @rule(pick=st.integers(0, 15), done=st.integers(0, 2))
    def lose_connection(self, pick: int, done: int) -> None:
        """Lose a connection to Redis and everything under way on it; the first requests were run."""
        connections = self.world.network.connections
        if connections:
            connection = connections[pick % len(connections)]
            for _ in range(done):
                if connection.asks:
                    connection.do()
            connection.drop("lost")

    @precondition(lambda self: self.world.network.late)
    @rule(pick=st.integers(0, 15))
    def arrive_late(self, pick: int) -> None:
        """Run a request that seemed lost with its connection."""
        self.world.network.arrive_late(pick)

    @rule(done=st.integers(0, 3))
    def restart_redis(self, done: int) -> None:
        """Kill Redis and start it again."""
        self.world.restart_redis(done, self.real_kills)

    # -- invariants

    @invariant()
    def cursors(self) -> None:
        """Check P4, and that no defect was logged."""
        self.world.check_cursors()
        self.world.check_errors()

    def teardown(self) -> None:
        """Check all other promises."""
        try:
            self.world.finish()
        finally:
            self.world.close()


class OlderState(Mishaps):
    """The possible events with a store that is restored from an earlier state."""

    def begun(self) -> None:
        """Make the first copy of the store."""
        self.world.keep()

    @rule()
    def keep(self) -> None:
        """Copy the store again."""
        self.world.keep()

    @rule()
    def put_back(self) -> None:
        """Restore the store from the copy."""
        self.world.put_back()


class PromiseTests(SynchronousTestCase):
    """Histories with small windows and pages, so that a short one reaches every edge."""

    def setUp(self) -> None:
        """Make all limits small, and the store fast, since no machine loses its power here."""
        self.patch(device, "WINDOW", 4)
        self.patch(rooms, "REFILL", 2)
        self.patch(flow, "WAITING", 6)
        self.patch(replay, "PAGE_SIZE", 3)
        self.patch(log_reader.Logs.page, "__defaults__", (3, False))
        self.patch(items, "MESSAGES", 2)
        self.patch(commits, "CALLS", 3)
        self.patch(router_service, "ENTRIES", 2)
        server = RedisServer()
        self.addCleanup(server.close)
        real = bool(os.environ.get("FISHCHAT_REAL_KILLS"))
        if not real:
            server.command("CONFIG", "SET", "appendonly", "no")
        Mishaps.real_kills = real
        Mishaps.store = Store(server)
        self.addCleanup(Mishaps.store.close)

    def run_machine(self, machine: Any, examples: int) -> None:
        """Run the configured number of histories."""
        checks = list(HealthCheck)
        profile = settings(
            max_examples=int(_EXAMPLES or examples),
            stateful_step_count=int(os.environ.get("FISHCHAT_STEPS", 40)),
            derandomize=_EXAMPLES is None,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=checks,
            phases=(Phase.generate, Phase.shrink),
        )
        if _EXAMPLES is not None and os.environ.get("FISHCHAT_SEED"):
            machine = seed(int(os.environ["FISHCHAT_SEED"]))(machine)
        try:
            run_state_machine_as_test(machine, settings=profile)
        except AssertionError as error:
            # Trial does not show notes, which contain the history.
            raise AssertionError("\n".join([str(error), *getattr(error, "__notes__", ())])) from error
        finally:
            # Each of these is already reported as an error of its history.
            self.flushLoggedErrors()

    def test_acknowledged_in_a_range(self) -> None:
        """A device may acknowledge an old message that lies in a range announced by ``RESP_BEHIND``."""
        state = Mishaps()
        state.begin(up=1, homes=[0] * 6, members=0)
        talk = {"change": None, "key": "alice/d1", "pick": 0, "server": "ms1", "topic": "pond"}
        state.talk_meanwhile(talk=[("bob/d1", "carol"), ("bob/d1", "bob")], **talk)
        state.talk(talk=[("alice/d1", "bob")])
        state.leave(clean=False, key="bob/d2")
        state.say(count=1, key="alice/d1", to="bob")
        state.talk_meanwhile(talk=[("bob/d1", "bob")], **talk)
        state.teardown()

    def test_mishaps(self) -> None:
        """In every history, acknowledged messages are delivered once, in order, to exactly their recipients."""
        self.run_machine(Mishaps, 350)

    def test_older_state(self) -> None:
        """A store restored from an earlier state assigns no id twice, and lost messages are announced."""
        self.run_machine(OlderState, 150)
