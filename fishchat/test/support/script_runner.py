"""Run the store's scripts in tests: on a real Redis, one call after the other, with texts instead of bytes.

A suite is a :class:`ScriptCase` under :func:`on_each_redis`. Its tests speak of two msg_servers, ``MS1`` and
``MS2``, and of accounts that log in there; ``said`` and its neighbours put the packed arguments together.
"""

from __future__ import annotations

import itertools
import re
import socket
import sys
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import hiredis
from hypothesis import HealthCheck, settings
from twisted.trial.unittest import SynchronousTestCase

from fishchat.bus.hints import EACH
from fishchat.model.message import PLAIN, pack_body
from fishchat.model.names import p2p, topic_conversation
from fishchat.model.routing import Entry, group
from fishchat.services.redis import program
from fishchat.storage import loader
from fishchat.storage.fence import Fence
from fishchat.storage.format import FORMAT
from fishchat.storage.header import parse
from fishchat.storage.packing import pack, unpack
from fishchat.storage.script import Script, script
from fishchat.test.support.redis_fixture import RedisServer, executables

STREAM = "/sysctrl/send"
#: The epoch at the start of every test.
EPOCH = 7
#: A time in ms that no test reaches.
LONG = 600_000

MS1 = Fence(b"ms1", b"aaaa", EPOCH)
MS2 = Fence(b"ms2", b"bbbb", EPOCH)

#: Settings for properties: one test method runs on several servers, and each example makes many calls.
PROPERTY = settings(max_examples=25, suppress_health_check=[HealthCheck.differing_executors])

_servers: dict[str, RedisServer] = {}
_pack: Any = hiredis.pack_command


def server_of(executable: str) -> RedisServer:
    """Return the Redis that all script tests of this process share for one executable; it ends with the process."""
    server = _servers.get(executable)
    if server is None:
        server = _servers[executable] = RedisServer(executable)
    return server


def readable(reply: Any) -> Any:
    """Return the reply with texts instead of bytes, at every level."""
    if isinstance(reply, bytes):
        return reply.decode(errors="backslashreplace")
    if isinstance(reply, list):
        return [readable(each) for each in reply]
    return reply


def check_word(name: str, reply: Any) -> None:
    """Raise AssertionError if a script refuses with a word that its header does not name, or in another form."""
    header = parse(loader.read(name))
    is_array = isinstance(reply, list)
    word = (reply[0] if reply else None) if is_array else reply
    if not isinstance(word, bytes) or not re.fullmatch(rb"[A-Z]+", word) or word.decode() in header.reply:
        return
    assert word.decode() in header.refuses, f"{name} refuses with {word!r}"
    assert is_array == header.reply.startswith("OK"), f"{name} refuses in another form: {reply!r}"
    assert not is_array or (len(reply) == 2) == bool(header.refuses[word.decode()]), f"{name}: {reply!r}"


class Runner:
    """One connection for commands and scripts; error replies are raised as ``hiredis.ReplyError``."""

    def __init__(self, server: RedisServer) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(server.path)
        self._reader = hiredis.Reader()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def command(self, *words: bytes | str | int) -> Any:
        """Return the raw reply to one command."""
        self._socket.sendall(_pack(words))
        while (reply := self._reader.gets()) is False:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("Redis closed the connection")
            self._reader.feed(data)
        if isinstance(reply, hiredis.ReplyError):
            raise reply
        return reply

    def script(self, name: str | Script, *args: Any) -> Any:
        """Return the raw reply of a script, which is loaded if Redis does not know it."""
        found = script(name) if isinstance(name, str) else name
        packed = pack(*args)
        try:
            reply = self.command("EVALSHA", found.sha, 0, packed)
        except hiredis.ReplyError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
            self.command("SCRIPT", "LOAD", found.source)
            reply = self.command("EVALSHA", found.sha, 0, packed)
        if isinstance(name, str):
            check_word(name, reply)
        return reply


@dataclass(frozen=True)
class Said:
    """A message of a batch: ``to`` is an account, or a topic with its ``#``."""

    account: str
    to: str
    text: str
    cseq: int = -1
    device: str = "main"
    form: bytes = PLAIN

    @property
    def conversation(self) -> str:
        """The token of the conversation."""
        if self.to.startswith("#"):
            return self.to
        return p2p(self.account.encode(), self.to.encode()).decode()

    @property
    def body(self) -> bytes:
        """The stored form of the message."""
        return pack_body(self.account.encode(), self.device.encode(), self.cseq, self.form, self.text.encode())

    @property
    def flat(self) -> list[Any]:
        """Return the message as ``send.lua`` expects it."""
        peer = "" if self.to.startswith("#") else self.to
        sender = f"{self.account}/{self.device}"
        return [self.conversation, sender, self.cseq, self.body, self.account, peer]


