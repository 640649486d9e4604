"""The lines of a whole server: its own code from the bytes to the bytes, on a transport in memory, without a store."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from fishchat.config import schema
from fishchat.errors import Refusal
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.model.placement import Placement
from fishchat.model.secrets.passwords import Costs, make
from fishchat.proof.fuzz.helpers import Dice, Transport, claim, pieces, quiet
from fishchat.proof.fuzz.store import EPOCH, Store
from fishchat.proof.fuzz.transcript import Transcript, compare, expected
from fishchat.protocols.peer import LinePeer
from fishchat.protocols.table import Table
from fishchat.services.gateway.service import Gateway
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.msg_server.sessions.hashing import Hashing
from fishchat.services.running.lease import Lease
from fishchat.storage.epoch import Epoch
from fishchat.storage.fence import Fence
from fishchat.testing.memory_bus import MemoryBus

PASSWORD = b"correct horse battery"
TOKEN = b"fct_ymVJM0fFnrdnQGZvHZE3zz5vqDbWqB8gVPUzRZZXu2Y"
#: The lowest allowed costs of a hash: hashing is not tested here.
COSTS = Costs(8, 1, 4096)
MADE = make(PASSWORD, COSTS)
_ACCOUNTS = {mode: schema.Accounts(mode=mode, scram_rounds=4096) for mode in ("open", "closed", "signup")}
_LIMITS = (schema.Limits(flood=False), schema.Limits(rate=2.0, burst=4))
#: How often a server with remaining lines gets another turn, and seconds between some of them.
TURNS = 4000
#: A conversation in which another client writes.
TALK = b"alice+bob"


class Held(Lease):
    """A lease that is never lost."""

    @property
    def fence(self) -> Fence | None:
        """The same fence at any time."""
        return Fence(self.server, b"i", EPOCH, 1)


class Inline(Hashing):
    """Hashes at once and cheaply; the server has threads for it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, clock)

    def run(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Return the result of the function, or its Refusal."""
        cheap = [COSTS if isinstance(one, Costs) else one for one in args]
        try:
            return succeed(function(*cheap))
        except Refusal:
            return fail()


class Wired:
    """A connection to a server, and its other end in memory."""

    def __init__(self, connection: LinePeer, clock: Clock) -> None:
        self.connection = connection
        self.clock = clock
        self.transport: Any = Transport()
        connection.makeConnection(self.transport)
        self.settle()

    def settle(self) -> None:
        """Run turns of the server until it has nothing to do."""
        for _ in range(TURNS):
            now = self.clock.seconds()
            due = [call for call in self.clock.getDelayedCalls() if call.getTime() <= now]
            if due:
                self.clock.advance(0)
            elif self.transport.producerState == "paused" and not self.closed:
                # Refused for its rate; it continues in a second.
                self.clock.advance(1.0)
            else:
                return
        raise AssertionError("the server never has nothing to do")

    def say(self, data: bytes) -> None:
        """Deliver these bytes to the server."""
        if not self.closed:
            self.connection.dataReceived(data)

    @property
    def closed(self) -> bool:
        """Whether the server has ended the connection."""
        return bool(self.transport.ended)

    def lose(self) -> None:
        """End the connection."""
        self.connection.connectionLost()
        for _ in range(8):
            self.clock.advance(0)


def msg_server(dice: Dice, mode: Any = "open", flood: bool = False) -> tuple[MsgServer, Store, Clock]:
    """Return a running server that writes to the store ``store``."""
    clock = Clock()
    clock.advance(1000)
    store = Store(clock, dice)
    store.verifiers = (MADE.argon, MADE.scram)
    config = schema.Config(accounts=_ACCOUNTS[mode], limits=_LIMITS[flood])
    epoch = Epoch(clock.seconds)
    # The server tests the type of its connection, but needs only an IStore.
    given: Any = store
    server = MsgServer(
        config,
        "ms1",
        "127.0.0.1:19000",
        given,
        given,
        epoch,
        MemoryBus(),
        clock,
        hashing=Inline(clock),
        make_lease=Held,
    )
    server.running = True
    for call in store.on_connected:
        call()
    return server, store, clock


def server(data: bytes) -> None:
    """A msg_server: bytes 0 to 3 choose how, the next 16 are the store's answers, the rest is sent by the client."""
    flags, seed = data[:1] or b"\0", data[1:2] or b"\0"
    mode = ("open", "open", "closed", "signup")[flags[0] % 4]
    stream = data[20:]
    with quiet():
        one, store, clock = msg_server(Dice(data[4:20] * 16), mode, bool(flags[0] & 4))
        wired = Wired(one.peer("192.0.2.1"), clock)
        if flags[0] & 8:
            stream = (b"HELLO 1 caps=ack\n" if flags[0] & 16 else b"") + _welcome(mode) + stream
            wired.say(stream[: len(stream) - len(data[20:])])
            wired.settle()
        store.calm = not flags[0] & 32
        for number, part in enumerate(pieces(data[20:], seed[0]) if flags[0] & 64 else [data[20:]]):
            wired.say(part)
            if number % 3 == seed[0] % 3:
                one.delivery.rooms.told(TALK, EPOCH, store.next(TALK), store.body(TALK), 0, 1)
                wired.settle()
        _check(wired, MSG_SERVER_COMMANDS, stream, bool(flags[0] & 128))


def _welcome(mode: str) -> bytes:
    if mode == "open":
        return b"@device=phone SEND_CLIENT_ID alice\n"
    return b"SEND_CLIENT_ID alice " + (TOKEN if mode == "closed" else PASSWORD) + b"\n"


def _check(wired: Wired, table: Table, stream: bytes, half_closes: bool) -> None:
    wired.settle()
    closed, last = wired.closed, ""
    if half_closes and not closed:
        session = wired.connection.session
        assert session is not None
        last = "refused" if session.said_hello else "read"
        wired.connection.readConnectionLost()
        wired.settle()
        claim(wired.closed, "a client that has half-closed is not closed")
    said = Transcript(wired.transport.value())
    compare(said, expected(table, stream, last), closed or said.ended)
    wired.lose()


def gateway(data: bytes) -> None:
    """A gateway: byte 0 chooses how, byte 1 the cuts; the rest is sent by the client."""
    flags, seed, stream = data[:1] or b"\0", data[1:2] or b"\0", data[2:]
    with quiet():
        clock = Clock()
        servers = ["127.0.0.1:19000", "[::1]:19001"][: flags[0] % 4]
        one = Gateway(MemoryBus(), Placement(servers, Random(1)), _LIMITS[bool(flags[0] & 4)], clock)
        wired = Wired(one.buildProtocol(None), clock)
        assert wired.connection.session is not None
        commands = wired.connection.session.commands
        for part in pieces(stream, seed[0]) if flags[0] & 64 else [stream]:
            wired.say(part)
        _check(wired, commands, stream, bool(flags[0] & 128))
        claim(not one.clients, "it counts a client that is gone")
