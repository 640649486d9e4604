"""A whole FishChat without a reactor: real msg_servers, routers, a reaper; the test decides which event is next.

Everything that is under way (a request to Redis, its reply, a hint, a line of a client) waits in its own queue;
``World.events`` are the heads of these queues, and any of them may be next. Clients check received lines
(``sync_client``), the oracle checks stored data (``sync_oracle``); ``World.finish`` repairs and checks everything.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from fishchat.bus import channels
from fishchat.config.schema import Config, Limits
from fishchat.storage.packing import pack
from fishchat.storage.script import script
from fishchat.test.support.sync_client import Device
from fishchat.test.support.sync_link import Link
from fishchat.test.support.sync_oracle import Books, Oracle
from fishchat.test.support.sync_processes import Event, Manager, Process, Router, Server
from fishchat.test.support.sync_redis import Arguments, Network, Store
from fishchat.testing.memory_bus import Medium, MemoryBus

ACCOUNTS = ("alice", "bob", "carol")
TOPICS = ("pond", "lake")
SERVERS = ("ms1", "ms2", "ms3")
#: Carol's second device is a person who acknowledges nothing.
PLAIN = ("carol/d2",)
#: Bob's second device wants only the newest messages.
LAZY = ("bob/d2",)
#: 2026-01-01 and some minutes.
WALL = 1767225600.0 + 600


@implementer(ILogObserver)
class Defects:
    """The defects that were logged."""

    def __init__(self, errors: list[str]) -> None:
        self._errors = errors

    def __call__(self, event: LogEvent) -> None:
        """See ILogObserver."""
        if "log_failure" in event:
            self._errors.append(event["log_failure"].getTraceback())


class World:
    """The world, see the module.

    :ivar strict: whether the store never lost anything; then all promises are checked.
    """

    def __init__(self, store: Store) -> None:
        store.empty()
        self.store = store
        self.clock = Clock()
        self.ahead = 0.0
        self.medium = Medium()
        self.config = Config(limits=Limits(flood=False, lazy=1, join_notices=0))
        self.oracle = Oracle(store)
        self.network = Network(store, self)
        self.strict = True
        self.kept: tuple[dict[bytes, bytes], Books] | None = None
        self.new_from: dict[str, int] = {}
        self.cursors: dict[str, dict[str, tuple[int, int]]] = {}
        self.leases: dict[bytes, float] = {}
        self.errors: list[str] = []
        #: The stalled queue, by the event that would take its head.
        self.held: Event | None = None
        self.voice = MemoryBus(self.medium)
        self.processes: dict[str, Process] = {}
        self.dead_links: list[Link] = []
        self.devices = {
            key: Device(account, name, key not in PLAIN, key in LAZY, self.oracle, self.errors)
            for account in ACCOUNTS
            for name in ("d1", "d2")
            for key in (f"{account}/{name}",)
        }
        self._defects = Defects(self.errors)
        globalLogPublisher.addObserver(self._defects)

    def close(self) -> None:
        """Stop recording defects."""
        globalLogPublisher.removeObserver(self._defects)

    def wall(self) -> float:
        """Return the time of day."""
        return WALL + self.clock.seconds() + self.ahead

    # -- scripts pass by

    def asks(self, script: str, args: list[Any]) -> tuple[list[Arguments], list[Arguments]]:
        """See Observer. The world's time is not Redis': it ends the leases itself."""
        behind: list[Arguments] = []
        if script == "servers/register":
            behind.append(("PERSIST", b"lease:" + args[0]))
        elif script in ("routes/take", "routes/store"):
            behind.append(("PERSIST", b"router:" + args[0]))
        return self.oracle.asks(script, args), behind

    def ran(self, script: str, args: list[Any], before: list[Any], reply: Any) -> None:
        """See Observer."""
        self.oracle.ran(script, args, before, reply)
        now = self.clock.seconds()
        if script == "servers/register" and reply in (b"KEPT", b"NEW"):
            self.leases[b"lease:" + args[0]] = now + 15.0
        elif (script == "routes/take" and reply is not None) or (script == "routes/store" and reply == b"OK"):
            self.leases[b"router:" + args[0]] = now + 2.0
        elif script == "session/login" and reply[0] == b"OK" and reply[1]:
            for payload in self.store.said():
                self.voice.publish(channels.CLIENT_STATUS, payload)

    def expire(self, key: bytes) -> None:
        """End a lease."""
        self.leases.pop(key, None)
        self.store.command("DEL", key)

    # -- events

    def events(self) -> list[Event]:
        """Return the heads of all queues, always in the same order."""
        found: list[Event] = []
        if any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
            found.append(self.turn)
        for connection in self.network.connections:
            if connection.asks:
                found.append(connection.do)
            if connection.replies:
                found.append(connection.give)
        for process in self.processes.values():
            if process.bus.inbox:
                found.append(process.bus.hear_one)
            self._events_of(process.links, found)
        self._events_of(self.dead_links, found)
        # Bound methods of one object are equal, not identical.
        return [event for event in found if event != self.held]

    def _events_of(self, links: list[Link], found: list[Event]) -> None:
        for link in links:
            if link.to_server and link.reading and not link.over:
                found.append(link.arrive)
            if link.to_client:
                found.append(link.hear)

    def hold(self, number: int) -> None:
        """Stall one queue: of requests, of replies, or of hints."""
        queues: list[Event] = []
        for connection in self.network.connections:
            queues += [connection.do, connection.give]
        queues += [process.bus.hear_one for process in self.processes.values()]
        self.held = queues[number % len(queues)] if queues else None

    def turn(self) -> None:
        """End the reactor's turn."""
        self.clock.advance(0)

    def step(self, number: int) -> None:
        """Run the event that this number selects."""
        events = self.events()
        if events:
            events[number % len(events)]()
        self.check_errors()

    def settle(self) -> None:
        """Deliver everything that is under way; no time passes."""
        for _ in range(1000):
            events = self.events()
            if not events:
                self.check_errors()
                return
            for event in events:
                event()
        raise AssertionError("it does not come to rest")

    def advance(self, seconds: float, pumped: bool = True) -> None:
        """Let time pass, with all deliveries or with none."""
        while seconds > 0:
            step = min(seconds, 0.5)
            seconds -= step
            self.clock.advance(step)
            for key, end in list(self.leases.items()):
                if end <= self.clock.seconds():
                    self.expire(key)
            if pumped:
                self.settle()

    def check_errors(self) -> None:
        """Check that no defect was logged."""
        assert not self.errors, self.errors[0]

    # -- processes

    def start(self, name: str) -> None:
        """Start a process that does not run."""
        kind: Any = {"ms": Server, "router": Router, "manager": Manager}[name.rstrip("0123456789")]
        if name not in self.processes:
            self.processes[name] = kind(self, name)

    def crash(self, name: str) -> None:
        """Kill a process."""
        process = self.processes.pop(name, None)
        if process is not None:
            process.crash()
            self.dead_links += process.links

    def server(self, name: str) -> Server | None:
        """Return a msg_server if it runs."""
        found = self.processes.get(name)
        return found if isinstance(found, Server) else None

    def connect(self, device: Device, name: str) -> None:
        """Log a device in; an earlier connection is not closed."""
        server = self.server(name)
        if server is not None:
            device.begin(server.connect(device))

    def shut_out(self, account: str, told: bool) -> None:
        """Disable an account and enable it again; the servers are notified, or the news is lost."""
        for disable in (True, False):
            self.store.command("EVALSHA", script("accounts/disable").sha, 0, pack(account, disable))
        for payload in self.store.said():
            if told:
                self.voice.publish(channels.CLIENT_STATUS, payload)

    @property
    def links(self) -> list[Link]:
        """Return all connections of clients to running servers."""
        return [link for process in self.processes.values() for link in process.links if not link.over]

    # -- Redis

    def restart_redis(self, done: int, real: bool = False) -> None:
        """Kill Redis and start it again; on each connection, the first ``done`` requests under way are still run."""
        for connection in self.network.connections:
            for _ in range(min(done, len(connection.requests))):
                if connection.asks:
                    connection.do()
        self.break_connections()
        if real:
            self.store.kill()
        self.network.run += 1

    def break_connections(self) -> None:
        """Lose all connections, with everything under way."""
        for connection in list(self.network.connections):
            connection.drop("Redis is gone")
        self.network.late.clear()
        for process in self.processes.values():
            process.bus.disconnect()
            process.bus.reconnect()

    def keep(self) -> None:
        """Copy the store's files."""
        self.kept = (self.store.copy(), self.oracle.copy())

    def put_back(self) -> None:
        """Restore the store from the copy."""
        if self.kept is None:
            return
        copy, books = self.kept
        self.break_connections()
        self.leases.update((key, self.clock.seconds() + 15.0) for key in copy if key[:6] in (b"lease:", b"router"))
        self.store.put_back(copy)
        self.oracle.books = books
        self.kept = (copy, self.oracle.copy())
        self.network.run += 1
        # A restore takes some minutes, more than there were restarts.
        self.ahead += 60.0 * (self.network.run + 1)
        self.strict = False
        self.cursors.clear()
        self.new_from = {name: len(log) for name, log in self.oracle.books.logs.items()}
        for device in self.devices.values():
            device.strict = False

    # -- invariants

    def check_cursors(self) -> None:
        """Check P4: cursors never move back, nor past what a device acknowledged or, for a person, what was written."""
        if not self.oracle.moved:
            return
        self.oracle.moved = False
        found = self.oracle.cursors(self.devices)
        for (key, device), cursors in zip(self.devices.items(), found, strict=True):
            before = self.cursors.get(key, {})
            for name, position in cursors.items():
                assert position >= before.get(name, position), f"P4: {key} goes back in {name}: {before} {cursors}"
                if self.strict and position != before.get(name):
                    self._check_moved(device, name, position)
            self.cursors[key] = cursors

    def _check_moved(self, device: Device, name: str, position: tuple[int, int]) -> None:
        acked = device.at(name).acked
        shown = device.shown.get(name, set())
        for message in self.oracle.due(device.key, name):
            if message.position <= position and (message.position > acked if device.acks else True):
                passed = not device.acks and message.position in shown
                assert passed, f"P4: {device.key} never acknowledged {message}; its cursor is {position}, acked {acked}"

    # -- the end

    def finish(self) -> None:
        """Repair everything. Then each device has exactly its messages, and the next login pushes nothing."""
        self._heal()
        for _ in range(60):
            self.advance(0.5)
            self._go_on()
            self.settle()
            self.check_cursors()
            if not self.lacking():
                break
        else:
            raise AssertionError("still lacking:\n" + "\n".join(self.lacking()))
        self.check_stored()
        self._go_on()
        self.advance(2.5)
        self.check_cursors()
        self._log_in_again()

    def _heal(self) -> None:
        self.held = None
        while self.network.late:
            self.network.arrive_late(0)
        for name in (*SERVERS, "router1", "manager1"):
            self.start(name)
        for process in self.processes.values():
            process.bus.losing = 0
            if process.bus.away:
                process.bus.reconnect()
        for link in self.links:
            if link.device.link is not link:
                link.leave(True)
            elif link.producer is not None:
                link.producer.resumeProducing()
        self.settle()
        # The next sweep finds a membership that began and ended elsewhere in between, see doc/channels.md.
        for name in SERVERS:
            server: Any = self.processes[name]
            server.role.delivery.sweep()
        self.settle()

    def _go_on(self) -> None:
        for number, device in enumerate(self.devices.values()):
            if device.link is None:
                self.connect(device, SERVERS[number % len(SERVERS)])
            for name in list(device.progress):
                device.resend(name)
                if device.link is not None and device.link.online:
                    device.ack(name)

    def lacking(self) -> list[str]:
        """Return what the clients still lack, as sentences."""
        found = []
        for key, device in self.devices.items():
            if device.link is None or not device.link.synced:
                found.append(f"{key} is not logged in")
                continue
            if device.link.asked:
                found.append(f"{key} has no answer to {list(device.link.asked)[:3]}")
            found += [f"{key} has no OK for {each.outbox}" for each in device.progress.values() if each.outbox]
            for name in self.oracle.books.logs:
                found += self._lacks(device, name)
        return found

    def _lacks(self, device: Device, name: str) -> list[str]:
        log = self.oracle.books.logs[name]
        due = self.oracle.due(device.key, name)
        if self.strict and device.acks:
            got = device.at(name).got
            return [] if got == due else [f"{device.key} in {name} has {got}, due are {due}"]
        if not self.strict:
            due = [message for message in log[self.new_from.get(name, 0) :] if message in due]
        shown = device.shown.get(name, set())
        missing = [message for message in due if message.position not in shown]
        return [f"{device.key} was never given {missing}"] if missing else []

    def check_stored(self) -> None:
        """Check P1, P2 and P3 for the sent messages."""
        for device in self.devices.values():
            for name, texts in device.sent.items():
                stored = [each for each in self.oracle.books.logs.get(name, ()) if each.sender == device.key]
                found = [each.text for each in stored if not each.text.startswith("DISMISSED")]
                if not self.strict:
                    continue
                assert len(found) == len(set(found)), f"P2: {device.key} in {name}: {found}"
                kept = [text for text in found if text not in device.given_up]
                assert kept == [text for text in texts if text in kept], f"P3: {name}: {found}, sent {texts}"
                for text in texts:
                    assert text in found or text not in device.confirmed, f"P1: {device.key} in {name}: {text} is lost"

    def _log_in_again(self) -> None:
        for device in self.devices.values():
            device.leave(True)
        self.settle()
        for attempt in range(40):
            for number, device in enumerate(self.devices.values()):
                if device.link is None:
                    self.connect(device, SERVERS[(number + attempt) % len(SERVERS)])
            self.advance(0.5)
            if all(device.link is not None and device.link.synced for device in self.devices.values()):
                break
        else:
            raise AssertionError("not everybody could log in again")
        self.advance(1.0)
        for key, device in self.devices.items():
            again = device.link.pushed if device.link is not None and self.strict else {}
            assert not any(again.values()), f"P4: {key} is given again what it acknowledged: {again}"
