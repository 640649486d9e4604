"""P1 to P6 of DESIGN under every order of mishaps that hypothesis thinks of: see ``sync_world``.

``FISHCHAT_EXAMPLES=2000`` runs that many histories, other ones each time; with ``FISHCHAT_SEED=7`` the same ones again.
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
    """What may happen, one rule each."""

    store: ClassVar[Store]
    real_kills: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.store)

    @initialize(
        up=st.integers(1, 3), homes=st.lists(st.integers(0, 5), min_size=6, max_size=6), members=st.integers(0, 7)
    )
    def begin(self, up: int, homes: list[int], members: int) -> None:
        """Some servers run, most devices are logged in, there are two topics."""
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
        """For those who prepare more."""

    def _change(self, device: Device, line: str) -> None:
        device.ask(line)
        self.world.settle()

    # -- clients

    @rule(key=keys, server=servers, settled=st.booleans())
    def connect(self, key: str, server: str, settled: bool) -> None:
        """A device logs in, or, if it is logged in, again: the old connection stays open."""
        self.world.connect(self.world.devices[key], server)
        if settled:
            self.world.settle()

    @rule(key=keys, clean=st.booleans())
    def leave(self, key: str, clean: bool) -> None:
        """A connection is lost."""
        self.world.devices[key].leave(clean)

    @rule(key=keys, to=st.sampled_from(ACCOUNTS + TOPICS), count=few)
    def say(self, key: str, to: str, count: int) -> None:
        """Messages, all at once."""
        for _ in range(count):
            self._say(key, to)

    def _say(self, key: str, to: str) -> None:
        device = self.world.devices[key]
        device.send("#" + to if to in TOPICS else "+".join(sorted((device.account, to))))

    @rule(talk=talks)
    def talk(self, talk: list[tuple[str, str]]) -> None:
        """Messages, each of which arrives before the next one is sent."""
        for key, to in talk:
            self._say(key, to)
            self.world.settle()

    @rule(pick=queues, key=keys, server=servers, change=st.none() | changes, topic=topics, talk=talks)
    def talk_meanwhile(
        self, pick: int, key: str, server: str, change: str | None, topic: str, talk: list[tuple[str, str]]
    ) -> None:
        """One queue stands still; somebody logs in or changes a membership, and others talk, before it goes on."""
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
        """What has no OK is sent again."""
        for name in list(self.world.devices[key].progress):
            self.world.devices[key].resend(name)

    @rule(key=keys, back=st.sampled_from([0, 0, 0, 1, 3, -1]))
    def ack(self, key: str, back: int) -> None:
        """What came is acknowledged, or some of it, or what came on an earlier connection."""
        device = self.world.devices[key]
        for name in list(device.progress):
            if back < 0:
                device.ack_early(name)
            else:
                device.ack(name, back)

    @rule(key=keys, verb=changes, topic=topics)
    def change(self, key: str, verb: str, topic: str) -> None:
        """A membership changes: ``MOVE`` is what is possible."""
        device = self.world.devices[key]
        if verb == "MOVE":
            verb = "LEAVE_TOPIC" if self.world.oracle.is_member(device.account, "#" + topic) else "JOIN_TOPIC"
        device.ask(f"{verb} {topic}")

    @rule(key=keys, verb=changes, topic=topics, talk=talks)
    def change_and_talk(self, key: str, verb: str, topic: str, talk: list[tuple[str, str]]) -> None:
        """A membership changes, and then there is talk."""
        self.change(key, verb, topic)
        self.world.settle()
        self.talk(talk)

    @rule(key=keys, line=st.sampled_from(QUESTIONS))
    def ask(self, key: str, line: str) -> None:
        """Something else, which must not overtake or be overtaken."""
        device = self.world.devices[key]
        if line != "SEND_READ":
            device.ask(line)
            return
        for progress in list(device.progress.values()):
            if progress.got:
                device.ask(f"SEND_READ {progress.got[-1].id}")

    @rule(key=keys)
    def choke(self, key: str) -> None:
        """A client takes nothing more, or takes again."""
        link = self.world.devices[key].link
        if link is not None and link.producer is not None:
            if link.protocol.full_since is None:
                link.producer.pauseProducing()
            else:
                link.producer.resumeProducing()

    @rule(account=st.sampled_from(ACCOUNTS), told=st.booleans(), settled=st.booleans())
    def shut_out(self, account: str, told: bool, settled: bool) -> None:
        """An account's sessions are taken back."""
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
        """One queue stands still while others go on, or goes on itself."""
        self.world.held = None
        if pick is not None:
            self.world.hold(pick)

    @rule(seconds=st.sampled_from([0.0, 0.0, 0.02, 0.1, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        """Everything arrives, and perhaps time passes."""
        self.world.settle()
        self.world.advance(seconds)

    @rule(seconds=st.sampled_from([0.02, 0.5, 1.0, 5.0, 15.0]))
    def hang(self, seconds: float) -> None:
        """Time passes, and nothing arrives."""
        self.world.advance(seconds, pumped=False)

    # -- servers

    @rule(name=st.sampled_from((*SERVERS, "router1", "router2", "manager1")), start=st.booleans(), crash=st.booleans())
    def crash(self, name: str, start: bool, crash: bool) -> None:
        """A process dies, or starts, or both."""
        if crash:
            self.world.crash(name)
        if start:
            self.world.start(name)

    @rule(server=servers)
    def lose_lease(self, server: str) -> None:
        """It was silent for too long, and is declared dead."""
        self.world.expire(b"lease:" + server.encode())

    @rule(server=servers, count=few, talk=talks)
    def lose_hints(self, server: str, count: int, talk: list[tuple[str, str]]) -> None:
        """The next hints for a server are lost."""
        found = self.world.server(server)
        if found is not None:
            found.bus.losing = count
            self.talk(talk)

    @rule(server=servers)
    def cut_off(self, server: str) -> None:
        """A server hears nothing, or hears again."""
        found = self.world.server(server)
        if found is not None:
            if found.bus.away:
                found.bus.reconnect()
            else:
                found.bus.disconnect()

    # -- Redis

    @rule(pick=st.integers(0, 15), done=st.integers(0, 2))
    def lose_connection(self, pick: int, done: int) -> None:
        """A connection to Redis is lost with what was under way on it; the first of that was done."""
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
        """What was thought lost with its connection is done."""
        self.world.network.arrive_late(pick)

    @rule(done=st.integers(0, 3))
    def restart_redis(self, done: int) -> None:
        """Redis dies and comes back."""
        self.world.restart_redis(done, self.real_kills)

    # -- what must hold

    @invariant()
    def cursors(self) -> None:
        """P4, and nothing was logged as a defect."""
        self.world.check_cursors()
        self.world.check_errors()

    def teardown(self) -> None:
        """All the rest."""
        try:
            self.world.finish()
        finally:
            self.world.close()


class OlderState(Mishaps):
    """The same with a store that is put back to an earlier state."""

    def begun(self) -> None:
        """There is always a copy."""
        self.world.keep()

    @rule()
    def keep(self) -> None:
        """The store is copied."""
        self.world.keep()

    @rule()
    def put_back(self) -> None:
        """The copy is put back."""
        self.world.put_back()


class PromiseTests(SynchronousTestCase):
    """Small windows and pages, so that a short history reaches every edge."""

    def setUp(self) -> None:
        """All limits are small; the store is fast, since no machine loses its power here."""
        self.patch(device, "WINDOW", 4)
        self.patch(rooms, "REFILL", 2)
        self.patch(flow, "WAITING", 6)
        self.patch(replay, "PAGE_SIZE", 3)
        self.patch(log_reader.Logs.page, "__defaults__", (3,))
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
        """So many histories."""
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
            # Trial shows no notes, and the history is in them.
            raise AssertionError("\n".join([str(error), *getattr(error, "__notes__", ())])) from error
        finally:
            # Each is an error of the history that it belongs to already.
            self.flushLoggedErrors()

    def test_mishaps(self) -> None:
        """Whatever happens, what was acknowledged arrives, once, in order, for those whom it is for."""
        self.run_machine(Mishaps, 350)

    def test_older_state(self) -> None:
        """A store that was put back to an earlier state gives out no id twice, and says what is gone."""
        self.run_machine(OlderState, 150)
