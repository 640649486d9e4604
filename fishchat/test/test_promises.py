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
from fishchat.services import router
from fishchat.services.msg_server import commits, connection, delivery, feeding, logs, operations
from fishchat.test.redis_fixture import RedisServer
from fishchat.test.sync_client import Device
from fishchat.test.sync_redis import Store
from fishchat.test.sync_world import ACCOUNTS, SERVERS, TOPICS, World

_EXAMPLES = os.environ.get("FISHCHAT_EXAMPLES")

keys = st.sampled_from([f"{account}/{name}" for account in ACCOUNTS for name in ("d1", "d2")])
servers = st.sampled_from(SERVERS)
topics = st.sampled_from(TOPICS)
few = st.integers(1, 3)
talks = st.lists(st.tuples(keys, st.sampled_from(ACCOUNTS + TOPICS)), min_size=1, max_size=4)
changes = st.sampled_from([verb + "_TOPIC" for verb in ("CREATE", "JOIN", "JOIN", "LEAVE", "LEAVE", "DISMISS")])
numbers = st.lists(st.integers(0, 63), min_size=1, max_size=20)


class Mishaps(RuleBasedStateMachine):
    """What may happen, one rule each."""

    store: ClassVar[Store]
    real_kills: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.store)

    @initialize(
        up=st.integers(1, 3), homes=st.lists(st.integers(0, 5), min_size=6, max_size=6), members=st.integers(0, 15)
    )
    def begin(self, up: int, homes: list[int], members: int) -> None:
        """Some servers run, most devices are logged in, some accounts are in a topic or two."""
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
            if members >> number & 1:
                self._change(firsts[number], f"CREATE_TOPIC {topic}")
                self._change(firsts[2], f"JOIN_TOPIC {topic}")
                if members >> 2 & 1:
                    self._change(firsts[1 - number], f"JOIN_TOPIC {topic}")

        self.begun()

    def begun(self) -> None:
        """For those who prepare more."""

    def _change(self, device: Device, line: str) -> None:
        device.ask(line)
        self.world.settle()

    # -- clients

    @rule(key=keys, server=servers)
    def connect(self, key: str, server: str) -> None:
        """A device logs in, or, if it is logged in, again: the old connection stays open."""
        self.world.connect(self.world.devices[key], server)

    @rule(key=keys, server=servers)
    def log_in(self, key: str, server: str) -> None:
        """A device logs in, and everything arrives."""
        self.world.connect(self.world.devices[key], server)
        self.world.settle()

    @rule(key=keys, clean=st.booleans())
    def leave(self, key: str, clean: bool) -> None:
        """A connection is lost."""
        self.world.devices[key].leave(clean)

    @rule(key=keys, peer=st.sampled_from(ACCOUNTS), count=few)
    def say(self, key: str, peer: str, count: int) -> None:
        """Messages to an account."""
        device = self.world.devices[key]
        for _ in range(count):
            device.send("+".join(sorted((device.account, peer))))

    @rule(key=keys, topic=topics, count=few)
    def say_all(self, key: str, topic: str, count: int) -> None:
        """Messages to a topic."""
        for _ in range(count):
            self.world.devices[key].send("#" + topic)

    @rule(key=keys)
    def resend(self, key: str) -> None:
        """What has no OK is sent again."""
        for name in list(self.world.devices[key].progress):
            self.world.devices[key].resend(name)

    @rule(key=keys, back=st.sampled_from([0, 0, 0, 1, 3]))
    def ack(self, key: str, back: int) -> None:
        """What came is acknowledged, or some of it, or what was before."""
        for name in list(self.world.devices[key].progress):
            self.world.devices[key].ack(name, back)

    @rule(key=keys)
    def ack_early(self, key: str) -> None:
        """What came on an earlier connection is acknowledged on this one."""
        for name in list(self.world.devices[key].progress):
            self.world.devices[key].ack_early(name)

    @rule(key=keys, verb=changes, topic=topics, settled=st.booleans())
    def change(self, key: str, verb: str, topic: str, settled: bool) -> None:
        """A membership changes."""
        self.world.devices[key].ask(f"{verb} {topic}")
        if settled:
            self.world.settle()

    @rule(key=keys, topic=topics, guest=st.sampled_from(ACCOUNTS))
    def invite(self, key: str, topic: str, guest: str) -> None:
        """A notice."""
        self.world.devices[key].ask(f"INVITE_TOPIC {topic} {guest}")

    @rule(key=keys, line=st.sampled_from(["SEND_PING", "REQ_CONVERSATIONS", "REQ_HISTORY #pond", "HELP"]))
    def ask(self, key: str, line: str) -> None:
        """Something else, which must not overtake or be overtaken."""
        self.world.devices[key].ask(line)

    @rule(key=keys)
    def read(self, key: str) -> None:
        """The last message of each conversation is read."""
        device = self.world.devices[key]
        for progress in list(device.progress.values()):
            if progress.got:
                device.ask(f"SEND_READ {progress.got[-1].id}")

    @rule(key=keys)
    def choke(self, key: str) -> None:
        """A client takes nothing more."""
        link = self.world.devices[key].link
        if link is not None and link.producer is not None and link.protocol.full_since is None:
            link.producer.pauseProducing()

    @rule(key=keys)
    def unchoke(self, key: str) -> None:
        """It takes again."""
        link = self.world.devices[key].link
        if link is not None and link.producer is not None and link.protocol.full_since is not None:
            link.producer.resumeProducing()

    # -- what is under way, and time

    @rule(picks=numbers)
    def pump(self, picks: list[int]) -> None:
        """Something arrives."""
        for pick in picks:
            self.world.step(pick)

    @rule(picks=numbers)
    def pump_more(self, picks: list[int]) -> None:
        """Something arrives."""
        for pick in picks:
            self.world.step(pick)

    @rule(pick=st.integers(0, 31))
    def hold(self, pick: int) -> None:
        """One queue stands still while others go on."""
        self.world.hold(pick)

    @rule()
    def release(self) -> None:
        """It goes on."""
        self.world.held = None

    @rule(talk=talks)
    def talk(self, talk: list[tuple[str, str]]) -> None:
        """Messages, each of which arrives before the next one is sent."""
        for key, to in talk:
            device = self.world.devices[key]
            device.send("#" + to if to in TOPICS else "+".join(sorted((device.account, to))))
            self.world.settle()

    @rule(pick=st.integers(0, 31), key=keys, server=servers, change=st.none() | changes, topic=topics, talk=talks)
    def talk_meanwhile(
        self, pick: int, key: str, server: str, change: str | None, topic: str, talk: list[tuple[str, str]]
    ) -> None:
        """One queue stands still; somebody logs in or changes a membership, and others talk, before it goes on."""
        self.world.settle()
        self.world.hold(pick)
        device = self.world.devices[key]
        if change is None:
            self.world.connect(device, server)
        else:
            device.ask(f"{change} {topic}")
        self.world.settle()
        self.talk(talk)
        self.world.held = None
        self.world.settle()

    @rule()
    def settle(self) -> None:
        """Everything arrives."""
        self.world.settle()

    @rule(seconds=st.sampled_from([0.02, 0.1, 1.0, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        """Time passes, and everything arrives."""
        self.world.settle()
        self.world.advance(seconds)

    @rule(seconds=st.sampled_from([0.02, 0.5, 1.0, 5.0, 15.0]))
    def hang(self, seconds: float) -> None:
        """Time passes, and nothing arrives."""
        self.world.advance(seconds, pumped=False)

    # -- servers

    @rule(server=servers)
    def start(self, server: str) -> None:
        """A msg_server starts, perhaps again."""
        self.world.start(server)

    @rule(server=servers, again=st.booleans())
    def crash(self, server: str, again: bool) -> None:
        """A msg_server dies."""
        self.world.crash(server)
        if again:
            self.world.start(server)

    @rule(server=servers)
    def lose_lease(self, server: str) -> None:
        """It was silent for too long, and is declared dead."""
        self.world.expire(b"lease:" + server.encode())

    @rule(name=st.sampled_from(["router1", "router2", "manager1"]))
    def crash_other(self, name: str) -> None:
        """A router or the manager dies."""
        self.world.crash(name)

    @rule(name=st.sampled_from(["router1", "router1", "router2", "manager1"]))
    def start_other(self, name: str) -> None:
        """A router or the manager starts."""
        self.world.start(name)

    @rule(server=servers, count=few)
    def lose_hints(self, server: str, count: int) -> None:
        """The next hints for a server are lost."""
        found = self.world.server(server)
        if found is not None:
            found.bus.losing = count

    @rule(server=servers)
    def bus_away(self, server: str) -> None:
        """A server hears nothing."""
        found = self.world.server(server)
        if found is not None and not found.bus.away:
            found.bus.disconnect()

    @rule(server=servers)
    def bus_back(self, server: str) -> None:
        """It hears again."""
        found = self.world.server(server)
        if found is not None and found.bus.away:
            found.bus.reconnect()

    # -- Redis

    @rule(pick=st.integers(0, 15), done=few)
    def lose_connection(self, pick: int, done: int) -> None:
        """A connection to Redis is lost with what was under way on it; the first of that was done."""
        connections = self.world.network.connections
        if connections:
            connection = connections[pick % len(connections)]
            for _ in range(done - 1):
                if connection.asks:
                    connection.do()
            connection.drop("lost")

    @precondition(lambda self: self.world.network.late)
    @rule(pick=st.integers(0, 15))
    def arrive_late(self, pick: int) -> None:
        """What was thought lost with its connection is done."""
        if self.world.network.late:
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
        self.patch(delivery, "REFILL", 2)
        self.patch(connection, "WAITING", 6)
        self.patch(feeding, "PAGE_SIZE", 3)
        self.patch(logs.Logs.page, "__defaults__", (3,))
        self.patch(operations, "MESSAGES", 2)
        self.patch(commits, "CALLS", 3)
        self.patch(router, "ENTRIES", 2)
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
