"""The router: reads its shards of ``/sysctrl/send`` and notifies each msg_server of its messages.

It stores nothing but its place. Repeats are harmless: a msg_server drops entries that it has seen.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.bus import channels
from fishchat.bus.hints import EACH, Hints
from fishchat.interfaces import IBus, IStore
from fishchat.model.names import START, Position, format_position, parse_position
from fishchat.model.routing import Entry, group
from fishchat.services.role import Parts
from fishchat.services.running.heartbeat import Load
from fishchat.storage.packing import unpack
from fishchat.storage.redis import StoreError
from fishchat.storage.routes import calls

#: Seconds that a router holds a shard without a heartbeat, and between two heartbeats or two tries to get a shard:
#: another router continues three seconds after a death.
LEASE = 2.0
STORE = 1.0
#: Entries of one read, and milliseconds that a read waits for new ones.
ENTRIES = 64
BLOCK = 1000
#: Seconds without a reply to such a read after which Redis counts as hanging.
PATIENCE = 4.0


class ShardReader(Service):
    """One shard: held or not, read in order.

    :param reader: a connection of its own, since a read blocks it. :param shards: all shards of this router, with this
    one; routers share the shards among themselves by their number.
    """

    log = Logger()

    def __init__(
        self,
        shard: int,
        reader: IStore,
        store: IStore,
        bus: IBus,
        clock: IReactorTime,
        shards: Sequence[ShardReader],
    ) -> None:
        self.shard = shard
        self.messages = self.batches = 0
        self._stream = channels.send_stream(shard).encode()
        self._reader = reader
        self._store = store
        self._bus = bus
        self._token = secrets.token_hex(8).encode()
        self._generation = 0
        self._at: Position = START
        self._numbers: dict[bytes, int] = {}
        self._moved: set[bytes] = set()
        self._reading = False
        self._shards = shards
        self._lease = LoopingCall(self._renew)
        self._lease.clock = clock
        store.on_connected.append(self._wake)
        reader.on_connected.append(self._wake)

    @property
    def at(self) -> Position:
        """The last entry of this shard that this router has read."""
        return self._at

    @property
    def holds(self) -> bool:
        """Whether this router reads the shard."""
        return self._generation > 0

    def startService(self) -> None:
        """Ask for the shard repeatedly."""
        super().startService()
        self._lease.start(STORE, now=True)

    def stopService(self) -> Deferred[Any]:
        """Store the place and release the shard, so that another router need not wait."""
        super().stopService()
        self._lease.stop()
        if not self.holds or not self._store.connected:
            return succeed(None)
        return ensureDeferred(self._give_back()).addErrback(self._failed)

    async def _give_back(self) -> None:
        await self._store_place()
        self._generation = 0
        await calls.release(self._stream, self._token).of(self._store)

    def _wake(self) -> None:
        if self.running:
            self._renew()

    def _renew(self) -> Deferred[Any]:
        if not self._store.connected:
            return succeed(None)
        step = self._store_place() if self.holds else self._take()
        return ensureDeferred(step).addErrback(self._failed)

    def _held(self) -> list[ShardReader]:
        return [shard for shard in self._shards if shard.holds]

    async def _take(self) -> None:
        # All servers, even those that never received a batch: a sweep is for everybody.
        registered = await self._store.run("HKEYS", "servers")
        # A single shard cannot be shared, so no router needs to ask for a part.
        held = len(self._held()) if len(self._shards) > 1 else -1
        taken = await calls.take(self._stream, self._token, int(LEASE * 1000), held).of(self._store)
        if taken is None or not self.running or self.holds:
            return
        self._numbers = {**dict.fromkeys(registered, 0), **taken.numbers}
        self._at = taken.position
        self._moved.clear()
        self._generation = taken.generation
        at = "its beginning" if self._at == START else format_position(self._at).decode()
        self.log.info("reads shard {shard} from {at}", shard=self.shard, at=at)
        self._read()

    async def _store_place(self) -> None:
        moved, self._moved = self._moved, set()
        numbers = {server: self._numbers[server] for server in moved}
        held = self._held()
        # One at a time: only the last shard may be released.
        spare = len(held) if held[-1] is self else 0
        lease = int(LEASE * 1000)
        ask = calls.store(self._stream, self._token, lease, self._generation, self._at, numbers, spare)
        try:
            reply = await ask.of(self._store)
        except StoreError:
            self._moved |= moved
            raise
        if reply == b"LOST":
            self._generation = 0
            self.log.warn("shard {shard} was taken by another router", shard=self.shard)
        elif reply == b"GIVEN":
            self._generation = 0
            self.log.info("shard {shard} is given to a router that holds fewer", shard=self.shard)
        else:
            self._read()

    def _read(self) -> None:
        """Start the next read, unless a read is under way."""
        if not self._reading and self.holds and self.running and self._reader.connected:
            self._reading = True
            ensureDeferred(self._read_on()).addErrback(self._failed).addBoth(self._stopped_reading)

    def _stopped_reading(self, _: object) -> None:
        self._reading = False

    async def _read_on(self) -> None:
        while self.holds and self.running:
            generation = self._generation
            at = format_position(self._at)
            reply = await self._reader.run(
                "XREAD", "COUNT", ENTRIES, "BLOCK", BLOCK, "STREAMS", self._stream, at, timeout=PATIENCE
            )
            if generation != self._generation:
                continue
            for raw_id, fields in reply[0][1] if reply else ():
                self._route(parse_position(raw_id), dict(zip(fields[::2], fields[1::2], strict=True)))

    def _route(self, at: Position, fields: dict[bytes, bytes]) -> None:
        if at[1] != self._at[1] + 1:
            self._order_sweep()
        self._at = at
        # What an older version left has no time, and is of use to nobody who asks for one.
        entry = Entry.of(unpack(fields[b"b"]), unpack(fields[b"r"]), int(fields.get(b"t", 0)))
        for server, flat in group(entry).items():
            self._tell(server, at[0], flat)

    def _tell(self, server: bytes, epoch: int, flat: list[Any]) -> None:
        number = self._numbers[server] = self._numbers.get(server, 0) + 1
        self._moved.add(server)
        self.batches += 1
        self.messages += len(flat) // EACH
        payload = Hints(self.shard, self._generation, number, epoch, flat).encode()
        self._bus.publish(channels.msg_server(server.decode()), payload)

    def _order_sweep(self) -> None:
        """Order a sweep: entries were cut before they were read, so their receivers are unknown."""
        self.log.warn("shard {shard} was cut before it was read: all msg_servers sweep", shard=self.shard)
        for server in list(self._numbers):
            self._tell(server, 0, [])

    def _failed(self, failure: Failure) -> None:
        if failure.check(StoreError) is None:
            self.log.failure("shard {shard} could not be read", failure, shard=self.shard)


def build(parts: Parts) -> Sequence[IService]:
    """Return the services of one router: a reader for each shard."""
    store = parts.store(calls.SCRIPTS)
    readers: list[ShardReader] = []
    for shard in range(parts.config.router.shards):
        readers.append(ShardReader(shard, parts.connection(), store, parts.bus, parts.clock, readers))

    def load() -> Load:
        held = sum(reader.holds for reader in readers)
        batches, messages = sum(one.batches for one in readers), sum(one.messages for one in readers)
        return Load(figures={"shards": held, "batches": batches, "messages": messages})

    return [*readers, parts.heartbeat("router", load)]