def batch(*messages: Said) -> tuple[list[str], list[Any], list[int]]:
    """Return the last arguments of ``send.lua``: accounts whose places it reads, messages, those with attributes."""
    accounts = {one for each in messages for one in (each.account, each.to) if not one.startswith("#")}
    flat = [value for each in messages for value in each.flat]
    marked = [6 * at for at, each in enumerate(messages) if each.form != PLAIN or "@" in each.text]
    return sorted(accounts), flat, marked


class ScriptCase(SynchronousTestCase):
    """A test with an empty store of epoch ``EPOCH`` and two msg_servers, on the Redis of ``executable``."""

    executable = executables()[0]

    def setUp(self) -> None:
        """Remove the data of earlier tests."""
        self.server = server_of(self.executable)
        self.runner = Runner(self.server)
        self.addCleanup(self.runner.close)
        self.connections = itertools.count(1)
        self.empty()

    def empty(self) -> None:
        """Empty the store and register the servers, also between two examples of one property."""
        self.command("FLUSHALL")
        self.command("MSET", "epoch", EPOCH, "epoch:run", "test", "format", FORMAT)
        for fence in (MS1, MS2):
            self.register(fence, features="links")

    # -- calls of the store

    def command(self, *words: bytes | str | int) -> Any:
        """Run a plain command. Returns a readable reply."""
        return readable(self.runner.command(*words))

    def call(self, script: str | Script, *args: Any) -> Any:
        """Run a script. Returns a readable reply."""
        return readable(self.runner.script(script, *args))

    def fenced(self, script: str | Script, *args: Any, fence: Fence = MS1) -> Any:
        """Run a script that writes for a msg_server."""
        return self.call(script, *fence.args, *args)

    def packed(self, script: str | Script, *args: Any) -> Any:
        """Run a script whose reply is one packed value."""
        return readable(unpack(self.runner.script(script, *args)))

    def dump(self) -> dict[str, bytes]:
        """Return all data of the store, to compare it."""
        keys = self.runner.command("KEYS", "*")
        return {key.decode(): self.runner.command("DUMP", key) for key in keys}

    def assert_unchanged(self, before: dict[str, bytes]) -> None:
        """Check that nothing was written since that dump."""
        now = self.dump()
        changed = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
        self.assertEqual(changed, [])

    def fill_memory(self) -> None:
        """Leave the store without free memory until the test ends."""
        self.addCleanup(self.server.command, "CONFIG", "SET", "maxmemory", 0)
        self.command("CONFIG", "SET", "maxmemory", 1)

    # -- servers and accounts

    def register(self, fence: Fence, lease: int = LONG, take: bool | str | None = None, features: str = "") -> str:
        """Register a msg_server, by default in place of the present holder."""
        if take is None:
            take = self.command("GET", f"lease:{fence.server.decode()}") or True
        reply: str = self.call("servers/register", fence.server, fence.token, lease, take, features)
        return reply

    def login(
        self,
        account: str,
        device: str = "main",
        fence: Fence = MS1,
        *,
        devices: int = 10,
        create: bool = True,
        forget: int = LONG,
        proof: tuple[Any, ...] = ("open",),
    ) -> Any:
        """Log in. Returns ``[OK, replaced session, talks]`` (talks as a dict by conversation) or the refusal."""
        args = (*fence.args, account, device, next(self.connections), devices, create, forget, proof)
        reply = self.runner.script("session/login", *args)
        return [*readable(reply[:2]), talks(reply[2])] if reply[0] == b"OK" else readable(reply)

    def grow_epoch(self) -> tuple[Fence, Fence]:
        """Raise the epoch as after a restart of Redis. Returns the two msg_servers' fences of the next epoch."""
        epoch = int(self.command("INCR", "epoch"))
        return replace(MS1, epoch=epoch), replace(MS2, epoch=epoch)

    # -- messages

    def send(self, *messages: Said, fence: Fence = MS1, script: str | Script = "logs/send") -> Any:
        """Store one batch of senders at this msg_server, logged in or not. Returns its results, or its refusal.

        The result of a repeated message omits the time of the first.
        """
        for each in messages:
            self.place(each.account, each.device, fence)
        reply = self.fenced(script, STREAM, *batch(*messages), fence=fence)
        return [_without_time(result) for result in reply[1]] if reply[0] == "OK" else reply

    def place(self, account: str, device: str, fence: Fence) -> None:
        """Place the device at this msg_server: the part of a login that matters to a sender."""
        places = (self.command("GET", "at:" + account) or "").split()
        here = f"{fence.server.decode()}/{device}"
        if here not in places:
            self.command("SET", "at:" + account, " ".join([*places, here]))

    def said(
        self,
        account: str,
        to: str,
        text: str,
        cseq: int = -1,
        device: str = "main",
        fence: Fence = MS1,
    ) -> Any:
        """Store one message. Returns its result."""
        return self.send(Said(account, to, text, cseq, device), fence=fence)[0]

    def log(self, conversation: str) -> list[tuple[str, str]]:
        """Return position and text of all messages of a conversation."""
        entries = self.command("XRANGE", "log:" + conversation, "-", "+")
        return [(at, fields[3].split(" ", 4)[4]) for at, fields in entries]

    def history(
        self, account: str, conversation: str, *, before: str = "", after: str = "", limit: int = 50
    ) -> list[str] | str:
        """Return the texts of one page, or ``NOTFOUND``."""
        reply = self.call("messages/history", account, conversation, before, after, limit, "")
        return reply if isinstance(reply, str) else [body.split(" ", 4)[4] for body in reply[2::3]]

    def conversations(self, account: str) -> dict[str, list[int]]:
        """Return conversation → last number, read number, unread."""
        names = sorted(self.command("HKEYS", "talks:" + account))
        found = rows(self.packed("messages/describe_conversations", account, names, False, 0), 11)
        return {name: numbers[:3] for name, numbers in found.items()}

    def routed(self) -> list[dict[str, list[Any]]]:
        """Return what the router forwards, without times: entry → msg_server → conversation, number, body, version."""
        entries = self.runner.command("XRANGE", STREAM, "-", "+")
        told = [group(Entry.of(unpack(fields[1]), unpack(fields[3]), int(fields[5]))) for _, fields in entries]
        return [{server.decode(): _untimed(readable(flat)) for server, flat in each.items()} for each in told]

    # -- topics

    def create(
        self, account: str, topic: str, kind: str = "open", most: int = 100, *, fence: Fence = MS1, **settings: str
    ) -> Any:
        """Create a topic."""
        flat = [part for pair in settings.items() for part in pair]
        return self.fenced("topics/create", account, topic, kind, most, flat, fence=fence)

    def join(
        self,
        account: str,
        topic: str,
        members: int = 100,
        topics: int = 100,
        *,
        text: str = "",
        notified: int = 0,
        requests: int = 100,
        fence: Fence = MS1,
    ) -> Any:
        """Make an account a member, or ask to become one. Returns the reply without the notices."""
        limits = members, topics, notified, requests
        reply = self.fenced("topics/join", STREAM, account, "main", topic, text, *limits, fence=fence)
        return reply[:3]

    def leave(self, account: str, topic: str, notices: int = 0, fence: Fence = MS1) -> Any:
        """End a membership. Topics of at most ``notices`` members have a notice of it."""
        body = pack_body(account.encode(), b"main", -1, b"n", b"LEFT " + account.encode())
        return self.fenced("topics/leave", account, topic, STREAM, body, notices, fence=fence)

    def invite(self, account: str, topic: str, guest: str, most: int = 100) -> Any:
        """Invite an account, with the notice that a msg_server writes."""
        body = pack_body(account.encode(), b"main", -1, b"n", b"INVITED " + topic.encode())
        return self.fenced("topics/invite", account, topic, guest, most, STREAM, body)

    def dismiss(self, account: str, topic: str, fence: Fence = MS1) -> Any:
        """Dismiss a topic and release all of its members."""
        body = pack_body(account.encode(), b"main", -1, b"n", b"DISMISSED " + topic.encode())
        reply = self.fenced("topics/dismiss", account, topic, STREAM, body, fence=fence)
        while reply[0] == "OK" and self.call("topics/release", topic, 500):
            pass
        return reply

    def ack(self, account: str, conversation: str, at: str, device: str = "main", fence: Fence = MS1) -> Any:
        """Acknowledge. Returns how many cursors moved, or the refusal."""
        reply = self.fenced("logs/ack", [account, device, conversation, at], fence=fence)
        return reply[1] if reply[0] == "OK" else reply

    def cursor(self, account: str, conversation: str, device: str = "main") -> Any:
        """Return a device's cursor, or None if it has none."""
        return self.command("HGET", f"cursor:{account}/{device}", conversation)


