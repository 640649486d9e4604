"""Payloads between the roles: a decoder returns a value of its type or raises its one error; receivers do not fail."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from fishchat.bus import channels
from fishchat.bus.hints import Hints
from fishchat.config import schema
from fishchat.features.session.rows import RESP_MOVE
from fishchat.model.hints import HintNumbers
from fishchat.model.placement import Placement, Way
from fishchat.model.routing import Entry, group
from fishchat.net.addresses import parse_address
from fishchat.proof.fuzz.helpers import Dice, claim, quiet
from fishchat.proof.fuzz.servers import msg_server
from fishchat.services.gateway.service import Gateway
from fishchat.services.monitor.service import Monitor
from fishchat.storage.fence import Fence
from fishchat.storage.packing import pack, unpack
from fishchat.testing.memory_bus import MemoryBus

KINDS: tuple[type[channels.Payload], ...] = (
    channels.Heartbeat,
    channels.ClientStatus,
    channels.TopicStatus,
    channels.TopicSync,
)


def bus(data: bytes) -> None:
    """The JSON on the channels: read as each of its kinds, and received by everything that subscribes to heartbeats."""
    for kind in KINDS:
        payload = _decoded(kind.decode, data)
        if payload is not None:
            claim(isinstance(payload, kind), "of another type", payload)
            claim(kind.decode(payload.encode()) == payload, "not what was said", payload)
    with quiet():
        _heard(data)


def _decoded(decode: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return decode(data)
    except ValueError:
        return None


def _heard(payload: bytes) -> None:
    """Parts of a heartbeat are sent to clients: a malformed address must not be."""
    server, _, clock = msg_server(Dice(b""))
    everywhere = MemoryBus()
    server.neighbours.listen(everywhere)
    monitor = Monitor(everywhere, clock, lambda: "own", wall=clock.seconds)
    gateway = Gateway(everywhere, Placement([], Random(1)), schema.Limits(), clock)
    everywhere.publish(channels.MONITOR, payload)
    for way in (Way(secure, web) for secure in (False, True) for web in (False, True)):
        for address in gateway.placement.choose(clock.seconds(), way):
            parse_address(address)
        line = server.neighbours.move_line(0, way)
        (address, _), _ = RESP_MOVE.read(line.removesuffix(b"\r\n").partition(b" ")[2])
        claim(address is None or parse_address(address.decode()), "no address", line)
    shown = monitor.servers()
    claim(msgspec.json.decode(msgspec.json.encode(shown)) == shown, "not to be shown", shown)


def hints(data: bytes) -> None:
    """The batches of messages in MessagePack: typed, and equal to the packed values."""
    found = _decoded(Hints.decode, data)
    if found is not None:
        for number in (found.shard, found.generation, found.number, found.epoch):
            claim(type(number) is int, "no number", found)
        HintNumbers().hint(found.generation, found.number)
        for conversation, seq, body, version, time in found.messages():
            claim(type(conversation) is bytes and type(body) is bytes, "no bytes", found)
            claim(all(type(one) is int for one in (seq, version, time)), "no number", found)
        again = Hints.decode(found.encode())
        claim(again == found, "not what was said", again, found)
    with quiet():
        server, _, _ = msg_server(Dice(b""))
        server.router_hints.heard(Hints(0, 1, 1, 7, []).encode())
        if found is None:
            server.router_hints.heard(data)
            claim(server.router_hints.hints == 1, "it took what is no batch", data)


def routes(data: bytes) -> None:
    """Routes: every msg_server receives exactly its messages, once, for any batch and any places."""
    dice = Dice(data)
    sent = [
        [b"#" + dice.name(), b"alice/main", dice.number() - 1, dice.raw(), b"alice", b""]
        for _ in range(dice.byte() % 5)
    ]
    time = dice.number()
    servers = [b"ms1", b"ms2", b"ms3/phone", b"ms2/main", dice.name()]
    flat_routes: list[Any] = []
    wanted: dict[bytes, list[Any]] = {}
    for offset, message in enumerate(sent):
        places = [dice.pick(servers) for _ in range(1 + dice.byte() % 3)]
        number, version = dice.number(), dice.byte()
        flat_routes += (offset * 6, number, version, b" ".join(places))
        for name in {place.partition(b"/")[0] for place in places} - {b"ms1"}:
            wanted.setdefault(name, []).extend((message[0], number, message[3], version, time))
    fence = Fence(b"ms1", dice.name(), dice.number(), dice.byte())
    packed = pack(*fence.args, b"/sysctrl/send", [b"alice"], [value for message in sent for value in message], [])
    batch = unpack(packed)
    claim(batch[:3] == list(fence.args), "another fence", batch)
    told = group(Entry.of(batch, unpack(pack(*flat_routes)), time))
    claim(told == wanted, "told to others", told, wanted)
    for flat in told.values():
        claim(Hints.decode(Hints(0, 1, 2, 7, flat).encode()).flat == flat, "not what was said", flat)
