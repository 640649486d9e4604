"""The oracle of the world of ``sync_world``: stored messages and the accounts that may see them, script by script.

It sees the arguments and the reply of each script, and keeps its own records. Of the store's data it reads only leases,
the epoch and cursors.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from fishchat.model.names import START, Position, accounts_of, parse_position
from fishchat.storage.header import parse
from fishchat.storage.loader import names, read
from fishchat.storage.packing import unpack
from fishchat.test.support.sync_redis import Arguments, Store

#: Scripts that check the fence of a msg_server, their first three arguments.
FENCED = frozenset(name for name in names() if "LEASE" in parse(read(name)).refuses)


@dataclass(frozen=True)
class Stored:
    """One message of a log."""

    conversation: str
    epoch: int
    seq: int
    sender: str
    text: str

    @property
    def position(self) -> Position:
        """The position of the message."""
        return self.epoch, self.seq

    @property
    def id(self) -> str:
        """The id of the message for clients."""
        return f"{self.conversation}:{self.epoch}-{self.seq}"


@dataclass
class Books:
    """The records that a copy of the store would also contain.

    :ivar spans: topic → account → from which message of the log, up to which (None: still a member).
    :ivar starts: device → conversation → the position at which it began.
    """

    logs: dict[str, list[Stored]] = field(default_factory=dict)
    spans: dict[str, dict[str, list[list[int | None]]]] = field(default_factory=dict)
    starts: dict[str, dict[str, Position]] = field(default_factory=dict)


@dataclass
class Login:
    """The data that a login found: cursors, and the visible messages of each conversation."""

    cursors: dict[str, Position]
    seen: dict[str, int]


class Oracle:
    """The records, and the checks that they must always pass.

    :ivar ids: every id ever assigned, with its sender and text; a restore of the store does not change it.
    :ivar logins: server, incarnation and connection → the data that this login found.
    """

    def __init__(self, store: Store) -> None:
        self.books = Books()
        self.ids: dict[str, tuple[str, str]] = {}
        self.logins: dict[tuple[str, str, int], Login] = {}
        self._store = store
        #: Whether cursors may have moved since the last check.
        self.moved = False
        self._furthest: dict[str, Position] = {}

    def copy(self) -> Books:
        """Return a copy of the current records."""
        return deepcopy(self.books)

    # -- scripts

    def asks(self, script: str, args: list[Any]) -> list[Arguments]:
        """Return the commands to run right before a script."""
        commands: list[Arguments] = []
        if script in FENCED:
            commands.append(("MGET", b"lease:" + args[0], "epoch"))
        if script == "session/login":
            commands.append(("HGETALL", b"cursor:" + args[3]))
        return commands

    def ran(self, script: str, args: list[Any], before: list[Any], reply: Any) -> None:
        """See Observer."""
        if script in FENCED:
            if reply[0] in (b"LEASE", b"EPOCH"):
                return
            assert before[0] == args[1:3], f"P6: {script} by {args[:3]} in spite of {before[0]}"
        if script == "session/login":
            self._furthest = _cursors(before[1])
        self.moved = self.moved or script in ("logs/ack", "session/login")
        take = getattr(self, "_" + script.replace("/", "_"), None)
        if take is not None and (script not in FENCED or reply[0] == b"OK"):
            take(args, reply)

    def _logs_send(self, args: list[Any], reply: Any) -> None:
        epoch, flat = int(args[2]), args[5]
        for number, result in enumerate(reply[1]):
            if isinstance(result, int):
                conversation, sender, _, body = flat[number * 6 : number * 6 + 4]
                stored = self._append(conversation.decode(), epoch, result, body)
                assert stored.sender == sender.decode(), f"P5: {stored} under the number of {sender!r}"

    def _append(self, conversation: str, epoch: int, seq: int, body: bytes) -> Stored:
        account, device, _, _, text = body.decode().split(" ", 4)
        sender = f"{account}/{device}"
        message = Stored(conversation, epoch, seq, sender, text)
        log = self.books.logs.setdefault(conversation, [])
        last = log[-1].position if log else START
        assert seq == last[1] + 1 and epoch >= last[0], f"P3: {message} behind {last}"
        assert message.id not in self.ids, f"two messages of one id: {message} and {self.ids[message.id]}"
        self.ids[message.id] = (sender, text)
        log.append(message)
        return message

    def _topics_create(self, args: list[Any], _: Any) -> None:
        self._member(args[3], args[4])

    def _topics_join(self, args: list[Any], _: Any) -> None:
        self._member(args[4], args[6])

    def _member(self, name: bytes, joined: bytes) -> None:
        account, topic = name.decode(), "#" + joined.decode()
        spans = self.books.spans.setdefault(topic, {}).setdefault(account, [])
        if not spans or spans[-1][1] is not None:
            spans.append([len(self.books.logs.get(topic, ())), None])

    def _topics_leave(self, args: list[Any], _: Any) -> None:
        self._close(args[3].decode(), "#" + args[4].decode())

    def _close(self, account: str, topic: str) -> None:
        spans = self.books.spans[topic][account]
        if spans[-1][1] is None:
            spans[-1][1] = len(self.books.logs.get(topic, ()))

    def _topics_dismiss(self, args: list[Any], reply: Any) -> None:
        topic = "#" + args[4].decode()
        self._append(topic, reply[2], reply[3], reply[4])
        for account in self.books.spans[topic]:
            self._close(account, topic)

    def _topics_invite(self, args: list[Any], reply: Any) -> None:
        if len(reply) > 1:
            self._append(reply[1].decode(), reply[2], reply[3], reply[4])

    def _session_login(self, args: list[Any], reply: Any) -> None:
        server, incarnation, _, account, device, connection = args[:6]
        key = f"{account.decode()}/{device.decode()}"
        if key not in self.books.starts:
            self.books.starts[key] = self._furthest
        talks = unpack(reply[2])
        cursors = {talks[at].decode(): parse_position(talks[at + 2]) for at in range(0, len(talks), 5) if talks[at + 2]}
        seen = {name: len(self.entitled(key, name)) for name in self.books.logs}
        self.logins[server.decode(), incarnation.decode().partition(".")[0], connection] = Login(cursors, seen)

    # -- consequences

    def cursors(self, keys: Iterable[str]) -> list[dict[str, Position]]:
        """Return the stored cursors of devices."""
        return [_cursors(flat) for flat in self._store.many(*(("HGETALL", "cursor:" + key) for key in keys))]

    def is_member(self, account: str, topic: str) -> bool:
        """Return whether the account may write there now."""
        spans = self.books.spans.get(topic, {}).get(account)
        return bool(spans) and spans[-1][1] is None  # type: ignore[index]

    def entitled(self, key: str, conversation: str) -> list[Stored]:
        """Return the messages of a conversation that this device's account may see, without the device's own."""
        account = key.partition("/")[0]
        log = self.books.logs.get(conversation, [])
        if conversation.startswith("#"):
            spans = self.books.spans.get(conversation, {}).get(account, [])
            seen = [message for after, upto in spans for message in log[after:upto]]
        else:
            seen = log if account.encode() in accounts_of(conversation.encode()) else []
        return [message for message in seen if message.sender != key]

    def due(self, key: str, conversation: str) -> list[Stored]:
        """Return all messages that this device must ever receive."""
        start = self.books.starts[key].get(conversation, START)
        return [message for message in self.entitled(key, conversation) if message.position > start]


def _cursors(flat: list[bytes]) -> dict[str, Position]:
    return dict(zip(map(bytes.decode, flat[::2]), map(parse_position, flat[1::2]), strict=True))