def rows(flat: list[Any], width: int) -> dict[str, list[Any]]:
    """Return the rows of a flat reply by their first value."""
    return {flat[start]: flat[start + 1 : start + width] for start in range(0, len(flat), width)}


def talks(raw: bytes) -> dict[str, list[Any]]:
    """Return what a login reads: conversation → last position, cursor or '', spans, membership version."""
    return rows(readable(unpack(raw)), 5)


def _without_time(result: Any) -> Any:
    if isinstance(result, str) and result.startswith("DUP "):
        return " ".join(result.split(" ")[:2])
    return result


def _untimed(flat: list[Any]) -> list[Any]:
    return [value for at, value in enumerate(flat) if at % EACH != EACH - 1]


def token(topic: str) -> str:
    """Return the conversation of a topic."""
    return topic_conversation(topic.encode()).decode()


CaseT = TypeVar("CaseT", bound=type[ScriptCase])


def on_each_redis(case: CaseT) -> CaseT:
    """Run the suite on every installed Redis: itself on the oldest, a subclass on each other one."""
    module = sys.modules[case.__module__]
    for executable in executables()[1:]:
        major, minor = program.version(executable) or (0, 0)
        name = f"{case.__name__}_{major}_{minor}"
        setattr(module, name, type(name, (case,), {"executable": executable, "__module__": case.__module__}))
    return case
