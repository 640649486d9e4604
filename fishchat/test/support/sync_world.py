"""A whole FishChat without a reactor: real msg_servers, routers, a reaper; whoever holds it says what comes next.

Everything that is under way (a request to Redis, its reply, a hint, a line of a client) waits in a queue of its own;
``World.events`` are the heads of these queues, and any of them may be next. Clients judge what they hear
(``sync_client``), the oracle what is stored (``sync_oracle``); ``World.finish`` heals everything and looks at all.
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
#: 2026-01-01 and some minutes.
WALL = 1767225600.0 + 600


@implementer(ILogObserver)
class Defects:
    """What was logged as a defect."""

    def __init__(self, errors: list[str]) -> None:
        self._errors = errors

    def __call__(self, event: LogEvent) -> None:
        """See ILogObserver."""
        if "log_failure" in event:
            self._errors.append(event["log_failure"].getTraceback())


class World:
    """See the module.

    :ivar strict: whether the store never lost anything; then everything is demanded.
    """

    def __init__(self, store: Store) -> None:
        store.empty()
        self.store = store
        self.clock = Clock()
        self.ahead = 0.0
        self.medium = Medium()
        self.config = Config(limits=Limits(flood=False))
        self.oracle = Oracle(store)
        self.network = Network(store, self)
        self.strict = True
        self.kept: tuple[dict[bytes, bytes], Books] | None = None
        self.new_from: dict[str, int] = {}
        self.cursors: dict[str, dict[str, tuple[int, int]]] = {}
        self.leases: dict[bytes, float] = {}
        self.errors: list[str] = []
        #: The queue that is held up, by the event that would take its head.
        self.held: Event | None = None
        self.voice = MemoryBus(self.medium)
        self.processes: dict[str, Process] = {}
        self.dead_links: list[Link] = []
        self.devices = {
            f"{account}/{name}": Device(account, name, f"{account}/{name}" not in PLAIN, self.oracle, self.errors)
            for account in ACCOUNTS
            for name in ("d1", "d2")
        }
        self._defects = Defects(self.errors)
        globalLogPublisher.addObserver(self._defects)

    def close(self) -> None:
        """Nothing of it goes on."""
        globalLogPublisher.removeObserver(self._defects)

    def wall(self) -> float:
        """The time of day."""
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
        """A lease has ended."""
        self.leases.pop(key, None)
        self.store.command("DEL", key)

    # -- what may happen next

    def events(self) -> list[Event]:
        """The heads of all queues, always in the same order."""
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
        """Whatever else happens, one queue stands still: of requests, of replies, or of hints."""
        queues: list[Event] = []
        for connection in self.network.connections:
            queues += [connection.do, connection.give]
        queues += [process.bus.hear_one for process in self.processes.values()]
        self.held = queues[number % len(queues)] if queues else None

    def turn(self) -> None:
        """The reactor's turn ends."""
        self.clock.advance(0)

    def step(self, number: int) -> None:
        """One event, whichever this number hits."""
        events = self.events()
        if events:
            events[number % len(events)]()
        self.check_errors()

    def settle(self) -> None:
        """Everything that is under way arrives; no time passes."""
        for _ in range(1000):
            events = self.events()
            if not events:
                self.check_errors()
                return
            for event in events:
                event()
        raise AssertionError("it does not come to rest")

    def advance(self, seconds: float, pumped: bool = True) -> None:
        """Time passes, with all that it brings or, otherwise, while nothing arrives anywhere."""
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
        """Nothing was logged as a defect."""
        assert not self.errors, self.errors[0]

    # -- processes

    def start(self, name: str) -> None:
        """A process that does not run."""
        kind: Any = {"ms": Server, "router": Router, "manager": Manager}[name.rstrip("0123456789")]
        if name not in self.processes:
            self.processes[name] = kind(self, name)

    def crash(self, name: str) -> None:
        """A process dies."""
        process = self.processes.pop(name, None)
        if process is not None:
            process.crash()
            self.dead_links += process.links

    def server(self, name: str) -> Server | None:
        """A msg_server, if it runs."""
        found = self.processes.get(name)
        return found if isinstance(found, Server) else None

    def connect(self, device: Device, name: str) -> None:
        """A device logs in; if it is connected already, that connection is left as it is."""
        server = self.server(name)
        if server is not None:
            device.begin(server.connect(device))

    def shut_out(self, account: str, told: bool) -> None:
        """The operator disables an account, and has second thoughts; the servers are told, or the news are lost."""
        for disable in (True, False):
            self.store.command("EVALSHA", script("accounts/disable").sha, 0, pack(account, disable))
        for payload in self.store.said():
            if told:
                self.voice.publish(channels.CLIENT_STATUS, payload)

    @property
    def links(self) -> list[Link]:
        """All connections of clients to servers that run."""
        return [link for process in self.processes.values() for link in process.links if not link.over]

    # -- Redis

    def restart_redis(self, done: int, real: bool = False) -> None:
        """Redis dies and comes back; so many requests that were under way are still done."""
        for connection in self.network.connections:
            for _ in range(min(done, len(connection.requests))):
                if connection.asks:
                    connection.do()
        self.break_connections()
        if real:
            self.store.kill()
        self.network.run += 1

    def break_connections(self) -> None:
        """Everybody's connection is lost, and what did not arrive never will."""
        for connection in list(self.network.connections):
            connection.drop("Redis is gone")
        self.network.late.clear()
        for process in self.processes.values():
            process.bus.disconnect()
            process.bus.reconnect()

    def keep(self) -> None:
        """Somebody copies the store's files."""
        self.kept = (self.store.copy(), self.oracle.copy())

    def put_back(self) -> None:
        """Somebody puts the copy back."""
        if self.kept is None:
            return
        copy, books = self.kept
        self.break_connections()
        self.leases.update((key, self.clock.seconds() + 15.0) for key in copy if key[:6] in (b"lease:", b"router"))
        self.store.put_back(copy)
        self.oracle.books = books
        self.kept = (copy, self.oracle.copy())
        self.network.run += 1
        # It takes some minutes, more than there were restarts.
        self.ahead += 60.0 * (self.network.run + 1)
        self.strict = False
        self.cursors.clear()
        self.new_from = {name: len(log) for name, log in self.oracle.books.logs.items()}
        for device in self.devices.values():
            device.strict = False

    # -- what must hold at all times

    def check_cursors(self) -> None:
        """P4: never back, never past what a device acknowledged, or, of a person, past what was written."""
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
        """Heal everything: then everybody has all that is theirs and nothing else; the next login brings nothing."""
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
        # A membership that began and ended elsewhere in between is known with the next sweep: doc/channels.md says so.
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
        """What is still to come."""
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
        """P1, P2, P3 of what was sent."""
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
